package pipeline_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"ingest/shared/column"
	"ingest/shared/importer"
	"ingest/shared/pipeline"
	"ingest/shared/row"
)

const tracedYAML = `
importer: x
destination: {table: x}
before_row: ['code = row.a + "-" + row.b']
skip_when: 'row.a == "total"'
fields:
  - {from: code, to: code, transform: [upper, {expr: 'value + "!"'}]}
  - {from: n, to: n, transform: [trim, {numeric: {decimals: 1}}], validate: [{range: {max: 99}}]}
  - {from: b, to: flag, when: 'row.a != "x"'}
relations:
  - {from: b, to: kind_id, table: kinds, match: name, transform: upper}
  - {from: tags, many: {table: tags, match: name, pivot: product_tag}}
nested:
  - {from: lines, table: lines, parent: product_id, fields: [{from: s, to: s, transform: trim}, {from: q, to: q}]}
rules:
  b: "exists:kinds,name"
  a: required|string|max:5
  n: bail|required|numeric|min:2|max:200
`

// texts is a table of text columns.
func texts(name string, columns ...string) column.Table {
	t := column.Table{Name: name}
	for _, c := range columns {
		t.Columns = append(t.Columns, column.Column{Name: c, Type: column.Type{Kind: column.Text}})
	}
	return t
}

