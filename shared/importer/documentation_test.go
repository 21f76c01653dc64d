package importer_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ingest/shared/importer"
)

// TestReuseOfTheDocumentation loads the files that docs/importers.md shows under Reuse.
func TestReuseOfTheDocumentation(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/importers.md")
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, file := range regexp.MustCompile("(?s)```yaml\n# importers/(\\S+)\n([^`]*)```").FindAllStringSubmatch(string(text), -1) {
		files[file[1]] = file[2]
	}
	d, err := importer.Load(nested(t, files), "orders", knowing())
	if err != nil {
		t.Fatal(err)
	}
	var fields []string
	for _, f := range d.Fields {
		fields = append(fields, f.To+" "+strings.Join(f.From, ",")+f.Expr)
	}
	want := []string{
		"billing_city billing.city", `billing_country upper(row["billing"].country ?? "de")`,
		"shipping_city shipping.city", `shipping_country upper(row["shipping"].country ?? "de")`, "id id",
	}
	if diff := cmp.Diff(want, fields); diff != "" || d.Destination.Connection != "warehouse" || d.Format.Delimiter != ";" || len(d.Rules) != 2 {
		t.Errorf("%s %+v", diff, d)
	}
}
