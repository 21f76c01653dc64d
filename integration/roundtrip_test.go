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
)

// notes are cells beside what the CSV of failed rows makes of them.
var notes = [][2]string{
	{"plain", "plain"},
	{"=1+1", "'=1+1"},
	{"=HYPERLINK(\"\"http://x\"\")", "'=HYPERLINK(\"\"http://x\"\")"},
	{"+cmd", "'+cmd"},
	{"-x", "'-x"},
	{"@SUM(A1)", "'@SUM(A1)"},
	{"\t=1", "'\t=1"},
	{"\r=1", "'\r=1"},
	{"-5", "-5"},
	{"+5.25", "+5.25"},
	{"-1e3", "-1e3"},
	{" =1", " =1"},
	{"a=1", "a=1"},
	{"o'clock", "o'clock"},
	{"one\ntwo", "one\ntwo"},
	{"x,y;z", "x,y;z"},
	{"", ""},
}

// noted is a file in which every row fails for its quantity, and nothing else is wrong; the header has a formula, too.
func noted(delimiter string) trial {
	var file strings.Builder
	fmt.Fprintln(&file, strings.Join([]string{"SKU", "=Note", "Quantity"}, delimiter))
	for i, note := range notes {
		fmt.Fprintf(&file, "%d%s\"%s\"%smany\n", i+1, delimiter, note[0], delimiter)
	}
	return trial{
		file:   file.String(),
		tables: []string{"CREATE TABLE x (id INTEGER PRIMARY KEY, sku TEXT UNIQUE, note TEXT, quantity INTEGER)"},
		more:   "key: [SKU]\non_duplicate: fail\n",
		fields: "  - {from: SKU, to: sku}\n  - {from: \"=Note\", to: note}\n  - {from: [Quantity, Menge], to: quantity}\n",
	}
}

func TestFailedRowsAreGuarded(t *testing.T) {
	t.Parallel()
	sys := noted(",").install(t)
	sys.Must(3, "run", "x")
	for _, raw := range []bool{false, true} {
		args, header, which := []string{"failed-rows", "1"}, "SKU,'=Note,Quantity,_error_message,_row_number", 1
		if raw {
			args, header, which = append(args, "--raw"), "SKU,=Note,Quantity,_error_message,_row_number", 0
		}
		got := strings.Split(strings.ReplaceAll(sys.Must(0, args...), "one\ntwo", "one two"), "\n")
		if got[0] != header {
			t.Errorf("raw %t: the header is %q, want %q", raw, got[0], header)
		}
		for i, note := range notes {
			line := strings.ReplaceAll(got[i+1], `"`, "")
			want := strings.ReplaceAll(strings.ReplaceAll(note[which], "one\ntwo", "one two"), `"`, "")
			want = fmt.Sprintf("%d,%s,many,The quantity field must be an integer.,%d", i+1, want, i+1)
			if line != want {
				t.Errorf("raw %t: row %d is %q, want %q", raw, i+1, line, want)
			}
		}
	}
}

// TestDownloadFixUpload: what was downloaded and mended is imported exactly as it would have been.
func TestDownloadFixUpload(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		delimiter, format string
	}{
		"comma":              {delimiter: ","},
		"semicolon":          {delimiter: ";", format: `, delimiter: ";"`},
		"semicolon by a sep": {delimiter: ";"},
		"tab":                {delimiter: "\t", format: `, delimiter: "\t"`},
	} {
		for _, raw := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s raw %t", name, raw), func(t *testing.T) {
				t.Parallel()
				trial := noted(c.delimiter)
				trial.format = c.format
				if c.format == "" && c.delimiter != "," {
					trial.file = "sep=" + c.delimiter + "\n" + trial.file
				}
				sys := trial.install(t)
				sys.Must(3, "run", "x")
				args := []string{"failed-rows", "1", "-o", "fixed.csv"}
				if raw {
					args = append(args, "--raw")
				}
				sys.Must(0, args...)
				path := filepath.Join(sys.Dir, "fixed.csv")
				downloaded, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				sys.Write("fixed.csv", strings.ReplaceAll(string(downloaded), "many", "5"))
				if result := sys.CLI("run", "x", "--file", "fixed.csv"); result.Code != 0 {
					t.Fatalf("the mended file: exit code %d\n%s\n%s", result.Code, result.Stderr, sys.CLI("errors", "2").Stdout)
				}
				var want []string
				for i, note := range notes {
					value := strings.NewReplacer(`""`, `"`, "\t", `\t`, "\r", `\r`, "\n", `\n`).Replace(note[0])
					if value == "" {
						value = `\N`
					}
					want = append(want, fmt.Sprintf("%d|%s|5", i+1, value))
				}
				slices.Sort(want)
				got := outcome(t, sys, 2)
				if diff := cmp.Diff(complete(int64(len(notes)), want...), got); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			})
		}
	}
}

