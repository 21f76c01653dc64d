package pipeline_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ingest/shared/column"
	"ingest/shared/extend"
	"ingest/shared/importer"
	"ingest/shared/pipeline"
	"ingest/shared/row"
)

// own are extensions that do as the cell says.
func own() extend.Extensions {
	return extend.Extensions{
		Transforms: []extend.Transform{{Name: "does", Options: []string{"prefix"}, New: func(o *extend.Options) (func(extend.Value) (extend.Value, error), error) {
			prefix := o.Text("prefix", "")
			return func(v extend.Value) (extend.Value, error) {
				switch {
				case v.Null:
					return extend.Value{Text: "was NULL"}, nil
				case v.Text == "null":
					return extend.Value{Null: true, Text: "of no meaning"}, nil
				case v.Text == "fail":
					return v, errors.New("The :attribute field\n is \xff wrong.") //nolint:revive // a sentence for people
				case v.Text == "long":
					return v, errors.New(strings.Repeat("ü", 1000))
				case v.Text == "panic":
					panic(v.Text)
				case v.Text == "broken":
					return extend.Value{Text: "\xff"}, nil
				case v.Text == "huge":
					return extend.Value{Text: strings.Repeat("x", 9<<20)}, nil
				default:
					return extend.Value{Text: prefix + v.Text}, nil
				}
			}, nil
		}}},
		Rules: []extend.Rule{{
			Name: "law", Most: -1, Message: "The :attribute field is none of :values.",
			New: func(args []string) (func(string) bool, error) {
				return func(text string) bool { return text != "unlawful" }, nil
			},
		}},
		Validators: []extend.Validator{{Name: "judge", New: func(*extend.Options) (func(string) error, error) {
			return func(text string) error {
				if text == ">bad" || text == "" {
					return errors.New("Value is bad")
				}
				return nil
			}, nil
		}}},
	}
}

func TestExtensionsOfARow(t *testing.T) {
	t.Parallel()
	d, err := importer.Parse("x.yaml", []byte(`importer: x
destination: {table: x}
key: user_name
fields: [{from: user_name, to: n, transform: [{does: ">"}], validate: [judge]}]
rules: {user_name: "law:a,b"}
`), pipeline.Checks(own()))
	if err != nil {
		t.Fatal(err)
	}
	compile := func(d importer.Definition) *pipeline.Program {
		p, err := pipeline.Compile(d, pipeline.Setting{
			Header: []string{"user_name"}, Table: column.Table{Columns: []column.Column{{Name: "n", Type: column.Type{Kind: column.Text}}}},
			Extensions: own(),
		})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	p := compile(d)
	for cell, want := range map[string]string{
		"x": ">x", "": "was NULL", "null": "NULL", "fail": "failed: The user name field is � wrong.", "long": "failed: " + strings.Repeat("ü", 250) + "…",
		"broken": "failed: The user name field is not valid UTF-8.", "huge": "failed: The user name field format is invalid.",
		"unlawful": "failed: The user name field is none of a, b.", "bad": "failed: Value is bad",
	} {
		into, failure := apply(p, cell)
		got := into[0].Text
		switch {
		case failure != nil:
			got = "failed: " + failure.Message
		case into[0].State == column.Null:
			got = "NULL"
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", cell, diff)
		}
	}
	buf := []byte("before")
	for cell, want := range map[string]bool{"x": true, "panic": false, "fail": false, "null": false} {
		form, ok := p.Route(row.Row{Number: 1, Cells: []string{cell}}, buf)
		if ok != want || !ok && string(form) != "before" || ok && string(form) != "before\x02>x" {
			t.Errorf("the routing form of %q: %q, %v", cell, form, ok)
		}
	}
	d.Messages = map[string]string{"law": "No :ATTRIBUTE of :values here."}
	if _, failure := apply(compile(d), "unlawful"); failure == nil || failure.Message != "No USER NAME of a, b here." {
		t.Errorf("the importer's own message: %+v", failure)
	}
}

// TestLacks: what a program has not is named, and a program without the extensions cannot compile.
func TestLacks(t *testing.T) {
	t.Parallel()
	d := importer.Definition{
		Source: importer.Source{Type: "well"}, Format: importer.Format{Type: importer.CSV},
		Fields: []importer.Field{{From: []string{"a"}, To: "a", Transform: []importer.Transform{{Name: "does"}, {Name: "trim"}}}},
		Rules:  []importer.Rules{{Column: "a", Rules: []importer.Rule{{Name: "required"}, {Name: "other"}}}},
		Nested: []importer.Nested{{Fields: []importer.Field{{To: "x", Validate: []importer.Validator{{Name: "judge"}}}}}},
	}
	if diff := cmp.Diff([]string{"rule other", "source well"}, pipeline.Lacks(d, own()).List()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"transform does", "rule other", "validator judge"}, pipeline.Lacks(d, extend.Extensions{}).Rows().List()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	err := pipeline.CheckHeader(d, pipeline.Setting{Header: []string{"a"}, Extensions: own()})
	if err == nil || !strings.Contains(err.Error(), "there is no rule 'other'") {
		t.Errorf("it is compiled: %v", err)
	}
}
