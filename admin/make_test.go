package admin

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ingest/integration/rig"
)

// demo is the directory with the data of the demo.
func demo(t *testing.T) string {
	t.Helper()
	root, err := rig.Root()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(root, "configs/demo/data")
}

// TestMadeImportersRunTheirSample: what is made of a real file is valid, imports all of it, and knows it again.
func TestMadeImportersRunTheirSample(t *testing.T) {
	t.Parallel()
	for file, rows := range map[string]int64{"countries": 249, "regions": 3987, "navaids": 11008} {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			text, err := os.ReadFile(filepath.Join(demo(t), file+".csv"))
			if err != nil {
				t.Fatal(err)
			}
			write(t, filepath.Join(dir, "data", file+".csv"), string(text))
			if got := ingest(t, dir, nil, "make", "importer", file, "--from", "data/"+file+".csv"); got.code != 0 || got.errors != "" {
				t.Fatalf("make importer: %+v", got)
			}
			if got := ingest(t, dir, nil, "check", file); got.code != 0 {
				t.Fatalf("check: %+v", got)
			}
			one := resource(t, ingest(t, dir, nil, "run", file, "--output", "json"))
			if one.Status != "completed" || one.Created != rows {
				t.Errorf("the first run is %s with %d created rows, want %d", one.Status, one.Created, rows)
			}
			again := resource(t, ingest(t, dir, nil, "run", file, "--output", "json"))
			if again.Status != "completed" || again.Skipped != rows {
				t.Errorf("the second run is %s with %d skipped rows, want %d", again.Status, again.Skipped, rows)
			}
		})
	}
}

func TestOutputsOfMakeImporter(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "new.csv"), "id;Price\n1;2,50\n2;7\n")
	write(t, filepath.Join(dir, "empty.csv"), "")
	write(t, filepath.Join(dir, "latin.csv"), "id,name\n1,K\xf6ln\n")
	write(t, filepath.Join(dir, "configs/importers/other.yaml"), "importer: taken\ndestination: {table: a}\nfields: [{from: a, to: a}]\n")
	typed(t, dir, "make", append(
		inEveryForm("make importer products --from new.csv --force"),
		"make importer products --from new.csv",
		"make importer products --from new.csv --to -",
		"make importer products --from new.csv --to elsewhere.yaml",
		"make importer products --from new.csv --to - --output json",
		"make importer taken --from new.csv",
		"make importer ../x --from new.csv",
		"make importer ingest_runs --from new.csv",
		"make importer x --from empty.csv",
		"make importer x --from latin.csv",
		"make importer x --from missing.csv",
		"make importer x --from new.csv --rows 0",
		"make importer x",
		"make",
		"check products",
	)...)
}

// TestASampleOutsideOfTheRoots is no source path: the run is given the file.
func TestASampleOutsideOfTheRoots(t *testing.T) {
	t.Parallel()
	dir, elsewhere := t.TempDir(), filepath.Join(t.TempDir(), "new.csv")
	write(t, elsewhere, "id\n1\n2\n")
	got := ingest(t, dir, nil, "make", "importer", "new", "--from", elsewhere)
	if got.code != 0 || !strings.Contains(strings.Join(strings.Fields(got.out), " "), "ingest run new --file "+elsewhere+" --dry-run") {
		t.Errorf("make importer: %+v", got)
	}
	one := resource(t, ingest(t, dir, nil, "run", "new", "--file", elsewhere, "--output", "json"))
	if one.Status != "completed" || one.Created != 2 {
		t.Errorf("the run is %s with %d created rows, want 2", one.Status, one.Created)
	}
}

func TestSchemaNeedsNoConfiguration(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "configs/ingest.yaml"), "no_such_key: 1\n")
	got := ingest(t, dir, nil, "schema")
	if got.code != 0 || got.errors != "" || !strings.Contains(got.out, `"$schema": "https://json-schema.org/draft/2020-12/schema"`) {
		t.Errorf("schema: %+v", got)
	}
	if again := ingest(t, dir, nil, "schema", "--output", "json"); again != got {
		t.Errorf("--output json is something else: %+v", again)
	}
}
