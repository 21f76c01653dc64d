package integration

import (
	"strings"
	"testing"
)

// texts maps a, b and c into text columns of my_x; c is 'none' where the file says nothing.
const (
	textTable  = "CREATE TABLE my_x (id SERIAL, a TEXT, b TEXT, c TEXT DEFAULT 'none');"
	textFields = "fields: [{from: a, to: a}, {from: b, to: b}, {from: c, to: c}]\n"
	textRows   = "SELECT a, b, c FROM my_x"
)

// file is a clause about a file with the columns a, b and c.
func file(name, content, want string, more ...string) clause {
	return clause{
		name: name, tables: textTable, file: content, show: textRows, want: want, importer: textFields + strings.Join(more, ""),
	}
}

func filesClauses(t *testing.T) []clause {
	t.Helper()
	const key = "The key column 'a' or one of its aliases was not found in the source file headers.\n"
	named := func(name string, c clause) clause {
		c.called = name
		return c
	}
	return []clause{
		file("fewer cells than the header: the row fails", "a,b,c\n1,2\n3,4,5\n",
			"completed_with_errors: 1 created, 1 failed\n1@2 The row has 2 columns, the header has 3.\n3|4|5\n"),
		file("fewer cells than the header: short_rows: pad makes the rest absent", "a,b,c\n1\n3,4,\n",
			"completed: 2 created\n1|\\N|none\n3|4|\\N\n", "format: {short_rows: pad}\n"),
		file("more cells: surplus empty cells ignored", "a,b,c\n1,2,3,,\n", "completed: 1 created\n1|2|3\n"),
		file("more cells: else the row fails with the same message", "a,b,c\n1,2,3,,5\n",
			"completed_with_errors: 1 failed\n1@2 The row has 5 columns, the header has 3.\n"),
		file("blank line, line of only delimiters: no row, no number", "a,b,c\n\n1,2,3\n,,\n\r\n,\n4,5\n \n",
			"completed_with_errors: 1 created, 1 failed\n2@7 The row has 2 columns, the header has 3.\n1|2|3\n"),
		file("blank header cell: column ignored, one warning", "a,,b, ,c\n1,x,2,y,3\n4,,5,,6\n",
			"completed: 2 created\nwarning: Header cells without a name, their columns are ignored: 2, 4.\n1|2|3\n4|5|6\n"),
		file("a repeated name fails the run", "a,b,c,Notes,d,Notes\n1,2,3,4,5,6\n",
			"failed: no rows\nThe column 'Notes' appears twice in the header (columns 4 and 6).\n"),
		file("quote never closed: the run fails", "a,b,c\n1,2,3\n4,\"5,6\n",
			"failed: 1 not processed\nline 3: a quoted field that is never closed\n"),
		file("record over max_record: the row fails", "a,b,c\n1,2,3\n4,\""+strings.Repeat("x\n", 600)+"\",6\n7,"+strings.Repeat("y", 1100)+",9\n10,11,12\n",
			"completed_with_errors: 2 created, 2 failed\n2@3 The row is larger than 1 KiB (lines 3–603).\n"+
				"3@604 The row is larger than 1 KiB (line 604).\n10|11|12\n1|2|3\n", "format: {max_record: 1KiB}\n"),
		file("quote inside an unquoted field: data as it stands", "a,b,c\n1,2\"x\"3,4\"\n", "completed: 1 created\n1|2\"x\"3|4\"\n"),
		file("text behind a closing quote: the row fails", "a,b,c\n1,2,3\n4,\"5\"x,6\n",
			"completed_with_errors: 1 created, 1 failed\n2@3 line 3: text after a closing quote\n1|2|3\n"),
		file("NUL or invalid UTF-8: in a mapped column the row fails", "a,b,c\n1,2\x00,3\n4,5,6\xff\n7,8,9\n",
			"completed_with_errors: 1 created, 2 failed\n1@2 The b field contains a NUL character.\n2@3 The c field is not valid UTF-8.\n"+
				"1 × b: The b field contains a NUL character.\n1 × c: The c field is not valid UTF-8.\n7|8|9\n"),
		file("NUL or invalid UTF-8: elsewhere ignored", "a,b,c,d\n1,2,3,\x00\n4,5,6,\xff\n",
			"completed: 2 created\nwarning: Columns ignored because no field maps them: 'd'.\n1|2|3\n4|5|6\n"),
		file("over 2,000 columns: the run fails, naming the limit", "a,b,c"+strings.Repeat(",", 1998)+"\n1,2,3\n",
			"failed: no rows\nThe header has 2001 columns; at most 2000 can be read.\n"),
		file("a header over 1 MiB: the run fails, naming the limit", "a,b,"+strings.Repeat("c", 1<<20)+"\n1,2,3\n",
			"failed: no rows\nThe header is larger than 1 MiB (it begins on line 1).\n"),
		file("zero bytes: completed, total 0, warning", "", "completed: no rows\nwarning: The source is empty.\n"),
		file("only BOM: completed, total 0, warning", "\ufeff", "completed: no rows\nwarning: The source is empty.\n"),
		file("only blank lines: completed, total 0, warning", "\n\r\n\n", "completed: no rows\nwarning: The source is empty.\n"),
		file("header only: completed with total 0", "a,b,c\n", "completed: no rows\n"),
		{
			name: "header only: header is checked", tables: "CREATE TABLE my_x (a TEXT UNIQUE, b TEXT);", importer: "key: [a]\nfields: [{from: a, to: a}, {from: b, to: b}]\n",
			file: "b\n", want: "failed: no rows\n" + key,
		},
		file("CRLF", "a,b,c\r\n1,2,3\r\n", "completed: 1 created\n1|2|3\n"),
		file("LF", "a,b,c\n1,2,3\n", "completed: 1 created\n1|2|3\n"),
		file("mixed line ends", "a,b,c\r\n1,2,3\n4,5,6\r\n", "completed: 2 created\n1|2|3\n4|5|6\n"),
		file("BOM", "\ufeff\"a\",b,c\n1,2,3\n", "completed: 1 created\n1|2|3\n"),
		file("first line sep=;", "sep=;\na;b;c\n1;2;3\n", "completed: 1 created\n1|2|3\n"),
		file("line ends inside quotes are kept as they are", "a,b,c\n1,\"x\r\ny\",\"\n\"\r\n", "completed: 1 created\n1|x\\r\\ny|\\n\n"),
		file("not text: xlsx", zipped(t, "[Content_Types].xml", "xl/workbook.xml"), "failed: no rows\nThe file looks like XLSX, not CSV.\n"),
		file("not text: PDF", "%PDF-1.7\n1 0 obj\n", "failed: no rows\nThe file looks like PDF, not CSV.\n"),
		file("not text: HTML", "<!DOCTYPE html>\n<html></html>\n", "failed: no rows\nThe file looks like HTML, not CSV.\n"),
		file("format.delimiter", "a;b;c\n1;2,5;3\n", "completed: 1 created\n1|2,5|3\n", "format: {type: csv, delimiter: \";\"}\n"),
		file("format.nulls: the texts that mean NULL", "a,b,c\n1,NA,\n2,na,x\n", "completed: 2 created\n1|\\N|\n2|na|x\n", "format: {nulls: [NA]}\n"),
		file("format.nulls: [] keeps empty text", "a,b,c\n1,,\"\"\n", "completed: 1 created\n1||\n", "format: {nulls: []}\n"),
		named("x.csv.zst", file("zst", zstandard(t, "a,b,c\n1,2,3\n"), "completed: 1 created\n1|2|3\n")),
		named("x.csv.gz", file("gz", gzipped(t, "a,b,c\n1,2,3\n"), "completed: 1 created\n1|2|3\n")),
	}
}
