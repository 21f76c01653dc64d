package importer_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"ingest/shared/importer"
)

// TestRelationsAndNestedLists: every form that they have, with what counts when nothing is said, survives the snapshot.
func TestRelationsAndNestedLists(t *testing.T) {
	t.Parallel()
	d := parse(t, `
importer: x
destination: {table: products, timestamps: true}
key: [Shop, Category]
on_duplicate: update_if_newer
compare: {source: modified, column: updated_at}
relations:
  - {from: [Category, Kind], to: category_id, table: shop.categories, match: name, key: code, create_if_missing: true, on_missing: null, transform: [trim]}
  - {from: Brand, to: brand_id, table: brands, match: name}
  - {from: Tags, many: {table: tags, match: name, pivot: product_tag, separator: " "}, sync: replace, on_missing: ignore}
  - {from: Labels, many: {table: tags, match: name, key: code, pivot: product_tag, own: product, other: label}, create_if_missing: true}
nested:
  - {from: [line_items, lines], table: order_items, key: [sku, maker], parent: order_id, fields: [{from: [sku, SKU], to: sku}, {to: total, expr: row.price * row.qty}], relations: [{from: maker, to: maker_id, table: makers, match: name}]}
  - {from: marks, table: marks, parent: product_id, relations: [{from: user, to: user_id, table: users, match: mail}]}
table_when:
  - {when: 'row.type == "admin"', table: admins}
  - {when: 'row.type == "guest"', table: shop.guests}
timezone: Europe/Berlin
overlap: refuse
if_unchanged: skip
independent_rows: true
fields: [{from: Shop, to: shop}]
attributes: {Tags: labels, line_items: lines, modified: change}
`)
	want := importer.Definition{
		Slug: "x", Source: d.Source, Format: d.Format, Unmapped: "ignore", Fields: []importer.Field{{From: []string{"Shop"}, To: "shop"}},
		Destination: importer.Destination{Connection: "default", Table: "products", Timestamps: true},
		Key:         []string{"Shop", "Category"}, OnDuplicate: importer.UpdateIfNewer, Compare: &importer.Compare{Source: "modified", Column: "updated_at"},
		Attributes: map[string]string{"Tags": "labels", "line_items": "lines", "modified": "change"},
		Relations: []importer.Relation{
			{
				From: []string{"Category", "Kind"}, To: "category_id", Table: "shop.categories", Match: "name", Key: "code",
				CreateIfMissing: true, OnMissing: importer.MissingNull, Transform: []importer.Transform{{Name: "trim"}},
			},
			{From: []string{"Brand"}, To: "brand_id", Table: "brands", Match: "name", OnMissing: importer.MissingFail},
			{
				From: []string{"Tags"}, Table: "tags", Match: "name", Pivot: "product_tag", Separator: " ", Sync: importer.SyncReplace,
				OnMissing: importer.MissingIgnore,
			},
			{
				From: []string{"Labels"}, Table: "tags", Match: "name", Key: "code", Pivot: "product_tag", Own: "product", Other: "label",
				Separator: ",", Sync: importer.SyncAttach, CreateIfMissing: true, OnMissing: importer.MissingFail,
			},
		},
		Nested: []importer.Nested{
			{
				From: []string{"line_items", "lines"}, Table: "order_items", Key: []string{"sku", "maker"}, Parent: "order_id",
				Fields:    []importer.Field{{From: []string{"sku", "SKU"}, To: "sku"}, {To: "total", Expr: "row.price * row.qty"}},
				Relations: []importer.Relation{{From: []string{"maker"}, To: "maker_id", Table: "makers", Match: "name", OnMissing: importer.MissingFail}},
			},
			{
				From: []string{"marks"}, Table: "marks", Parent: "product_id",
				Relations: []importer.Relation{{From: []string{"user"}, To: "user_id", Table: "users", Match: "mail", OnMissing: importer.MissingFail}},
			},
		},
		TableWhen: []importer.TableChoice{{When: `row.type == "admin"`, Table: "admins"}, {When: `row.type == "guest"`, Table: "shop.guests"}},
		Timezone:  "Europe/Berlin", Overlap: importer.OverlapRefuse, SkipUnchanged: true, IndependentRows: true,
	}
	if diff := cmp.Diff(want, d); diff != "" {
		t.Errorf("definition (-want +got):\n%s", diff)
	}
	snapshot, _ := d.Snapshot()
	back, err := importer.FromSnapshot(snapshot)
	if diff := cmp.Diff(d, back); err != nil || diff != "" {
		t.Errorf("snapshot: %v (-want +got):\n%s", err, diff)
	}
}

