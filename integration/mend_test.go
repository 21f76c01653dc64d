package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ingest/integration/reference"
	"ingest/integration/rig"
)

// TestRetryWithMendedRows: download, mend, retry – with columns dropped, added and in another order, rows left out, rows
// in any order. Exactly these rows go in, in row order, under the numbers and lines they have in the source, and what still
// fails can be mended again.
func TestRetryWithMendedRows(t *testing.T) {
	t.Parallel()
	original := reference.Products{Seed: 3, Rows: 3000, Repeated: 0.3, Bad: 0.1}
	each(t, func(t *testing.T, to target) {
		in := install(t, to, rig.RedisOptions{}, original, nil)
		in.Coordinator()
		in.Worker()
		in.want.check(t, in.System, in.Await(in.Begin("products"), patience))
		file, numbers := mending{
			columns: []string{"_row_number", "Stock", "SKU", "Name", "Remark", "_error_message", "Price", "Category"},
			row:     repaired, shuffled: true,
		}.mend(t, in.System, 1)
		want := mendedTwin(t, in.want.importer, original, file, numbers)
		if want.result.Created == 0 || want.result.Updated == 0 || want.result.Failed == 0 {
			t.Fatalf("the file proves nothing: %+v", want.result)
		}

		before := in.Dump("products")
		in.Must(3, "retry", "1", "--with", "fixed.csv", "--dry-run")
		dry := in.Status(2)
		if in.Status(1).RetriedBy != nil || !slices.Equal(before, in.Dump("products")) {
			t.Fatal("the dry run counts as a retry, or changed the table")
		}
		in.Must(3, "retry", "1", "--with", "fixed.csv")
		r := in.Status(3)
		want.check(t, in.System, r)
		if counts(dry) != counts(r) {
			t.Errorf("the dry run foretold %v, it is %v", counts(dry), counts(r))
		}
		if r.Filename != "fixed.csv" || r.ParentID == nil || *r.ParentID != 1 {
			t.Errorf("the retry is shown as %+v", r)
		}
		for _, row := range details(t, in.System, 3).Data.Rows {
			if row.Line != row.Number+1 {
				t.Errorf("row %d is said to be in line %d", row.Number, row.Line)
			}
		}
		refused := in.CLI("retry", "1", "--with", "fixed.csv")
		if refused.Code != 1 || !strings.Contains(refused.Stderr, "Run #1 was already retried as run #3. That took the rows of its file only") {
			t.Errorf("a second retry: exit code %d\n%s", refused.Code, refused.Stderr)
		}

		// What still fails is mended again, by way of what this retry lists.
		mending{row: func(number int64, cells map[string]string) bool { return repaired(number+1, cells) }}.mend(t, in.System, 3)
		result := in.CLI("retry", "3", "--with", "fixed.csv")
		last := in.Status(4)
		if result.Code != exitCode(last.Status) || last.Progress.Successful == 0 || last.Progress.Total > want.result.Failed {
			t.Errorf("the last retry: exit code %d, %+v\n%s", result.Code, last.Progress, result.Stderr)
		}
		verify(t, in.System, 4)
	})
}

// TestMendedRowsOutliveCoordinators kills coordinators while they split the file of a retry.
func TestMendedRowsOutliveCoordinators(t *testing.T) {
	t.Parallel()
	original := reference.Products{Seed: 9, Rows: 120_000, Repeated: 0.1, Bad: 0.9}
	each(t, func(t *testing.T, to target) {
		in := install(t, to, rig.RedisOptions{}, original, nil, "INGEST_IN_FLIGHT=1MiB")
		coordinator := in.Coordinator()
		in.Worker()
		in.Await(in.Begin("products"), patience)
		file, numbers := mending{row: repaired, shuffled: true}.mend(t, in.System, 1)
		want := mendedTwin(t, in.want.importer, original, file, numbers)
		id := in.BeginWith("retry", "1", "--with", "fixed.csv")
		if err := os.Remove(filepath.Join(in.Dir, "fixed.csv")); err != nil {
			t.Fatal(err) // the spool has its own
		}
		kills := 0
		for last := int64(0); kills < 4; {
			var r rig.Run
			rig.Until(t, patience, "progress of the split", func() bool {
				r = in.Status(id)
				return r.Progress.Processed > last+2000 || r.TotalFinal
			})
			if r.TotalFinal {
				break
			}
			last = r.Progress.Processed
			coordinator.Kill9()
			coordinator = in.Coordinator()
			kills++
		}
		t.Logf("%d coordinators were killed", kills)
		if kills < 2 {
			t.Fatalf("the coordinator was killed %d times: the split was too short to prove anything", kills)
		}
		want.check(t, in.System, in.Await(id, patience))
	})
}

