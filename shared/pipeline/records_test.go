package pipeline_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ingest/shared/chunk"
	"ingest/shared/column"
	"ingest/shared/pipeline"
	"ingest/shared/row"
)

const ofOrders = `destination: {table: products}
key: sku
on_duplicate: update
format: {short_rows: pad}
fields: [{from: sku, to: sku}]
relations:
  - {from: [category, kind], to: category_id, table: categories, match: name, transform: [trim, lower]}
  - {from: data.like, to: like_id, table: products, match: stock}
  - {from: tags, many: {table: tags, match: name, pivot: product_tag, separator: ";"}, transform: [lower]}
nested:
  - from: [items, lines]
    table: items
    parent: product_id
    key: sku
    fields: [{from: [sku, SKU], to: sku, transform: [trim]}, {from: qty, to: qty}, {to: note, expr: 'row.sku + "/" + (row.more.x ?? "-")'}]
    relations: [{from: tag, to: tag_id, table: tags, match: name}]
table_when: [{when: 'row.sku == "root"', table: admins}]
attributes: {tags: labels, items.qty: quantity}
messages: {items.qty.integer: "no :attribute", list: unused}
`

var absent = column.Value{}

// TestRowsBecomeRecords: what a row names is in its record by the value that it is found by, and lists are lists.
func TestRowsBecomeRecords(t *testing.T) {
	t.Parallel()
	_, p, err := shopImporter(t, shop(), strings.Replace(ofOrders, ", list: unused", "", 1), "sku", "kind", "data", "tags", "lines")
	if err != nil {
		t.Fatal(err)
	}
	child := func(values ...column.Value) pipeline.Record {
		return pipeline.Record{Values: append([]column.Value{absent}, values...)}
	}
	for name, test := range map[string]struct {
		cells []string
		want  pipeline.Record
	}{
		"everything": {
			[]string{"a", " News ", `{"like": 7}`, "X;y;;x; z ", `[{"sku":" s ","qty":2,"more":{"x":"m"},"tag":"t"},{"SKU":"S2","qty":null}]`},
			pipeline.Record{
				Values: []column.Value{set("a"), set("news"), set("7")}, Many: [][]column.Value{{set("x"), set("y"), set("z")}},
				Nested: [][]pipeline.Record{{child(set("s"), set("2"), set(" s /m"), set("t")), child(set("S2"), null(), set("S2/-"), absent)}},
			},
		},
		"NULLs": {
			[]string{"a", "", "", "", ""},
			pipeline.Record{Values: []column.Value{set("a"), null(), absent}, Many: [][]column.Value{{}}, Nested: [][]pipeline.Record{nil}},
		},
		"a short row has nothing": {
			[]string{"a"},
			pipeline.Record{Values: []column.Value{set("a"), absent, absent}, Many: [][]column.Value{nil}, Nested: [][]pipeline.Record{nil}},
		},
		"another table, lists as JSON": {
			[]string{"root", "n", `{"like": null}`, `["A",1,null,"a"]`, " [] "},
			pipeline.Record{
				Target: 1, Values: []column.Value{set("root"), set("n"), null()}, Many: [][]column.Value{{set("a"), set("1")}},
				Nested: [][]pipeline.Record{{}},
			},
		},
		"what is no list of texts is a text": {
			[]string{"a", "", "", `[{"a":1}]`, ""},
			pipeline.Record{
				Values: []column.Value{set("a"), null(), absent}, Many: [][]column.Value{{set(`[{"a":1}]`)}}, Nested: [][]pipeline.Record{nil},
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, failure := become(p, test.cells...)
			if failure != nil {
				t.Fatalf("%+v", failure)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestRecordsThatCannotBe(t *testing.T) {
	t.Parallel()
	tables := shop()
	tables["products"].Columns[3].NotNull = true // category_id
	_, p, err := shopImporter(t, tables, strings.Replace(ofOrders, ", list: unused", "", 1), "sku", "kind", "data", "tags", "lines")
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		cells []string
		want  []chunk.FieldMessage
	}{
		"nothing to belong to": {[]string{"a", ""}, []chunk.FieldMessage{
			{Column: "category", Messages: []string{"The category field is required."}},
		}},
		"no value of the column": {[]string{"a", "x", `{"like":"many"}`}, []chunk.FieldMessage{
			{Column: "data.like", Messages: []string{"The data.like field must be an integer."}},
		}},
		"no list": {[]string{"a", "x", "", "", `{"sku":1}`}, []chunk.FieldMessage{
			{Column: "items", Messages: []string{"The items field must be a list of objects."}},
		}},
		"not of objects": {[]string{"a", "x", "", "", `[{"sku":1},null]`}, []chunk.FieldMessage{
			{Column: "items", Messages: []string{"The items field must be a list of objects."}},
		}},
		"own words, each once, and all of them": {
			[]string{"a", "", "", "\x00", `[{"sku":"a","qty":"x"},{"sku":"b","qty":1.5,"tag":"\u0000"},{"sku":null}]`},
			[]chunk.FieldMessage{
				{Column: "category", Messages: []string{"The category field is required."}},
				{Column: "tags", Messages: []string{"The labels field contains a NUL character."}},
				{Column: "items.qty", Messages: []string{"no quantity"}},
				{Column: "items.tag", Messages: []string{"The tag field contains a NUL character."}},
				{Column: "items.note", Messages: []string{"The note field could not be computed: row.sku is NULL."}},
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, failure := become(p, test.cells...)
			if failure == nil {
				t.Fatal("it became a record")
			}
			if diff := cmp.Diff(test.want, failure.Fields); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestHeadersOfRelations: what relations and lists read is used, what is absent is left out, or told where headers are strict.
func TestHeadersOfRelations(t *testing.T) {
	t.Parallel()
	text := strings.Replace(ofOrders, ", list: unused", "", 1)
	_, p, err := shopImporter(t, shop(), text, "sku", "category", "other")
	if err != nil {
		t.Fatal(err)
	}
	got, failure := become(p, "a", "x", "y")
	if diff := cmp.Diff(pipeline.Record{Values: []column.Value{set("a"), set("x")}}, got); diff != "" || failure != nil {
		t.Errorf("%v %s", failure, diff)
	}
	if diff := cmp.Diff([]string{"Columns ignored because no field maps them: 'other'."}, p.Warnings()); diff != "" {
		t.Error(diff)
	}
	for absent, want := range map[string]string{
		"category": "None of the required columns ['category', 'kind'] were found in the source file headers. Strict header validation is enabled.",
		"tags":     "None of the required columns ['tags'] were found in the source file headers. Strict header validation is enabled.",
		"items":    "None of the required columns ['items', 'lines'] were found in the source file headers. Strict header validation is enabled.",
	} {
		header := strings.Fields(strings.Replace("sku category data tags items", absent, "", 1))
		if _, _, err := shopImporter(t, shop(), text+"strict_headers: true\n", header...); err == nil || err.Error() != want {
			t.Errorf("without %s: %v", absent, err)
		}
	}
	for name, change := range map[string]string{
		"The table 'categories' has no column 'title' (relation 'category').": "match: name, transform: [trim, lower]|match: title",
		"The table 'products' has no column 'kind_id' (relation 'category').": "to: category_id|to: kind_id",
		"The table 'items' has no column 'order_id' (parent of 'items').":     "parent: product_id|parent: order_id",
		"The table 'items' has no column 'count' (field 'qty').":              "to: qty|to: count",
	} {
		old, changed, _ := strings.Cut(change, "|")
		_, _, err := shopImporter(t, shop(), strings.Replace(text, old, changed, 1), "sku", "category", "data", "tags", "items")
		if err == nil || err.Error() != name {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestWhatIsCompared is needed in every row, and made as the field of its column is.
func TestWhatIsCompared(t *testing.T) {
	t.Parallel()
	const newer = "destination: {table: products}\nkey: sku\non_duplicate: update_if_newer\ncompare: {source: changed, column: modified}\n"
	for name, test := range map[string]struct {
		importer string
		only     bool
		cells    []string
		want     string
		fails    string
	}{
		"compared only": {newer + "fields: [{from: sku, to: sku}]", true, []string{"a", "2024-01-02"}, "2024-01-02", ""},
		"as it is transformed elsewhere": {
			newer + "fields: [{from: sku, to: sku}, {from: changed, to: name, transform: [{date: {in: d.m.Y, out: Y-m-d}}]}]",
			true,
			[]string{"a", "02.01.2024"},
			"2024-01-02", "",
		},
		"written": {newer + "fields: [{from: sku, to: sku}, {from: [when, changed], to: modified}]", false, []string{"a", "2024-01-02"}, "2024-01-02", ""},
		"NULL":    {newer + "fields: [{from: sku, to: sku}]", true, []string{"a", ""}, "", "The changed field is required."},
		"absent":  {newer + "format: {short_rows: pad}\nfields: [{from: sku, to: sku}]", true, []string{"a"}, "", "The changed field is required."},
		"no date": {newer + "fields: [{from: sku, to: sku}]", true, []string{"a", "x"}, "", "The changed field must be a valid date."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, p, err := shopImporter(t, shop(), test.importer, "sku", "changed")
			if err != nil {
				t.Fatal(err)
			}
			target := p.Targets()[0]
			if target.CompareOnly != test.only {
				t.Errorf("compared only: %t", target.CompareOnly)
			}
			got, failure := become(p, test.cells...)
			switch {
			case failure != nil && failure.Message != test.fails || failure == nil && test.fails != "":
				t.Errorf("%+v, want %q", failure, test.fails)
			case failure == nil && got.Values[target.Compare] != set(test.want):
				t.Errorf("compares %+v", got.Values[target.Compare])
			}
		})
	}
}

// TestRoutesThroughRelations: rows of one key have one form, whatever table they go to; a key that cannot be meets nothing.
func TestRoutesThroughRelations(t *testing.T) {
	t.Parallel()
	tables := shop()
	tables["categories"].Columns[1].Fold = column.FoldNoCase // name
	_, p, err := shopImporter(t, tables, `destination: {table: products}
key: [category, name]
fields: [{from: name, to: name}, {from: type, to: sku}]
relations: [{from: category, to: category_id, table: categories, match: name, transform: [trim]}]
table_when: [{when: 'row.type == "admin"', table: admins}]`, "category", "name", "type")
	if err != nil {
		t.Fatal(err)
	}
	form := func(cells ...string) []byte {
		form, ok := p.Route(row.Row{Cells: cells}, nil)
		if !ok {
			return nil
		}
		return form
	}
	one := form("News", "a", "x")
	for name, test := range map[string]struct {
		cells []string
		same  bool
	}{
		"the same":         {[]string{"News", "a", "y"}, true},
		"as it is matched": {[]string{" nEWS ", "a", "x"}, true},
		"another table":    {[]string{"news", "a", "admin"}, true},
		"another name":     {[]string{"News", "A", "x"}, false},
		"another category": {[]string{"Newsa", "", "x"}, false},
	} {
		if got := form(test.cells...); bytes.Equal(got, one) != test.same {
			t.Errorf("%s: %q and %q", name, got, one)
		}
	}
	if one == nil || form("", "a", "x") != nil || form("News", "", "x") != nil || form("\x00", "a", "x") != nil {
		t.Error("a key without a value meets others")
	}
}
