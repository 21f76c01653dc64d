package pipeline_test

import (
	"bytes"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"ingest/shared/column"
	"ingest/shared/importer"
	"ingest/shared/pipeline"
	"ingest/shared/row"
)

func keyed(t testing.TB, columns ...column.Column) *pipeline.Program {
	t.Helper()
	d := importer.Definition{}
	var header []string
	for _, c := range columns {
		d.Fields = append(d.Fields, with(field(c.Name, c.Name), named("trim")))
		d.Key, header = append(d.Key, c.Name), append(header, c.Name)
	}
	return compile(t, d, header, column.Table{Name: "t", Columns: columns})
}

func TestRouteMeetsWhereTheDatabaseDoes(t *testing.T) {
	t.Parallel()
	text := column.Type{Kind: column.Text}
	for name, test := range map[string]struct {
		column column.Column
		a, b   string
		same   bool
	}{
		"transformed":       {column.Column{Type: text}, "a", " a ", true},
		"exact case":        {column.Column{Type: text}, "a", "A", false},
		"no case":           {column.Column{Type: text, Fold: column.FoldNoCase}, "aZ", "Az", true},
		"no case is ASCII":  {column.Column{Type: text, Fold: column.FoldNoCase}, "ä", "Ä", false},
		"integers":          {column.Column{Type: column.Type{Kind: column.Integer}}, "007", "+7", true},
		"decimals rounded":  {column.Column{Type: column.Type{Kind: column.Decimal, Precision: 9, Scale: 1}}, "1.04", "1e0", true},
		"decimals":          {column.Column{Type: column.Type{Kind: column.Decimal}}, "1.04", "1", false},
		"single precision":  {column.Column{Type: column.Type{Kind: column.Float}}, "0.1", "0.10000000149", true},
		"huge floats":       {column.Column{Type: column.Type{Kind: column.Float}}, "1e300", "10e299", true},
		"moments":           {column.Column{Type: column.Type{Kind: column.Datetime}}, "2024-01-01T01:00+01:00", "2024-01-01 00:00", true},
		"unknown equality":  {column.Column{Type: column.Type{Kind: column.Other}}, "::1", "0::1", true},
		"JSON":              {column.Column{Type: column.Type{Kind: column.JSON}}, `{"a":1,"b":2}`, `{"b":2,"a":1}`, true},
		"uuid without case": {column.Column{Type: column.Type{Kind: column.UUID}}, strings.Repeat("A", 32), strings.Repeat("a", 32), true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test.column.Name = "k"
			p := keyed(t, test.column)
			a, okA := p.Route(row.Row{Cells: []string{test.a}}, nil)
			b, okB := p.Route(row.Row{Cells: []string{test.b}}, nil)
			if !okA || !okB || bytes.Equal(a, b) != test.same {
				t.Errorf("%q (%v) and %q (%v), want same = %v", a, okA, b, okB, test.same)
			}
		})
	}
}

func TestRouteIgnoresTrailingBlanksWhereTheCollationDoes(t *testing.T) {
	t.Parallel()
	d := importer.Definition{Fields: []importer.Field{field("k", "k")}, Key: []string{"k"}}
	table := column.Table{Columns: []column.Column{{Name: "k", Type: column.Type{Kind: column.Text}, Fold: column.FoldRTrim}}}
	p := compile(t, d, []string{"k"}, table)
	a, _ := p.Route(row.Row{Cells: []string{"a  "}}, nil)
	b, _ := p.Route(row.Row{Cells: []string{"a"}}, nil)
	c, _ := p.Route(row.Row{Cells: []string{" a"}}, nil)
	if !bytes.Equal(a, b) || bytes.Equal(b, c) {
		t.Errorf("%q, %q, %q", a, b, c)
	}
}

func TestRowsWithoutAKeyMeetNothing(t *testing.T) {
	t.Parallel()
	number := column.Type{Kind: column.Integer}
	p := keyed(t, column.Column{Name: "a", Type: number}, column.Column{Name: "b", Type: number})
	for _, cells := range [][]string{{"1", ""}, {"", "1"}, {"1", "x"}, {"1"}, {}} {
		if form, ok := p.Route(row.Row{Cells: cells}, []byte("before")); ok || string(form) != "before" {
			t.Errorf("%q: got %q, %v", cells, form, ok)
		}
	}
	d := importer.Definition{Fields: []importer.Field{field("sku", "A")}}
	if _, ok := compile(t, d, []string{"A"}, productTable()).Route(row.Row{Cells: []string{"x"}}, nil); ok {
		t.Error("an importer without a key routed a row")
	}
}

// TestRoutingFormsAreUnambiguous: with exact equality, two rows have equal forms exactly when their values are equal.
func TestRoutingFormsAreUnambiguous(t *testing.T) {
	t.Parallel()
	types := rapid.SampledFrom([]column.Type{
		{Kind: column.Text}, {Kind: column.Integer}, {Kind: column.Decimal, Precision: 6, Scale: 1},
	})
	cell := rapid.OneOf(rapid.StringMatching(`[-+]?0?[01](\.[0-5])?`), rapid.StringMatching(`[ab\x01]{0,3}`))
	rapid.Check(t, func(rt *rapid.T) {
		first, second := types.Draw(rt, "first"), types.Draw(rt, "second")
		p := keyed(t, column.Column{Name: "a", Type: first}, column.Column{Name: "b", Type: second})
		x := []string{cell.Draw(rt, "x1"), cell.Draw(rt, "x2")}
		y := []string{cell.Draw(rt, "y1"), cell.Draw(rt, "y2")}
		formX, okX := p.Route(row.Row{Cells: x}, nil)
		formY, okY := p.Route(row.Row{Cells: y}, nil)
		valuesX, failX := apply(p, x...)
		valuesY, failY := apply(p, y...)
		if okX && failX != nil || okY && failY != nil {
			rt.Fatal("a row that cannot be converted has a routing form")
		}
		if !okX || !okY {
			return
		}
		if equal := valuesX[0] == valuesY[0] && valuesX[1] == valuesY[1]; equal != bytes.Equal(formX, formY) {
			rt.Fatalf("%q and %q: values equal %v, forms %q and %q", x, y, equal, formX, formY)
		}
	})
}

func route(p *pipeline.Program, cells ...string) (string, bool) {
	form, ok := p.Route(row.Row{Cells: cells}, nil)
	return string(form), ok
}
