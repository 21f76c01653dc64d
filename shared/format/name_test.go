package format_test

import (
	"testing"

	"ingest/shared/format"
)

func TestCheckName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"a.csv": true, "a.CSV": true, "a.tsv": true, "a.txt": true, "a": true, "a.csv.gz": true, "a.2026-11": true, "xlsx": true,
		"a.xlsx": false, "A.XLSX": false, "a.json": false, "a.json.gz": false, "a.pdf": false, "a.zip": false, "a.csv.bz2": false,
	} {
		if got := format.CheckName(name) == nil; got != want {
			t.Errorf("%s is taken: %v, want %v", name, got, want)
		}
	}
}
