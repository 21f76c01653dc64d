package format_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"ingest/shared/format"
	"ingest/shared/row"
)

// TestFilesTable reads what the contract's table of files says about reading.
func TestFilesTable(t *testing.T) {
	t.Parallel()
	header := []string{"a", "b"}
	one := func(line int64, cells ...string) []row.Row { return []row.Row{{Number: 1, Line: line, Cells: cells}} }
	for name, test := range map[string]struct {
		in      string
		options format.Options
		want    result
	}{
		"zero bytes":                 {in: "", want: result{}},
		"only a mark":                {in: "\xef\xbb\xbf", want: result{}},
		"only blank lines":           {in: "\n\r\n,,\n\r\n", want: result{}},
		"only a separator line":      {in: "sep=;\n", want: result{}},
		"header only":                {in: "a,b\n", want: result{Header: header}},
		"header only, no line end":   {in: "a,b", want: result{Header: header}},
		"header as written":          {in: " a ,\"b\"\"\nc\"\n", want: result{Header: []string{" a ", "b\"\nc"}}},
		"fewer cells":                {in: "a,b\n1\n", want: result{Header: header, Rows: one(2, "1")}},
		"more cells":                 {in: "a,b\n1,2,3,\n", want: result{Header: header, Rows: one(2, "1", "2", "3", "")}},
		"empty cells":                {in: "a,b\n,\"\"\n", want: result{Header: header, Rows: one(2, "", "")}},
		"quoted empty cell alone":    {in: "a\n\"\"\n", want: result{Header: []string{"a"}, Rows: one(2, "")}},
		"a line of only blanks":      {in: " \na,b\n \t \r\n1,2\n  ", want: result{Header: header, Rows: []row.Row{{Number: 1, Line: 4, Cells: []string{"1", "2"}}}}},
		"blanks and delimiters":      {in: "a,b\n , \n", want: result{Header: header, Rows: one(2, " ", " ")}},
		"quoted blanks":              {in: "a\n\" \"\n", want: result{Header: []string{"a"}, Rows: one(2, " ")}},
		"one column of blanks":       {in: "a\n \n1\n", want: result{Header: []string{"a"}, Rows: one(3, "1")}},
		"no line end at the end":     {in: "a,b\n1,2", want: result{Header: header, Rows: one(2, "1", "2")}},
		"CR at the end":              {in: "a,b\n1,2\r", want: result{Header: header, Rows: one(2, "1", "2")}},
		"CR alone is data":           {in: "a,b\n1\r2,3\r\r\n", want: result{Header: header, Rows: one(2, "1\r2", "3\r")}},
		"quote in an unquoted field": {in: "a,b\n1\"x\",5\"\n", want: result{Header: header, Rows: one(2, `1"x"`, `5"`)}},
		"blank before a quote":       {in: "a,b\n1, \"2\"\n", want: result{Header: header, Rows: one(2, "1", ` "2"`)}},
		"NUL and invalid UTF-8":      {in: "a,b\n\x00,\xff\n", want: result{Header: header, Rows: one(2, "\x00", "\xff")}},
		"mixed line ends": {in: "a,b\r\n1,2\n3,4\r\n\"5\",\"6\"\r\n", want: result{Header: header, Rows: []row.Row{
			{Number: 1, Line: 2, Cells: []string{"1", "2"}},
			{Number: 2, Line: 3, Cells: []string{"3", "4"}},
			{Number: 3, Line: 4, Cells: []string{"5", "6"}},
		}}},
		"line ends in quotes": {in: "a,b\n\"1\r\n2\n3\r4\",x\n5,6\n", want: result{Header: header, Rows: []row.Row{
			{Number: 1, Line: 2, Cells: []string{"1\r\n2\n3\r4", "x"}},
			{Number: 2, Line: 5, Cells: []string{"5", "6"}},
		}}},
		"blank lines have no number": {in: "\n,\na,b\n\n1,2\n,,,\n\r\n3,4\n", want: result{Header: header, Rows: []row.Row{
			{Number: 1, Line: 5, Cells: []string{"1", "2"}},
			{Number: 2, Line: 8, Cells: []string{"3", "4"}},
		}}},
		"mark and separator line": {in: "\xef\xbb\xbfsep=;\r\na;b\n1,5;2\n", want: result{Header: header, Rows: one(3, "1,5", "2")}},
		"separator is a tab":      {in: "sep=\t\na\tb\n1\t2\n", want: result{Header: header, Rows: one(3, "1", "2")}},
		"option beats separator line": {
			in: "sep=;\na,b\n1,2\n", options: format.Options{Delimiter: ","}, want: result{Header: header, Rows: one(3, "1", "2")},
		},
		"a header that begins with sep=": {in: "sep=no,b\n", want: result{Header: []string{"sep=no", "b"}}},
		"delimiter of two bytes": {
			in: "a§b\n\"1§\"§2\n§\n", options: format.Options{Delimiter: "§"}, want: result{Header: header, Rows: one(2, "1§", "2")},
		},
		"text behind a closing quote": {in: "a,b\n\"1\n2\"x\"y,\"z\nz\"\n3,4\n", want: result{Header: header, Rows: []row.Row{
			{Number: 1, Line: 2, Cells: []string{"1\n2\"x\"y", "z\nz"}, Fault: "line 3: text after a closing quote"},
			{Number: 2, Line: 5, Cells: []string{"3", "4"}},
		}}},
		"quote never closed": {in: "a,b\n1,2\nx,\"y\nz\n", want: result{
			Header: header, Rows: one(2, "1", "2"), Problem: "line 3: a quoted field that is never closed",
		}},
		"quote never closed in the header": {in: "a,\"b\n1,2\n", want: result{Problem: "line 1: a quoted field that is never closed"}},
		"text behind a quote in the header": {in: "\"a\"x,b\n", want: result{
			Problem: "line 1: text after a closing quote, in the header",
		}},
		"record over the limit": {
			in: "a,b\n12345678\n\"1\n34\n789\",x\n1234567\r\n1,2\n", options: format.Options{MaxRecord: 7},
			want: result{Header: header, Rows: []row.Row{
				{Number: 1, Line: 2, Fault: "The row is larger than 7 bytes (line 2)."},
				{Number: 2, Line: 3, Fault: "The row is larger than 7 bytes (lines 3–5)."},
				{Number: 3, Line: 6, Cells: []string{"1234567"}},
				{Number: 4, Line: 7, Cells: []string{"1", "2"}},
			}},
		},
		"over 8 MiB": {in: "a,b\n" + strings.Repeat("x", 8<<20+1) + "\n", want: result{Header: header, Rows: []row.Row{
			{Number: 1, Line: 2, Fault: "The row is larger than 8 MiB (line 2)."},
		}}},
		"header of 2,001 columns": {in: strings.Repeat("a,", 2000) + "a\n", want: result{
			Problem: "The header has 2001 columns; at most 2000 can be read.",
		}},
		"header over 1 MiB": {in: strings.Repeat("a", 1<<20+1) + "\n", want: result{
			Problem: "The header is larger than 1 MiB (it begins on line 1).",
		}},
		"delimiter of two characters": {in: "a", options: format.Options{Delimiter: "ab"}, want: result{
			Problem: `The delimiter "ab" is not one character, or a quote or a line end.`,
		}},
		"delimiter is a quote": {in: "a", options: format.Options{Delimiter: `"`}, want: result{
			Problem: `The delimiter "\"" is not one character, or a quote or a line end.`,
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := read(t, strings.NewReader(test.in), test.options)
			if diff := cmp.Diff(test.want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Fatalf("(- want, + got):\n%s", diff)
			}
			if len(test.in) > 1<<20 {
				return
			}
			got = read(t, iotest.OneByteReader(strings.NewReader(test.in)), test.options)
			if diff := cmp.Diff(test.want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Fatalf("read byte by byte (- want, + got):\n%s", diff)
			}
		})
	}
}

