package integration

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ingest/integration/reference"
	"ingest/integration/rig"
)

// keys are the names of a JSON object in the order they are written.
func keys(t *testing.T, object json.RawMessage) []string {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(object))
	if _, err := decoder.Token(); err != nil {
		t.Fatal(err)
	}
	var names []string
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, fmt.Sprint(name))
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			t.Fatal(err)
		}
	}
	return names
}

// resource is a run as JSON shows it: its names in order, and its values.
func resource(t *testing.T, body string) (names []string, values map[string]json.RawMessage) {
	t.Helper()
	var document struct{ Data json.RawMessage }
	decode(t, body, &document)
	decode(t, string(document.Data), &values)
	return keys(t, document.Data), values
}

// contractKeys are those of contract section 3, without rows.
var contractKeys = []string{
	"id", "importer", "status", "user_id", "original_filename", "progress", "summary", "started_at", "completed_at", "dry_run",
	"created", "updated", "unchanged", "skipped", "not_processed", "rows_per_second", "bytes_read", "bytes_total",
	"total_final", "parent_id", "retried_from_run_id", "retried_by", "waiting_for", "reason",
}

func TestRunAsJSON(t *testing.T) {
	t.Parallel()
	sys := trial{file: "a,,b,c\n1,,2,3\n4,\n"}.install(t)
	sys.Must(3, "run", "x")
	names, values := resource(t, sys.Must(0, "status", "1", "--output", "json"))
	if diff := cmp.Diff(append(slices.Clone(contractKeys), "rows"), names); diff != "" {
		t.Errorf("the run (-want +got):\n%s", diff)
	}
	for name, want := range map[string][]string{
		"progress": {"total", "processed", "successful", "failed"}, "summary": {"errors", "warnings", "meta"},
	} {
		if diff := cmp.Diff(want, keys(t, values[name])); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	var summary struct{ Meta json.RawMessage }
	decode(t, string(values["summary"]), &summary)
	meta := []string{
		"successful_rows", "failed_rows", "total_rows", "created_rows", "updated_rows", "unchanged_rows", "skipped_rows",
		"duration_seconds",
	}
	if diff := cmp.Diff(meta, keys(t, summary.Meta)); diff != "" {
		t.Errorf("meta (-want +got):\n%s", diff)
	}
	var rows []json.RawMessage
	decode(t, string(values["rows"]), &rows)
	if diff := cmp.Diff([]string{"row_number", "line", "status", "data", "errors"}, keys(t, rows[0])); diff != "" {
		t.Errorf("row (-want +got):\n%s", diff)
	}
	for _, name := range []string{"parent_id", "retried_from_run_id", "retried_by", "waiting_for", "reason"} {
		if string(values[name]) != "null" {
			t.Errorf("%s is %s, want null", name, values[name])
		}
	}
	for name, want := range map[string]string{"not_processed": "0", "updated": "0", "bytes_read": "17", "bytes_total": "17", "total_final": "true"} {
		if string(values[name]) != want {
			t.Errorf("%s is %s, want %s", name, values[name], want)
		}
	}

	// The list says the same of every run.
	sys.Must(3, "retry", "1")
	var list struct{ Data []json.RawMessage }
	decode(t, sys.Must(0, "runs", "--output", "json"), &list)
	if len(list.Data) != 2 {
		t.Fatalf("%d runs are listed", len(list.Data))
	}
	for i, id := range []string{"2", "1"} {
		if diff := cmp.Diff(contractKeys, keys(t, list.Data[i])); diff != "" {
			t.Errorf("listed run %s (-want +got):\n%s", id, diff)
		}
		_, shown := resource(t, sys.Must(0, "status", id, "--output", "json"))
		delete(shown, "rows")
		var listed map[string]json.RawMessage
		decode(t, string(list.Data[i]), &listed)
		plain := func(of map[string]json.RawMessage) map[string]any {
			encoded, err := json.Marshal(of)
			if err != nil {
				t.Fatal(err)
			}
			var out map[string]any
			decode(t, string(encoded), &out)
			return out
		}
		if diff := cmp.Diff(plain(shown), plain(listed)); diff != "" {
			t.Errorf("run %s (-status +runs):\n%s", id, diff)
		}
	}
	if parent := sys.Status(2).ParentID; parent == nil || *parent != 1 {
		t.Errorf("the retry's parent is %v", parent)
	}
}

func TestLimitsOfFailedRows(t *testing.T) {
	t.Parallel()
	// Ten rows, two of which fail.
	file := "n,v\n1,x\n2,3\n3,3\n4,3\n5,3\n6,x\n7,3\n8,3\n9,3\n10,3\n"
	limited := func(more string) *rig.System {
		return trial{
			file: file, fields: numbered, more: more, tables: []string{"CREATE TABLE x (n INTEGER PRIMARY KEY, v INTEGER)"},
		}.install(t)
	}
	for more, want := range map[string]struct{ status, reason string }{
		"max_failed_rows: 0":      {"failed", "More than 0 rows failed (max_failed_rows)."},
		"max_failed_rows: 1":      {"failed", "More than 1 rows failed (max_failed_rows)."},
		"max_failed_rows: 2":      {"completed_with_errors", ""},
		"max_failed_ratio: 0.1":   {"failed", "max_failed_ratio"},
		"max_failed_ratio: 0.199": {"failed", "max_failed_ratio"},
		"max_failed_ratio: 0.2":   {"completed_with_errors", ""},
	} {
		t.Run(more, func(t *testing.T) {
			t.Parallel()
			sys := limited(more + "\n")
			sys.Must(exitCode(want.status), "run", "x")
			got := outcome(t, sys, 1)
			if got.Status != want.status || !strings.Contains(got.Reason, want.reason) {
				t.Errorf("the run is %s: %q", got.Status, got.Reason)
			}
			if r := sys.Status(1); r.Progress.Total != 10 || r.Progress.Total != r.Progress.Processed+r.NotProcessed {
				t.Errorf("%+v, %d not processed", r.Progress, r.NotProcessed)
			}
			verify(t, sys, 1)
		})
	}
}

// TestRetryByAChangedDefinition says so once; by the same definition it does not.
func TestRetryByAChangedDefinition(t *testing.T) {
	t.Parallel()
	c := noted(",")
	sys := c.install(t)
	sys.Must(3, "run", "x")
	sys.Must(3, "retry", "1")
	definition, err := os.ReadFile(filepath.Join(sys.Dir, "importers", "x.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	sys.Write("importers/x.yaml", string(definition)+"rules: {SKU: required}\n")
	sys.Must(3, "retry", "2")
	for id, want := range map[int64]int{1: 0, 2: 0, 3: 1} {
		said := 0
		for _, warning := range outcome(t, sys, id).Warnings {
			if strings.Contains(warning, "The definition of the importer has changed") {
				said++
			}
		}
		if said != want {
			t.Errorf("run %d says %d times that the definition has changed, want %d", id, said, want)
		}
	}
}

// TestNobodyReadsTheSpool: a run that nobody could split is refused and leaves no run behind.
func TestNobodyReadsTheSpool(t *testing.T) {
	t.Parallel()
	in := install(t, toSQLite, rig.RedisOptions{}, reference.Products{Seed: 1, Rows: 10}, nil)
	refused := func(when string) {
		t.Helper()
		for _, args := range [][]string{{"run", "products"}, {"run", "products", "--detach"}} {
			if result := in.CLI(args...); result.Code != 1 || !strings.Contains(result.Stderr, "No running coordinator reads the spool in") {
				t.Errorf("%s, %v: %d %s", when, args, result.Code, result.Stderr)
			}
		}
	}
	refused("without a coordinator")
	other := in.StartWith([]string{"INGEST_DATA_DIR=" + t.TempDir()}, "coordinator")
	rig.Until(t, patience, "the other coordinator", func() bool {
		return strings.Contains(in.CLI("workers", "--output", "yaml").Stdout, fmt.Sprint("pid: ", other.PID()))
	})
	refused("with a coordinator of another spool")
	if out := in.Must(0, "runs", "--output", "json"); !strings.Contains(out, `"total": 0`) {
		t.Errorf("a refused run is listed:\n%s", out)
	}
	in.Coordinator()
	in.Worker()
	in.want.check(t, in.System, in.Await(in.Begin("products"), patience))
}

// TestWaitingCommandIsInterrupted stops watching, never the run; and what Redis knows can be rebuilt at any time.
func TestWaitingCommandIsInterrupted(t *testing.T) {
	t.Parallel()
	in := install(t, toSQLite, rig.RedisOptions{}, reference.Products{Seed: 4, Rows: 60_000, Bad: 0.01}, nil)
	in.Coordinator()
	waiting := in.Start("run", "products")
	rig.Until(t, patience, "the run", func() bool { return in.CLI("status", "1").Code == 0 })
	watching := in.Start("status", "1", "--watch")
	rig.Until(t, patience, "the split", func() bool { return in.Status(1).Status == "processing" })
	rig.Until(t, patience, "what it waits for", func() bool { return in.Status(1).WaitingFor != nil })
	names, values := resource(t, in.Must(0, "status", "1", "--output", "json"))
	if diff := cmp.Diff(contractKeys, names[:len(contractKeys)]); diff != "" {
		t.Errorf("an active run (-want +got):\n%s", diff)
	}
	for _, name := range []string{"summary", "completed_at", "reason", "retried_by"} {
		if string(values[name]) != "null" {
			t.Errorf("%s of an active run is %s", name, values[name])
		}
	}
	const goesOn = "Run #1 goes on: ingest status 1 --watch, ingest cancel 1."
	for name, p := range map[string]*rig.Process{"run": waiting, "status --watch": watching} {
		p.AwaitOutput("no worker is running (start `ingest worker`).", patience)
		p.Signal(syscall.SIGINT)
		if code := p.Wait(patience); code != 130 || !strings.Contains(p.Output(), goesOn) {
			t.Errorf("%s ended with %d:\n%s", name, code, p.Output())
		}
	}
	in.Must(0, "rebuild", "1")
	in.Worker()
	rig.Until(t, patience, "progress", func() bool { return in.Status(1).Progress.Processed > 2000 })
	in.Must(0, "rebuild", "1")
	in.want.check(t, in.System, in.Await(1, patience))
	if result := in.CLI("rebuild", "1"); result.Code != 1 || !strings.Contains(result.Stderr, "Ingest run #1 has already finished.") {
		t.Errorf("rebuild of a finished run: %d %s", result.Code, result.Stderr)
	}
	in.want.check(t, in.System, in.Status(1))
}

// TestVerifyFindsTampering in the outcomes of a run that was right before.
func TestVerifyFindsTampering(t *testing.T) {
	t.Parallel()
	for name, statement := range map[string]string{
		"a count":        "UPDATE ingest_chunks SET created = created + 1 WHERE chunk = 2",
		"two counts":     "UPDATE ingest_chunks SET created = created - 1, updated = updated + 1 WHERE chunk = 1",
		"a lost chunk":   "DELETE FROM ingest_chunks WHERE chunk = 2",
		"a message":      `UPDATE ingest_chunks SET histogram = REPLACE(histogram, 'integer', 'number')`,
		"a head":         "UPDATE ingest_partitions SET failed = failed + 1",
		"the row range":  "UPDATE ingest_chunks SET first_row = 1, last_row = 2 WHERE chunk = 2",
		"the next chunk": "UPDATE ingest_partitions SET next_chunk = next_chunk + 1",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := noted(",")
			c.more += "chunk_size: 5\npartitions: 1\n"
			sys := c.install(t)
			sys.Must(3, "run", "x")
			sys.Must(0, "verify", "1")
			execute(t, sys.Database(), statement)
			if result := sys.CLI("verify", "1"); result.Code != 1 {
				t.Errorf("exit code %d\n%s%s", result.Code, result.Stdout, result.Stderr)
			}
		})
	}
}

// TestDemo runs the shipped script in a copy of what it needs.
func TestDemo(t *testing.T) {
	t.Parallel()
	root, err := rig.Root()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, part := range []string{"tools", "configs"} {
		if err := os.CopyFS(filepath.Join(dir, part), os.DirFS(filepath.Join(root, part))); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "bin"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(rig.Binary(t), filepath.Join(dir, "bin", "ingest")); err != nil {
		t.Fatal(err)
	}
	script := exec.CommandContext(t.Context(), "bash", filepath.Join(dir, "tools", "demo.sh"))
	script.Env = append(os.Environ(), "INGEST_DATA_DIR=/nonexistent", "INGEST_REDIS_URL=redis://127.0.0.1:1")
	output, err := script.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	if !strings.Contains(string(output), "3,843") {
		t.Errorf("the failed navaids are not shown:\n%s", output)
	}
	if _, err := os.Stat(filepath.Join(dir, ".demo", "ingest.db")); err != nil {
		t.Errorf("the database the script names: %v", err)
	}
}
