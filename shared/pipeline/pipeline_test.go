package pipeline_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"ingest/shared/chunk"
	"ingest/shared/column"
	"ingest/shared/importer"
	"ingest/shared/pipeline"
	"ingest/shared/row"
)

func field(to string, from ...string) importer.Field { return importer.Field{From: from, To: to} }

func with(f importer.Field, transforms ...importer.Transform) importer.Field {
	f.Transform = transforms
	return f
}

func named(name string) importer.Transform { return importer.Transform{Name: name} }

func rule(name string, args ...string) importer.Rule { return importer.Rule{Name: name, Args: args} }

func rules(column string, list ...importer.Rule) importer.Rules {
	return importer.Rules{Column: column, Rules: list}
}

func null() column.Value { return column.Value{State: column.Null} }

func set(text string) column.Value { return column.Value{Text: text, State: column.Set} }

func products() importer.Definition {
	return importer.Definition{
		Slug:        "products",
		Format:      importer.Format{Nulls: []string{""}, ShortRows: "fail"},
		Destination: importer.Destination{Table: "products"},
		Key:         []string{"SKU"},
		Fields: []importer.Field{
			field("sku", "SKU"),
			with(field("email", "E-Mail", "Email Address"), named("trim"), named("lower")),
			field("stock", "Stock"),
			field("name", "Full Name"),
		},
		Rules: []importer.Rules{
			rules("SKU", rule("required"), rule("string")),
			rules("E-Mail", rule("email")),
		},
	}
}

func productTable() column.Table {
	return column.Table{Name: "products", Columns: []column.Column{
		{Name: "id", Type: column.Type{Kind: column.Integer, Bits: 64}, NotNull: true, Default: true},
		{Name: "sku", Type: column.Type{Kind: column.Text}},
		{Name: "email", Type: column.Type{Kind: column.Text, Length: 20}},
		{Name: "stock", Type: column.Type{Kind: column.Integer, Bits: 32}},
		{Name: "name", Type: column.Type{Kind: column.Text}, NotNull: true},
		{Name: "total", Type: column.Type{Kind: column.Integer}, Generated: true},
	}}
}

func productHeader() []string { return []string{"SKU", "E-Mail", "Stock", "Full Name"} }

