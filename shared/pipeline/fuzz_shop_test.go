package pipeline_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ingest/shared/chunk"
	"ingest/shared/column"
	"ingest/shared/importer"
	"ingest/shared/pipeline"
	"ingest/shared/row"
)

// FuzzRecords: whatever importer passes the checks and whatever a row and the database say, a row becomes a record or
// messages, the same every time, and what can be told of it beforehand – questions, forms, the routing form – fits.
func FuzzRecords(f *testing.F) {
	f.Add("row.sku", "products", "name", ";", "a", " News ", `{"like": 7}`, "x;y", `[{"sku":"s","qty":2,"tag":"t"}]`, uint8(3))
	f.Add(`upper(row.items ?? "x")`, "categories", "name,3", ",", "root", "", "[1,[2]]", `["A",null,"a"]`, `[{"SKU":"s","more":{"x":[]}}]`, uint8(0))
	f.Add(`row.data.like + "1"`, "tags", "", "ab", "\x00", "\xff", `{"like":{"a":"b"}}`, `[{"a":1}]`, `[{"sku":1}, 2]`, uint8(255))
	f.Add("1/0", "items", "sku,1,id", " ", "", "1e999999999", "{", "[", `[{"qty":"1e999999999"},{}]`, uint8(1))
	f.Add(`split(row.tags, ",")`, "product_tag", "tag_id,null", "\n", "k", "n", `{"like":null}`, "1, 2 ,,1", "[]", uint8(2))
	tables := shop()
	f.Fuzz(func(t *testing.T, expr, table, args, separator, sku, category, data, tags, items string, answer uint8) {
		d, err := importer.Parse("x.yaml", []byte("importer: x\n"+ofFuzz), importer.Checks{})
		if err != nil {
			t.Fatal(err)
		}
		if separator != "" {
			d.Relations[2].Separator = separator
		}
		d.BeforeRow = []importer.Assignment{{Column: "made", Expr: expr}}
		d.Nested[0].Fields[2].Expr = expr
		list := append([]string{table}, args)
		for _, name := range []string{"unique", "exists"} {
			if rule := (importer.Rule{Name: name, Args: list}); checks().Rule(rule) == nil {
				d.Rules = append(d.Rules, importer.Rules{Column: map[string]string{"unique": "sku", "exists": "made"}[name], Rules: []importer.Rule{rule}})
			}
		}
		setting := pipeline.Setting{Header: []string{"sku", "category", "data", "tags", "items"}, Table: tables["products"], Tables: tables}
		p, err := pipeline.Compile(d, setting)
		if err != nil {
			d.BeforeRow, d.Rules, d.Nested[0].Fields[2].Expr = nil, nil, "row.sku"
			if p, err = pipeline.Compile(d, setting); err != nil {
				t.Fatal(err)
			}
		}
		in := row.Row{Number: 1, Line: 2, Cells: []string{sku, category, data, tags, items}}
		asked := map[string]bool{}
		p.Asks(in, func(lookup int, value column.Value) { asked[p.Lookups()[lookup].Name+"\n"+value.Text] = true })
		answers := func(lookup int, value string) bool {
			if !asked[p.Lookups()[lookup].Name+"\n"+value] {
				t.Fatalf("%q is asked of '%s' without notice", value, p.Lookups()[lookup].Name)
			}
			return answer>>(lookup%8)&1 == 1
		}
		one, two := room(p), room(p)
		first, second := p.Apply(in, answers, one), p.Apply(in, answers, two)
		if diff := cmp.Diff(first, second); diff != "" {
			t.Fatal(diff)
		}
		w := p.Watches(d, tables)
		if first != nil {
			if first.Message == "" || !first.Skip && slices.ContainsFunc(first.Fields, func(f chunk.FieldMessage) bool { return f.Column == "" }) {
				t.Fatalf("a failure without a message: %+v", first)
			}
			w.Sequence().Next(in, nil, nil)
			return
		}
		if diff := cmp.Diff(one, two); diff != "" {
			t.Fatal(diff)
		}
		readable(t, one)
		key := one.Values[p.Targets()[one.Target].Key()[0]]
		if _, ok := p.Route(in, nil); ok != (key.State == column.Set) {
			t.Fatalf("a routing form: %t, of a row with the key %+v", ok, key)
		}
		sequence := w.Sequence()
		sequence.Next(in, one, one.Values)
		// What a row writes and looks for itself it meets in the next one that does.
		looks, writes := w.Looks(one), w.Writes(one)
		meets := slices.ContainsFunc(looks, func(form string) bool { return slices.Contains(writes, form) })
		if cut := sequence.Next(in, one, one.Values); cut && !meets && !w.Blind && len(p.Lookups()) == 0 {
			t.Fatalf("%v and %v do not meet", looks, writes)
		}
	})
}

// readable says that no value is a text which databases refuse.
func readable(t *testing.T, r *pipeline.Record) {
	for _, values := range append([][]column.Value{r.Values}, r.Many...) {
		for _, value := range values {
			if problem := column.Readable(value.Text); problem != "" {
				t.Fatalf("%q %s", value.Text, problem)
			}
		}
	}
	for _, list := range r.Nested {
		for i := range list {
			readable(t, &list[i])
		}
	}
}

const ofFuzz = `destination: {table: products}
key: sku
on_duplicate: update
fields:
  - {from: sku, to: sku, transform: [trim, {default: d}]}
  - {from: category, to: name, transform: [slug, {replace: {search: a, replace: b}}], validate: [{regex: '/^.{0,20}$/'}]}
  - {from: data.like, to: stock, when: 'row.category != "x"'}
relations:
  - {from: category, to: category_id, table: categories, match: name, create_if_missing: true}
  - {from: data.like, to: like_id, table: products, match: sku}
  - {from: tags, many: {table: tags, match: name, pivot: product_tag}, create_if_missing: true, on_missing: ignore}
nested:
  - from: items
    table: items
    parent: product_id
    key: sku
    fields: [{from: [sku, SKU], to: sku}, {from: qty, to: qty}, {to: note, expr: row.sku}]
    relations: [{from: tag, to: tag_id, table: tags, match: name}]
table_when: [{when: '(row.sku ?? "") == "root"', table: admins}]
rules: {category: 'max:30|unique:categories,name', data: json}
`
