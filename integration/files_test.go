package integration

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"ingest/integration/reference"
	"ingest/integration/rig"
)

func TestShapeOfRows(t *testing.T) {
	t.Parallel()
	check(t, map[string]trial{
		"fewer cells": {
			file: "a,b,c\n1,2\n3,4,5\n",
			want: withErrors(2, []string{"1@2 The row has 2 columns, the header has 3."}, "3|4|5"),
		},
		"fewer cells padded": {
			file: "a,b,c\n1,2\n3,4,\n", format: ", short_rows: pad", want: complete(2, `1|2|none`, `3|4|\N`),
		},
		"surplus empty cells": {file: "a,b,c\n1,2,3,,\n", want: complete(1, "1|2|3")},
		"surplus cells": {
			file: "a,b,c\n1,2,3,,5\n4,5,6\n",
			want: withErrors(2, []string{"1@2 The row has 5 columns, the header has 3."}, "4|5|6"),
		},
		"surplus cells are not padded away": {
			file: "a,b,c\n1,2,3,4\n", format: ", short_rows: pad",
			want: withErrors(1, []string{"1@2 The row has 4 columns, the header has 3."}),
		},
		"blank lines and lines of delimiters": {
			file: "a,b,c\n\n1,2,3\n,,\n\r\n,\n4,5\n,,,,,\n6,7,8\n",
			want: withErrors(3, []string{"2@7 The row has 2 columns, the header has 3."}, "1|2|3", "6|7|8"),
		},
		"line of a row with a line end in it": {
			file: "a,b,c\n1,\"x\ny\",3\n4\n",
			want: withErrors(2, []string{"2@4 The row has 1 column, the header has 3."}, `1|x\ny|3`),
		},
		"no line end at the end":             {file: "a,b,c\n1,2,3", want: complete(1, "1|2|3")},
		"nothing is trimmed":                 {file: "a,b,c\n 1,2 ,\" \"\n", want: complete(1, ` 1|2 | `)},
		"empty cells are NULL quoted or not": {file: "a,b,c\n1,,\"\"\n", want: complete(1, `1|\N|\N`)},
	})
}

func TestQuotes(t *testing.T) {
	t.Parallel()
	check(t, map[string]trial{
		"inside an unquoted field": {file: "a,b,c\n1,2\"x\"3,4\"\n", want: complete(1, `1|2"x"3|4"`)},
		"doubled":                  {file: "a,b,c\n1,\"2\"\"x\",\"\"\"\"\n", want: complete(1, `1|2"x|"`)},
		"text behind a closing quote": {
			file: "a,b,c\n1,2,3\n4,\"5\"x,6\n7,8,9\n",
			want: withErrors(3, []string{"2@3 line 3: text after a closing quote"}, "1|2|3", "7|8|9"),
		},
		"line ends inside are kept": {
			file: "a,b,c\n1,\"x\r\ny\",\"\n\"\r\n2,\"\r\",z\n", want: complete(2, `1|x\r\ny|\n`, `2|\r|z`),
		},
		"never closed in the first row": {
			file: "a,b,c\n1,\"2,3\n4,5,6\n", want: fails("line 2: a quoted field that is never closed"),
		},
	})
}

// TestQuoteThatIsNeverClosed ends the run where it begins: every row before was read, rows of complete chunks stay.
func TestQuoteThatIsNeverClosed(t *testing.T) {
	t.Parallel()
	var file strings.Builder
	file.WriteString("a,b,c\n")
	const good = 20_005
	for i := range good {
		fmt.Fprintf(&file, "%d,x,y\n", i)
	}
	file.WriteString("z,\"never\nclosed,1\n")
	c := trial{file: file.String(), more: "chunk_size: 10\npartitions: 1\n"}
	sys := c.install(t)
	sys.Must(4, "run", "x")
	r := sys.Status(1)
	if want := fmt.Sprintf("line %d: a quoted field that is never closed", good+2); text(r.Reason) != want {
		t.Errorf("the reason is %q, want %q", text(r.Reason), want)
	}
	if r.Progress.Total != good || r.NotProcessed != good-r.Progress.Processed {
		t.Errorf("total %d, %d not processed, %d processed", r.Progress.Total, r.NotProcessed, r.Progress.Processed)
	}
	if rows := int64(len(contents(t, sys))); rows == 0 || rows != r.Created || rows%10 != 0 {
		t.Errorf("%d rows are in the table, %d were created", rows, r.Created)
	}
	verify(t, sys, 1)
}