// TestMendedRowsAreReadAgain where the ledger keeps no cells: the file stays for the next retry.
func TestMendedRowsAreReadAgain(t *testing.T) {
	t.Parallel()
	c := noted(",")
	c.env = []string{"INGEST_LOG_ROWS=none"}
	c.tables = []string{"CREATE TABLE x (id INTEGER PRIMARY KEY, sku TEXT UNIQUE, note TEXT, quantity INTEGER CHECK (quantity < 10))"}
	sys := c.install(t)
	sys.Must(3, "run", "x")
	sys.Write("fixed.csv", "Quantity,SKU,_row_number,'=Note\n5,a,3,'=1\n50,b,2,'-b\n51,c,1,c\n")
	sys.Must(3, "retry", "1", "--with", "fixed.csv")
	kept := spooled(t, sys)
	if len(kept) != 1 {
		t.Fatalf("the spool holds %v", kept)
	}
	// The definition is mended: the rows are those of the file, not of the source.
	definition := filepath.Join(sys.Dir, "importers", "x.yaml")
	text, err := os.ReadFile(definition)
	if err != nil {
		t.Fatal(err)
	}
	sys.Write("importers/x.yaml", strings.Replace(string(text), "to: quantity}", "to: quantity, transform: [{expr: 'value > 50 ? 9 : value'}]}", 1))
	sys.Must(3, "retry", "2")
	got := outcome(t, sys, 3)
	if len(got.Failed) != 1 || !strings.HasPrefix(got.Failed[0], "2@3 ") {
		t.Errorf("failed rows: %v", got.Failed)
	}
	if diff := cmp.Diff([]string{"a|=1|5", "c|c|9"}, got.Table); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if err := os.Remove(filepath.Join(sys.Dir, "data", "spool", kept[0])); err != nil {
		t.Fatal(err)
	}
	if result := sys.CLI("retry", "3"); result.Code != 1 || !strings.Contains(result.Stderr, "The rows cannot be read from the source again") {
		t.Errorf("without the file: %d %s", result.Code, result.Stderr)
	}
}

// TestMendedRoundTrip: guards come off, rows that failed for their shape have to be mended, and a row that fails twice is
// downloaded again as it was meant.
func TestMendedRoundTrip(t *testing.T) {
	t.Parallel()
	c := noted(",")
	c.file += "99,short\n"
	sys := c.install(t)
	sys.Must(3, "run", "x")
	short := int64(len(notes) + 1)
	downloaded := sys.Must(0, "failed-rows", "1")
	sys.Write("same.csv", downloaded)
	sys.Must(3, "retry", "1", "--with", "same.csv")
	// Nothing was mended: the same rows fail with the same messages and look the same; what has to be done about a shape is told.
	const shape, told = "The row has 2 columns, the header has 3.", " (mend the row and empty its _error_message)"
	if diff := cmp.Diff(strings.Replace(downloaded, shape, shape+told, 1), sys.Must(0, "failed-rows", "2")); diff != "" {
		t.Errorf("downloaded again (-first +second):\n%s", diff)
	}
	for _, row := range keptRows(t, sys, 2) {
		if row.Number < short && row.Data["=Note"] != strings.ReplaceAll(notes[row.Number-1][0], `""`, `"`) {
			t.Errorf("row %d is shown as %q", row.Number, row.Data["=Note"])
		}
	}
	fixed := strings.ReplaceAll(downloaded, "many", "5")
	if result := sys.CLIWith(fixed, "retry", "2", "--with", "-"); result.Code != 3 {
		t.Fatalf("retry --with -: exit code %d\n%s", result.Code, result.Stderr)
	}
	if r := sys.Status(3); r.Filename != "stdin" || r.Created != int64(len(notes)) || r.Progress.Failed != 1 {
		t.Errorf("%+v", r)
	}
	if got := outcome(t, sys, 3).Failed; len(got) != 1 || !strings.HasSuffix(got[0], shape+told) {
		t.Errorf("the short row: %v", got)
	}
	sys.Write("mended.csv", fmt.Sprintf("Quantity,SKU,_row_number,_error_message\n5,99,%d,\n", short))
	sys.Must(0, "retry", "3", "--with", "mended.csv")
	if r := sys.Status(4); r.Created != 1 || r.Progress.Total != 1 {
		t.Errorf("%+v", r)
	}
	// A completed retry needs its file no more; the others are kept with their runs.
	if left := spooled(t, sys); len(left) != 2 {
		t.Errorf("the spool holds %v", left)
	}
}

