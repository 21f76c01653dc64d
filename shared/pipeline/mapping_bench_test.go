package pipeline_test

import (
	"testing"

	"ingest/shared/row"
)

// computing are definitions with expressions, and a row for each.
func computing() map[string]struct {
	yaml   string
	header []string
	cells  []string
} {
	return map[string]struct {
		yaml   string
		header []string
		cells  []string
	}{
		"expr transform": {
			`fields: [{from: cents, to: price, type: "decimal(10,2)", transform: [{expr: "value / 100"}]}, {from: name, to: name}]`,
			[]string{"cents", "name"},
			[]string{"1999", "a name"},
		},
		"before_row and a condition": {
			"key: [k]\nbefore_row: ['k = row.store + \"|\" + row.sku']\nskip_when: 'row.sku == \"total\"'\n" +
				"fields: [{from: k, to: k}, {from: sku, to: sku}]",
			[]string{"store", "sku"},
			[]string{"17", "SKU-000123"},
		},
		"dotted path": {
			`fields: [{from: user.address.city, to: city}]`,
			[]string{"user"},
			[]string{`{"id":17,"address":{"street":"Am Markt 1","city":"Bonn"}}`},
		},
	}
}

func TestExpressionsHardlyAllocate(t *testing.T) {
	most := map[string]float64{"expr transform": 2, "before_row and a condition": 3}
	for name, c := range computing() {
		limit, ok := most[name]
		if !ok {
			continue
		}
		p := from(t, c.yaml, c.header)
		r, into := row.Row{Cells: c.cells}, room(p)
		if n := testing.AllocsPerRun(100, func() {
			if failure := p.Apply(r, nil, into); failure != nil {
				t.Fatal(failure.Message)
			}
		}); n > limit {
			t.Errorf("%s: a row allocates %v times", name, n)
		}
	}
}

func BenchmarkMapping(b *testing.B) {
	for name, c := range computing() {
		b.Run(name, func(b *testing.B) {
			p := from(b, c.yaml, c.header)
			r, into := row.Row{Cells: c.cells}, room(p)
			b.ReportAllocs()
			for b.Loop() {
				if failure := p.Apply(r, nil, into); failure != nil {
					b.Fatal(failure.Message)
				}
			}
		})
	}
}
