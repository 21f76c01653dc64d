package importer_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ingest/shared/importer"
)

// before is the snapshot of a run begun by the first version, byte for byte.
const before = `{"importer":"products","source":{"type":"filesystem","path":"p.csv"},"format":{"type":"csv","nulls":[""],` +
	`"short_rows":"fail","max_record":8388608},"destination":{"connection":"default","table":"products"},"key":["SKU"],` +
	`"on_duplicate":"update","unmapped":"ignore","fields":[{"from":["SKU"],"to":"sku"},{"from":["E-Mail","Mail"],"to":"email",` +
	`"transform":[{"name":"trim"}]}],"rules":[{"column":"SKU","rules":[{"name":"required"}]}]}`

// A retry, a resumed split and a worker read the snapshots of older runs, and a definition that has not changed keeps
// its hash.
func TestSnapshotsOfOlderRunsStayReadable(t *testing.T) {
	t.Parallel()
	d, err := importer.FromSnapshot([]byte(before))
	if err != nil {
		t.Fatal(err)
	}
	again, hash := d.Snapshot()
	if diff := cmp.Diff(before, string(again)); diff != "" {
		t.Errorf("the snapshot changed (-want +got):\n%s", diff)
	}
	_, now := parse(t, `importer: products
source: {path: p.csv}
destination: {table: products}
key: SKU
on_duplicate: update
fields: [{from: SKU, to: sku}, {from: [E-Mail, Mail], to: email, transform: trim}]
rules: {SKU: required}
`).Snapshot()
	if now != hash {
		t.Errorf("the same definition has the hash %s, it had %s", now, hash)
	}
}

func TestSnapshotsKeepExpressions(t *testing.T) {
	t.Parallel()
	d := parse(t, `importer: x
destination: {table: x}
unmapped: pass
params: {month: {required: true}, region: {default: north}}
before_row: ['k = row.a + "|" + row.b']
skip_when: 'row.a == "total"'
fields:
  - {from: k, to: k, when: 'params.month != "2026-01"'}
  - {to: c, const: ""}
  - {to: e, expr: row.a, transform: [{expr: "value / 100"}]}
`)
	d.Given = map[string]string{"month": "2026-02"}
	text, _ := d.Snapshot()
	back, err := importer.FromSnapshot(text)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(d, back); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	north, empty := "north", ""
	want := importer.Definition{
		Slug: "x", Source: d.Source, Format: d.Format, Destination: d.Destination, OnDuplicate: importer.Skip, Unmapped: importer.UnmappedPass,
		Params:    []importer.Param{{Name: "month", Required: true}, {Name: "region", Default: &north}},
		Given:     d.Given,
		BeforeRow: []importer.Assignment{{Column: "k", Expr: `row.a + "|" + row.b`}},
		SkipWhen:  `row.a == "total"`,
		Fields: []importer.Field{
			{From: []string{"k"}, To: "k", When: `params.month != "2026-01"`},
			{Const: &empty, To: "c"},
			{Expr: "row.a", To: "e", Transform: []importer.Transform{{Name: "expr", Options: map[string]any{"value": "value / 100"}}}},
		},
	}
	if diff := cmp.Diff(want, d); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	var keys map[string]any
	if err := json.Unmarshal(text, &keys); err != nil || keys["given"] == nil {
		t.Errorf("the snapshot lacks what was given: %s, %v", text, err)
	}
}