func traced(t testing.TB) (*pipeline.Program, importer.Definition) {
	t.Helper()
	d, err := importer.Parse("x.yaml", []byte(tracedYAML), checks())
	if err != nil {
		t.Fatal(err)
	}
	p, err := pipeline.Compile(d, pipeline.Setting{
		Header: []string{"a", "b", "n", "tags", "lines"}, Started: time.Unix(0, 0),
		Tables: map[string]column.Table{
			"kinds": texts("kinds", "name"), "tags": texts("tags", "name"), "product_tag": texts("product_tag", "product_id", "tag_id"),
			"lines": {Name: "lines", Columns: []column.Column{
				{Name: "product_id", Type: column.Type{Kind: column.Text}},
				{Name: "s", Type: column.Type{Kind: column.Text}},
				{Name: "q", Type: column.Type{Kind: column.Integer, Bits: 32}},
			}},
		},
		Table: column.Table{Name: "x", Columns: []column.Column{
			{Name: "code", Type: column.Type{Kind: column.Text}},
			{Name: "n", Type: column.Type{Kind: column.Decimal, Precision: 5, Scale: 2}},
			{Name: "flag", Type: column.Type{Kind: column.Text}},
			{Name: "kind_id", Type: column.Type{Kind: column.Integer, Bits: 64}},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return p, d
}

func value(v column.Value) string {
	switch v.State {
	case column.Set:
		return v.Text
	case column.Null:
		return "NULL"
	default:
		return "absent"
	}
}

// told is a trace in words, one line for each thing.
func told(t pipeline.Trace) string {
	var b strings.Builder
	for _, m := range t.Made {
		b.WriteString(m.Column + " = " + value(m.Value) + "\n")
	}
	if t.Skipped != nil && *t.Skipped {
		b.WriteString("skipped\n")
	}
	for _, j := range t.Rules {
		b.WriteString(j.Column + " " + j.Rule)
		switch {
		case !j.Looked:
			b.WriteString(" not looked at")
		case j.Message != "":
			b.WriteString(": " + j.Message)
		}
		b.WriteString("\n")
	}
	if t.Mapped != nil {
		b.WriteString(mapped("", *t.Mapped))
	}
	return b.String()
}

func mapped(indent string, m pipeline.Mapped) string {
	var b strings.Builder
	for _, f := range append(m.Fields, m.Lists...) {
		b.WriteString(indent + f.Source + " " + value(f.Read))
		for _, s := range f.Steps {
			b.WriteString(" | " + s.Transform + " " + value(s.In) + "→" + value(s.Out) + s.Problem)
		}
		b.WriteString(" => " + f.Column.Name + " ")
		if f.Related != "" {
			b.WriteString("by " + f.Related + " ")
		}
		if f.Values == nil {
			b.WriteString(value(f.Value))
		}
		for _, v := range f.Values {
			b.WriteString(value(v) + ",")
		}
		b.WriteString(strings.Join(f.Messages, "; ") + "\n")
	}
	for _, n := range m.Nested {
		b.WriteString(indent + n.Source + " => " + n.Table + " " + strings.Join(n.Messages, "; ") + "\n")
		for _, one := range n.Rows {
			b.WriteString(mapped(indent+"  ", one))
		}
	}
	return b.String()
}

func TestTheWayOfARow(t *testing.T) {
	t.Parallel()
	p, d := traced(t)
	for _, c := range []struct{ cells, want string }{
		{`a|b| 7.25 |x,y|[{"s":" 1 ","q":"two"},{"q":3}]`, `code = a-b
b exists:kinds,name not looked at
a required
a string
a max:5
n required
n numeric
n min:2
n max:200
code a-b | upper a-b→A-B | expr: value + "!" A-B→A-B! => code A-B!
n  7.25  | trim  7.25 →7.25 | numeric 7.25→7.3 => n 7.3
b b => flag b
b b | upper b→B => kind_id by kinds.name B
tags x,y => product_tag by tags.name x,y,
lines => lines 
  lines.s  1  | trim  1 →1 => s 1
  lines.q two => q absentThe q field must be an integer.
  lines.s absent => s absent
  lines.q 3 => q 3
`},
		{"x|b|150||5", `code = x-b
b exists:kinds,name not looked at
a required
a string
a max:5
n required
n numeric
n min:2
n max:200
code x-b | upper x-b→X-B | expr: value + "!" X-B→X-B! => code X-B!
n 150 | trim 150→150 | numeric 150→150 => n absentValue must be at most 99
b absent => flag absent
b b | upper b→B => kind_id by kinds.name B
tags NULL => product_tag by tags.name 
lines => lines The lines field must be a list of objects.
`},
		{"abcdefg|b|q||", `code = abcdefg-b
b exists:kinds,name not looked at
a required
a string
a max:5: The a field must not be greater than 5 characters.
n required
n numeric: The n field must be a number.
n min:2 not looked at
n max:200 not looked at
`},
		{" |b|||", `code =  -b
b exists:kinds,name not looked at
a required: The a field is required.
a string not looked at
a max:5 not looked at
n required: The n field is required.
n numeric not looked at
n min:2 not looked at
n max:200 not looked at
`},
		{"total|b|1||", "code = total-b\nskipped\n"},
		{"|b|||", "code = absent\n"},
		{"a|b", ""},
	} {
		got := p.Trace(row.Row{Number: 1, Cells: strings.Split(c.cells, "|")}, d)
		if diff := cmp.Diff(c.want, told(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.cells, diff)
		}
	}
}

// TestTheTraceSaysWhatApplyDoes: the failure, the values and the messages are those of the worker.
func TestTheTraceSaysWhatApplyDoes(t *testing.T) {
	t.Parallel()
	p, d := traced(t)
	rapid.Check(t, func(t *rapid.T) {
		cells := rapid.SliceOfN(rapid.SampledFrom([]string{
			"", " ", "a", "total", "x", "1", "7.25", " 42 ", "150", "1e9", "abcdefg", "\xff", "\x00", "-", "a,b,,a", `["a",1]`,
			"[]", "null", `[{"s":" 1 ","q":2},{"q":"x"}]`, `[{"s":"1"}]`, "[1]", "[{",
		}), 4, 6).Draw(t, "cells")
		in := row.Row{Number: 1, Cells: cells}
		into := room(p)
		failure := p.Apply(in, nil, into)
		got := p.Trace(in, d)
		if diff := cmp.Diff(failure, got.Failure); diff != "" {
			t.Fatal(diff)
		}
		var said []string
		for _, j := range got.Rules {
			if j.Message != "" {
				said = append(said, j.Message)
			}
		}
		var lists [][]column.Value
		var nested [][]pipeline.Record
		if got.Mapped != nil {
			for i, f := range got.Mapped.Fields {
				said = append(said, f.Messages...)
				if failure == nil && f.Value != into.Values[i] {
					t.Fatalf("%s is %+v, not %+v", f.Column.Name, f.Value, into.Values[i])
				}
			}
			for _, f := range got.Mapped.Lists {
				said, lists = append(said, f.Messages...), append(lists, f.Values)
			}
			for _, n := range got.Mapped.Nested {
				said = append(said, n.Messages...)
				var rows []pipeline.Record
				for _, one := range n.Rows {
					values := []column.Value{{}}
					for _, f := range one.Fields {
						said, values = append(said, f.Messages...), append(values, f.Value)
					}
					rows = append(rows, pipeline.Record{Values: values})
				}
				nested = append(nested, rows)
			}
		}
		if failure == nil {
			if diff := cmp.Diff(into.Many, lists, cmpopts.EquateEmpty()) + cmp.Diff(into.Nested, nested, cmpopts.EquateEmpty()); diff != "" {
				t.Fatal(diff)
			}
		}
		var want []string
		if failure != nil {
			for _, field := range failure.Fields {
				want = append(want, field.Messages...)
			}
		}
		if (got.Rules != nil || got.Mapped != nil) && !cmp.Equal(distinct(want), distinct(said), cmpopts.EquateEmpty()) {
			t.Fatalf("said %q, want %q", said, want)
		}
	})
}

// distinct are messages without repetitions, sorted: a column says each once.
func distinct(messages []string) []string {
	messages = slices.Clone(messages)
	slices.Sort(messages)
	return slices.Compact(messages)
}
