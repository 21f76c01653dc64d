package pipeline_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ingest/shared/chunk"
	"ingest/shared/column"
	"ingest/shared/extend"
	"ingest/shared/importer"
	"ingest/shared/pipeline"
	"ingest/shared/row"
)

// checks are those of a program without extensions.
func checks() importer.Checks { return pipeline.Checks(extend.Extensions{}) }

// from is a program made of YAML: the definition without its importer and destination.
func from(t testing.TB, yaml string, header []string, columns ...column.Column) *pipeline.Program {
	t.Helper()
	d, err := importer.Parse("x.yaml", []byte("importer: x\ndestination: {table: x}\n"+yaml), checks())
	if err != nil {
		t.Fatal(err)
	}
	d.Given = map[string]string{"month": "2026-01"}
	table := column.Table{Name: "x", Columns: columns}
	for _, f := range d.Fields {
		if _, ok := table.Column(f.To); ok {
			continue
		}
		kind := column.Type{Kind: column.Text}
		if f.Type != "" {
			if kind, err = importer.ColumnType(f.Type); err != nil {
				t.Fatal(err)
			}
		}
		table.Columns = append(table.Columns, column.Column{Name: f.To, Type: kind})
	}
	p, err := pipeline.Compile(d, pipeline.Setting{
		Header: header, Table: table, Started: time.Date(2026, 1, 31, 12, 0, 0, 5, time.UTC),
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// outcome is what became of a row in words: "sku=A price=NULL", "skipped", "failed: …".
func outcome(p *pipeline.Program, cells ...string) string {
	values, failure := apply(p, cells...)
	switch {
	case failure != nil && failure.Skip:
		return "skipped"
	case failure != nil:
		return "failed: " + failure.Message
	}
	var words []string
	for i, value := range values {
		switch value.State {
		case column.Set:
			words = append(words, p.Targets()[0].Columns()[i].Name+"="+value.Text)
		case column.Null:
			words = append(words, p.Targets()[0].Columns()[i].Name+"=NULL")
		}
	}
	return strings.Join(words, " ")
}

// try applies a definition to rows and compares what becomes of each.
func try(t *testing.T, yaml, header string, rows map[string]string, columns ...column.Column) {
	t.Helper()
	p := from(t, yaml, strings.Split(header, ";"), columns...)
	for cells, want := range rows {
		if got := outcome(p, strings.Split(cells, ";")...); got != want {
			t.Errorf("%s\n got %s\nwant %s", cells, got, want)
		}
	}
}

func TestTransformExpr(t *testing.T) {
	t.Parallel()
	try(t, `fields: [{from: price_cents, to: price, type: "decimal(10,2)", transform: [{expr: "value / 100"}]}]`, "price_cents", map[string]string{
		"1999": "price=19.99", "": "price=NULL", "5": "price=0.05", "12345678": "price=123456.78", "0.4": "price=0",
		"x": "failed: The price cents field could not be computed: value is not a number.",
	})
	try(t, `fields: [{from: a, to: a, transform: [trim, {expr: 'value + row.b'}, upper]}, {from: b, to: b}]`, "a;b", map[string]string{
		" x ;y": "a=XY b=y", ";y": "a=NULL b=y", "x;": "failed: The a field could not be computed: row.b is NULL.",
	})
}

func TestFieldsThatAreComputed(t *testing.T) {
	t.Parallel()
	try(t, `
params: {month: {required: true}, none: }
fields:
  - {to: total, type: "decimal(10,2)", expr: "row.price * row.qty"}
  - {to: note, expr: 'row.note ?? "none"', transform: [upper]}
  - {to: batch, const: "2026-01"}
  - {to: month, expr: params.month}
  - {to: none, expr: params.none}
  - {to: day, type: date, expr: "run.started_at[:10]"}
  - {to: big, type: boolean, expr: "row.qty > 10"}`, "price;qty;note", map[string]string{
		"2.50;3;x": "total=7.5 note=X batch=2026-01 month=2026-01 none=NULL day=2026-01-31 big=false",
		"0.1;11;":  "total=1.1 note=NONE batch=2026-01 month=2026-01 none=NULL day=2026-01-31 big=true",
		";1;x":     "failed: The total field could not be computed: row.price is NULL.",
		"a;b;x":    "failed: The total field could not be computed: row.price is not a number. (and 1 more error)",
	})
}

func TestConstIsTextAsItIsWritten(t *testing.T) {
	t.Parallel()
	try(t, `fields: [{to: a, const: ""}, {to: b, const: 007}, {to: c, const: x, when: 'row.t == "1"'}]`, "t", map[string]string{
		"1": "a= b=007 c=x", "2": "a= b=007",
	})
}

func TestFieldsWithAConditionAreLeftOut(t *testing.T) {
	t.Parallel()
	yaml := `fields: [{from: type, to: type}, {from: status, to: order_status, when: 'row.type == "order"'}]`
	try(t, yaml, "type;status", map[string]string{
		"order;open": "type=order order_status=open", "refund;open": "type=refund", "order;": "type=order order_status=NULL", ";open": "type=NULL",
	})
	p := from(t, `fields: [{from: status, to: s, when: 'row.n > 1'}]`, []string{"status", "n"})
	_, failure := apply(p, "open", "x")
	want := "The status field has a condition that could not be computed: row.n is not a number."
	if failure == nil || cmp.Diff([]chunk.FieldMessage{{Column: "status", Messages: []string{want}}}, failure.Fields) != "" {
		t.Errorf("got %+v", failure)
	}
}

// TestAFieldThatIsLeftOutIsNotValidated: there is no value to look at, unlike in a row that is too short.
func TestAFieldThatIsLeftOutIsNotValidated(t *testing.T) {
	t.Parallel()
	yaml := `
format: {short_rows: pad}
fields: [{from: type, to: type}, {from: status, to: s, when: 'row.type == "order"', validate: [required, {in: [open, paid]}]}]`
	try(t, yaml, "type;status", map[string]string{
		"refund;": "type=refund", "refund;x": "type=refund", "order;open": "type=order s=open", "order;": "failed: Field is required",
		"order": "failed: Field is required", "order;x": "failed: Value must be one of: open, paid",
	})
}

func TestDottedPaths(t *testing.T) {
	t.Parallel()
	yaml := `fields: [{from: user.address.city, to: city}, {from: [gone, user.tags.1], to: tag}, {from: user.n, to: n}]`
	try(t, yaml, "user", map[string]string{
		`{"address":{"city":"Bonn"},"tags":["a","b"],"n":1.50}`: "city=Bonn tag=b n=1.50",
		` {"address":{"city":null},"tags":[],"n":{"x":[1]}} `:   `city=NULL n={"x":[1]}`,
		`{"address":"x","tags":{"1":true},"n":""}`:              "tag=true n=NULL",
		`{"address":{"city":"\u00e4\n"}}`:                       "city=ä\n",
		`text`:                                                  "",
		``:                                                      "",
		`{broken`:                                               "",
		`[{"address":{}}]`:                                      "",
	})
	// A literal header wins, and of several columns the longest that holds an object.
	try(t, `fields: [{from: user.address.city, to: city}]`, "user;user.address;user.address.city", map[string]string{
		`{"address":{"city":"A"}};{"city":"B"};C`: "city=C",
	})
	try(t, `fields: [{from: user.address.city, to: city}]`, "user;user.address", map[string]string{
		`{"address":{"city":"A"}};{"city":"B"}`: "city=B", `{"address":{"city":"A"}};x`: "city=A", `{"address":{"city":"A"}};{}`: "",
	})
	try(t, `fields: [{to: city, expr: "upper(row.user.city)"}, {from: 0.x, to: x}]`, "user;0", map[string]string{
		`{"city":"Bonn"};{"x":"y"}`: "city=BONN x=y",
	})
}

func TestHeadersOfDigitsAndDots(t *testing.T) {
	t.Parallel()
	try(t, `fields: [{from: 01, to: a}, {from: a.b, to: b}, {to: c, expr: 'row["01"] + row["a.b"]'}]`, "01;a.b", map[string]string{"x;y": "a=x b=y c=xy"})
}

func TestBeforeRowMakesSourceColumns(t *testing.T) {
	t.Parallel()
	yaml := `
key: composite_key
before_row:
  - 'composite_key = row.store_id + "|" + row.sku'
  - 'sku = upper(row.sku)'
  - 'sku = row.sku + "!"'
  - 'none = ""'
fields: [{from: composite_key, to: k}, {from: sku, to: sku}, {from: none, to: none}]
rules: {composite_key: max:5, sku: "in:A!,AA!"}`
	try(t, yaml, "store_id;sku", map[string]string{
		"1;a":  "k=1|a sku=A! none=NULL",
		"1;":   "failed: The composite key field could not be computed: row.sku is NULL.",
		"12;b": "failed: The selected sku is invalid.", "1234;aa": "failed: The composite key field must not be greater than 5 characters.",
	})
	p := from(t, yaml, []string{"store_id", "sku"})
	one, ok := p.Route(row.Row{Cells: []string{"1", "a"}}, nil)
	two, _ := p.Route(row.Row{Cells: []string{"1", "A"}}, nil)
	if !ok || string(one) != "\x031|a" || string(two) != "\x031|A" {
		t.Errorf("routed %q and %q", one, two)
	}
	if _, ok := p.Route(row.Row{Cells: []string{"1", ""}}, nil); ok {
		t.Error("a row whose key cannot be computed was routed by it")
	}
	if diff := cmp.Diff([]string{"composite_key"}, p.Targets()[0].KeyNames()); diff != "" {
		t.Error(diff)
	}
}

func TestSkipWhenComesBeforeTheRules(t *testing.T) {
	t.Parallel()
	try(t, `
before_row: ['type = lower(row.type)']
skip_when: 'row.type == "total"'
fields: [{from: type, to: type}, {from: n, to: n, type: integer}]
rules: {n: required}`, "type;n", map[string]string{
		"TOTAL;": "skipped", "total;x": "skipped", "order;1": "type=order n=1", "order;": "failed: The n field is required.",
	})
	try(t, `
skip_when: 'row.n > 5'
fields: [{from: n, to: n}]`, "n", map[string]string{
		"9": "skipped", "1": "n=1", "x": "failed: The condition skip_when could not be computed: row.n is not a number.",
	})
}

func TestAKeyMayBeAComputedField(t *testing.T) {
	t.Parallel()
	p := from(t, "key: [k]\nfields: [{to: k, expr: 'row.a + row.b'}]", []string{"a", "b"})
	if form, ok := p.Route(row.Row{Cells: []string{"x", "y"}}, nil); !ok || string(form) != "\x02xy" {
		t.Errorf("routed %q, %v", form, ok)
	}
	if got := p.Targets()[0].KeyNames(); len(got) != 1 || got[0] != "k" || p.Targets()[0].Source(0) != "k" {
		t.Errorf("named %q", got)
	}
}

func TestUnmappedPass(t *testing.T) {
	t.Parallel()
	columns := []column.Column{
		{Name: "sku", Type: column.Type{Kind: column.Text}},
		{Name: "stock", Type: column.Type{Kind: column.Integer, Bits: 32}},
		{Name: "_hidden", Type: column.Type{Kind: column.Text}},
		{Name: "made", Type: column.Type{Kind: column.Text}, Generated: true},
		{Name: "note", Type: column.Type{Kind: column.Text}},
		{Name: "code", Type: column.Type{Kind: column.Text}},
	}
	try(t, "unmapped: pass\nbefore_row: ['note = row.note + \"!\"']\nfields: [{from: code, to: sku}]", "code; stock;_hidden;made;other;sku;note", map[string]string{
		"A;7;h;m;o;B;n": "sku=A stock=7 note=n!", "A;x;h;m;o;B;n": "failed: The stock field must be an integer.",
	}, columns...)
	try(t, "fields: [{from: code, to: sku}]", "code;stock", map[string]string{"A;7": "sku=A"}, columns...)
}

func TestExpressionsSeeColumnsByTheirPrimaryNames(t *testing.T) {
	t.Parallel()
	p := from(t, `fields: [{from: [E-Mail, Mail], to: a, when: 'row["E-Mail"] != "x" and row.Mail != "x"'}, {to: b, expr: 'row.gone ?? row.gone2 ?? "-"'}]`,
		[]string{"Mail", "Rest"})
	if got := outcome(p, "y", ""); got != "a=y b=-" {
		t.Errorf("got %s", got)
	}
	want := []string{"Columns that rules, transforms or expressions name and the source does not have: 'gone', 'gone2'.", "Columns ignored because no field maps them: 'Rest'."}
	if diff := cmp.Diff(want, p.Warnings()); diff != "" {
		t.Error(diff)
	}
}

func TestStrictHeadersWantTheColumnsOfExpressions(t *testing.T) {
	t.Parallel()
	d := importer.Definition{StrictHeaders: true, Fields: []importer.Field{{To: "sku", Expr: "row.gone"}, field("name", "Name")}}
	_, err := pipeline.Compile(d, pipeline.Setting{Header: []string{"Name"}, Table: productTable()})
	if err == nil || err.Error() != "The column 'gone' was not found in the source file headers. Strict header validation is enabled." {
		t.Errorf("got %v", err)
	}
	d.BeforeRow = []importer.Assignment{{Column: "gone", Expr: "row.Name"}}
	d.Rules = []importer.Rules{rules("gone", rule("required"))}
	if err := pipeline.CheckHeader(d, pipeline.Setting{Header: []string{"Name"}}); err != nil {
		t.Error(err)
	}
	compile(t, d, []string{"Name"}, productTable())
}

func TestPrimaryNamesAreThoseOfTheHeader(t *testing.T) {
	t.Parallel()
	d := importer.Definition{
		Fields:    []importer.Field{field("a", "user.city"), field("b", "composite"), {To: "c", Expr: "row.x"}, field("d", "Code", "x")},
		BeforeRow: []importer.Assignment{{Column: "composite", Expr: "row.x"}},
	}
	if diff := cmp.Diff([]string{"user", "Code", ""}, pipeline.PrimaryNames(d, []string{"user", "x", "_y"})); diff != "" {
		t.Error(diff)
	}
}

// TestMappingsMeetRules: rules, transforms, validators and own words see columns that are no cells.
func TestMappingsMeetRules(t *testing.T) {
	t.Parallel()
	p := from(t, `
before_row: ['made = row.a + row.b']
unmapped: pass
fields:
  - {from: made, to: made, transform: [{concat: {fields: [made, user.name], separator: "-"}}]}
  - {to: total, expr: "row.a * 2", validate: [{range: {max: 10}}]}
rules: {made: "same:user.made", user.name: required|in:x}
messages: {required: "no :attribute", made.same: ":Attribute is not :other"}
attributes: {made: ":attribute: made", user.name: name, total: the total, left: what is left}
`, []string{"a", "b", "user", "left"}, column.Column{Name: "left", Type: column.Type{Kind: column.Integer}, NotNull: true})
	for _, c := range []struct{ want, user, a, left string }{
		{"made=1b-x total=2 left=7", `{"made":"1b","name":"x"}`, "1", "7"},
		{":attribute: made is not user.made", `{"made":"b","name":"x"}`, "1", "7"},
		{"no name", `{"made":"1b"}`, "1", "7"},
		{"Value must be at most 10", `{"made":"6b","name":"x"}`, "6", "7"},
		{"The the total field could not be computed: row.a is not a number.", `{"made":"xb","name":"x"}`, "x", "7"},
		{"no what is left", `{"made":"1b","name":"x"}`, "1", ""},
		{"The :attribute: made field could not be computed: row.a is NULL.", "", "", "7"},
	} {
		if got := strings.TrimPrefix(outcome(p, c.a, "b", c.user, c.left), "failed: "); got != c.want {
			t.Errorf("%+v\n got %s", c, got)
		}
	}
	if len(p.Warnings()) != 0 {
		t.Errorf("%v", p.Warnings())
	}
}

// FuzzMapping: whatever the cells hold, a row becomes values, messages or skipped, the same every time, and a row that
// is written by its key was routed by it.
func FuzzMapping(f *testing.F) {
	f.Add(`{"a":{"b":["x",{"c":1}]}}`, "12.5", "order")
	f.Add(`[1,`, "1e400", "\xff")
	p := from(f, `
key: k
before_row: ['k = row.j + "|" + row.n', 'j = row.j']
skip_when: 'row.t == "total"'
fields:
  - {from: k, to: k}
  - {from: j.a.b.1, to: leaf}
  - {from: n, to: n, type: "decimal(10,2)", transform: [{expr: "value / 3"}], when: 'row.t != "x"'}
  - {to: e, expr: 'len(row.t ?? "") * number(row.n)'}
`, []string{"j", "n", "t"})
	f.Fuzz(func(t *testing.T, j, n, kind string) {
		one, two := outcome(p, j, n, kind), outcome(p, j, n, kind)
		if one != two || one == "" {
			t.Fatalf("%q, then %q", one, two)
		}
		_, routed := p.Route(row.Row{Cells: []string{j, n, kind}}, nil)
		if !routed && !strings.HasPrefix(one, "failed") && one != "skipped" {
			t.Fatalf("not routed: %q", one)
		}
	})
}
