package config_test

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ingest/shared/importer"
)

// What the demo's comments say of its files must stay true.
func TestDemo(t *testing.T) {
	t.Parallel()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	c, err := completed(t, t.TempDir(), filepath.Join(root, "configs/demo/ingest.yaml"), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if want := filepath.Join(root, ".demo"); c.DataDir != want || !c.Embedded() {
		t.Errorf("data_dir %s, want %s", c.DataDir, want)
	}
	listed, err := importer.List(c.Importers, importer.Checks{})
	if err != nil {
		t.Fatal(err)
	}
	keys := map[string]string{}
	for _, l := range listed {
		if l.Err != nil {
			t.Errorf("%s: %v", l.File, l.Err)
			continue
		}
		keys[l.Slug] = l.Definition.Key[0]
		rows := records(t, filepath.Join(c.Roots[0], l.Definition.Source.Path))
		var mapped []string
		for _, f := range l.Definition.Fields {
			mapped = append(mapped, f.From[0])
		}
		if diff := cmp.Diff(rows[0], mapped); diff != "" {
			t.Errorf("%s: columns of the file and of the fields (-file +fields):\n%s", l.Slug, diff)
		}
		if l.Slug == "navaids" && failing(t, rows, "elevation_ft") != 3843 {
			t.Errorf("%d rows fail elevation_ft: required|integer", failing(t, rows, "elevation_ft"))
		}
	}
	if diff := cmp.Diff(map[string]string{"countries": "code", "regions": "code", "navaids": "ident"}, keys); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
}

func records(t *testing.T, path string) [][]string {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// failing counts the rows in which the column is not an integer.
func failing(t *testing.T, rows [][]string, column string) int {
	t.Helper()
	at, count := -1, 0
	for i, name := range rows[0] {
		if name == column {
			at = i
		}
	}
	if at < 0 {
		t.Fatalf("no column %s", column)
	}
	for _, row := range rows[1:] {
		if _, err := strconv.Atoi(row[at]); err != nil {
			count++
		}
	}
	return count
}
