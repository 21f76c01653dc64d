package importer_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"ingest/shared/importer"
)

// TestSchema: the short form is rules, before those that a column has anyway.
func TestSchema(t *testing.T) {
	t.Parallel()
	d, err := importer.Parse("x.yaml", []byte(`
importer: x
destination: {table: t}
fields: [{from: SKU, to: sku}]
schema:
  SKU: {min: 1, type: string, required: true}
  Price: {type: number, max: 10}
  Born: {type: date, required: false, format: "d.m.Y"}
  Any: {}
  Size: {in: [S, M], regex: "/^[SM]|,$/"}
rules:
  Name: required
  SKU: max:5
`), knowing())
	if err != nil {
		t.Fatal(err)
	}
	rule := func(name string, args ...string) importer.Rule { return importer.Rule{Name: name, Args: args} }
	want := []importer.Rules{
		{Column: "SKU", Rules: []importer.Rule{rule("required"), rule("string"), rule("min", "1"), rule("max", "5")}},
		{Column: "Price", Rules: []importer.Rule{rule("numeric"), rule("max", "10")}},
		{Column: "Born", Rules: []importer.Rule{rule("date_format", "d.m.Y")}},
		{Column: "Size", Rules: []importer.Rule{rule("in", "S", "M"), rule("regex", "/^[SM]|,$/")}},
		{Column: "Name", Rules: []importer.Rule{rule("required")}},
	}
	if diff := cmp.Diff(want, d.Rules); diff != "" {
		t.Error(diff)
	}
}

// TestPhrases: messages, names of columns and validators survive the snapshot of a run.
func TestPhrases(t *testing.T) {
	t.Parallel()
	d, err := importer.Parse("x.yaml", []byte(`
attributes: {a.b: "the B", Mail: e-mail address}
messages: {required: "no :attribute", a.b.min: short, Mail.email: wrong}
importer: x
destination: {table: t}
fields:
  - from: [E-Mail, Mail]
    to: mail
    validate: [required, {range: {min: 1, max: 02}}, {in: [a, b]}, {regex: "/x/"}, {date: }]
rules: {a.b: min:3}
`), knowing())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"required": "no :attribute", "a.b.min": "short", "Mail.email": "wrong"}, d.Messages); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]string{"a.b": "the B", "Mail": "e-mail address"}, d.Attributes); diff != "" {
		t.Error(diff)
	}
	want := []importer.Validator{
		{Name: "required"},
		{Name: "range", Options: map[string]any{"min": "1", "max": "02"}},
		{Name: "in", Options: map[string]any{"value": []any{"a", "b"}}},
		{Name: "regex", Options: map[string]any{"value": "/x/"}},
		{Name: "date"},
	}
	if diff := cmp.Diff(want, d.Fields[0].Validate); diff != "" {
		t.Error(diff)
	}
	snapshot, _ := d.Snapshot()
	back, err := importer.FromSnapshot(snapshot)
	if diff := cmp.Diff(d, back); err != nil || diff != "" {
		t.Error(err, diff)
	}
}

func TestMessageOf(t *testing.T) {
	t.Parallel()
	for key, want := range map[string][2]string{
		"required": {"", "required"}, "email.required": {"email", "required"}, "a.b.min": {"a.b", "min"}, ".min": {"", "min"},
	} {
		if column, rule, of := importer.MessageOf(key); column != want[0] || rule != want[1] || of != (key != "required") {
			t.Errorf("%s: got %q, %q, %v", key, column, rule, of)
		}
	}
}
