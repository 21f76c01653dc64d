package destination

import (
	"strings"
	"testing"

	"ingest/shared/column"
	"ingest/shared/importer"
)

func TestSingular(t *testing.T) {
	t.Parallel()
	for table, want := range map[string]string{
		"products": "product", "categories": "category", "addresses": "address", "boxes": "box", "branches": "branch", "wishes": "wish",
		"movies": "movie", "ties": "tie", "statuses": "status", "viruses": "virus", "houses": "house", "warehouses": "warehouse", "status": "status",
		"address": "address", "people": "person", "sales_people": "sales_person", "order_items": "order_item", "Products": "Product", "sheep": "sheep", "s": "s", "": "",
		"analysis": "analysis", "series": "series",
	} {
		if got := singular(table); got != want {
			t.Errorf("%s: %s, want %s", table, got, want)
		}
	}
}

func sketch(name string, columns ...string) column.Table {
	t := column.Table{Schema: "public", Name: name}
	for _, c := range columns {
		t.Columns = append(t.Columns, column.Column{Name: strings.TrimSuffix(c, "!")})
		if strings.HasSuffix(c, "!") {
			t.Unique = append(t.Unique, column.Index{Columns: []string{strings.TrimSuffix(c, "!")}, Primary: true})
		}
	}
	return t
}

func referring(t column.Table, keys ...string) column.Table {
	for _, key := range keys { // column>table.column
		from, to, _ := strings.Cut(key, ">")
		table, name, _ := strings.Cut(to, ".")
		t.Foreign = append(t.Foreign, column.ForeignKey{
			Columns: strings.Split(from, ","), Schema: "public", Table: table, References: strings.Split(name, ","),
		})
	}
	return t
}

func TestPivotColumns(t *testing.T) {
	t.Parallel()
	products, tags := sketch("products", "id!", "sku"), sketch("tags", "id!", "code")
	for _, c := range []struct {
		name     string
		relation importer.Relation
		pivot    column.Table
		other    column.Table
		want     string
		err      string
	}{
		{name: "convention", pivot: sketch("pt", "product_id", "tag_id"), other: tags, want: "product_id>id tag_id>id"},
		{name: "another case", pivot: sketch("pt", "Product_ID", "Tag_ID"), other: tags, want: "Product_ID>id Tag_ID>id"},
		{name: "foreign keys", pivot: referring(sketch("pt", "p", "t"), "p>products.sku", "t>tags.code"), other: tags, want: "p>sku t>code"},
		{
			name: "foreign keys before the convention", pivot: referring(sketch("pt", "p", "product_id", "tag_id"), "p>products.id"), other: tags,
			want: "p>id tag_id>id",
		},
		{
			name: "several foreign keys, one as the convention says", pivot: referring(sketch("pt", "product_id", "old_id", "tag_id"), "old_id>products.id", "product_id>products.sku"),
			other: tags, want: "product_id>sku tag_id>id",
		},
		{name: "several foreign keys", pivot: referring(sketch("pt", "a", "b", "tag_id"), "a>products.id", "b>products.id"), other: tags, err: "name it with 'own'"},
		{name: "named", relation: importer.Relation{Own: "x", Other: "y"}, pivot: sketch("pt", "x", "y", "tag_id"), other: tags, want: "x>id y>id"},
		{name: "named wrongly", relation: importer.Relation{Other: "z"}, pivot: sketch("pt", "product_id", "y"), other: tags, err: "the table 'pt' has no column 'z'"},
		{name: "named twice", relation: importer.Relation{Own: "x", Other: "x"}, pivot: sketch("pt", "x"), other: tags, err: "both the column 'x'"},
		{name: "a key", relation: importer.Relation{Key: "code"}, pivot: sketch("pt", "product_id", "tag_id"), other: tags, want: "product_id>id tag_id>code"},
		{name: "a key that is not there", relation: importer.Relation{Key: "no"}, pivot: sketch("pt", "product_id", "tag_id"), other: tags, err: "the table 'tags' has no column 'no'"},
		{name: "nothing fits", pivot: sketch("pt", "product_id", "t"), other: tags, err: "name it with 'other'"},
		{
			name: "with itself", pivot: referring(sketch("pt", "product_id", "similar_id"), "product_id>products.id", "similar_id>products.id"), other: products,
			want: "product_id>id similar_id>id",
		},
		{name: "with itself, one named", relation: importer.Relation{Other: "product_id"}, pivot: referring(sketch("pt", "product_id", "similar_id"), "product_id>products.id", "similar_id>products.id"), other: products, want: "similar_id>id product_id>id"},
		{name: "no primary key", pivot: sketch("pt", "product_id", "tag_id"), other: sketch("tags", "a", "b"), err: "the table 'tags' has no primary key of one column"},
		{
			name: "a foreign key of two columns", pivot: referring(sketch("pt", "shop", "product_id", "tag_id"), "shop,product_id>products.id,sku"), other: tags,
			want: "product_id>sku tag_id>id",
		},
	} {
		own, other, ownRefers, otherRefers, err := PivotColumns(c.relation, c.pivot, products, c.other)
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%s: %v, want %s", c.name, err, c.err)
			}
			continue
		}
		if got := own.Name + ">" + ownRefers.Name + " " + other.Name + ">" + otherRefers.Name; err != nil || got != c.want {
			t.Errorf("%s: %s, %v, want %s", c.name, got, err, c.want)
		}
	}
}