// TestWhatCountsAnywayLeavesTheHash: a definition that says the default means the same as one that says nothing.
func TestWhatCountsAnywayLeavesTheHash(t *testing.T) {
	t.Parallel()
	const plain = "importer: x\ndestination: {table: a}\nfields: [{from: a, to: a}]\n"
	_, want := parse(t, plain).Snapshot()
	for _, said := range []string{
		"timezone: UTC", "overlap: allow", "if_unchanged: import", "independent_rows: false", "relations: []", "nested: []", "table_when: []",
	} {
		if _, got := parse(t, plain+said+"\n").Snapshot(); got != want {
			t.Errorf("%s: another hash", said)
		}
	}
	for _, said := range []string{"timezone: America/New_York", "overlap: wait", "if_unchanged: skip", "independent_rows: true"} {
		if _, got := parse(t, plain+said+"\n").Snapshot(); got == want {
			t.Errorf("%s: the same hash", said)
		}
	}
}

// TestKeyColumn: primary names before aliases, fields before relations, no lists.
func TestKeyColumn(t *testing.T) {
	t.Parallel()
	d := importer.Definition{
		Fields: []importer.Field{
			{From: []string{"a", "b", "r"}, To: "one"},
			{From: []string{"b"}, To: "two"},
			{To: "made", Expr: "row.x"},
			{From: []string{"both"}, To: "three"},
		},
		Relations: []importer.Relation{
			{From: []string{"r", "s", "a"}, To: "r_id", Table: "rs", Match: "name"},
			{From: []string{"both"}, To: "b_id", Table: "bs", Match: "name"},
			{From: []string{"tags"}, Table: "tags", Match: "name", Pivot: "p"},
		},
	}
	want := map[string]importer.KeyColumn{
		"a":    {Source: "a", From: []string{"a", "b", "r"}, To: "one"},
		"b":    {Source: "b", From: []string{"b"}, To: "two"},
		"made": {Source: "made", To: "made"},
		"r":    {Source: "r", From: []string{"r", "s", "a"}, To: "r_id"},
		"s":    {Source: "r", From: []string{"r", "s", "a"}, To: "r_id"},
		"both": {Source: "both", From: []string{"both"}, To: "three"},
	}
	got := map[string]importer.KeyColumn{}
	for _, name := range []string{"a", "b", "made", "r", "s", "both", "tags", "one", ""} {
		if c, ok := d.KeyColumn(name); ok {
			got[name] = c
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	list := importer.Nested{Fields: d.Fields, Relations: d.Relations}
	for name, c := range want {
		if got, ok := list.KeyColumn(name); !ok || cmp.Diff(c, got) != "" {
			t.Errorf("nested: %s is %+v, %v", name, got, ok)
		}
	}
}

// TestARelationTakesThePlaceOfAUsedField, as a field of the importer's own does; such an importer needs no fields of its own.
func TestARelationTakesThePlaceOfAUsedField(t *testing.T) {
	t.Parallel()
	dir := nested(t, map[string]string{
		"mappings/m.yaml": "mapping: m\nfields: [{from: category, to: category_id}, {from: sku, to: sku}]\n",
		"x.yaml":          "importer: x\ndestination: {table: a}\nkey: [sku, kind]\nuse: m\nrelations: [{from: kind, to: category_id, table: c, match: name}]\n",
		"y.yaml":          "importer: y\ndestination: {table: a}\nkey: [p, t]\nrelations: [{from: p, to: p_id, table: p, match: sku}, {from: t, to: t_id, table: t, match: name}]\n",
	})
	x, err := importer.Load(dir, "x", knowing())
	if err != nil {
		t.Fatal(err)
	}
	if len(x.Fields) != 1 || x.Fields[0].To != "sku" || len(x.Relations) != 1 {
		t.Errorf("got %+v", x)
	}
	y, err := importer.Load(dir, "y", knowing())
	if err != nil || len(y.Fields) != 0 || len(y.Relations) != 2 {
		t.Errorf("got %+v, %v", y, err)
	}
}
