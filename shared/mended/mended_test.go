package mended

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"ingest/shared/chunk"
	"ingest/shared/format"
	"ingest/shared/importer"
	"ingest/shared/row"
)

// failedRows are failed rows with these numbers; the row n stands in line 2n+1 of the source.
func failedRows(numbers ...int64) iter.Seq2[chunk.Logged, error] {
	return func(yield func(chunk.Logged, error) bool) {
		for _, n := range numbers {
			if !yield(chunk.Logged{Row: row.Row{Number: n, Line: 2*n + 1}, Status: chunk.StatusFailed}, nil) {
				return
			}
		}
	}
}

func write(t interface{ Fatal(args ...any) }, dir, text string) string {
	path := filepath.Join(dir, "stored")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// read returns the rows as "number@line cells", or what is wrong.
func read(f *File, failed iter.Seq2[chunk.Logged, error]) (rows []string, err error) {
	for r, err := range f.Rows(Original{id: 1, names: []string{"a", "b", "c"}, failed: failed}) {
		if err != nil {
			return rows, err
		}
		rows = append(rows, fmt.Sprintf("%d@%d %s", r.Number, r.Line, strings.Join(r.Cells, "|")))
	}
	return rows, nil
}

// TestRowsComeInOrderWhateverTheFileHas, or, where there is no room, the file must have the order.
func TestRowsComeInOrderWhateverTheFileHas(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		failed := rapid.SliceOfDistinct(rapid.Int64Range(1, 60), rapid.ID).Draw(t, "failed")
		numbers := rapid.Permutation(failed).Draw(t, "order")[:rapid.IntRange(0, len(failed)).Draw(t, "rows")]
		slices.Sort(failed)
		text := "_row_number,a\n"
		size := 0
		var want []string
		for i, n := range numbers {
			cell := strings.Repeat("x", rapid.IntRange(0, 30).Draw(t, "cell"))
			text += fmt.Sprintf("%d,%s\n", n, cell)
			size += perRow + 2*perCell + len(fmt.Sprint(n)) + len(cell)
			want = append(want, fmt.Sprintf("%d@%d %d|%s", n, 2*n+1, numbers[i], cell))
		}
		f, err := Open(write(t, dir, text), "fixed.csv", importer.Format{})
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		f.room = rapid.IntRange(0, 3000).Draw(t, "room")
		got, err := read(f, failedRows(failed...))
		switch sorted := slices.IsSorted(numbers); {
		case len(numbers) == 0:
			if err == nil || err.Error() != "fixed.csv has no rows." {
				t.Fatalf("%v", err)
			}
		case !sorted && size > f.room:
			if err == nil || !strings.Contains(err.Error(), "sort it by that column") {
				t.Fatalf("%v", err)
			}
		default:
			slices.SortFunc(want, func(a, b string) int { return cmp.Compare(number(a), number(b)) })
			if diff := gocmp.Diff(want, got); err != nil || diff != "" {
				t.Fatal(err, diff)
			}
		}
	})
}

func number(line string) (n int) {
	_, _ = fmt.Sscan(line, &n)
	return n
}

