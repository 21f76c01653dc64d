package pipeline_test

import (
	"encoding/json"
	"strings"
	"testing"

	"ingest/shared/column"
	"ingest/shared/importer"
	"ingest/shared/row"
)

// FuzzApply: whatever a file holds, a row becomes values or messages, the same every time.
func FuzzApply(f *testing.F) {
	f.Add("S1", "a@b.c", "5", "name", "")
	f.Add("", "\xff", "1e999999999", "\x00", "x")
	p := compile(f, wide(), wideHeader(), wideTable())
	f.Fuzz(func(t *testing.T, a, b, c, d, e string) {
		r := row.Row{Cells: []string{a, b, c, d, e, a, b, c}}
		first, second := room(p), room(p)
		one, two := p.Apply(r, nil, first), p.Apply(r, nil, second)
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

// language is every name that a definition can have for rules, transforms and validators.
var language = []string{
	"after", "alpha", "alpha_dash", "alpha_num", "before", "between", "boolean", "concat", "date", "date_format", "decimal", "default",
	"different", "digits", "digits_between", "email", "ends_with", "gt", "gte", "hash", "in", "integer", "ip", "json", "lower", "lt",
	"lte", "map", "max", "min", "not_in", "numeric", "range", "regex", "replace", "required", "required_if", "required_with",
	"required_without", "same", "size", "slug", "split", "starts_with", "string", "trim", "upper", "url", "uuid",
}

// FuzzLanguage: a rule, a transform or a validator that passes the check compiles and answers for every text, the same
// every time and with a message.
func FuzzLanguage(f *testing.F) {
	f.Add("regex", "/^(a+)+$/i", `{"pattern": "/(a)|b/", "group": "1"}`, "aaaa", "b")
	f.Add("between", "1e9,1e-9", `{"value": "x"}`, "5", "")
	f.Add("date_format", "d.m.Y,%d", `{"in": "d.m.Y", "out": "c", "default": null}`, "01.01.2024", "x")
	f.Add("required_if", "B,1", `{"table": {"a": "b"}}`, "", "1")
	f.Add("gt", "B", `{"decimals": 2, "min": "-1", "thousands_separator": " "}`, "1\u00a0000", "5")
	f.Add("split", "ascii", `{"separator": ",", "index": "-1", "limit": "3"}`, "a,b", "c")
	f.Add("replace", "a", `{"regex": "/(.)(?P<n>.)/", "replace": "\\2${n}$1"}`, "abcd", "")
	f.Add("in", "a,b", `{"list": ["1", "b"], "strict": "false"}`, "1.0", "")
	f.Add("concat", "a", `{"fields": ["A", "B"], "separator": ""}`, "\xff", "\x00")
	f.Add("slug", "a", `{"separator": "__"}`, "Ä ö-ß 北", "")
	f.Add("url", "https", `{"algorithm": "xxh64"}`, "https://[::1]:1/%20", "")
	for i := range language {
		f.Add(string(rune(i)), "2", `{"value": "Y"}`, "2024", "B")
	}
	f.Fuzz(func(t *testing.T, name, args, written, a, b string) {
		if len(name) == 1 {
			// Chance finds a letter sooner than a word.
			name = language[int(name[0])%len(language)]
		}
		d := importer.Definition{
			Fields:   []importer.Field{field("sku", "A"), field("name", "B")},
			Messages: map[string]string{name: args, "A." + name: written},
		}
		list := importer.Rule{Name: name, Args: strings.Split(args, ",")}
		if name == "regex" {
			list.Args = []string{args}
		}
		if checks().Rule(list) == nil {
			d.Rules = []importer.Rules{rules("A", rule("numeric"), list), rules("B", list)}
		}
		var given options
		if json.Unmarshal([]byte(written), &given) != nil {
			given = options{"value": written}
		}
		if step := configured(name, given); checks().Transform(step) == nil {
			d.Fields[0] = with(d.Fields[0], step, step)
		}
		if judge := validator(name, given); checks().Validator(judge) == nil {
			d.Fields[0].Validate = []importer.Validator{judge}
		}
		p := compile(t, d, []string{"A", "B"}, productTable())
		one, first := apply(p, a, b)
		two, second := apply(p, a, b)
		if first == nil && (second != nil || one[0] != two[0] || one[1] != two[1]) || first != nil && (second == nil || first.Message != second.Message) {
			t.Fatalf("%+v, %+v, then %+v, %+v", one, first, two, second)
		}
		if first == nil && (column.Readable(one[0].Text) != "" || column.Readable(one[1].Text) != "") {
			t.Fatalf("%q is no text for a database", one)
		}
	})
}