// TestMendedRowsAreRefused before there is a run, naming what does not fit, and the spool keeps nothing.
func TestMendedRowsAreRefused(t *testing.T) {
	t.Parallel()
	sys := trial{file: "a,b,c\n1,x,\n2,,\n3,y,\n4,,\n", more: "key: [a]\nrules:\n  b: required\n"}.install(t)
	execute(t, sys.Database(), "CREATE UNIQUE INDEX x_a ON x (a)")
	sys.Must(3, "run", "x")
	for name, c := range map[string]struct {
		file, want string
		args       []string
		code       int
	}{
		"a row that did not fail":   {file: "a,b,_row_number\n1,x,1\n2,x,2\n", want: "fixed.csv: not among the failed rows of run #1, by their _row_number: 1."},
		"a row that never was":      {file: "a,b,_row_number\n2,x,2\n9,x,99\n", want: "fixed.csv: not among the failed rows of run #1, by their _row_number: 99."},
		"a row twice":               {file: "a,b,_row_number\n2,x,2\n4,x,4\n2,y,2\n", want: "fixed.csv has the row 2 twice (lines 2 and 4)."},
		"no numbers":                {file: "a,b\n2,x\n", want: "fixed.csv has no column _row_number"},
		"no rows":                   {file: "a,b,_row_number\n", want: "fixed.csv has no rows."},
		"no key":                    {file: "b,_row_number\nx,2\n", want: "The key column 'a' or one of its aliases was not found in the source file headers."},
		"the same column twice":     {file: "a,b,b,_row_number\n2,x,x,2\n", want: "The column 'b' appears twice in the header (columns 2 and 3)."},
		"a message, too":            {file: "a,b,_row_number\n2,x,2\n", args: []string{"--error", "x"}, code: 2, want: "--error and --with can't be used together"},
		"no file":                   {args: []string{"--with", "gone.csv"}, want: "was not found"},
		"a directory":               {args: []string{"--with", "importers"}, want: "is a directory"},
		"the file without a name":   {args: []string{"--with", ""}, code: 2, want: "--with is empty"},
		"an unknown run":            {file: "a,b,_row_number\n2,x,2\n", args: []string{"9"}, want: "No ingest run found with ID 9."},
		"an xlsx in another's name": {file: "PK\x03\x04[Content_Types].xml xl/workbook.xml", want: "fixed.csv: The file looks like"},
	} {
		args := []string{"retry", "1", "--with", "fixed.csv"}
		switch {
		case len(c.args) == 1:
			args[1] = c.args[0]
		case len(c.args) == 2 && c.args[0] == "--with":
			args[3] = c.args[1]
		default:
			args = append(args, c.args...)
		}
		sys.Write("fixed.csv", c.file)
		result := sys.CLI(args...)
		if code := max(1, c.code); result.Code != code || !strings.Contains(result.Stderr, c.want) {
			t.Errorf("%s: exit code %d, want %d\n%s", name, result.Code, code, result.Stderr)
		}
		if left := spooled(t, sys); len(left) > 0 {
			t.Errorf("%s: the spool holds %v", name, left)
		}
	}
	if out := sys.Must(0, "runs", "--output", "json"); !strings.Contains(out, `"total": 1`) && !strings.Contains(out, `"total":1}`) {
		t.Errorf("a run was begun: %s", out)
	}
	sys.Write("fixed.csv", "a,b,_row_number\n2,x,2\n4,x,4\n")
	sys.Must(0, "retry", "1", "--with", "fixed.csv")
	if result := sys.CLI("retry", "2", "--with", "fixed.csv"); result.Code != 1 || !strings.Contains(result.Stderr, "The original run has no failed rows to retry.") {
		t.Errorf("nothing failed: %d %s", result.Code, result.Stderr)
	}
}

// TestMendedRowsOfAStoppedRun: what a stopped retry never processed of its file is taken along by the next one, which
// cannot have a file before that.
func TestMendedRowsOfAStoppedRun(t *testing.T) {
	t.Parallel()
	original := reference.Products{Seed: 3, Rows: 2000, Bad: 0.3}
	in := install(t, toPostgres, rig.RedisOptions{}, original, nil)
	in.Coordinator()
	worker := in.Worker()
	in.Await(in.Begin("products"), patience)
	file, numbers := mending{row: repaired, shuffled: true}.mend(t, in.System, 1)
	worker.Term()
	second := in.BeginWith("retry", "1", "--with", "fixed.csv")
	in.Must(0, "cancel", fmt.Sprint(second), "--wait")
	refused := in.CLI("retry", fmt.Sprint(second), "--with", "fixed.csv")
	if refused.Code != 1 || !strings.Contains(refused.Stderr, "Run #2 has rows that it never processed") {
		t.Errorf("exit code %d: %s", refused.Code, refused.Stderr)
	}
	in.Worker()
	in.Must(3, "retry", fmt.Sprint(second))
	mendedTwin(t, in.want.importer, original, file, numbers).check(t, in.System, in.Status(3))
}

// TestTwoRetriesWithFilesAtOnce: one wins, and only its file stays.
func TestTwoRetriesWithFilesAtOnce(t *testing.T) {
	t.Parallel()
	in := install(t, toPostgres, rig.RedisOptions{}, reference.Products{Seed: 3, Rows: 2000, Bad: 0.1}, nil)
	in.Coordinator()
	in.Worker()
	in.Await(in.Begin("products"), patience)
	mending{row: repaired}.mend(t, in.System, 1)
	won := atOnce(t, in, 3, "retry", "1", "--with", "fixed.csv", "--detach")
	if r := in.Await(2, patience); won != 1 || r.Status != "completed_with_errors" {
		t.Errorf("%d won, the retry is %s", won, r.Status)
	}
	if left := spooled(t, in.System); len(left) != 1 {
		t.Errorf("the spool holds %v", left)
	}
}
