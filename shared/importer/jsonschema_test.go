package importer_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
	"github.com/google/jsonschema-go/jsonschema"

	"ingest/shared/extend"
	"ingest/shared/importer"
	"ingest/shared/pipeline"
)

func speaking() importer.Checks {
	return pipeline.Checks(extend.Extensions{})
}

// described is the schema as others read it: as plain JSON, and ready to validate.
func described(t *testing.T, x extend.Extensions) (plain map[string]any, ready *jsonschema.Resolved) {
	t.Helper()
	text, err := json.Marshal(importer.JSONSchema(pipeline.Language(x)))
	if err != nil {
		t.Fatal(err)
	}
	var schema jsonschema.Schema
	if err := errors.Join(json.Unmarshal(text, &plain), json.Unmarshal(text, &schema)); err != nil {
		t.Fatal(err)
	}
	if ready, err = schema.Resolve(nil); err != nil {
		t.Fatal(err)
	}
	return plain, ready
}

// instance is YAML as editors hand it to a schema.
func instance(t *testing.T, text string) any {
	t.Helper()
	var value any
	converted, err := yaml.YAMLToJSON([]byte(text))
	if err == nil {
		err = json.Unmarshal(converted, &value)
	}
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return value
}

// TestSchemaTakesEveryImporter: all importers that are shipped or documented are valid by the schema.
func TestSchemaTakesEveryImporter(t *testing.T) {
	t.Parallel()
	_, schema := described(t, extend.Extensions{ // those of docs/extending.md
		Formats: []extend.Format{{Name: "fixed", Options: []string{"columns"}}}, Sources: []extend.Source{{Name: "zip", Options: []string{"file", "entry"}}},
	})
	documents := map[string]string{}
	files, err := filepath.Glob("../../configs/*/importers/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no importers: %v", err)
	}
	pages, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range append(files, pages...) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if filepath.Ext(file) == ".yaml" {
			documents[file] = string(text)
			continue
		}
		for _, block := range regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
			if documents[block[1]] = block[1]; !strings.Contains(block[1], "\nimporter:") && !strings.HasPrefix(block[1], "importer:") {
				documents[block[1]] = "importer: a\n" + block[1] // a part of one
			}
			if strings.Contains(block[1], "\nmapping: ") || strings.Contains(block[1], "\ncounts: ") || strings.HasPrefix(block[1], "connections:") ||
				strings.HasPrefix(block[1], "- ") { // a file that is none
				delete(documents, block[1])
			}
		}
	}
	if len(documents) < 12 {
		t.Fatalf("only %d documents", len(documents))
	}
	for name, text := range documents {
		if err := schema.Validate(instance(t, text)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

const whole = `
importer: a-1
source: {type: filesystem, path: x.csv}
format: {type: csv, delimiter: "\t", nulls: [NA, ~, null, 0], short_rows: pad, max_record: 64KiB}
destination: {connection: warehouse, table: s.t, create_table: true, timestamps: true, unique_index: true}
key: [sku, 02]
on_duplicate: update_if_newer
compare: {source: modified, column: updated}
chunk_size: 10
partitions: 2
max_parallel: 4
max_rows_per_second: 5000
transaction: chunk
strict_headers: true
unmapped: pass
max_failed_rows: 0
max_failed_ratio: 0.5
timezone: Europe/Berlin
overlap: wait
if_unchanged: skip
independent_rows: true
before_row: ['sku = row.a']
skip_when: 'row.a == "x"'
table_when: [{when: 'row.a == "y"', table: others}]
fields:
  - {from: [sku, 1], to: sku, type: "decimal(10,2)", transform: [trim, {numeric: 2}, {map: {table: {a: b}, default: }}, {default: no}], validate: [required, {range: {min: 1}}, {in: [a, b]}]}
  - {from: 02, to: "02", transform: trim, validate: {regex: /a/}, when: 'row.a != nil'}
  - {to: c, const: 1.50}
  - {to: e, expr: 'params.month', type: date}
  - {from: modified, to: updated, transform: {date: d.m.Y}}
relations:
  - {from: Category, to: category_id, table: categories, match: name, key: id, transform: trim, create_if_missing: true, on_missing: null}
  - {from: Tags, many: {table: tags, match: name, key: id, pivot: product_tag, own: p, other: t, separator: "|"}, sync: replace, on_missing: ignore}
nested:
  - {from: items, table: order_items, key: [sku], parent: order_id, fields: [{from: sku, to: sku}], relations: [{from: c, to: d, table: e, match: f}]}
rules: {sku: required|min:3, 02: [nullable, "regex:/a|b/"]}
schema: {sku: {type: integer, required: true, min: 1, max: [2], in: [a, 1], regex: /a/}, d: {type: date, format: d.m.Y}}
messages: {required: "x", sku.min: y}
attributes: {sku: article}
params: {month: {required: true}, region: {default: 1}, note: }
`

func TestSchemaTakesEveryKey(t *testing.T) {
	t.Parallel()
	plain, schema := described(t, extend.Extensions{})
	if _, err := importer.Parse("x.yaml", []byte(whole), speaking()); err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(instance(t, whole+"use: [address, {mapping: b, prefix: c, to_prefix: d_}]\n")); err != nil {
		t.Error(err)
	}
	own := "importer: a\nfields: [{from: a, to: a, transform: [mine, {my_own: {x: 1}}], validate: {mine: 1}}]\nrules: {a: my_rule:1}\n"
	if err := schema.Validate(instance(t, own)); err != nil {
		t.Errorf("names of somebody's own are refused: %v", err)
	}
	for name, property := range plain["properties"].(map[string]any) {
		if about, _ := property.(map[string]any)["description"].(string); about == "" {
			t.Errorf("the key %s has no description", name)
		}
	}
}

// TestSchemaOfExtensions: their options and what every format has, and no other.
func TestSchemaOfExtensions(t *testing.T) {
	t.Parallel()
	_, schema := described(t, extend.Extensions{
		Formats: []extend.Format{{Name: "fixed", Options: []string{"columns"}}}, Sources: []extend.Source{{Name: "zip", Options: []string{"file"}}},
	})
	for text, good := range map[string]bool{
		"source: {type: zip, file: x}":                             true,
		"source: {type: zip, path: x}":                             false,
		"source: {path: x}":                                        true,
		"source: {file: x}":                                        false,
		"source: {type: rar}":                                      false,
		"format: {type: fixed, columns: [a], nulls: [NA]}":         true,
		"format: {type: fixed, max_record: 1KiB, short_rows: pad}": true,
		"format: {type: fixed, delimiter: x}":                      false,
		"format: {columns: [a]}":                                   false,
	} {
		if err := schema.Validate(instance(t, "importer: a\n"+text+"\n")); (err == nil) != good {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// TestSchemaAndParserRefuse: what the schema refuses is refused by the parser, too, and these are all.
func TestSchemaAndParserRefuse(t *testing.T) {
	t.Parallel()
	_, schema := described(t, extend.Extensions{})
	const rest = "destination: {table: t}\nfields: [{from: a, to: a}]\n"
	for _, text := range []string{
		"destination: {table: t}\nfields: [{from: a, to: a}]\n",
		"importer: A b\n" + rest,
		"importer: a\nfilds: []\n" + rest,
		"importer: a\nsource: {type: ftp}\n" + rest,
		"importer: a\nsource: {type: upload, path: x}\n" + rest,
		"importer: a\nformat: {delimiter: ab}\n" + rest,
		"importer: a\nformat: {max_record: lots}\n" + rest,
		"importer: a\nformat: {type: csv, header: 1}\n" + rest,
		"importer: a\non_duplicate: replace\nkey: a\n" + rest,
		"importer: a\ncompare: {source: a}\n" + rest,
		"importer: a\nchunk_size: 0\n" + rest,
		"importer: a\nchunk_size: many\n" + rest,
		"importer: a\npartitions: 2000\n" + rest,
		"importer: a\ntransaction: all\n" + rest,
		"importer: a\nkey: a\ntransaction: run\nmissing: remove\n" + rest,
		"importer: a\nkey: a\ntransaction: run\nmissing: {set: {}}\n" + rest,
		"importer: a\nkey: a\ntransaction: run\nmissing: {set: {a: [b]}}\n" + rest,
		"importer: a\nstrict_headers: maybe\n" + rest,
		"importer: a\nmax_failed_ratio: 2\n" + rest,
		"importer: a\noverlap: never\n" + rest,
		"importer: a\nkey: {a: b}\n" + rest,
		"importer: a\nrules: [a]\n" + rest,
		"importer: a\nrules: {a: {b: c}}\n" + rest,
		"importer: a\nschema: {a: {type: int}}\n" + rest,
		"importer: a\nparams: {a-b: }\n" + rest,
		"importer: a\nparams: {a: {required: true, default: x}}\n" + rest,
		"importer: a\ntable_when: [{when: 'true'}]\n" + rest,
		"importer: a\nuse: {prefix: a}\n" + rest,
		"importer: a\nnested: [{from: a, table: b, fields: [{from: a, to: b}]}]\n" + rest,
		"importer: a\nnested: [{from: a, table: b, parent: c}]\n" + rest,
		"importer: a\nrelations: [{from: a, table: c, match: d}]\n" + rest,
		"importer: a\nrelations: [{from: a, to: b, table: c, match: d, sync: attach}]\n" + rest,
		"importer: a\nrelations: [{from: a, to: b, table: c, match: d, on_missing: ignore}]\n" + rest,
		"importer: a\nrelations: [{from: a, to: b, many: {table: c, match: d, pivot: e}}]\n" + rest,
		"importer: a\nrelations: [{from: a, many: {table: c, match: d}}]\n" + rest,
		"importer: a\nrelations: [{from: a, many: {table: c, match: d, pivot: e}, on_missing: null}]\n" + rest,
		"importer: a\ndestination: {table: a.b.c}\nfields: [{from: a, to: a}]\n",
		"importer: a\ndestination: {table: t, create: true}\nfields: [{from: a, to: a}]\n",
		"importer: a\ndestination: {table: t}\nfields: []\n",
		"importer: a\ndestination: {table: t}\nfields: [{from: a}]\n",
		"importer: a\ndestination: {table: t}\nfields: [{to: a}]\n",
		"importer: a\ndestination: {table: t}\nfields: [{from: a, const: b, to: a}]\n",
		"importer: a\ndestination: {table: t}\nfields: [{from: a, to: a, type: varchar}]\n",
		"importer: a\ndestination: {table: t}\nfields: [{from: a, to: a, transform: {trim: {char: x}}}]\n",
		"importer: a\ndestination: {table: t}\nfields: [{from: a, to: a, transform: [{trim: x, lower: }]}]\n",
		"importer: a\ndestination: {table: t}\nfields: [{from: a, to: a, validate: {range: {least: 1}}}]\n",
	} {
		if _, err := importer.Parse("x.yaml", []byte(text), speaking()); err == nil {
			t.Errorf("the parser takes\n%s", text)
		}
		if err := schema.Validate(instance(t, text)); err == nil {
			t.Errorf("the schema takes\n%s", text)
		}
	}
}

// prober compares the tables of a schema with those that the parser reads, by asking it for a key that there is not: its
// answer names those that there are.
type prober struct {
	t     *testing.T
	defs  map[string]any
	asked int
}

const nowhere = "zzqqxxyyzzqqxxyyzz"

var (
	ofTable   = regexp.MustCompile(`unknown key "` + nowhere + `" \(known: ([^)]*)\)`)
	ofOptions = regexp.MustCompile(`has no option '` + nowhere + `'; it has ([^\n]*)`)
)

// TestSchemaAndParserKnowTheSameKeys walks through the schema.
func TestSchemaAndParserKnowTheSameKeys(t *testing.T) {
	t.Parallel()
	plain, _ := described(t, extend.Extensions{})
	p := &prober{t: t, defs: plain["$defs"].(map[string]any)}
	p.visit(plain, nil)
	if p.asked < 100 {
		t.Errorf("only %d places were looked at", p.asked)
	}
}

// visit looks at what the schema says of the place that the steps lead to: a key, or [] for the items of a list.
func (p *prober) visit(schema map[string]any, steps []string) {
	p.asked++
	var closed []string
	open := false
	alternatives := p.alternatives(schema)
	for _, a := range alternatives {
		properties, is := a["properties"].(map[string]any)
		if !is || a["type"] != "object" {
			continue
		}
		if open = a["additionalProperties"] != false; open {
			continue
		}
		for name := range properties {
			closed = append(closed, name)
		}
	}
	slices.Sort(closed)
	if got := p.known(steps); !open && !cmp.Equal(closed, got) {
		p.t.Errorf("at %v the schema has the keys %v, the parser %v", steps, closed, got)
	}
	for _, a := range alternatives {
		if properties, is := a["properties"].(map[string]any); is && a["type"] == "object" {
			for name, property := range properties {
				p.visit(property.(map[string]any), append(slices.Clone(steps), name))
			}
		}
		if more, is := a["additionalProperties"].(map[string]any); is {
			p.visit(more, append(slices.Clone(steps), "a"))
		}
		if items, is := a["items"].(map[string]any); is {
			p.visit(items, append(slices.Clone(steps), "[]"))
		}
	}
}

// alternatives are the shapes that a value may have.
func (p *prober) alternatives(schema map[string]any) (all []map[string]any) {
	if reference, is := schema["$ref"].(string); is {
		return p.alternatives(p.defs[strings.TrimPrefix(reference, "#/$defs/")].(map[string]any))
	}
	all = append(all, schema)
	if schema["type"] == "object" {
		return all // its conditions name keys that it has
	}
	choices, _ := schema["anyOf"].([]any)
	for _, a := range choices {
		all = append(all, p.alternatives(a.(map[string]any))...)
	}
	return all
}

// known are the keys that the parser takes at a place.
func (p *prober) known(steps []string) []string {
	var value any = map[string]any{nowhere: "x"}
	for _, step := range slices.Backward(steps) {
		if step == "[]" {
			value = []any{value}
		} else {
			value = map[string]any{step: value}
		}
	}
	text, err := json.Marshal(value)
	if err != nil {
		p.t.Fatal(err)
	}
	_, err = importer.Parse("x.yaml", text, speaking())
	if err == nil {
		p.t.Fatalf("the parser takes %s", text)
	}
	found := ofTable.FindStringSubmatch(err.Error())
	if found == nil {
		found = ofOptions.FindStringSubmatch(err.Error())
	}
	if found == nil {
		return nil
	}
	names := strings.Split(found[1], ", ")
	slices.Sort(names)
	return names
}