func TestBytesThatAreNoText(t *testing.T) {
	t.Parallel()
	check(t, map[string]trial{
		"NUL in a mapped column": {
			file: "a,b,c\n1,2\x00,3\n4,5,6\n",
			want: withErrors(2, []string{"1@2 The b field contains a NUL character."}, "4|5|6"),
		},
		"invalid UTF-8 in a mapped column": {
			file: "a,b,c\n1,2,3\xff\n4,5,6\n",
			want: withErrors(2, []string{"1@2 The c field is not valid UTF-8."}, "4|5|6"),
		},
		"elsewhere": {
			file: "a,b,c,d\n1,2,3,\x00\n4,5,6,\xff\n",
			want: complete(2, "1|2|3", "4|5|6").warns("Columns ignored because no field maps them: 'd'."),
		},
	})
}

func TestLimits(t *testing.T) {
	t.Parallel()
	wide := func(columns int) string {
		header := make([]string, columns)
		for i := range header {
			header[i] = fmt.Sprintf("x%d", i)
		}
		header[0], header[1], header[2] = "a", "b", "c"
		return strings.Join(header, ",") + "\n1,2,3" + strings.Repeat(",", columns-3) + "\n"
	}
	names := make([]string, 10)
	for i := range names {
		names[i] = fmt.Sprintf("'x%d'", i+3)
	}
	check(t, map[string]trial{
		"record over max_record": {
			file:   "a,b,c\n1,2,3\n4,\"" + strings.Repeat("x\n", 600) + "\",6\n7," + strings.Repeat("y", 1100) + ",9\n10,11,12\n",
			format: ", max_record: 1KiB",
			want: withErrors(4, []string{
				"2@3 The row is larger than 1 KiB (lines 3–603).", "3@604 The row is larger than 1 KiB (line 604).",
			}, "10|11|12", "1|2|3"),
		},
		"record over 8 MiB": {
			file: "a,b,c\n1," + strings.Repeat("y", 8<<20) + ",3\n4,5,6\n",
			want: withErrors(2, []string{"1@2 The row is larger than 8 MiB (line 2)."}, "4|5|6"),
		},
		"2001 columns": {file: wide(2001), want: fails("The header has 2001 columns; at most 2000 can be read.")},
		"2000 columns": {
			file: wide(2000),
			want: complete(1, "1|2|3").warns("Columns ignored because no field maps them: " + strings.Join(names, ", ") + " and 1987 more."),
		},
		"header over 1 MiB": {
			file: "a,b," + strings.Repeat("c", 1<<20) + "\n1,2,3\n",
			want: fails("The header is larger than 1 MiB (it begins on line 1)."),
		},
	})
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	const blank = "Header cells without a name, their columns are ignored: 2, 4."
	check(t, map[string]trial{
		"blank cells": {file: "a,,b, ,c\n1,x,2,y,3\n4,,5,,6\n", want: complete(2, "1|2|3", "4|5|6").warns(blank)},
		"a repeated name": {
			file: "a,b,c,Notes,d,Notes\n1,2,3,4,5,6\n",
			want: fails("The column 'Notes' appears twice in the header (columns 4 and 6)."),
		},
		"matched with blanks around": {file: " a ,b,\"c \"\n1,2,3\n", want: complete(1, "1|2|3")},
		"the first alias wins": {
			file: "z,y,b,c\n1,2,3,4\n", fields: "  - {from: [x, y, z], to: a}\n  - {from: b, to: b}\n  - {from: c, to: c}\n",
			want: complete(1, "2|3|4").warns("Columns ignored because no field maps them: 'z'."),
		},
		"one column for several fields": {
			file: "a\n1\n", fields: "  - {from: a, to: a}\n  - {from: a, to: b}\n", want: complete(1, "1|1|none"),
		},
		"with dots and only digits": {
			file: "a.b,2\nx,y\n", fields: "  - {from: a.b, to: a}\n  - {from: \"2\", to: b}\n", want: complete(1, "x|y|none"),
		},
		"a mapped column is absent": {file: "a,b\n1,2\n", want: complete(1, "1|2|none")},
		"columns that begin with _": {file: "a,b,c,_note\n1,2,3,4\n", want: complete(1, "1|2|3")},
		"the key is absent": {
			file: "b,c\n1,2\n", more: "key: [a]\n", tables: []string{textColumns, "CREATE UNIQUE INDEX xa ON x (a)"},
			want: fails("The key column 'a' or one of its aliases was not found in the source file headers."),
		},
		"strict: a field": {
			file: "a,c\n1,2\n", more: "strict_headers: true\n", fields: "  - {from: a, to: a}\n  - {from: [b, bb], to: b}\n",
			want: fails("None of the required columns ['b', 'bb'] were found in the source file headers. Strict header validation is enabled."),
		},
		"strict: a rule": {
			file: "a,b,c\n1,2,3\n", more: "strict_headers: true\nrules: {d: required}\n",
			want: fails("The column 'd' was not found in the source file headers. Strict header validation is enabled."),
		},
	})
}

