package format

import "bytes"

// sniffed is how much of a source is looked at to tell what it is.
const sniffed = 4 << 10

// signatures are the beginnings of files that are not text.
var signatures = []struct{ name, magic string }{
	{"PDF", "%PDF-"},
	{"GZIP", "\x1f\x8b\x08"},
	{"ZSTD", "\x28\xb5\x2f\xfd"},
	{"BZIP2", "BZh91AY&SY"},
	{"XZ", "\xfd7zXZ\x00"},
	{"XLS", "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"},
	{"PARQUET", "PAR1"},
	{"SQLite", "SQLite format 3\x00"},
	{"ZIP", "PK\x05\x06"},
}

// contents are what the first entries of a zip file say about it, the more telling first.
var contents = []struct{ name, entry string }{
	{"ODS", "application/vnd.oasis.opendocument.spreadsheet"},
	{"DOCX", "word/"},
	{"PPTX", "ppt/"},
	{"XLSX", "xl/"},
	{"XLSX", "[Content_Types].xml"},
}

// refuse returns an error when the source that begins with head is not CSV in UTF-8.
func refuse(head []byte) error {
	if encoding := wideEncoding(head); encoding != "" {
		return failure("The file is %s, not UTF-8: save it again as \"CSV UTF-8\".", encoding)
	}
	if name := looksLike(head); name != "" {
		return failure("The file looks like %s, not CSV.", name)
	}
	return nil
}

func looksLike(head []byte) string {
	for _, s := range signatures {
		if bytes.HasPrefix(head, []byte(s.magic)) {
			return s.name
		}
	}
	if bytes.HasPrefix(head, []byte("PK\x03\x04")) {
		for _, c := range contents {
			if bytes.Contains(head, []byte(c.entry)) {
				return c.name
			}
		}
		return "ZIP"
	}
	text := bytes.ToLower(bytes.TrimLeft(bytes.TrimPrefix(head, []byte(bom)), " \t\r\n"))
	for _, tag := range []string{"<!doctype html", "<html", "<head", "<body"} {
		if rest, is := bytes.CutPrefix(text, []byte(tag)); is && (len(rest) == 0 || bytes.IndexByte([]byte(" \t\r\n>"), rest[0]) >= 0) {
			return "HTML"
		}
	}
	if bytes.HasPrefix(text, []byte("<?xml ")) {
		return "XML"
	}
	return ""
}

// wideEncoding recognises UTF-16 and UTF-32 by their marks, and UTF-16 without one by every other byte being NUL.
func wideEncoding(head []byte) string {
	switch {
	case bytes.HasPrefix(head, []byte("\xff\xfe\x00\x00")), bytes.HasPrefix(head, []byte("\x00\x00\xfe\xff")):
		return "UTF-32"
	case bytes.HasPrefix(head, []byte("\xff\xfe")), bytes.HasPrefix(head, []byte("\xfe\xff")):
		return "UTF-16"
	case len(head) < 6:
		return ""
	}
	even := head[0] == 0 && head[2] == 0 && head[4] == 0
	odd := head[1] == 0 && head[3] == 0 && head[5] == 0
	if even != odd {
		return "UTF-16"
	}
	return ""
}
