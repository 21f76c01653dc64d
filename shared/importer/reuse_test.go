package importer_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ingest/shared/importer"
)

// nested is a directory of files by their paths.
func nested(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const productFields = `mapping: product_fields
fields:
  - {from: [sku, SKU], to: sku}
  - {from: price, to: price, transform: [{expr: "value / number(row.unit)"}]}
  - {to: label, expr: 'row.name ?? params.month', when: 'row.name != "x"'}
rules: {sku: required, name: string}
`

func TestReusableMappings(t *testing.T) {
	t.Parallel()
	dir := nested(t, map[string]string{
		"mappings/any.yaml": productFields,
		"plain.yaml":        "importer: plain\ndestination: {table: a}\nkey: sku\nparams: {month: }\nuse: product_fields\n",
		"orders.yaml": `importer: orders
destination: {table: a}
params: {month: }
use:
  - {mapping: product_fields, prefix: line_item}
  - {mapping: product_fields, to_prefix: own_}
fields:
  - {from: id, to: id}
  - {from: special, to: price}
rules: {line_item.name: min:3}
`,
	})
	plain, err := importer.Load(dir, "plain", knowing())
	if err != nil {
		t.Fatal(err)
	}
	if len(plain.Fields) != 3 || len(plain.Rules) != 2 || plain.Fields[2].Expr != "row.name ?? params.month" {
		t.Errorf("got %+v", plain)
	}
	d, err := importer.Load(dir, "orders", knowing())
	if err != nil {
		t.Fatal(err)
	}
	expr := func(text string) []importer.Transform {
		return []importer.Transform{{Name: "expr", Options: map[string]any{"value": text}}}
	}
	want := []importer.Field{
		{From: []string{"line_item.sku", "line_item.SKU"}, To: "sku"},
		{To: "label", Expr: `row["line_item"].name ?? params.month`, When: `row["line_item"].name != "x"`},
		{From: []string{"sku", "SKU"}, To: "own_sku"},
		{From: []string{"price"}, To: "own_price", Transform: expr("value / number(row.unit)")},
		{To: "own_label", Expr: `row.name ?? params.month`, When: `row.name != "x"`},
		{From: []string{"id"}, To: "id"},
		{From: []string{"special"}, To: "price"},
	}
	if diff := cmp.Diff(want, d.Fields); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
	var columns []string
	for _, r := range d.Rules {
		columns = append(columns, r.Column+" "+r.Rules[0].Name)
	}
	if diff := cmp.Diff([]string{"line_item.sku required", "sku required", "name string", "line_item.name min"}, columns); diff != "" {
		t.Errorf("rules (-want +got):\n%s", diff)
	}
}

// TestAPrefixReachesEveryColumn: those that rules and transforms name are the mapping's own, too.
func TestAPrefixReachesEveryColumn(t *testing.T) {
	t.Parallel()
	dir := nested(t, map[string]string{
		"mappings/m.yaml": `mapping: m
fields:
  - {from: a, to: a, transform: [{concat: {fields: [b, c], separator: "-"}}, {concat: b}, {default: b}]}
  - {from: until, to: until}
  - {from: [mail, e-mail], to: mail}
rules:
  a: required_with:b,c|required_if:b,c|same:b|gt:b|lt:5|after:b|before:2024-01-31|in:b
  since: date_format:d.m.Y|before:until|after:1.1.2024
  e-mail: "exists:t|unique:u,|unique:u,,7,no|exists:u,mail"
`,
		"x.yaml": `importer: x
destination: {table: t}
use: [{mapping: m, prefix: p}]
schema: {p.since: {required: true}}
attributes: {p.a: the A, made: the made, own: the own}
before_row: ["made = row.z"]
fields: [{to: own, expr: "1"}]
`,
		"y.yaml": "importer: y\ndestination: {table: t}\nuse: [{mapping: m, prefix: p}]\n",
	})
	rules := func(slug string) map[string][]importer.Rule {
		d, err := importer.Load(dir, slug, importer.Checks{})
		if err != nil {
			t.Fatal(err)
		}
		concat := func(value any) map[string]any { return map[string]any{"fields": value, "separator": "-"} }
		want := []importer.Transform{
			{Name: "concat", Options: concat([]any{"p.b", "p.c"})},
			{Name: "concat", Options: map[string]any{"value": "p.b"}},
			{Name: "default", Options: map[string]any{"value": "b"}},
		}
		if diff := cmp.Diff(want, d.Fields[0].Transform); diff != "" {
			t.Error(diff)
		}
		all := map[string][]importer.Rule{}
		for _, r := range d.Rules {
			all[r.Column] = r.Rules
		}
		return all
	}
	rule := func(name string, args ...string) importer.Rule { return importer.Rule{Name: name, Args: args} }
	want := map[string][]importer.Rule{
		"p.a": {
			rule("required_with", "p.b", "p.c"), rule("required_if", "p.b", "c"), rule("same", "p.b"), rule("gt", "p.b"), rule("lt", "5"),
			rule("after", "p.b"), rule("before", "2024-01-31"), rule("in", "b"),
		},
		"p.since": {rule("date_format", "d.m.Y"), rule("before", "p.until"), rule("after", "1.1.2024")},
		"p.e-mail": {
			rule("exists", "t", "mail"), rule("unique", "u", "mail"), rule("unique", "u", "mail", "7", "no"), rule("exists", "u", "mail"),
		},
	}
	if diff := cmp.Diff(want, rules("y")); diff != "" {
		t.Error(diff)
	}
	// The importer's own schema takes the place of the mapping's rules.
	if diff := cmp.Diff([]importer.Rule{rule("required")}, rules("x")["p.since"]); diff != "" {
		t.Error(diff)
	}
}

func TestDefaultsOfADirectory(t *testing.T) {
	t.Parallel()
	dir := nested(t, map[string]string{
		"_defaults.yaml": "destination: {connection: warehouse, create_table: true, timestamps: true}\ntimezone: Europe/Berlin\noverlap: wait\nif_unchanged: skip\nindependent_rows: true\nformat: {delimiter: \";\", nulls: [NA]}\nchunk_size: 7\nunmapped: pass\nparams: {month: {default: x}}\n",
		"a.yaml":         "importer: a\ndestination: {table: a, create_table: false}\nformat: {nulls: []}\nparams: {region: }\nfields: [{from: a, to: a}]\n",
		"b.yaml":         "importer: b\ndestination: {table: b, timestamps: false}\nchunk_size: 8\nunmapped: ignore\ntimezone: UTC\noverlap: refuse\nif_unchanged: import\nindependent_rows: false\nfields: [{from: a, to: a}]\n",
	})
	a, err := importer.Load(dir, "a", knowing())
	if err != nil {
		t.Fatal(err)
	}
	b, err := importer.Load(dir, "b", knowing())
	if err != nil {
		t.Fatal(err)
	}
	if a.Destination.Connection != "warehouse" || *a.Destination.CreateTable || a.Format.Delimiter != ";" || len(a.Format.Nulls) != 0 ||
		a.ChunkSize != 7 || a.Unmapped != "pass" || len(a.Params) != 2 ||
		!a.Destination.Timestamps || a.Timezone != "Europe/Berlin" || a.Overlap != importer.OverlapWait || !a.SkipUnchanged || !a.IndependentRows {
		t.Errorf("a: %+v", a)
	}
	if !*b.Destination.CreateTable || b.Format.Nulls[0] != "NA" || b.ChunkSize != 8 || b.Unmapped != "ignore" ||
		b.Destination.Timestamps || b.Timezone != "" || b.Overlap != importer.OverlapRefuse || b.SkipUnchanged || b.IndependentRows {
		t.Errorf("b: %+v", b)
	}
	if all, err := importer.List(dir, knowing()); err != nil || len(all) != 2 {
		t.Errorf("listed %d, %v", len(all), err)
	}
}

func TestProblemsOfWhatIsReused(t *testing.T) {
	t.Parallel()
	good := "importer: good\ndestination: {table: a}\nfields: [{from: a, to: a}]\n"
	for name, c := range map[string]struct {
		files map[string]string
		want  []string
	}{
		"an expression, where it stands": {
			map[string]string{"mappings/p.yaml": productFields, "x.yaml": "importer: x\ndestination: {table: a}\nuse: product_fields\n"},
			[]string{"x: mappings/p.yaml:5:43: there is no parameter month under `params:`"},
		},
		"unknown, twice filled, too long": {
			map[string]string{"mappings/p.yaml": productFields, "x.yaml": "importer: x\ndestination: {table: a}\nparams: {month: }\nuse: [product_field, product_fields, {mapping: product_fields, prefix: p}, {prefix: x}, {mapping: product_fields, prefix: \"a'b\", to_prefix: " + strings.Repeat("y", 60) + "}]\n"},
			[]string{
				`x: x.yaml:4:7: there is no mapping "product_field" (did you mean "product_fields"?)`,
				`x: x.yaml:4:38: the column "sku" is filled by the mapping "product_fields", too (to_prefix makes them different)`,
				`x: x.yaml:4:38: the column "price" is filled by the mapping "product_fields", too (to_prefix makes them different)`,
				`x: x.yaml:4:38: the column "label" is filled by the mapping "product_fields", too (to_prefix makes them different)`,
				`x: x.yaml:4:76: a use needs the key "mapping"`,
				`x: x.yaml:4:89: the column name "` + strings.Repeat("y", 60) + `price" is longer than 63 bytes`,
				`x: x.yaml:4:89: the column name "` + strings.Repeat("y", 60) + `label" is longer than 63 bytes`,
				`x: x.yaml:4:123: a prefix has no quotes, backslashes or control characters`,
			},
		},
		"a broken mapping": {
			map[string]string{"mappings/p.yaml": "mapping: p\nfilds: []\n", "mappings/q.yaml": "mapping: p\nfields: [{from: a, to: a}]\n", "mappings/empty.yaml": "", "x.yaml": "importer: x\ndestination: {table: a}\nuse: [p]\n", "good.yaml": good},
			[]string{
				`mappings/empty: mappings/empty.yaml: the file is empty (a reusable mapping begins with ` + "`mapping: NAME`)",
				`mappings/p: mappings/p.yaml:2:1: unknown key "filds" (did you mean "fields"?)`,
				`mappings/q: mappings/q.yaml: the name "p" is used by several files (also in mappings/p.yaml)`,
				`x: x.yaml:3:7: the mapping "p" has problems of its own: see mappings/p.yaml`,
			},
		},
		"broken defaults": {
			map[string]string{"_defaults.yaml": "importer: x\n", "good.yaml": good},
			[]string{
				`_defaults: _defaults.yaml:1:1: a file of defaults has no key "importer" (it is for all importers of the directory)`,
				`good: good.yaml:1:1: the defaults of this directory have problems of their own: see _defaults.yaml`,
			},
		},
		"a wrong value in the defaults": {
			map[string]string{"_defaults.yaml": "chunk_size: 1\nchunk_sise: 2\nformat: {delimiter: xx}\n", "good.yaml": good},
			[]string{
				`good: _defaults.yaml:2:1: unknown key "chunk_sise" (did you mean "chunk_size"?)`,
				`good: _defaults.yaml:3:21: the delimiter must be one character, not "xx"`,
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			all, err := importer.List(nested(t, c.files), knowing())
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, l := range all {
				var problems importer.Problems
				if errors.As(l.Err, &problems) {
					for _, p := range problems {
						got = append(got, l.Slug+": "+p.String())
					}
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
