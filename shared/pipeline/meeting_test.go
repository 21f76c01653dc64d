package pipeline_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ingest/shared/column"
	"ingest/shared/pipeline"
	"ingest/shared/row"
)

const (
	ofProducts   = "destination: {table: products}\nkey: sku\non_duplicate: update\nfields: [{from: sku, to: sku}, {from: name, to: name}]\n"
	ofCategories = "destination: {table: categories}\nkey: name\non_duplicate: update\nfields: [{from: name, to: name}, {from: code, to: code}]\n"
)

// TestWhatNeedsOnePartition, and whether the values of two rows say that they meet.
func TestWhatNeedsOnePartition(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		importer string
		change   func(tables map[string]column.Table)
		reason   string
		blind    bool
	}{
		"a key alone": {importer: ofProducts},
		"a relation into another table": {importer: ofProducts +
			"relations: [{from: category, to: category_id, table: categories, match: name, create_if_missing: true}]"},
		"two relations that create the same": {importer: ofProducts + `relations:
  - {from: category, to: category_id, table: categories, match: name, create_if_missing: true}
  - {from: like, to: like_id, table: categories, match: name, create_if_missing: true}`},
		"one creates what the other looks for": {importer: ofProducts + `relations:
  - {from: category, to: category_id, table: categories, match: name, create_if_missing: true}
  - {from: like, to: like_id, table: categories, match: name}`, reason: "a rule or a relation reads the table categories, which the run writes"},
		"one creates by another column": {
			importer: ofProducts + `relations:
  - {from: category, to: category_id, table: categories, match: name, create_if_missing: true}
  - {from: like, to: like_id, table: categories, match: code, create_if_missing: true}`,
			reason: "a rule or a relation reads the table categories, which the run writes", blind: true,
		},
		"pivots": {importer: ofProducts + `relations:
  - {from: tags, many: {table: tags, match: name, pivot: product_tag}, create_if_missing: true, sync: replace}`},
		"two pivots in one table": {importer: ofProducts + `relations:
  - {from: tags, many: {table: tags, match: name, pivot: product_tag}}
  - {from: more, many: {table: tags, match: name, pivot: product_tag}}`, reason: "several parts of a row write the table product_tag", blind: true},
		"a rule about a pivot": {importer: ofProducts + `relations:
  - {from: tags, many: {table: tags, match: name, pivot: product_tag}}
rules: {name: 'exists:product_tag,tag_id'}`, reason: "a rule or a relation reads the table product_tag, which the run writes", blind: true},
		"a relation into the table itself": {
			importer: ofProducts + "relations: [{from: like, to: like_id, table: products, match: sku}]",
			reason:   "a rule or a relation reads the table products, which the run writes",
		},
		"by a column that no field fills": {
			importer: ofProducts + "relations: [{from: like, to: like_id, table: products, match: modified}]",
			reason:   "a rule or a relation reads the table products, which the run writes", blind: true,
		},
		"a foreign key to the table itself": {importer: ofProducts, change: func(tables map[string]column.Table) {
			changed := tables["products"]
			changed.Meets = []string{"a foreign key to itself"}
			tables["products"] = changed
		}, reason: "rows with different keys can meet in a foreign key to itself", blind: true},
		"a rule about another table": {importer: ofProducts + "rules: {name: 'exists:categories'}"},
		"a rule about the table":     {importer: ofProducts + "rules: {name: 'unique:products'}", reason: "a rule or a relation reads the table products, which the run writes"},
		"a key through a relation": {
			importer: strings.Replace(ofProducts, "key: sku", "key: [category, sku]", 1) +
				"relations: [{from: category, to: category_id, table: categories, match: name}]",
			reason: "rows with different keys can meet in the unique index sku_key", blind: true,
		},
		"a key through a relation, alone": {importer: `destination: {table: items}
key: [product, sku]
fields: [{from: sku, to: sku}]
relations: [{from: product, to: product_id, table: products, match: sku}]`},
		"a key through a relation that is not unique": {importer: `destination: {table: items}
key: [product, sku]
fields: [{from: sku, to: sku}]
relations: [{from: product, to: product_id, table: products, match: sku, key: stock}]`, reason: "rows of the table products can have the same stock", blind: true},
		"a nested list": {importer: ofProducts + "nested: [{from: items, table: items, parent: product_id, key: sku, fields: [{from: sku, to: sku}]}]"},
		"a nested list with an index of its own": {
			importer: ofProducts +
				"nested: [{from: items, table: items, parent: product_id, fields: [{from: sku, to: sku}, {from: note, to: note}]}]",
			change: func(tables map[string]column.Table) {
				changed := tables["items"]
				changed.Unique = append(changed.Unique, column.Index{Name: "note_key", Columns: []string{"note"}})
				tables["items"] = changed
			}, reason: "rows with different keys can meet in the unique index note_key of items", blind: true,
		},
		"a nested list in the table itself": {
			importer: ofCategories +
				"nested: [{from: items, table: categories, parent: parent_id, fields: [{from: name, to: name}]}]",
			reason: "rows with different keys can meet in the unique index code_key", blind: true,
		},
		"table_when": {importer: ofProducts + "table_when: [{when: 'row.name == \"admin\"', table: admins}]"},
		"table_when and the same table": {
			importer: ofProducts + "table_when: [{when: 'row.name == \"admin\"', table: products}]",
			reason:   "the tables products and products refer to each other", blind: true,
		},
		"a key without a unique index": {importer: strings.Replace(ofProducts, "key: sku", "key: name", 1), change: func(tables map[string]column.Table) {
			changed := tables["products"]
			changed.Unique = nil
			tables["products"] = changed
		}, reason: "the key has no unique index in the table products"},
		"a key without a unique index beside another": {
			importer: strings.Replace(ofProducts, "key: sku", "key: name", 1), reason: "rows with different keys can meet in the unique index sku_key", blind: true,
		},
		"another unique index": {importer: ofCategories, reason: "rows with different keys can meet in the unique index code_key"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tables := shop()
			if test.change != nil {
				test.change(tables)
			}
			d, p, err := shopImporter(t, tables, test.importer, "sku", "name", "category", "like", "tags", "more", "items", "code", "product")
			if err != nil {
				t.Fatal(err)
			}
			m := p.Meeting(d, tables)
			if m.Reason != test.reason || m.Blind != test.blind {
				t.Errorf("%q, blind %t; want %q, %t", m.Reason, m.Blind, test.reason, test.blind)
			}
		})
	}
}

