package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ingest/integration/rig"
	"ingest/shared/database"
)

// trial is one small file and how it is imported into the table x, with nothing configured.
type trial struct {
	// name of the file; empty = x.csv.
	name string
	file string
	// tables are the statements that make x; empty = text columns a, b and c, which is 'none' by default.
	tables []string
	// format are options of the format, more are further lines of the definition.
	format string
	more   string
	// fields as YAML; empty = a, b and c.
	fields string
	env    []string
	want   shown
}

// shown is what became of a trial.
type shown struct {
	Status string
	// Reason is a failed run's, Warnings those of the summary.
	Reason   string
	Warnings []string
	Total    int64
	// Failed rows as "number@line message".
	Failed []string
	// Table are the rows of x as values separated by |, sorted.
	Table []string
}

// document is what `status --output json` says beyond rig.Run.
type document struct {
	Data struct {
		rig.Run
		Summary struct {
			Errors, Warnings []struct{ Message string }
		}
		Rows []struct {
			Number int64             `json:"row_number"`
			Line   int64             `json:"line"`
			Data   map[string]string `json:"data"`
			Errors struct {
				Message    string
				Validation map[string][]string
			}
		}
	}
}

const textColumns = `CREATE TABLE x (id INTEGER PRIMARY KEY, a TEXT, b TEXT, c TEXT DEFAULT 'none')`

// install makes the installation of a trial; nothing has run yet.
func (c trial) install(t *testing.T) *rig.System {
	t.Helper()
	name, fields, tables := c.name, c.fields, c.tables
	if name == "" {
		name = "x.csv"
	}
	if fields == "" {
		fields = "  - {from: a, to: a}\n  - {from: b, to: b}\n  - {from: c, to: c}\n"
	}
	if tables == nil {
		tables = []string{textColumns}
	}
	sys := rig.NewSystem(t, rig.SystemOptions{Env: c.env, Importers: map[string]string{"x.yaml": fmt.Sprintf(
		"importer: x\nsource: {type: filesystem, path: %s}\nformat: {type: csv%s}\ndestination: {table: x}\n%sfields:\n%s",
		name, c.format, c.more, fields)}})
	sys.Write(name, c.file)
	execute(t, sys.Database(), tables...)
	return sys
}

// execute runs statements in a database, which is made if it is a file that does not exist.
func execute(t *testing.T, url string, statements ...string) {
	t.Helper()
	if path, ok := strings.CutPrefix(url, "sqlite:"); ok {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	db, err := database.Open(database.Config{Name: "test", URL: url, Connections: 1})
	if err != nil {
		t.Fatal(err)
	}
	for _, statement := range statements {
		if _, err := db.Exec(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// exitCode is that of a waited-for run with this status.
func exitCode(status string) int {
	return map[string]int{"completed": 0, "completed_with_errors": 3, "failed": 4, "cancelled": 5}[status]
}

// outcome reads what became of run id.
func outcome(t *testing.T, sys *rig.System, id int64) shown {
	t.Helper()
	d := details(t, sys, id)
	got := shown{Status: d.Data.Status, Total: d.Data.Progress.Total}
	for _, e := range d.Data.Summary.Errors {
		got.Reason += e.Message
	}
	if d.Data.Reason != nil && *d.Data.Reason != got.Reason {
		t.Errorf("the reason is %q, the summary's error %q", *d.Data.Reason, got.Reason)
	}
	for _, w := range d.Data.Summary.Warnings {
		got.Warnings = append(got.Warnings, w.Message)
	}
	for _, r := range d.Data.Rows {
		got.Failed = append(got.Failed, fmt.Sprintf("%d@%d %s", r.Number, r.Line, r.Errors.Message))
	}
	got.Table = contents(t, sys)
	return got
}

func details(t *testing.T, sys *rig.System, id int64) document {
	t.Helper()
	var d document
	decode(t, sys.Must(0, "status", fmt.Sprint(id), "--output", "json"), &d)
	return d
}

// contents are the rows of x without column names.
func contents(t *testing.T, sys *rig.System) []string {
	t.Helper()
	var lines []string
	for _, line := range sys.Dump("x") {
		cells := strings.Split(line, "\t")
		for i, cell := range cells {
			_, cells[i], _ = strings.Cut(cell, "=")
		}
		lines = append(lines, strings.Join(cells, "|"))
	}
	slices.Sort(lines)
	return lines
}

// check runs the trial and compares.
func (c trial) check(t *testing.T) {
	t.Helper()
	sys := c.install(t)
	result := sys.CLI("run", "x")
	if want := exitCode(c.want.Status); result.Code != want {
		t.Fatalf("exit code %d, want %d\n%s%s", result.Code, want, result.Stdout, result.Stderr)
	}
	if diff := cmp.Diff(c.want, outcome(t, sys, 1)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	verify(t, sys, 1)
}

func check(t *testing.T, trials map[string]trial) {
	t.Helper()
	for name, c := range trials {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.check(t)
		})
	}
}

func complete(total int64, table ...string) shown {
	return shown{Status: "completed", Total: total, Table: table}
}

func fails(reason string) shown { return shown{Status: "failed", Reason: reason} }

func withErrors(total int64, failed []string, table ...string) shown {
	return shown{Status: "completed_with_errors", Total: total, Failed: failed, Table: table}
}

func (s shown) warns(texts ...string) shown {
	s.Warnings = texts
	return s
}
