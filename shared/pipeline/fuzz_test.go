package pipeline_test

import (
	"strings"
	"testing"

	"ingest/shared/column"
	"ingest/shared/importer"
	"ingest/shared/pipeline"
	"ingest/shared/row"
)

// FuzzApply: whatever a file holds, a row becomes values or messages, the same every time.
func FuzzApply(f *testing.F) {
	f.Add("S1", "a@b.c", "5", "name", "")
	f.Add("", "\xff", "1e999999999", "\x00", "x")
	p := compile(f, wide(), wideHeader(), wideTable())
	f.Fuzz(func(t *testing.T, a, b, c, d, e string) {
		r := row.Row{Cells: []string{a, b, c, d, e, a, b, c}}
		first, second := make([]column.Value, 8), make([]column.Value, 8)
		one, two := p.Apply(r, first), p.Apply(r, second)
		if (one == nil) != (two == nil) || one != nil && one.Message != two.Message {
			t.Fatalf("%+v, then %+v", one, two)
		}
		if one != nil && (one.Message == "" || len(one.Fields) == 0) {
			t.Fatalf("a failure without a message: %+v", one)
		}
		if _, ok := p.Route(r, nil); one == nil && !ok {
			t.Fatal("a good row with a key has no routing form")
		}
	})
}

// FuzzRule: a definition that passes the check compiles, and its rules answer for every text.
func FuzzRule(f *testing.F) {
	f.Add("regex", "/^(a+)+$/i", "aaaa")
	f.Add("between", "1e9,1e-9", "5")
	f.Add("trim", "x", "xax")
	f.Fuzz(func(t *testing.T, name, args, text string) {
		d := importer.Definition{Fields: []importer.Field{field("sku", "A")}}
		list := importer.Rule{Name: name, Args: strings.Split(args, ",")}
		if name == "regex" {
			list.Args = []string{args}
		}
		step := configured(name, map[string]any{"value": args})
		if pipeline.CheckRules(list) == nil {
			d.Rules = []importer.Rules{rules("A", rule("numeric"), list), rules("B", list)}
		}
		if pipeline.CheckTransform(step) == nil {
			d.Fields[0] = with(d.Fields[0], step)
		}
		apply(compile(t, d, []string{"A", "B"}, productTable()), text, text)
	})
}
