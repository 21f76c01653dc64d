package destination

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ingest/shared/column"
	"ingest/shared/database"
	"ingest/shared/importer"
	"ingest/shared/lifecycle"
)

// shop is a definition that needs tables of every kind.
func shop() importer.Definition {
	yes := true
	from := func(name string) []string { return []string{name} }
	return importer.Definition{
		Key: []string{"SKU"}, Destination: importer.Destination{Table: "products", CreateTable: &yes, Timestamps: true},
		Fields:    []importer.Field{{From: from("SKU"), To: "sku"}, {From: from("P"), To: "price", Type: "decimal(10,2)"}},
		TableWhen: []importer.TableChoice{},
		Relations: []importer.Relation{
			{From: from("C"), To: "category_id", Table: "categories", Match: "name"},
			{From: from("C"), To: "country", Table: "countries", Match: "code", Key: "code"},
			{From: from("B"), To: "parent_id", Table: "products", Match: "sku"},
			{From: from("T"), Table: "tags", Match: "name", Pivot: "product_tag"},
			{From: from("R"), Table: "products", Match: "sku", Pivot: "related", Own: "product_id", Other: "similar_id"},
		},
		Nested: []importer.Nested{{
			From: from("V"), Table: "variants", Key: []string{"size"}, Parent: "product_id",
			Fields:    []importer.Field{{From: from("size"), To: "size"}, {From: from("made"), To: "created_at", Type: "date"}},
			Relations: []importer.Relation{{From: from("colors"), Table: "colors", Match: "name", Pivot: "variant_colors"}, {From: from("tag"), To: "tag_id", Table: "tags", Match: "slug"}},
		}},
	}
}

