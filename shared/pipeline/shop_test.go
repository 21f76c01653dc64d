package pipeline_test

import (
	"testing"

	"ingest/shared/column"
	"ingest/shared/importer"
	"ingest/shared/pipeline"
	"ingest/shared/row"
)

// shop are tables of products that refer to each other in every way that relations know.
func shop() map[string]column.Table {
	text, number := column.Type{Kind: column.Text}, column.Type{Kind: column.Integer, Bits: 64}
	id := column.Column{Name: "id", Type: number, NotNull: true, Default: true}
	texts := func(names ...string) (list []column.Column) {
		for _, name := range names {
			list = append(list, column.Column{Name: name, Type: text})
		}
		return list
	}
	keys := func(names ...string) (list []column.Column) {
		for _, name := range names {
			list = append(list, column.Column{Name: name, Type: number})
		}
		return list
	}
	primary := column.Index{Name: "primary", Columns: []string{"id"}, Primary: true}
	unique := func(columns ...string) column.Index {
		return column.Index{Name: columns[len(columns)-1] + "_key", Columns: columns}
	}
	table := func(name string, columns []column.Column, indexes ...column.Index) column.Table {
		return column.Table{Name: name, Columns: append([]column.Column{id}, columns...), Unique: append([]column.Index{primary}, indexes...)}
	}
	products := func(name string) column.Table {
		columns := append(texts("sku", "name"), keys("category_id", "like_id", "stock")...)
		columns = append(columns, column.Column{Name: "modified", Type: column.Type{Kind: column.Date}})
		return table(name, columns, unique("sku"))
	}
	categories := table("categories", append(texts("name", "code", "label"), keys("parent_id")...), unique("name"), unique("code"))
	categories.Columns[3].Default = true
	pivot := column.Table{Name: "product_tag", Columns: keys("product_id", "tag_id"), Unique: []column.Index{unique("product_id", "tag_id")}}
	return map[string]column.Table{
		"categories": categories, "tags": table("tags", texts("name"), unique("name")), "products": products("products"),
		"admins": products("admins"), "product_tag": pivot,
		"items": table("items", append(texts("sku", "note"), keys("product_id", "tag_id", "qty")...), unique("product_id", "sku")),
	}
}

// shopImporter parses an importer of the shop and compiles it for a header.
func shopImporter(t testing.TB, tables map[string]column.Table, text string, header ...string) (importer.Definition, *pipeline.Program, error) {
	t.Helper()
	d, err := importer.Parse("x.yaml", []byte("importer: x\n"+text), importer.Checks{})
	if err != nil {
		t.Fatal(err)
	}
	p, err := pipeline.Compile(d, pipeline.Setting{Header: header, Table: tables[d.Destination.Table], Tables: tables})
	return d, p, err
}

// become is what a row becomes.
func become(p *pipeline.Program, cells ...string) (pipeline.Record, *pipeline.Failure) {
	into := room(p)
	failure := p.Apply(row.Row{Number: 1, Line: 2, Cells: cells}, nil, into)
	return *into, failure
}
