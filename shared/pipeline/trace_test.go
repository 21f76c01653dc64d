package pipeline_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
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
rules:
  a: required|string|max:5
  n: bail|required|numeric|min:2|max:200
`

func traced(t testing.TB) (*pipeline.Program, importer.Definition) {
	t.Helper()
	d, err := importer.Parse("x.yaml", []byte(tracedYAML), importer.Checks{
		Rule: pipeline.CheckRules, Transform: pipeline.CheckTransform, Validator: pipeline.CheckValidator,
	})
	if err != nil {
		t.Fatal(err)
	}
	p, err := pipeline.Compile(d, pipeline.Setting{
		Header: []string{"a", "b", "n"}, Started: time.Unix(0, 0),
		Table: column.Table{Name: "x", Columns: []column.Column{
			{Name: "code", Type: column.Type{Kind: column.Text}},
			{Name: "n", Type: column.Type{Kind: column.Decimal, Precision: 5, Scale: 2}},
			{Name: "flag", Type: column.Type{Kind: column.Text}},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return p, d
}

// told is a trace in words, one line for each thing.
func told(t pipeline.Trace) string {
	var b strings.Builder
	value := func(v column.Value) string {
		switch v.State {
		case column.Set:
			return v.Text
		case column.Null:
			return "NULL"
		default:
			return "absent"
		}
	}
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
	for _, f := range t.Fields {
		b.WriteString(f.Source + " " + value(f.Read))
		for _, s := range f.Steps {
			b.WriteString(" | " + s.Transform + " " + value(s.In) + "→" + value(s.Out) + s.Problem)
		}
		b.WriteString(" => " + f.Column.Name + " " + value(f.Value) + strings.Join(f.Messages, "; ") + "\n")
	}
	return b.String()
}

func TestTheWayOfARow(t *testing.T) {
	t.Parallel()
	p, d := traced(t)
	for _, c := range []struct{ cells, want string }{
		{"a|b| 7.25 ", `code = a-b
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
`},
		{"x|b|150", `code = x-b
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
`},
		{"abcdefg|b|q", `code = abcdefg-b
a required
a string
a max:5: The a field must not be greater than 5 characters.
n required
n numeric: The n field must be a number.
n min:2 not looked at
n max:200 not looked at
`},
		{" |b|", `code =  -b
a required: The a field is required.
a string not looked at
a max:5 not looked at
n required: The n field is required.
n numeric not looked at
n min:2 not looked at
n max:200 not looked at
`},
		{"total|b|1", "code = total-b\nskipped\n"},
		{"|b|", "code = absent\n"},
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
			"", " ", "a", "total", "x", "1", "7.25", " 42 ", "150", "1e9", "abcdefg", "\xff", "\x00", "-",
		}), 2, 4).Draw(t, "cells")
		in := row.Row{Number: 1, Cells: cells}
		into := make([]column.Value, len(p.Columns()))
		failure := p.Apply(in, into)
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
		for i, f := range got.Fields {
			said = append(said, f.Messages...)
			if failure == nil && f.Value != into[i] {
				t.Fatalf("%s is %+v, not %+v", f.Column.Name, f.Value, into[i])
			}
		}
		var want []string
		if failure != nil {
			for _, field := range failure.Fields {
				want = append(want, field.Messages...)
			}
		}
		if (got.Rules != nil || got.Fields != nil) && !cmp.Equal(want, said) {
			t.Fatalf("said %q, want %q", said, want)
		}
	})
}
