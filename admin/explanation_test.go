package admin

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ingest/shared/control"
)

func explained(t *testing.T, got result) control.Explanation {
	t.Helper()
	var body struct{ Data control.Explanation }
	if err := json.Unmarshal([]byte(got.out), &body); err != nil {
		t.Fatalf("%v in %+v", err, got)
	}
	return body.Data
}

func explain(t *testing.T, dir string, run, row int) control.Explanation {
	t.Helper()
	return explained(t, ingest(t, dir, nil, "explain", fmt.Sprint(run), "--row", fmt.Sprint(row), "--output", "json"))
}

func TestTheWayOfARowOfARun(t *testing.T) {
	t.Parallel()
	dir := installation(t)
	if got := ingest(t, dir, nil, "run", "people", "--file", "bad.csv", "--quiet"); got.code != 3 {
		t.Fatalf("%+v", got)
	}
	want := `Row 1 (line 2): failed
  The age field must be an integer.

Run         #1 (people)
Place       partition 0, chunk 1
Read from   the ledger, which kept it

As read
Source  Cell
─────────────────────
email   c@example.com
age     x

Rules
Source  Rule      Result
───────────────────────────────────────────────────
age     required  passed
age     integer   The age field must be an integer.
`
	if got := ingest(t, dir, nil, "explain", "1", "--row", "1"); got.code != 0 || got.out != want || got.errors != "" {
		t.Errorf("%+v\n%s", got, cmp.Diff(want, got.out))
	}
	// The only other row of its chunk failed, so that it must be the one that was created.
	created := explain(t, dir, 1, 2)
	if created.Status != control.RowCreated || created.ReadFrom != control.FromSource || created.Note != nil || created.Into != "people" ||
		created.Data["email"] != "d@example.com" || *created.Fields[1].Value != "4" || created.Line != 3 {
		t.Errorf("%+v", created)
	}
	retry := resource(t, ingest(t, dir, nil, "retry", "1", "--output", "json"))
	if again := explain(t, dir, int(retry.ID), 1); again.Status != "failed" || again.Data["age"] != "x" || again.RowNumber != 1 {
		t.Errorf("%+v", again)
	}
	dry := resource(t, ingest(t, dir, nil, "run", "people", "--dry-run", "--output", "json"))
	if row := explain(t, dir, int(dry.ID), 2); row.Status != control.RowCreated || !row.DryRun {
		t.Errorf("%+v", row)
	}
	for _, c := range []struct {
		run, row string
		code     int
		says     string
	}{
		{"99", "1", 1, "No ingest run found with ID 99."},
		{"1", "3", 1, "Ingest run #1 has no row 3."},
		{"2", "2", 1, "Ingest run #2 has no row 2: it took only some rows of run #1."},
		{"1", "0", 2, "--row is a number from 1 on"},
	} {
		if got := ingest(t, dir, nil, "explain", c.run, "--row", c.row); got.code != c.code || !strings.Contains(got.errors, c.says) {
			t.Errorf("%+v: %+v", c, got)
		}
	}
}

// TestARowThatCannotBeReadAgain: what the ledger kept is told, the rest is refused by name.
func TestARowThatCannotBeReadAgain(t *testing.T) {
	t.Parallel()
	dir := installation(t)
	if got := ingest(t, dir, nil, "run", "people", "--file", "bad.csv", "--quiet", "--log-rows", "none"); got.code != 3 {
		t.Fatalf("%+v", got)
	}
	if row := explain(t, dir, 1, 1); row.Status != "failed" || row.ReadFrom != control.FromSource || row.Data["age"] != "x" || row.Note != nil {
		t.Errorf("%+v", row)
	}
	write(t, filepath.Join(dir, "bad.csv"), "email,age\nother@example.com,5\n")
	row := explain(t, dir, 1, 1)
	if row.Status != "failed" || row.Errors.Message != "The age field must be an integer." || len(row.Data) != 0 ||
		row.Note == nil || !strings.Contains(*row.Note, "has changed since the run began") {
		t.Errorf("%+v", row)
	}
	if got := ingest(t, dir, nil, "explain", "1", "--row", "2"); got.code != 1 || !strings.Contains(got.errors, "Row 2 was not kept by run #1 and cannot be read again: The source file") ||
		!strings.Contains(got.errors, "has changed") {
		t.Errorf("%+v", got)
	}
	if err := os.Remove(filepath.Join(dir, "bad.csv")); err != nil {
		t.Fatal(err)
	}
	if got := ingest(t, dir, nil, "explain", "1", "--row", "2"); got.code != 1 || !strings.Contains(got.errors, "is gone") {
		t.Errorf("%+v", got)
	}
}

// TestTheSourceTellsThePlacesOfTheLedger: a row that is read again is found where the chunk that took effect has it.
func TestTheSourceTellsThePlacesOfTheLedger(t *testing.T) {
	t.Parallel()
	dir := installation(t)
	var text strings.Builder
	text.WriteString("email,age\n")
	const rows = 40
	for i := range rows {
		fmt.Fprintf(&text, "%d@example.com,%d\n", i*7%23, i)
	}
	write(t, filepath.Join(dir, "people.csv"), text.String())
	path := filepath.Join(dir, "configs/importers/people.yaml")
	definition, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	write(t, path, string(definition)+"partitions: 3\nchunk_size: 4\n")
	for _, logged := range []string{"all", "failed"} {
		if got := ingest(t, dir, nil, "run", "people", "--quiet", "--log-rows", logged); got.code != 0 {
			t.Fatalf("%+v", got)
		}
	}
	places := map[string]bool{}
	for n := 1; n <= rows; n += 3 {
		kept, again := explain(t, dir, 1, n), explain(t, dir, 2, n)
		if kept.ReadFrom != control.FromLedger || again.ReadFrom != control.FromSource {
			t.Fatalf("read from %s and %s", kept.ReadFrom, again.ReadFrom)
		}
		if kept.Partition != again.Partition || kept.Chunk != again.Chunk || !cmp.Equal(kept.Data, again.Data) || !cmp.Equal(kept.Way, again.Way) {
			t.Errorf("row %d: %+v, but %+v", n, kept, again)
		}
		places[fmt.Sprint(kept.Partition, kept.Chunk)] = true
	}
	if len(places) < 5 {
		t.Errorf("only %d places", len(places))
	}
}