// shape is a table as one text: columns with their kinds, unique indexes, foreign keys.
func shapeOf(t *testing.T, db *database.DB, name string) string {
	t.Helper()
	table, err := db.Table(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	var parts []string
	for _, c := range table.Columns {
		parts = append(parts, c.Name+":"+string(c.Type.Kind))
	}
	var unique []string
	for _, index := range table.Unique {
		unique = append(unique, "unique("+strings.Join(index.Columns, ",")+")")
	}
	slices.Sort(unique)
	var foreign []string
	for _, key := range table.Foreign {
		foreign = append(foreign, fmt.Sprintf("%s>%s.%s", key.Columns[0], key.Table, key.References[0]))
	}
	slices.Sort(foreign)
	return strings.Join(slices.Concat(parts, unique, foreign), " ")
}

func TestCreateMakesAllTables(t *testing.T) {
	t.Parallel()
	forEach(t, func(t *testing.T, f features, db *database.DB) {
		create := func(ctx context.Context) error { return Create(ctx, db, shop()) }
		if err := lifecycle.Parallel(t.Context(), create, create, create, create); err != nil {
			t.Fatal(err)
		}
		if err := create(t.Context()); err != nil {
			t.Fatalf("again: %v", err)
		}
		stamps := " created_at:datetime updated_at:datetime"
		for name, want := range map[string]string{
			"products":       "id:integer sku:text price:decimal category_id:integer country:text parent_id:integer" + stamps + " unique(id) unique(sku)",
			"categories":     "id:integer name:text" + stamps + " unique(id) unique(name)",
			"countries":      "id:integer code:text" + stamps + " unique(code) unique(id)",
			"tags":           "id:integer name:text slug:text" + stamps + " unique(id) unique(name) unique(slug)",
			"colors":         "id:integer name:text" + stamps + " unique(id) unique(name)",
			"product_tag":    "product_id:integer tag_id:integer" + stamps + " unique(product_id,tag_id) product_id>products.id tag_id>tags.id",
			"related":        "product_id:integer similar_id:integer" + stamps + " unique(product_id,similar_id) product_id>products.id similar_id>products.id",
			"variants":       "id:integer size:text created_at:date tag_id:integer product_id:integer updated_at:datetime unique(id) unique(product_id,size) product_id>products.id",
			"variant_colors": "variant_id:integer color_id:integer" + stamps + " unique(variant_id,color_id) color_id>colors.id variant_id>variants.id",
		} {
			if diff := cmp.Diff(want, shapeOf(t, db, name)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
		}
		// The rows of a product go with it.
		execute(t, db, "INSERT INTO products (sku) VALUES ('a')", "INSERT INTO tags (name) VALUES ('x')", "INSERT INTO product_tag (product_id, tag_id) SELECT p.id, t.id FROM products AS p, tags AS t",
			"INSERT INTO variants (product_id, size) SELECT id, 'L' FROM products", "DELETE FROM products")
		left := 0
		if err := db.QueryRow(t.Context(), "SELECT (SELECT count(*) FROM product_tag) + (SELECT count(*) FROM variants)").Scan(&left); err != nil || left != 0 {
			t.Errorf("%d rows left, %v", left, err)
		}
	})
}

// Names are found again as they were made.
func TestPivotsThatWereMadeAreUnderstood(t *testing.T) {
	t.Parallel()
	forEach(t, func(t *testing.T, _ features, db *database.DB) {
		d := shop()
		if err := Create(t.Context(), db, d); err != nil {
			t.Fatal(err)
		}
		described := func(name string) column.Table {
			table, err := db.Table(t.Context(), name)
			if err != nil {
				t.Fatal(err)
			}
			return table
		}
		for _, r := range d.Relations {
			if !r.Many() {
				continue
			}
			pivot := described(r.Pivot)
			own, other, _, _, err := PivotColumns(r, pivot, described("products"), described(r.Table))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := NewLinks(db, LinkTarget{Table: pivot, Own: own, Other: other}); err != nil {
				t.Error(err)
			}
		}
		parent, err := Referred(described("variants"), "product_id", described("products"))
		if err != nil || parent.Name != "id" {
			t.Errorf("parent: %+v, %v", parent, err)
		}
	})
}

func TestCreateFollowsTheTablesThereAre(t *testing.T) {
	t.Parallel()
	forEach(t, func(t *testing.T, _ features, db *database.DB) {
		execute(t, db, "CREATE TABLE categories (code varchar(8) PRIMARY KEY, name text)", "CREATE TABLE countries (code char(2))",
			"CREATE TABLE tags (id smallint, name text, uid uuid PRIMARY KEY)")
		d := shop()
		d.Nested, d.Destination.Timestamps, d.Relations = nil, false, d.Relations[:4]
		d.TableWhen = []importer.TableChoice{{When: "true", Table: "archive"}, {When: "true", Table: "products"}}
		if err := Create(t.Context(), db, d); err == nil || !strings.Contains(err.Error(), "name it with 'own'") {
			t.Errorf("a pivot table of two tables: %v", err)
		}
		if _, err := db.Table(t.Context(), "products"); !errors.Is(err, database.ErrNoTable) {
			t.Errorf("a refused definition made a table: %v", err)
		}
		d.Relations[3].Own = "product_id"
		if err := Create(t.Context(), db, d); err != nil {
			t.Fatal(err)
		}
		rows := "id:integer sku:text price:decimal category_id:text country:text parent_id:integer unique(id) unique(sku)"
		for name, want := range map[string]string{
			"products": rows, "archive": rows, "categories": "code:text name:text unique(code)",
			// rows of products can be in archive as well
			"product_tag": "product_id:integer tag_id:uuid unique(product_id,tag_id) tag_id>tags.uid",
		} {
			if diff := cmp.Diff(want, shapeOf(t, db, name)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
		}
		table, _ := db.Table(t.Context(), "products")
		if c, _ := table.Column("category_id"); c.Type.Length != 8 {
			t.Errorf("category_id: %+v", c)
		}
	})
}

// An id that is mapped and is the key can be referred to; one that may repeat cannot.
func TestCreateRefersToAMappedID(t *testing.T) {
	t.Parallel()
	forEach(t, func(t *testing.T, _ features, db *database.DB) {
		d := shop()
		d.Fields = append(d.Fields, importer.Field{From: []string{"ID"}, To: "id", Type: "bigint"})
		d.Key = []string{"ID"}
		if err := Create(t.Context(), db, d); err != nil {
			t.Fatal(err)
		}
		if got := shapeOf(t, db, "related"); !strings.Contains(got, "product_id>products.id similar_id>products.id") {
			t.Error(got)
		}
		d.Key, d.Destination.Table, d.Nested[0].Table, d.Relations = []string{"SKU"}, "goods", "kinds", nil
		err := Create(t.Context(), db, d)
		if err == nil || !strings.Contains(err.Error(), "the table 'goods' has no primary key of one column") {
			t.Error(err)
		}
		if _, err := db.Table(t.Context(), "goods"); !errors.Is(err, database.ErrNoTable) {
			t.Errorf("a refused definition made a table: %v", err)
		}
	})
}

// anotherDatabase is the prefix of tables in another database of the same server.
func anotherDatabase(t *testing.T, f features, db *database.DB) string {
	t.Helper()
	var name string
	if err := open(t, f).QueryRow(t.Context(), "SELECT DATABASE()").Scan(&name); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Table(t.Context(), name+".products"); !errors.Is(err, database.ErrNoTable) {
		t.Fatal(err)
	}
	return name + "."
}

func TestCreateInASchema(t *testing.T) {
	t.Parallel()
	forEach(t, func(t *testing.T, f features, db *database.DB) {
		schema := "main."
		if f.name == "postgres" {
			schema = "shop."
			execute(t, db, "CREATE SCHEMA shop")
		}
		if f.name == "mariadb" {
			schema = anotherDatabase(t, f, db)
		}
		d := shop()
		d.Destination.Table, d.Nested[0].Table = schema+"products", schema+"variants"
		d.Relations = d.Relations[3:4]
		d.Relations[0].Table, d.Relations[0].Pivot = schema+"tags", schema+"product_tag"
		d.Nested[0].Relations = nil
		for range 2 {
			if err := Create(t.Context(), db, d); err != nil {
				t.Fatal(err)
			}
		}
		if got := shapeOf(t, db, schema+"product_tag"); !strings.HasSuffix(got, "product_id>products.id tag_id>tags.id") {
			t.Error(got)
		}
	})
}