func TestNearlyEmptyFiles(t *testing.T) {
	t.Parallel()
	empty := complete(0).warns("The source is empty.")
	check(t, map[string]trial{
		"zero bytes":      {file: "", want: empty},
		"only BOM":        {file: "\ufeff", want: empty},
		"blank lines":     {file: "\n\r\n\n", want: empty},
		"BOM and a blank": {file: "\ufeff\r\n", want: empty},
		"header only":     {file: "a,b,c\n", want: complete(0)},
		"header without a line end": {
			file: "a,b,c", want: complete(0),
		},
		"a header only is checked": {
			file: "b,c\n", more: "key: [a]\n", tables: []string{textColumns, "CREATE UNIQUE INDEX xa ON x (a)"},
			want: fails("The key column 'a' or one of its aliases was not found in the source file headers."),
		},
	})
}

func TestKindsOfFiles(t *testing.T) {
	t.Parallel()
	same := complete(2, "1|2|3", "4|ü|6")
	check(t, map[string]trial{
		"LF":             {file: "a,b,c\n1,2,3\n4,ü,6\n", want: same},
		"CRLF":           {file: "a,b,c\r\n1,2,3\r\n4,ü,6\r\n", want: same},
		"mixed":          {file: "a,b,c\r\n1,2,3\n4,ü,6\r\n", want: same},
		"BOM":            {file: "\ufeffa,b,c\n1,2,3\n4,ü,6\n", want: same},
		"BOM and quotes": {file: "\ufeff\"a\",b,c\n1,2,3\n4,ü,6\n", want: same},
		"sep":            {file: "sep=;\na;b;c\n1;2;3\n4;ü;6\n", want: same},
		"BOM sep CRLF":   {file: "\ufeffsep=;\r\na;b;c\r\n1;2;3\r\n4;ü;6\r\n", want: same},
		"delimiter":      {file: "a;b;c\n1;2;3\n4;ü;6\n", format: `, delimiter: ";"`, want: same},
		"tab":            {file: "a\tb\tc\n1\t2\t3\n4\tü\t6\n", format: `, delimiter: "\t"`, want: same},
		"gz":             {name: "x.csv.gz", file: gzipped(t, "a,b,c\n1,2,3\n4,ü,6\n"), want: same},
		"zst":            {name: "x.csv.zst", file: zstandard(t, "a,b,c\n1,2,3\n4,ü,6\n"), want: same},
		"empty gz":       {name: "x.csv.gz", file: gzipped(t, ""), want: complete(0).warns("The source is empty.")},
		"xlsx":           {file: zipped(t, "[Content_Types].xml", "xl/workbook.xml"), want: fails("The file looks like XLSX, not CSV.")},
		"zip":            {file: zipped(t, "x.csv"), want: fails("The file looks like ZIP, not CSV.")},
		"pdf":            {file: "%PDF-1.7\n1 0 obj\n", want: fails("The file looks like PDF, not CSV.")},
		"html":           {file: "<!DOCTYPE html>\n<html></html>\n", want: fails("The file looks like HTML, not CSV.")},
		"gz called csv":  {file: gzipped(t, "a,b,c\n1,2,3\n"), want: fails("The file looks like GZIP, not CSV.")},
	})
}

// TestEmptySourceAmongWorkers: a run without a header has nothing to compile, whoever looks at it while it ends.
func TestEmptySourceAmongWorkers(t *testing.T) {
	t.Parallel()
	in := install(t, toSQLite, rig.RedisOptions{}, reference.Products{}, nil)
	in.Write("empty.csv", "\n\n")
	in.Coordinator()
	for range 3 {
		in.Worker()
	}
	var ids []int64
	for range 30 {
		ids = append(ids, in.Begin("products", "--file", "empty.csv"))
	}
	for _, id := range ids {
		if r := in.Await(id, patience); r.Status != "completed" || r.Progress.Total != 0 {
			t.Errorf("run %d is %s with %d rows: %s", id, r.Status, r.Progress.Total, text(r.Reason))
		}
	}
}

func gzipped(t *testing.T, content string) string {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, err := w.Write([]byte(content))
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func zstandard(t *testing.T, content string) string {
	t.Helper()
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	return string(w.EncodeAll([]byte(content), nil))
}

func zipped(t *testing.T, names ...string) string {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, name := range names {
		if _, err := w.Create(name); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// TestPartitionsThatCannotBeHad: a run says why it has one partition when more were asked for.
func TestPartitionsThatCannotBeHad(t *testing.T) {
	t.Parallel()
	sys := trial{
		file: "a,b,c\n1,2,3\n", more: "key: [a]\npartitions: 3\n",
		tables: []string{"CREATE TABLE x (id INTEGER PRIMARY KEY, a TEXT UNIQUE, b TEXT UNIQUE, c TEXT)"},
	}.install(t)
	sys.Must(0, "run", "x")
	out := strings.Join(strings.Fields(sys.Must(0, "status", "1")), " ")
	if !strings.Contains(out, "One partition is used instead of 3: rows with different keys can meet in the unique index") {
		t.Errorf("status says\n%s", out)
	}
}