// TestWhereAChunkIsCut: each row is written with those before it unless it would see, or spoil, what they do.
func TestWhereAChunkIsCut(t *testing.T) {
	t.Parallel()
	relation := func(more string) string {
		return "relations: [{from: category, to: parent_id, table: categories, match: name" + more + "}]"
	}
	nested := "nested: [{from: items, table: items, parent: product_id, fields: [{from: sku, to: sku}], relations: [{from: product, to: tag_id, table: products, match: sku}]}]"
	for name, test := range map[string]struct {
		importer string
		stored   map[string][]string // by key: what is in the table
		rows     []string
		parts    string
	}{
		"nothing is watched": {ofProducts, nil, []string{"a;x", "a;y", "b;x"}, "abc"},
		"rules see rows before them": {
			ofProducts + "rules: {name: 'unique:products,sku'}", nil,
			[]string{"a;b", "b;c", "c;a", "d;a"},
			"ab|cd",
		},
		"and those that fail are none": {ofProducts + "rules: {name: 'required|unique:products,sku'}", nil, []string{"a;", "b;a"}, "ab"},
		"parents behind their children": {
			ofCategories + relation(""), nil,
			[]string{"a;1;b", "b;2;", "c;3;", "d;4;b", "e;5;c", "f;6;d"},
			"abc|de|f",
		},
		"created parents are there for all": {
			ofCategories + relation(", create_if_missing: true"), nil,
			[]string{"a;1;p", "b;2;p", "c;3;b"},
			"ab|c",
		},
		"but their own rows come later": {ofCategories + relation(", create_if_missing: true"), nil, []string{"a;1;p", "b;2;", "p;3;"}, "ab|c"},
		"lists look late":               {ofProducts + nested, nil, []string{`a;x;;[{"product":"b"}]`, "c;x", "b;x"}, "ab|c"},
		"what is overwritten is gone": {
			strings.Replace(ofCategories, "key: name", "key: code", 1) + relation(""),
			map[string][]string{"1": {"old", "1"}},
			[]string{"new;1;", "x;2;old", "y;3;", "z;1;", "w;4;new"},
			"a|bcd|e",
		},
		"also after a cut": {
			strings.Replace(ofCategories, "key: name", "key: code", 1) + relation(""),
			map[string][]string{"1": {"old", "1"}},
			[]string{"new;1;", "x;2;new", "z;1;", "w;4;new"},
			"a|bc|d",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tables := shop()
			header := []string{"sku", "name", "category", "items"}
			if strings.Contains(test.importer, "table: categories}") && strings.HasPrefix(test.importer, "destination: {table: categories}") {
				header = []string{"name", "code", "category", "items"}
			}
			d, p, err := shopImporter(t, tables, test.importer, header...)
			if err != nil {
				t.Fatal(err)
			}
			w := p.Watches(d, tables)
			sequence := w.Sequence()
			got := ""
			for i, text := range test.rows {
				cells := strings.Split(text+";;;", ";")[:len(header)]
				var record *pipeline.Record
				if made, failure := become(p, cells...); failure == nil {
					record = &made
				}
				var stored []column.Value
				for _, text := range test.stored[cells[1]] {
					stored = append(stored, set(text))
				}
				if stored != nil {
					stored = append(stored, null())
				}
				if sequence.Next(row.Row{Cells: cells}, record, stored) && i > 0 {
					got += "|"
				}
				got += string(rune('a' + i))
			}
			if diff := cmp.Diff(test.parts, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestDefaultsAreAnything: nobody knows which value a row leaves to the database, so that who looks for any comes behind it.
func TestDefaultsAreAnything(t *testing.T) {
	t.Parallel()
	tables := shop()
	d, p, err := shopImporter(t, tables, `destination: {table: categories}
key: name
format: {short_rows: pad}
fields: [{from: name, to: name}, {from: label, to: label}]
rules: {code: 'exists:categories,label'}`, "name", "code", "label")
	if err != nil {
		t.Fatal(err)
	}
	sequence := p.Watches(d, tables).Sequence()
	for i, step := range []struct {
		cells []string
		cut   bool
	}{
		{[]string{"a", "", "x"}, false},
		{[]string{"b", "y", "y"}, false},
		{[]string{"c", "y", ""}, true},
		{[]string{"d", ""}, false},
		{[]string{"e", "", "z"}, false},
		{[]string{"f", "q", "z"}, true},
		{[]string{"g", "q", "z"}, false},
	} {
		record, failure := become(p, step.cells...)
		if failure != nil {
			t.Fatal(failure)
		}
		if cut := sequence.Next(row.Row{Cells: step.cells}, &record, nil); cut != step.cut {
			t.Errorf("row %d: cut %t", i+1, cut)
		}
	}
}