// TestWhatIsWrongIsNamed before a run is begun with it.
func TestWhatIsWrongIsNamed(t *testing.T) {
	t.Parallel()
	many := "_row_number\n"
	for n := range 14 {
		many += fmt.Sprintln(n + 100)
	}
	for name, c := range map[string]struct{ file, want string }{
		"nothing":        {"", "fixed.csv is empty."},
		"no rows":        {"a,_row_number\n\n,\n", "fixed.csv has no rows."},
		"no column":      {"a;_row_number\n1;2\n", "fixed.csv has no column _row_number (its delimiter is taken to be \",\"): mend the file that `ingest failed-rows` wrote and leave that column in it."},
		"unknown":        {"a,_row_number\n,5\n,4\n,7\n", "fixed.csv: not among the failed rows of run #1, by their _row_number: 4, 7."},
		"many unknown":   {many, "fixed.csv: not among the failed rows of run #1, by their _row_number: 100, 101, 102, 103, 104, 105, 106, 107, 108, 109 and more."},
		"twice":          {"a,_row_number\n,5\n,3\n,5\n", "fixed.csv has the row 5 twice (lines 2 and 4)."},
		"no number":      {"a,_row_number\n,3\nx\n", "fixed.csv, line 3: the _row_number is missing or not the number of a row."},
		"a wrong number": {"a,_row_number\n,3.0\n", "fixed.csv, line 2: the _row_number is missing or not the number of a row."},
		"zero":           {"a,_row_number\n,0\n", "fixed.csv, line 2: the _row_number is missing or not the number of a row."},
		"a broken cell":  {"a,_row_number\n\"x\"y,3\n", "fixed.csv: line 2: text after a closing quote"},
		"an open quote":  {"a,_row_number\n\"x,3\n", "fixed.csv: line 2: a quoted field that is never closed"},
		"another format": {"PK\x03\x04xl/workbook", "fixed.csv: The file looks like "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, err := Open(write(t, t.TempDir(), c.file), "fixed.csv", importer.Format{})
			if err == nil {
				defer f.Close()
				_, err = read(f, failedRows(3, 5, 8))
			}
			var known *format.Error
			if !errors.As(err, &known) || !strings.HasPrefix(known.Message, c.want) || known.Message != err.Error() {
				t.Errorf("%v\nwant %s", err, c.want)
			}
		})
	}
}

// TestALedgerThatBreaksOff is not taken for one without the rows.
func TestALedgerThatBreaksOff(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	f, err := Open(write(t, t.TempDir(), "_row_number\n3\n9\n"), "fixed.csv", importer.Format{})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := read(f, func(yield func(chunk.Logged, error) bool) {
		if yield(chunk.Logged{Row: row.Row{Number: 3}}, nil) {
			yield(chunk.Logged{}, broken)
		}
	})
	if !errors.Is(err, broken) || len(rows) != 1 {
		t.Errorf("%v after %v", err, rows)
	}
}

// TestRowsThatFailedForTheirShape must be mended, by the columns of the original wherever the file has them.
func TestRowsThatFailedForTheirShape(t *testing.T) {
	t.Parallel()
	const short, long = "The row has 1 column, the header has 3.", "The row has 4 columns, the header has 3."
	const told = " (mend the row and empty its _error_message)"
	for name, c := range map[string]struct{ file, message, want string }{
		"short, as it was":                 {"a,b,c,_error_message,_row_number\n1,,,x,3\n", short, short + told},
		"short, filled":                    {"a,b,c,_error_message,_row_number\n1,,2,x,3\n", short, ""},
		"short, filled, in another order":  {"c,_error_message,_row_number,a\n2,x,3,1\n", short, ""},
		"short, as it was, elsewhere":      {"_row_number,c,b,a,_error_message\n3,,,1,x\n", short, short + told},
		"short, without the cells":         {"_row_number,a\n3,1\n", short, short + told},
		"short, emptied":                   {"a,b,c,_error_message,_row_number\n1,,,,3\n", short, ""},
		"short, for the second time":       {"a,b,c,_error_message,_row_number\n1,,2,x,3\n", short + told, short + told},
		"short for the second time, ended": {"a,b,c,_error_message,_row_number\n1,,2,,3\n", short + told, ""},
		"long, filled":                     {"a,b,c,_error_message,_row_number\n1,2,2,x,3\n", long, long + told},
		"long, emptied":                    {"a,b,c,_error_message,_row_number\n1,2,2,,3\n", long, ""},
		"long, without its message":        {"a,b,c,_row_number\n1,2,2,3\n", long, long + told},
		"another message":                  {"a,b,c,_error_message,_row_number\n1,,,x,3\n", "The b field is required.", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, err := Open(write(t, t.TempDir(), c.file), "fixed.csv", importer.Format{})
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			failed := chunk.Logged{Row: row.Row{Number: 3}, Message: c.message}
			for r, err := range f.Rows(Original{names: []string{"a", "b", "c"}, failed: func(yield func(chunk.Logged, error) bool) { yield(failed, nil) }}) {
				if err != nil || r.Fault != c.want {
					t.Errorf("%q, %v, want %q", r.Fault, err, c.want)
				}
				if at := slices.Index(f.Header(), "_error_message"); c.want == "" && at >= 0 && r.Cells[at] != "" {
					t.Error("the message is judged again")
				}
			}
		})
	}
}
