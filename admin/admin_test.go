package admin

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// result is what a command left behind.
type result struct {
	code        int
	out, errors string
}

// ingest runs one command in dir, with nothing of the test's own environment.
func ingest(t *testing.T, dir string, environ []string, args ...string) result {
	t.Helper()
	var out, errs bytes.Buffer
	code := Main(t.Context(), args, Options{
		Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs, Workdir: dir,
		Environ: append([]string{"NO_COLOR=1"}, environ...),
	})
	return result{code, out.String(), errs.String()}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestWrongUsageIsExitCode2(t *testing.T) {
	t.Parallel()
	redis := []string{"INGEST_REDIS_URL=redis://127.0.0.1:1"}
	for _, c := range []struct {
		args    []string
		environ []string
		says    string
	}{
		{args: nil, says: "ingest: "},
		{args: []string{"stauts"}, says: `ingest: unknown command "stauts", did you mean "status"?`},
		{args: []string{"status", "1", "--wacth"}, says: `ingest: unknown flag "--wacth", did you mean "--watch"?`},
		{args: []string{"runs", "--output", "jsno"}, says: `ingest: --output is one of table, json, yaml, not "jsno", did you mean "json"?`},
		{args: []string{"completion", "bsh"}, says: `ingest: <shell> is one of bash, zsh, fish, not "bsh", did you mean "bash"?`},
		{args: []string{"retry", "1", "--error", ""}, says: "--error is empty"},
		{args: []string{"preview"}, says: "preview"},
		{args: []string{"prune"}, says: "prune"},
		{args: []string{"run"}, says: "importer"},
		{args: []string{"run", "x", "--param", "a"}, says: "--param"},
		{args: []string{"run", "x", "--wait", "--detach"}, says: "--wait"},
		{args: []string{"run", "x", "--server", "localhost:8080"}, says: "--server: the server must be a URL"},
		{args: []string{"retry", "1", "--with", "x.csv", "--error", "y"}, says: "--error and --with"},
		{args: []string{"retry", "1", "--with", ""}, says: "--with is empty"},
		{args: []string{"status", "abc"}, says: "abc"},
		{args: []string{"status"}, says: "id"},
		{args: []string{"version", "--output", "csv"}, says: "csv"},
		{args: []string{"runs", "--status", "running"}, says: "--status is one of pending, processing, cancelling, completed, completed_with_errors,"},
		{args: []string{"runs", "--status", "faild"}, says: `did you mean "failed"?`},
		{args: []string{"run", "x", "--file", ""}, says: "--file is empty"},
		{args: []string{"run", "x", "--version"}, says: "run"},
		{args: []string{"failed-rows", "1", "--output", "json"}, says: "failed-rows prints CSV; leave --output out"},
		{args: []string{"failed-rows", "1", "--output", "yaml"}, says: "failed-rows prints CSV; leave --output out"},
		{args: []string{"runs", "--limit", "0"}, says: "--limit"},
		{args: []string{"coordinator"}, says: "use `ingest up`"},
		{args: []string{"worker"}, says: "use `ingest up`"},
		{args: []string{"run", "x", "--detach"}, says: "ingest up"},
		{args: []string{"runs", "--config", "missing.yaml"}, says: "The configuration file missing.yaml does not exist: make it, or name another with --config."},
		{args: []string{"runs", "--lease", "1ms"}, says: "lease"},
		{args: []string{"runs"}, environ: []string{"INGEST_CONFIG=other.yaml"}, says: "The configuration file other.yaml does not exist"},
		{args: []string{"runs"}, environ: append(redis, "INGEST_CHUNK_SIZE=many"), says: "many"},
	} {
		t.Run(strings.Join(c.args, " "), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			got := ingest(t, dir, c.environ, c.args...)
			if got.code != exitUsage || !strings.Contains(got.errors, c.says) || got.out != "" {
				t.Errorf("got %+v, want exit 2, %q on stderr only", got, c.says)
			}
			if files := tree(t, dir); len(files) > 0 {
				t.Errorf("it created %v", files)
			}
		})
	}
}

