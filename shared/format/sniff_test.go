package format_test

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/klauspost/compress/zstd"

	"ingest/shared/format"
)

func TestWhatIsNotCSVIsNamed(t *testing.T) {
	t.Parallel()
	utf16le := func(s string) string {
		var b []byte
		for _, u := range utf16.Encode([]rune(s)) {
			b = append(b, byte(u), byte(u>>8))
		}
		return string(b)
	}
	for name, test := range map[string]struct{ in, want string }{
		"zip":                {zipped(t, "data.csv"), "The file looks like ZIP, not CSV."},
		"empty zip":          {zipped(t), "The file looks like ZIP, not CSV."},
		"xlsx":               {zipped(t, "[Content_Types].xml", "_rels/.rels", "xl/workbook.xml"), "The file looks like XLSX, not CSV."},
		"docx":               {zipped(t, "[Content_Types].xml", "word/document.xml"), "The file looks like DOCX, not CSV."},
		"pdf":                {"%PDF-1.7\n", "The file looks like PDF, not CSV."},
		"html":               {"<!DOCTYPE html>\n<html>", "The file looks like HTML, not CSV."},
		"html behind blanks": {"\xef\xbb\xbf\r\n  <HTML lang=en>", "The file looks like HTML, not CSV."},
		"xml":                {"<?xml version='1.0'?>", "The file looks like XML, not CSV."},
		"gzip by name csv":   {gzipped(t, "a,b\n"), "The file looks like GZIP, not CSV."},
		"zstd by name csv":   {zstandard(t, "a,b\n"), "The file looks like ZSTD, not CSV."},
		"utf-16":             {"\xff\xfe" + utf16le("a,b\n"), `The file is UTF-16, not UTF-8: save it again as "CSV UTF-8".`},
		"utf-16 unmarked":    {utf16le("a,b\n"), `The file is UTF-16, not UTF-8: save it again as "CSV UTF-8".`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := read(t, strings.NewReader(test.in), format.Options{}).Problem; got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestTextThatResemblesOtherFormatsIsCSV(t *testing.T) {
	t.Parallel()
	for _, in := range []string{"<headline>,b\n", "PK,b\n", "BZh9,b\n", "PDF,%PDF-1\n", "a\n\x00\n"} {
		if got := read(t, strings.NewReader(in), format.Options{}); got.Problem != "" || len(got.Header) == 0 {
			t.Errorf("%q: %q", in, got.Problem)
		}
	}
}

func zipped(t *testing.T, names ...string) string {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, name := range names {
		entry, err := w.Create(name)
		if err == nil {
			_, err = entry.Write([]byte(strings.Repeat("content of "+name, 20)))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func gzipped(t testing.TB, in string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(in)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func zstandard(t testing.TB, in string, options ...zstd.EOption) string {
	t.Helper()
	var b bytes.Buffer
	w, err := zstd.NewWriter(&b, append(options, zstd.WithEncoderConcurrency(1))...)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(in)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