func TestEmptySourceHasNoHeader(t *testing.T) {
	t.Parallel()
	c, err := format.Open(strings.NewReader("\n"), format.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if c.Header() != nil {
		t.Errorf("header %q", c.Header())
	}
	if err := c.Next(&row.Row{}); err != io.EOF {
		t.Errorf("want io.EOF, got %v", err)
	}
}

func TestAtMostTwoThousandColumns(t *testing.T) {
	t.Parallel()
	got := read(t, strings.NewReader(strings.Repeat("a,", 1999)+"a\n"+strings.Repeat("1,", 2999)+"1\n"), format.Options{})
	if len(got.Header) != 2000 || len(got.Rows) != 1 || len(got.Rows[0].Cells) != 3000 {
		t.Fatalf("header of %d columns, %d rows, problem %q", len(got.Header), len(got.Rows), got.Problem)
	}
}

func TestReaderFailureIsWrappedAfterTheRowsBeforeIt(t *testing.T) {
	t.Parallel()
	broken := errors.New("the disk is gone")
	in := "a,b\n" + strings.Repeat("1,2\n", 2000) + "3,"
	c, err := format.Open(io.MultiReader(strings.NewReader(in), iotest.ErrReader(broken)), format.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var r row.Row
	for err == nil {
		err = c.Next(&r)
	}
	var known *format.Error
	if !errors.Is(err, broken) || errors.As(err, &known) {
		t.Errorf("want the reader's own error, got %T %v", err, err)
	}
	if r.Number != 2000 {
		t.Errorf("%d rows before the failure, want 2000", r.Number)
	}
}

func TestReadCountsBytesOfTheSource(t *testing.T) {
	t.Parallel()
	in := "a\n" + strings.Repeat("1\n", 100)
	c, err := format.Open(strings.NewReader(in), format.Options{})
	for err == nil {
		err = c.Next(&row.Row{})
	}
	if err != io.EOF || c.Read() != int64(len(in)) {
		t.Errorf("%v after %d of %d bytes", err, c.Read(), len(in))
	}
}

func TestNextAfterCloseFails(t *testing.T) {
	t.Parallel()
	c, err := format.Open(strings.NewReader("a\n1\n"), format.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := c.Next(&row.Row{}); err == nil || err == io.EOF {
		t.Errorf("want an error, got %v", err)
	}
}
