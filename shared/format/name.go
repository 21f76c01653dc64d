package format

import (
	"fmt"
	"path"
	"strings"
)

// foreign are the extensions of files that are no delimited text, and what such files are called.
var foreign = map[string]string{
	".xlsx": "XLSX", ".xls": "XLS", ".ods": "ODS", ".json": "JSON", ".ndjson": "NDJSON", ".jsonl": "NDJSON", ".parquet": "PARQUET",
	".xml": "XML", ".html": "HTML", ".htm": "HTML", ".pdf": "PDF", ".zip": "ZIP", ".doc": "DOC", ".docx": "DOCX", ".bz2": "BZIP2",
	".exe": "a program", ".sqlite": "SQLite",
}

// CheckName returns an error for people when a file with this name would not be CSV, plain or compressed. What it holds
// is looked at when it is read.
func CheckName(name string) error {
	bare := strings.ToLower(name)
	if compression := CompressionOf(bare); compression != "" {
		bare = strings.TrimSuffix(bare, "."+compression)
	}
	if kind, known := foreign[path.Ext(bare)]; known {
		return fmt.Errorf("The file is called %s, which is %s, not CSV: name it .csv when it is.", path.Base(name), kind) //nolint:staticcheck,revive // a sentence for people
	}
	return nil
}
