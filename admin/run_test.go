package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ingest/shared/control"
	"ingest/shared/database"
	"ingest/shared/lifecycle"
	"ingest/shared/run"
)

const peopleImporter = `
importer: people
source: {type: filesystem, path: people.csv}
destination: {table: people, create_table: true}
key: email
on_duplicate: update
fields:
  - {from: email, to: email}
  - {from: age, to: age, type: integer}
rules:
  age: required|integer
`

// installation is an embedded one with an importer of people, a good and a bad file.
func installation(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "configs/importers/people.yaml"), peopleImporter)
	write(t, filepath.Join(dir, "people.csv"), "email,age\na@example.com,1\nb@example.com,2\n")
	write(t, filepath.Join(dir, "bad.csv"), "email,age\nc@example.com,x\nd@example.com,4\n")
	write(t, filepath.Join(dir, "broken.csv"), "email,age\ne@example.com,\"5\n")
	return dir
}

func resource(t *testing.T, got result) control.Resource {
	t.Helper()
	var body struct{ Data control.Resource }
	if err := json.Unmarshal([]byte(got.out), &body); err != nil {
		t.Fatalf("%v in %+v", err, got)
	}
	return body.Data
}

func TestAWaitedRunSaysItsResultByTheExitCode(t *testing.T) {
	t.Parallel()
	dir := installation(t)
	for _, c := range []struct {
		file   string
		code   int
		status run.Status
		// quiet is what is said when nothing is to be said on success.
		quiet string
	}{
		{"people.csv", 0, run.Completed, ""},
		{"bad.csv", 3, run.CompletedWithErrors, ": 1 of 2 rows failed (ingest errors 2).\n"},
		{"broken.csv", 4, run.Failed, " failed: line 2: a quoted field that is never closed\n"},
	} {
		got := ingest(t, dir, nil, "run", "people", "--file", c.file, "--output", "json")
		r := resource(t, got)
		if got.code != c.code || r.Status != c.status {
			t.Errorf("%s: exit %d, %s; want %d, %s\n%s", c.file, got.code, r.Status, c.code, c.status, got.errors)
		}
		watched := ingest(t, dir, nil, "status", fmt.Sprint(r.ID), "--watch", "--quiet")
		if c.quiet != "" {
			c.quiet = fmt.Sprintf("Ingest run #%d%s", r.ID, c.quiet)
		}
		if watched.code != c.code || watched.out != "" || watched.errors != c.quiet {
			t.Errorf("%s: watched: %+v", c.file, watched)
		}
		if shown := ingest(t, dir, nil, "status", fmt.Sprint(r.ID)); shown.code != 0 {
			t.Errorf("%s: shown: %+v", c.file, shown)
		}
	}
}

func TestFailedRowsCanBeFetchedAndRetried(t *testing.T) {
	t.Parallel()
	dir := installation(t)
	if got := ingest(t, dir, nil, "run", "people", "--file", "bad.csv", "--quiet"); got.code != 3 || got.out != "" ||
		got.errors != "Ingest run #1: 1 of 2 rows failed (ingest errors 1).\n" {
		t.Fatalf("%+v", got)
	}
	want := "email,age,_error_message,_row_number\nc@example.com,x,The age field must be an integer.,1\n"
	if got := ingest(t, dir, nil, "failed-rows", "1"); got.code != 0 || got.out != want {
		t.Errorf("%+v", got)
	}
	if got := ingest(t, dir, nil, "errors", "1"); got.code != 0 || !strings.Contains(got.out, "age: The age field must be an integer.") {
		t.Errorf("%+v", got)
	}
	retry := resource(t, ingest(t, dir, nil, "retry", "1", "--output", "json"))
	if retry.ParentID == nil || *retry.ParentID != 1 || retry.Progress.Total != 1 {
		t.Errorf("%+v", retry)
	}
	if got := ingest(t, dir, nil, "retry", "1"); got.code != 1 || !strings.Contains(got.errors, "was already retried as run #2") {
		t.Errorf("%+v", got)
	}
	if got := ingest(t, dir, nil, "verify", "1"); got.code != 0 || !strings.Contains(got.out, "All numbers agree.") {
		t.Errorf("%+v", got)
	}
	if got := ingest(t, dir, nil, "cancel", "1"); got.code != 0 || got.out != "Ingest run #1 has already finished.\n" {
		t.Errorf("%+v", got)
	}
}

// TestBarsAreForTerminals: what goes to a file or a pipe is plain.
func TestBarsAreForTerminals(t *testing.T) {
	t.Parallel()
	dir := installation(t)
	ingest(t, dir, nil, "run", "people", "--file", "bad.csv")
	for _, command := range []string{"errors", "status"} {
		got := ingest(t, dir, nil, command, "1")
		if strings.ContainsAny(got.out, "█░") || !strings.Contains(got.out, "The age field must be an integer.") {
			t.Errorf("%s: %s", command, got.out)
		}
	}
}

// leaving is a person who presses Ctrl-C when the first line comes.
type leaving struct {
	bytes.Buffer
	leave func()
}

func (l *leaving) Write(text []byte) (int, error) {
	l.leave()
	return l.Buffer.Write(text)
}