func compile(t testing.TB, d importer.Definition, header []string, table column.Table) *pipeline.Program {
	t.Helper()
	p, err := pipeline.Compile(d, pipeline.Setting{Header: header, Table: table})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func apply(p *pipeline.Program, cells ...string) ([]column.Value, *pipeline.Failure) {
	into := room(p)
	failure := p.Apply(row.Row{Number: 1, Line: 2, Cells: cells}, nil, into)
	return into.Values, failure
}

// room is a record with room for every target.
func room(p *pipeline.Program) *pipeline.Record {
	return &pipeline.Record{Values: make([]column.Value, p.Width())}
}

func TestApplyFillsValues(t *testing.T) {
	t.Parallel()
	p := compile(t, products(), productHeader(), productTable())
	for name, test := range map[string]struct {
		cells []string
		want  []column.Value
	}{
		"transformed and converted": {
			[]string{" S1 ", "A@B.Example", " +007", "Ä"}, []column.Value{set(" S1 "), set("a@b.example"), set("7"), set("Ä")},
		},
		"empty is NULL":                    {[]string{"S", "", "", "x"}, []column.Value{set("S"), null(), null(), set("x")}},
		"surplus empty cells do not count": {[]string{"S", "", "1", "x", "", ""}, []column.Value{set("S"), null(), set("1"), set("x")}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, failure := apply(p, test.cells...)
			if failure != nil {
				t.Fatal(failure)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestApplyFailsRows(t *testing.T) {
	t.Parallel()
	p := compile(t, products(), productHeader(), productTable())
	for name, test := range map[string]struct {
		cells  []string
		want   string
		fields []chunk.FieldMessage
	}{
		"one rule": {
			[]string{"", "a@b.c", "1", "x"},
			"The sku field is required.",
			[]chunk.FieldMessage{{Column: "SKU", Messages: []string{"The sku field is required."}}},
		},
		"two rules": {
			[]string{" ", "no address", "1", "x"},
			"The sku field is required. (and 1 more error)",
			[]chunk.FieldMessage{
				{Column: "SKU", Messages: []string{"The sku field is required."}},
				{Column: "E-Mail", Messages: []string{"The e-mail field must be a valid email address."}},
			},
		},
		"conversions only after the rules": {
			[]string{"", "", "many", "x"},
			"The sku field is required.",
			[]chunk.FieldMessage{{Column: "SKU", Messages: []string{"The sku field is required."}}},
		},
		"every conversion": {
			[]string{"S", "abcdefghijklmnop@example.com", "many", ""},
			"The e-mail field must not be greater than 20 characters. (and 2 more errors)",
			[]chunk.FieldMessage{
				{Column: "E-Mail", Messages: []string{"The e-mail field must not be greater than 20 characters."}},
				{Column: "Stock", Messages: []string{"The stock field must be an integer."}},
				{Column: "Full Name", Messages: []string{"The full name field is required."}},
			},
		},
		"NUL": {
			[]string{"S\x00", "", "1", "x"},
			"The sku field contains a NUL character.",
			[]chunk.FieldMessage{{Column: "SKU", Messages: []string{"The sku field contains a NUL character."}}},
		},
		"invalid UTF-8 in a transformed column": {
			[]string{"S", "\xff@b.c", "1", "x"},
			"The e-mail field must be a valid email address.",
			[]chunk.FieldMessage{{Column: "E-Mail", Messages: []string{"The e-mail field must be a valid email address."}}},
		},
		"fewer cells": {[]string{"S", "", "1"}, "The row has 3 columns, the header has 4.", nil},
		"one cell":    {[]string{"S"}, "The row has 1 column, the header has 4.", nil},
		"more cells":  {[]string{"S", "", "1", "x", "", "y"}, "The row has 6 columns, the header has 4.", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, failure := apply(p, test.cells...)
			if failure == nil {
				t.Fatal("the row is good")
			}
			if diff := cmp.Diff(&pipeline.Failure{Message: test.want, Fields: test.fields}, failure); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestFaultOfTheFormatIsTheMessage(t *testing.T) {
	t.Parallel()
	p := compile(t, products(), productHeader(), productTable())
	r := row.Row{Number: 3, Fault: "line 12: text after a closing quote", Cells: []string{"S"}}
	if f := p.Apply(r, nil, room(p)); f == nil || f.Message != r.Fault || f.Fields != nil {
		t.Errorf("got %+v", f)
	}
	if _, ok := p.Route(r, nil); ok {
		t.Error("a row that could not be read was routed by its key")
	}
}

func TestShortRowsCanBePadded(t *testing.T) {
	t.Parallel()
	d := products()
	d.Format.ShortRows = "pad"
	d.Fields[2] = with(d.Fields[2], importer.Transform{Name: "default", Options: map[string]any{"value": "5"}})
	p := compile(t, d, productHeader(), productTable())
	got, failure := apply(p, "S")
	if failure != nil {
		t.Fatal(failure)
	}
	if diff := cmp.Diff([]column.Value{set("S"), {}, {}, {}}, got); diff != "" {
		t.Error("absent cells must stay absent:", diff)
	}
}

func TestNullsAreTheListedTexts(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		nulls []string
		cell  string
		want  column.Value
	}{
		"default":         {nil, "", null()},
		"none":            {[]string{}, "", set("")},
		"listed":          {[]string{"NULL", `\N`}, `\N`, null()},
		"exactly":         {[]string{"NULL"}, "null", set("null")},
		"empty not among": {[]string{"NULL"}, "", set("")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := importer.Definition{Format: importer.Format{Nulls: test.nulls}, Fields: []importer.Field{field("sku", "SKU")}}
			got, failure := apply(compile(t, d, []string{"SKU"}, productTable()), test.cell)
			if failure != nil || got[0] != test.want {
				t.Errorf("got %+v, %+v, want %+v", got, failure, test.want)
			}
		})
	}
}

func TestNotNullIsRequiredEvenWithADefault(t *testing.T) {
	t.Parallel()
	d := importer.Definition{Fields: []importer.Field{field("id", "ID")}}
	p := compile(t, d, []string{"ID"}, productTable())
	if _, failure := apply(p, ""); failure == nil || failure.Message != "The id field is required." {
		t.Errorf("got %+v", failure)
	}
}

func TestOneSourceColumnFeedsSeveralFields(t *testing.T) {
	t.Parallel()
	d := importer.Definition{Fields: []importer.Field{field("id", "N"), field("stock", "N"), field("name", "N")}}
	p := compile(t, d, []string{"N"}, productTable())
	if got, failure := apply(p, "01"); failure != nil || cmp.Diff([]column.Value{set("1"), set("1"), set("01")}, got) != "" {
		t.Errorf("got %+v, %+v", got, failure)
	}
	want := &pipeline.Failure{
		Message: "The n field must be an integer.",
		Fields:  []chunk.FieldMessage{{Column: "N", Messages: []string{"The n field must be an integer."}}},
	}
	if _, failure := apply(p, "x"); cmp.Diff(want, failure) != "" {
		t.Error(cmp.Diff(want, failure))
	}
}

func TestProgramDescribesItself(t *testing.T) {
	t.Parallel()
	d := products()
	d.Key = []string{"Full Name", "Email Address"}
	p := compile(t, d, []string{"Email Address", "SKU", "Full Name"}, productTable())
	var columns []string
	for i, c := range p.Targets()[0].Columns() {
		columns = append(columns, c.Name+" from "+p.Targets()[0].Source(i)+", "+p.Targets()[0].Words(i))
	}
	if diff := cmp.Diff([]string{"sku from SKU, sku", "email from E-Mail, e-mail", "name from Full Name, full name"}, columns); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]int{2, 1}, p.Targets()[0].Key()); diff != "" {
		t.Error(diff)
	}
	if got, want := pipeline.Duplicate(p.Targets()[0].KeyNames()), "Duplicate entry found for key 'Full Name, E-Mail'."; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestWords(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"user_email": "user email", "Full Name": "full name", "E-Mail": "e-mail", "usageType": "usage type",
		"SKU": "sku", "__a  b_": "a b", "Größe": "größe", "a1B": "a1b", "": "",
	} {
		if got := pipeline.Words(name); got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
}