func TestHelpAndVersionNeedNoConfiguration(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "configs/ingest.yaml"), "no_such_key: 1\n")
	if got := ingest(t, dir, nil, "--help"); got.code != 0 || !strings.Contains(got.out, "failed-rows") ||
		!strings.Contains(got.out, "INGEST_CONNECTIONS_<NAME>_URL") {
		t.Errorf("--help: %+v", got)
	}
	if got := ingest(t, dir, nil, "run", "--help"); got.code != 0 || !strings.Contains(got.out, "--dry-run") ||
		!strings.Contains(got.out, "$INGEST_REDIS_URL") {
		t.Errorf("run --help: %+v", got)
	}
	got := ingest(t, dir, nil, "version", "--output", "json")
	var version struct{ Data struct{ Go string } }
	if err := json.Unmarshal([]byte(got.out), &version); err != nil || got.code != 0 || version.Data.Go == "" {
		t.Errorf("version: %+v, %v", got, err)
	}
	if flag := ingest(t, dir, nil, "--version", "--output", "json"); flag != got {
		t.Errorf("--version: %+v, version: %+v", flag, got)
	}
	if got := ingest(t, dir, nil, "runs"); got.code != exitUsage || !strings.Contains(got.errors, "no_such_key") {
		t.Errorf("runs with a broken file: %+v", got)
	}
}

func TestNothingWrongWithTheConfigurationMattersToThoseThatNeedNone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "configs/ingest.yaml"), "no_such_key: 1\n")
	broken := []string{"INGEST_CHUNK_SIZE=many"}
	if got := ingest(t, dir, broken, "version"); got.code != 0 || got.errors != "" {
		t.Errorf("version: %+v", got)
	}
	if got := ingest(t, dir, broken, "completion", "bash"); got.code != 0 || got.errors != "" || !strings.Contains(got.out, "_ingest") {
		t.Errorf("completion: %+v", got)
	}
	if got := ingest(t, dir, broken, "__complete", "stat"); got != (result{out: "status\tShow a run.\n"}) {
		t.Errorf("__complete: %+v", got)
	}
}

func TestAnUnknownImporterIsRefusedWithASuggestion(t *testing.T) {
	t.Parallel()
	dir := installation(t)
	const want = "No importer found with the slug 'poeple'. Did you mean \"people\"?\n"
	for _, command := range []string{"run", "check"} {
		if got := ingest(t, dir, nil, command, "poeple"); got.code != exitRefused || got.errors != want || got.out != "" {
			t.Errorf("%s: %+v", command, got)
		}
	}
}

func TestFlagBeatsEnvironmentBeatsFileBeatsDefault(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "configs/ingest.yaml"), "namespace: file\nchunk_size: 7\nslots: 3\n")
	got := ingest(t, dir, []string{"INGEST_NAMESPACE=env", "INGEST_CHUNK_SIZE=8"},
		"config", "--namespace", "flag", "--output", "json")
	if got.code != 0 {
		t.Fatalf("%+v", got)
	}
	var body struct {
		Data []struct {
			Key    string
			Value  any
			Origin string
		}
	}
	if err := json.Unmarshal([]byte(got.out), &body); err != nil {
		t.Fatal(err)
	}
	seen := map[string][2]any{}
	for _, setting := range body.Data {
		seen[setting.Key] = [2]any{setting.Value, setting.Origin}
	}
	for key, want := range map[string][2]any{
		"namespace": {"flag", "flag"}, "chunk_size": {8.0, "env"}, "slots": {3.0, "file"}, "partitions": {16.0, "default"},
	} {
		if diff := cmp.Diff(want, seen[key]); diff != "" {
			t.Errorf("%s: %s", key, diff)
		}
	}
}

func TestConfigMasksSecrets(t *testing.T) {
	t.Parallel()
	environ := []string{
		"INGEST_REDIS_URL=redis://user:hunter2@127.0.0.1:1",
		"INGEST_CONNECTIONS_WAREHOUSE_URL=postgres://app:hunter2@db/warehouse",
	}
	for _, format := range []string{"table", "json", "yaml"} {
		got := ingest(t, t.TempDir(), environ, "config", "--output", format)
		if got.code != 0 || strings.Contains(got.out+got.errors, "hunter2") || !strings.Contains(got.out, "***") {
			t.Errorf("%s: %+v", format, got)
		}
	}
}

func TestCommandsThatReadCreateNothing(t *testing.T) {
	t.Parallel()
	const unknown = "No ingest run found with ID 1."
	for _, c := range []struct {
		args string
		code int
		says string
	}{
		{args: "runs", says: "No ingest runs."},
		{args: "status 1", code: 1, says: unknown},
		{args: "status 1 --watch", code: 1, says: unknown},
		{args: "cancel 1", code: 1, says: unknown},
		{args: "cancel 1 --wait", code: 1, says: unknown},
		{args: "errors 1", code: 1, says: unknown},
		{args: "failed-rows 1", code: 1, says: unknown},
		{args: "failed-rows 1 -o rows.csv", code: 1, says: unknown},
		{args: "verify 1", code: 1, says: unknown},
		{args: "rebuild 1", code: 1, says: unknown},
		{args: "workers", says: "No worker"},
		{args: "config", says: "namespace"},
	} {
		t.Run(c.args, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			got := ingest(t, dir, nil, strings.Fields(c.args)...)
			if got.code != c.code || !strings.Contains(got.out+got.errors, c.says) {
				t.Errorf("%+v, want exit %d and %q", got, c.code, c.says)
			}
			if c.code != 0 && (got.out != "" || got.errors != c.says+"\n") {
				t.Errorf("a refusal belongs on stderr alone: %+v", got)
			}
			if files := tree(t, dir); len(files) > 0 {
				t.Errorf("it created %v", files)
			}
		})
	}
}

