package format_test

import (
	"bytes"
	"encoding/csv"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"ingest/shared/format"
)

// FuzzParity compares with encoding/csv wherever that can read the input.
func FuzzParity(f *testing.F) {
	for _, in := range []string{"a,b\n1,2\n", "a\r\n\"x\r\ny\"\"\",z\r\n\r\n,\n1,2,3", "\"\",\"\"\n\"a\"\r", ",\"\r\r\n\""} {
		f.Add(in)
	}
	f.Fuzz(func(t *testing.T, in string) {
		if strings.HasPrefix(in, "\xef\xbb\xbf") || strings.HasPrefix(in, "sep=") {
			return
		}
		std := csv.NewReader(strings.NewReader(in))
		std.FieldsPerRecord = -1
		want, err := std.ReadAll()
		if err != nil {
			return
		}
		got := read(t, strings.NewReader(in), format.Options{})
		if strings.HasPrefix(got.Problem, "The ") {
			return // looks like something else
		}
		records := [][]string{got.Header}
		for _, r := range got.Rows {
			if r.Fault != "" {
				t.Fatalf("fault %q", r.Fault)
			}
			records = append(records, r.Cells)
		}
		if diff := cmp.Diff(filled(want), filled(records), cmpopts.EquateEmpty()); diff != "" || got.Problem != "" {
			t.Fatalf("%q (- encoding/csv, + reader):\n%s%s", in, diff, got.Problem)
		}
	})
}

// lineEnd is what encoding/csv may have made of one, which takes a carriage return away where there are several.
var lineEnd = regexp.MustCompile(`\r+\n`)

// filled leaves out records without any text, which are rows to one and may be blank lines to the other, and makes
// line ends in quotes what encoding/csv makes of them.
func filled(records [][]string) [][]string {
	var all [][]string
	for _, cells := range records {
		text := false
		var same []string
		for _, cell := range cells {
			same = append(same, lineEnd.ReplaceAllString(cell, "\n"))
			text = text || strings.Trim(cell, " \t") != ""
		}
		if text {
			all = append(all, same)
		}
	}
	return all
}

// FuzzRoundTrip reads back what encoding/csv has written.
func FuzzRoundTrip(f *testing.F) {
	f.Add("a|b\x1e1|\"2\"\r\n3\x1e |\\.")
	f.Fuzz(func(t *testing.T, in string) {
		var b bytes.Buffer
		w := csv.NewWriter(&b)
		var want [][]string
		for _, record := range strings.Split("h\x1e"+in, "\x1e") {
			cells := strings.Split(record, "|")
			if strings.Join(cells, "") == "" {
				continue // a line of only delimiters is no row
			}
			want = append(want, cells)
			if err := w.Write(cells); err != nil {
				t.Fatal(err)
			}
		}
		w.Flush()
		got := read(t, pieces{in: bytes.NewReader(b.Bytes()), n: 3}, format.Options{})
		if strings.HasPrefix(got.Problem, "The file is UTF-16") {
			return
		}
		records := [][]string{got.Header}
		for _, r := range got.Rows {
			records = append(records, r.Cells)
		}
		if diff := cmp.Diff(want, records); diff != "" {
			t.Fatalf("(- written, + read):\n%s", diff)
		}
	})
}

// FuzzAnything must end without a panic for any input, and with the twin's rows when it is text.
func FuzzAnything(f *testing.F) {
	for i, in := range []string{"a,b\n1,2\n", "\"a\n", "a\n\"b\"c\n", gzipped(f, "a\n1\n"), zstandard(f, "a\n1\n"), "sep=;\na;b"} {
		f.Add([]byte(in), uint8(i), uint16(10+i))
	}
	f.Fuzz(func(t *testing.T, in []byte, options uint8, limit uint16) {
		o := format.Options{
			MaxRecord:   int64(limit) + 1,
			Compression: []string{"", "gz", "zst"}[options%3],
			Delimiter:   append(delimiters, "")[int(options/3)%(len(delimiters)+1)],
		}
		got := read(t, pieces{in: bytes.NewReader(in), n: int(options)%7 + 1}, o)
		text := strings.TrimPrefix(string(in), "\xef\xbb\xbf")
		if o.Compression != "" || o.Delimiter == "" || strings.HasPrefix(text, "sep=") || strings.HasPrefix(got.Problem, "The ") {
			return
		}
		if diff := cmp.Diff(twin(text, o.Delimiter, int(o.MaxRecord)), got, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("(- twin, + reader):\n%s", diff)
		}
	})
}