// TestGuardStaysInOtherFiles: a file without row numbers is read as it stands.
func TestGuardStaysInOtherFiles(t *testing.T) {
	t.Parallel()
	trial{file: "a,b,c\n'=1,'@x,'y\n", want: complete(1, "'=1|'@x|'y")}.check(t)
}

// TestFailedRowsOfOddFiles: primary names in source order, and no column without a name.
func TestFailedRowsOfOddFiles(t *testing.T) {
	t.Parallel()
	sys := trial{
		file: "Menge,,SKU, Extra ,_own\nmany,x,1,y,z\n1\n5,,2,,\n", tables: noted(",").tables, fields: noted(",").fields,
	}.install(t)
	sys.Must(3, "run", "x")
	want := "Quantity,SKU,Extra,_error_message,_row_number\n" +
		"many,1,y,The quantity field must be an integer.,1\n" +
		"1,,,\"The row has 1 column, the header has 5.\",2\n"
	if diff := cmp.Diff(want, sys.Must(0, "failed-rows", "1")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestNoFailedRows(t *testing.T) {
	t.Parallel()
	sys := trial{file: "a,b,c\n1,2,3\n"}.install(t)
	sys.Must(0, "run", "x")
	sys.Write("kept.csv", "precious")
	for _, args := range [][]string{{}, {"-o", "kept.csv"}, {"-o", "new.csv"}, {"--raw"}} {
		result := sys.CLI(append([]string{"failed-rows", "1"}, args...)...)
		if result.Code != 1 || result.Stdout != "" || !strings.Contains(result.Stderr, "No failed rows found for this ingest run.") {
			t.Errorf("failed-rows 1 %v: %d %q %q", args, result.Code, result.Stdout, result.Stderr)
		}
	}
	if kept, err := os.ReadFile(filepath.Join(sys.Dir, "kept.csv")); err != nil || string(kept) != "precious" {
		t.Errorf("the file that was there is %q: %v", kept, err)
	}
	if _, err := os.Stat(filepath.Join(sys.Dir, "new.csv")); !os.IsNotExist(err) {
		t.Errorf("a file was made for no rows: %v", err)
	}
	if result := sys.CLI("failed-rows", "9"); result.Code != 1 || !strings.Contains(result.Stderr, "No ingest run found with ID 9.") {
		t.Errorf("unknown run: %d %s", result.Code, result.Stderr)
	}
}

// TestWhichRowsAreKept by log_rows.
func TestWhichRowsAreKept(t *testing.T) {
	t.Parallel()
	for what, want := range map[string][]string{
		"failed": {"2 failed precious"},
		"all":    {"1 successful good", "2 failed precious", "3 successful fine"},
		"none":   {"2 failed "},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			sys := trial{
				file: "SKU,=Note,Quantity\n1,good,1\n2,precious,many\n3,fine,3\n", tables: noted(",").tables,
				fields: noted(",").fields, env: []string{"INGEST_LOG_ROWS=" + what},
			}.install(t)
			sys.Must(3, "run", "x")
			var got []string
			for _, row := range keptRows(t, sys, 1) {
				got = append(got, fmt.Sprintf("%d %s %s", row.Number, row.Status, row.Data["=Note"]))
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("rows of the run (-want +got):\n%s", diff)
			}
			cells := "2,precious,many"
			if what == "none" {
				cells = ",,"
			}
			failed := "SKU,'=Note,Quantity,_error_message,_row_number\n" + cells + ",The quantity field must be an integer.,2\n"
			if diff := cmp.Diff(failed, sys.Must(0, "failed-rows", "1")); diff != "" {
				t.Errorf("failed rows (-want +got):\n%s", diff)
			}
			// The retry takes the failed row only, whatever was kept, under its number.
			sys.Must(3, "retry", "1")
			if diff := cmp.Diff([]string{"2@3 The quantity field must be an integer."}, outcome(t, sys, 2).Failed[:1]); diff != "" {
				t.Errorf("failed rows of the retry (-want +got):\n%s", diff)
			}
			if total := sys.Status(2).Progress.Total; total != 1 {
				t.Errorf("the retry took %d rows", total)
			}
		})
	}
}