func TestNoRunsAsJSONIsAnEmptyPage(t *testing.T) {
	t.Parallel()
	got := ingest(t, t.TempDir(), nil, "runs", "--output", "json")
	var body struct {
		Data  []any
		Links map[string]any
		Meta  map[string]any
	}
	if err := json.Unmarshal([]byte(got.out), &body); err != nil {
		t.Fatal(err)
	}
	if body.Data == nil || len(body.Data) != 0 || body.Meta["total"] != 0.0 || body.Meta["per_page"] != 15.0 {
		t.Errorf("%s", got.out)
	}
}

func TestMigrateIsRepeatable(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, want := range []string{"migrated", "up to date"} {
		if got := ingest(t, dir, nil, "migrate"); got.code != 0 || !strings.Contains(got.out, want) {
			t.Errorf("%+v, want %q", got, want)
		}
	}
	if got := ingest(t, dir, nil, "status", "1"); got.code != 1 || got.errors != "No ingest run found with ID 1.\n" {
		t.Errorf("%+v", got)
	}
	info, err := os.Stat(filepath.Join(dir, ".ingest"))
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o700 {
		t.Errorf("the data directory has mode %v", info.Mode())
	}
}

func TestErrorsAboutFilesNameTheFileOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "file"), "")
	write(t, filepath.Join(dir, "junk.db"), strings.Repeat("no database ", 100))
	write(t, filepath.Join(dir, "importers/people.yaml"),
		"importer: people\nsource: {path: x.csv}\ndestination: {table: people}\nfields: [{from: a, to: a}]\n")
	for name, what := range map[string]string{
		"junk.db": "The database file is damaged or no database", "file/x.db": "The database file cannot be opened",
	} {
		path := filepath.Join(dir, name)
		for _, args := range []string{"run people", "runs", "status 1", "up", "migrate", "check people --connect"} {
			got := ingest(t, dir, []string{"INGEST_CONNECTIONS_DEFAULT_URL=sqlite:" + path, "INGEST_IMPORTERS=importers", "INGEST_LISTEN=127.0.0.1:0"},
				strings.Fields(args)...)
			said := strings.Join(strings.Fields(got.out+got.errors), "")
			if got.code != 1 || !strings.Contains(said, strings.ReplaceAll(what, " ", "")) {
				t.Errorf("%s on %s: %+v", args, name, got)
			}
			if args == "check people --connect" {
				continue // its lines are the definition's problems
			}
			if strings.Count(said, "connection'default'") > 1 || strings.Count(said, path) != 1 ||
				!strings.Contains(said, "INGEST_CONNECTIONS_DEFAULT_URL") {
				t.Errorf("%s on %s: %+v", args, name, got)
			}
		}
	}
}

func TestAMissingImportersDirectoryIsNamed(t *testing.T) {
	t.Parallel()
	for _, args := range []string{"run people", "list", "check"} {
		dir := t.TempDir()
		want := "The importers directory " + filepath.Join(dir, "configs/importers") +
			" does not exist: make it, or name another with --importers.\n"
		if got := ingest(t, dir, nil, strings.Fields(args)...); got.code != 1 || got.errors != want {
			t.Errorf("%s: %+v, want %q", args, got, want)
		}
	}
}

// tree lists what is in a directory.
func tree(t *testing.T, dir string) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if path != dir {
			found = append(found, strings.TrimPrefix(path, dir))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// TestAServerWithoutRedisSaysWhatToDo, and no address.
func TestAServerWithoutRedisSaysWhatToDo(t *testing.T) {
	t.Parallel()
	got := ingest(t, t.TempDir(), []string{"INGEST_REDIS_URL=redis://127.0.0.1:1"}, "worker")
	if got.code != 1 || !strings.Contains(got.errors, "start it, or say where it is with redis.url") || strings.Contains(got.errors, "127.0.0.1") {
		t.Errorf("%+v", got)
	}
}