func TestFailedRowsThatWereMendedCanBeRead(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ format, first string }{
		"a comma":                     {"", ""},
		"the importer's delimiter":    {"format: {delimiter: ';'}\n", ""},
		"the delimiter of the file":   {"", "sep=;\n"},
		"a tab named by the importer": {`format: {delimiter: "\t"}` + "\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := installation(t)
			path := filepath.Join(dir, "configs/importers/people.yaml")
			definition, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			text := strings.ReplaceAll(string(definition), "email", "=email") + c.format
			write(t, path, strings.ReplaceAll(text, "to: =email", "to: email"))
			comma := ","
			if strings.Contains(c.format+c.first, ";") {
				comma = ";"
			} else if c.format != "" {
				comma = "\t"
			}
			file := c.first + strings.ReplaceAll("=email,age\n=cmd(),x\n-1,y\n'quoted,z\n", ",", comma)
			write(t, filepath.Join(dir, "bad.csv"), file)
			if got := ingest(t, dir, nil, "run", "people", "--file", "bad.csv"); got.code != 3 {
				t.Fatalf("%+v", got)
			}
			if got := ingest(t, dir, nil, "failed-rows", "1", "-o", "fixed.csv"); got.code != 0 {
				t.Fatalf("%+v", got)
			}
			rows, err := os.ReadFile(filepath.Join(dir, "fixed.csv"))
			if err != nil {
				t.Fatal(err)
			}
			if want := strings.ReplaceAll("'=email,age,_error_message,_row_number\n'=cmd(),x,", ",", comma); !strings.HasPrefix(string(rows), c.first+want) {
				t.Errorf("not guarded: %s", rows)
			}
			fixed := strings.NewReplacer(comma+"x"+comma, comma+"1"+comma, comma+"y"+comma, comma+"2"+comma, comma+"z"+comma, comma+"3"+comma)
			write(t, filepath.Join(dir, "fixed.csv"), fixed.Replace(string(rows)))
			if got := ingest(t, dir, nil, "run", "people", "--file", "fixed.csv"); got.code != 0 {
				t.Fatalf("%+v", got)
			}
			if diff := cmp.Diff([]string{"'quoted 3", "-1 2", "=cmd() 1"}, people(t, dir)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// people are the rows of the table, in order.
func people(t *testing.T, dir string) (all []string) {
	t.Helper()
	db, err := database.Open(database.Config{URL: "sqlite:" + filepath.Join(dir, ".ingest/ingest.db"), MustExist: true})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.Query(t.Context(), "SELECT email || ' ' || age FROM people ORDER BY email")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var one string
		if err := rows.Scan(&one); err != nil {
			t.Fatal(err)
		}
		all = append(all, one)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

func TestFailedRowsSayWhichFileCannotBeWritten(t *testing.T) {
	t.Parallel()
	dir := installation(t)
	if got := ingest(t, dir, nil, "run", "people", "--file", "bad.csv"); got.code != 3 {
		t.Fatalf("%+v", got)
	}
	for to, want := range map[string]string{
		"configs":       "configs is a directory\n",
		dir:             dir + " is a directory\n",
		"nope/rows.csv": "nope/rows.csv cannot be written: no such file or directory\n",
	} {
		if got := ingest(t, dir, nil, "failed-rows", "1", "-o", to); got.code != 1 || got.errors != want {
			t.Errorf("%s: %+v, want %q", to, got, want)
		}
	}
}

func TestQuietSaysNothingOnSuccess(t *testing.T) {
	t.Parallel()
	got := ingest(t, installation(t), []string{"INGEST_LOG_LEVEL=debug"}, "run", "people", "--quiet")
	if want := (result{}); got != want {
		t.Errorf("%+v", got)
	}
}

func TestARunWithoutFailedRowsHasAnEmptyListOfThem(t *testing.T) {
	t.Parallel()
	dir := installation(t)
	ingest(t, dir, nil, "run", "people", "--dry-run", "--quiet")
	if got := ingest(t, dir, nil, "status", "1", "--output", "json"); !strings.Contains(got.out, `"rows": []`) {
		t.Errorf("%+v", got)
	}
	if got := ingest(t, dir, nil, "runs", "--output", "json"); strings.Contains(got.out, `"rows"`) {
		t.Errorf("nobody asked for rows: %+v", got)
	}
	if got := ingest(t, dir, nil, "runs"); !strings.Contains(got.out, "completed (dry run)") {
		t.Errorf("%+v", got)
	}
}

func TestRunsAndStatusAgree(t *testing.T) {
	t.Parallel()
	dir := installation(t)
	one := resource(t, ingest(t, dir, nil, "run", "people", "--output", "json"))
	one.Rows = nil
	got := ingest(t, dir, nil, "runs", "--output", "json")
	var list control.List
	if err := json.Unmarshal([]byte(got.out), &list); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]control.Resource{one}, list.Data); diff != "" {
		t.Error(diff)
	}
}

func TestStandardInputIsARunOfItsOwn(t *testing.T) {
	t.Parallel()
	dir := installation(t)
	var out, errs bytes.Buffer
	code := Main(t.Context(), []string{"run", "people", "--file", "-", "--output", "json"}, Options{
		Stdin: strings.NewReader("email,age\nz@example.com,9\n"), Stdout: &out, Stderr: &errs, Environ: []string{}, Workdir: dir,
	})
	r := resource(t, result{code, out.String(), errs.String()})
	if code != 0 || r.Created != 1 || r.OriginalFilename != "stdin" {
		t.Errorf("exit %d: %+v", code, r)
	}
	if left := ingest(t, dir, nil, "run", "nobody", "--file", "-"); left.code != 1 {
		t.Errorf("%+v", left)
	}
	for _, file := range tree(t, filepath.Join(dir, ".ingest/spool")) {
		if file != "/id" {
			t.Errorf("the spool keeps %s", file)
		}
	}
}

func TestUpExecutesWhatIsDetachedAndLeavesWhenTold(t *testing.T) {
	t.Parallel()
	dir := installation(t)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	up := lifecycle.NewTasks(t.Context())
	var log bytes.Buffer
	up.Go("up", func(context.Context) error {
		options := Options{Stdout: &log, Stderr: &log, Environ: []string{}, Workdir: dir}
		if code := Main(ctx, []string{"up", "--log-format", "json", "--listen", "127.0.0.1:0"}, options); code != 0 {
			return fmt.Errorf("up ended with %d", code)
		}
		return nil
	})
	eventually(t, "up is up", func() bool { return announced(filepath.Join(dir, ".ingest")) })
	started := ingest(t, dir, nil, "run", "people", "--detach", "--output", "json")
	if started.code != 0 {
		t.Fatalf("%+v", started)
	}
	id := fmt.Sprint(resource(t, started).ID)
	if got := ingest(t, dir, nil, "status", id, "--watch", "--output", "json"); got.code != 0 || resource(t, got).Created != 2 {
		t.Errorf("%+v", got)
	}
	if got := ingest(t, dir, nil, "workers"); !strings.Contains(got.out, "worker") || !strings.Contains(got.out, "coordinator") {
		t.Errorf("%+v", got)
	}
	stop()
	if err := up.Wait(); err != nil {
		t.Errorf("%v\n%s", err, log.String())
	}
}

func TestAnInterruptedRunIsShownAndContinued(t *testing.T) {
	t.Parallel()
	dir := installation(t)
	var text strings.Builder
	text.WriteString("email,age\n")
	for i := range 200_000 {
		fmt.Fprintf(&text, "p%d@example.com,%d\n", i, i)
	}
	write(t, filepath.Join(dir, "people.csv"), text.String())
	// It lasts for seconds on any machine: it is interrupted in its middle.
	write(t, filepath.Join(dir, "configs/importers/people.yaml"), peopleImporter+"max_rows_per_second: 50000\n")
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	working := lifecycle.NewTasks(t.Context())
	var errs bytes.Buffer
	code := -1
	working.Go("run", func(context.Context) error {
		code = Main(ctx, []string{"run", "people"}, Options{
			Stdout: &bytes.Buffer{}, Stderr: &errs, Environ: []string{}, Workdir: dir,
		})
		return nil
	})
	eventually(t, "the run has begun", func() bool {
		got := ingest(t, dir, nil, "status", "1", "--output", "json")
		return got.code == 0 && resource(t, got).Progress.Processed > 0
	})
	interrupt()
	if err := working.Wait(); err != nil {
		t.Fatal(err)
	}
	if code != exitInterrupted || !strings.Contains(errs.String(), "Run #1 is interrupted: `ingest up` continues it.") {
		t.Fatalf("exit %d: %s", code, errs.String())
	}
	if got := ingest(t, dir, nil, "status", "1"); !strings.Contains(got.out, "processing (interrupted: `ingest up` continues it)") {
		t.Errorf("%+v", got)
	}
	if got := ingest(t, dir, nil, "runs"); !strings.Contains(got.out, "(interrupted)") {
		t.Errorf("%+v", got)
	}
	watching, leave := context.WithCancel(t.Context())
	defer leave()
	said := &leaving{leave: leave}
	code = Main(watching, []string{"status", "1", "--watch"}, Options{
		Stdout: &bytes.Buffer{}, Stderr: said, Environ: []string{}, Workdir: dir,
	})
	if code != exitInterrupted || strings.Contains(said.String(), "goes on") || !strings.Contains(said.String(), "Run #1 is interrupted: ") {
		t.Errorf("exit %d: %s", code, said.String())
	}
	// Cancelling writes the registry only; whoever executes runs next carries it out.
	write(t, filepath.Join(dir, "one.csv"), "email,age\nlast@example.com,1\n")
	if got := ingest(t, dir, nil, "cancel", "1"); got.code != 0 || !strings.Contains(got.errors, "`ingest up` carries it out") {
		t.Errorf("%+v", got)
	}
	if got := ingest(t, dir, nil, "run", "people", "--file", "one.csv"); got.code != 0 {
		t.Errorf("%+v", got)
	}
	if got := ingest(t, dir, nil, "verify", "1"); got.code != 0 {
		t.Errorf("%+v", got)
	}
}
