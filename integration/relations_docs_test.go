package integration

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ingest/integration/rig"
	"ingest/shared/database"
)

// TestRelationsOfTheDocumentation imports the example of docs/importers.md into tables that the run makes, foretold by a
// dry run, twice: what is there already stays as it is.
func TestRelationsOfTheDocumentation(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../docs/importers.md")
	if err != nil {
		t.Fatal(err)
	}
	example := regexp.MustCompile("(?s)\n## Relations\n.*?```yaml\n(.*?)```.*?```csv\n(.*?)```.*?```text\n(.*?)```").FindStringSubmatch(string(text))
	if example == nil {
		t.Fatal("the section has no example")
	}
	queries := map[string]string{
		"products":    "SELECT p.sku || ' ' || p.name || ' ' || c.name FROM products p JOIN categories c ON c.id = p.category_id ORDER BY 1",
		"categories":  "SELECT name FROM categories ORDER BY 1",
		"product_tag": "SELECT p.sku || ' ' || g.name FROM product_tag j JOIN products p ON p.id = j.product_id JOIN tags g ON g.id = j.tag_id ORDER BY 1",
		"variants":    "SELECT p.sku || ' ' || v.size || ' ' || v.stock FROM variants v JOIN products p ON p.id = v.product_id ORDER BY 1",
	}
	each(t, func(t *testing.T, to target) {
		options := rig.SystemOptions{Importers: map[string]string{"products.yaml": example[1]}}
		if to == toPostgres {
			options.Database = rig.StartPostgres(t).Database("shop")
		}
		sys := rig.NewSystem(t, options)
		if to == toPostgres {
			sys.Migrate()
		}
		file := sys.Write("products.csv", example[2])
		sys.Must(3, "run", "products", "--file", file, "--dry-run")
		sys.Must(3, "run", "products", "--file", file)
		if diff := cmp.Diff(counts(sys.Status(2)), counts(sys.Status(1))); diff != "" {
			t.Errorf("the dry run (-real +dry):\n%s", diff)
		}
		sys.Must(3, "run", "products", "--file", file)
		if again := sys.Status(3); again.Unchanged != 2 || again.Progress.Failed != 1 {
			t.Errorf("again: %+v", again)
		}
		for _, line := range strings.Split(strings.TrimSpace(example[3]), "\n") {
			table, want, _ := strings.Cut(line, ": ")
			if table == "failed" {
				if diff := cmp.Diff([]string{want}, failures(t, sys, 2)); diff != "" {
					t.Errorf("failed rows (-want +got):\n%s", diff)
				}
				continue
			}
			if got := strings.Join(selected(t, sys, queries[table]), " · "); got != want {
				t.Errorf("%s: got %s, want %s", table, got, want)
			}
		}
	})
}

// failures are the failed rows of a run: number and message.
func failures(t *testing.T, sys *rig.System, id int64) (list []string) {
	t.Helper()
	for _, r := range details(t, sys, id).Data.Rows {
		list = append(list, fmt.Sprintf("%d %s", r.Number, r.Errors.Message))
	}
	return list
}

// selected are the rows of a query of one text column.
func selected(t *testing.T, sys *rig.System, query string) (list []string) {
	t.Helper()
	db, err := database.Open(database.Config{Name: "test", URL: sys.Database(), Connections: 1})
	if err != nil {
		t.Fatal(err)
	}
	rows, err := db.Query(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		var one string
		if err := rows.Scan(&one); err != nil {
			t.Fatal(err)
		}
		list = append(list, one)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	if err := rows.Close(); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return list
}

// TestTablesThatCannotBeMade end the run with the reason; it does not wait for them to be.
func TestTablesThatCannotBeMade(t *testing.T) {
	t.Parallel()
	sys := rig.NewSystem(t, rig.SystemOptions{Importers: map[string]string{"x.yaml": `importer: x
source: {path: x.csv}
destination: {table: products}
fields: [{from: sku, to: sku}]
key: sku
relations: [{from: tags, many: {table: tags, match: name, pivot: product_tag}, create_if_missing: true}]
table_when: [{when: 'row.sku == "b"', table: mugs}]
`}})
	sys.Write("x.csv", "sku,tags\na,x\nb,y\n")
	for _, args := range [][]string{{"run", "x", "--dry-run"}, {"run", "x"}} {
		if got := sys.CLI(args...); got.Code != 4 || !strings.Contains(strings.Join(strings.Fields(got.Stdout), " "),
			"Reason: The tables cannot be created: with table_when the column of a made pivot table") {
			t.Errorf("%v: %+v", args, got)
		}
	}
}