type keptRow struct {
	Number int64 `json:"row_number"`
	Status string
	Data   map[string]string
}

func keptRows(t *testing.T, sys *rig.System, id int64) []keptRow {
	t.Helper()
	var body struct {
		Data struct{ Rows []keptRow }
	}
	decode(t, sys.Must(0, "status", fmt.Sprint(id), "--output", "json"), &body)
	return body.Data.Rows
}

// TestQuotedFormulaSurvives: a cell that has a ' of its own before a formula comes back with it.
func TestQuotedFormulaSurvives(t *testing.T) {
	t.Parallel()
	c := noted(",")
	c.file = "SKU,=Note,Quantity\n1,'=1+1,many\n2,'-x,many\n3,'',many\n4,'plain',many\n"
	sys := c.install(t)
	sys.Must(3, "run", "x")
	sys.Write("fixed.csv", strings.ReplaceAll(sys.Must(0, "failed-rows", "1"), "many", "5"))
	sys.Must(0, "run", "x", "--file", "fixed.csv")
	want := []string{"1|'=1+1|5", "2|'-x|5", "3|''|5", "4|'plain'|5"}
	if diff := cmp.Diff(want, contents(t, sys)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestUnmendedRowsFailAgain: the file of failed rows gives every row the header's shape, so that one which failed for its
// own must not go in unmended.
func TestUnmendedRowsFailAgain(t *testing.T) {
	t.Parallel()
	sys := trial{
		file:   "a,b,c\n1,x\n2,x,y,z\n3,\"x\"y,z\n4,x,y\n",
		tables: []string{"CREATE TABLE x (id INTEGER PRIMARY KEY, a TEXT UNIQUE, b TEXT, c TEXT)", "INSERT INTO x (a, b, c) VALUES ('1', 'old', 'old')"},
		more:   "key: [a]\non_duplicate: update\n",
	}.install(t)
	sys.Must(3, "run", "x")
	sys.Must(0, "failed-rows", "1", "-o", "failed.csv")
	sys.Must(3, "run", "x", "--file", "failed.csv")
	want := []string{
		"1@2 The row has 2 columns, the header has 3.",
		"2@3 The row has 4 columns, the header has 3. (mend the row and empty its _error_message)",
		"3@4 line 4: text after a closing quote (mend the row and empty its _error_message)",
	}
	if diff := cmp.Diff(want, outcome(t, sys, 2).Failed); diff != "" {
		t.Errorf("unmended (-want +got):\n%s", diff)
	}
	path := filepath.Join(sys.Dir, "failed.csv")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(text), "\n")
	lines[1] = strings.Replace(lines[1], "1,x,,", "1,x,new,", 1)
	lines[2], lines[3] = "2,x,y,,2", "3,xy,z,,3"
	sys.Write("failed.csv", strings.Join(lines, "\n"))
	sys.Must(0, "run", "x", "--file", "failed.csv")
	if diff := cmp.Diff([]string{"1|x|new", "2|x|y", "3|xy|z", "4|x|y"}, outcome(t, sys, 3).Table); diff != "" {
		t.Errorf("mended (-want +got):\n%s", diff)
	}
}
