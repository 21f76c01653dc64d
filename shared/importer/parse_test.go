package importer_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"ingest/shared/column"
	"ingest/shared/importer"
)

func parse(t *testing.T, text string) importer.Definition {
	t.Helper()
	d, err := importer.Parse("x.yaml", []byte(text), knowing())
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestParseFillsDefaults(t *testing.T) {
	t.Parallel()
	got := parse(t, "importer: a\ndestination: {table: public.a}\nfields: [{from: A, to: a}]\n")
	want := importer.Definition{
		Slug:        "a",
		Source:      importer.Source{Type: "filesystem"},
		Format:      importer.Format{Type: "csv", Nulls: []string{""}, ShortRows: "fail", MaxRecord: 8 << 20},
		Destination: importer.Destination{Connection: "default", Table: "public.a"},
		OnDuplicate: importer.Skip,
		Unmapped:    "ignore",
		Fields:      []importer.Field{{From: []string{"A"}, To: "a"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("definition (-want +got):\n%s", diff)
	}
}

func TestParseReadsEveryKey(t *testing.T) {
	t.Parallel()
	got := parse(t, `
importer: products
source: {type: filesystem, path: data/products.csv}
format: {type: csv, delimiter: "\t", nulls: [NULL, ~, ""], short_rows: pad, max_record: 64KiB}
destination: {connection: warehouse, table: products, create_table: false}
key: [SKU, Store]
on_duplicate: fail
chunk_size: 500
partitions: 4
strict_headers: true
unmapped: ignore
max_failed_rows: 0
max_failed_ratio: 0.25
fields:
  - {from: [SKU, Sku], to: sku, transform: &clean [trim, {lower: {}}]}
  - {from: Store, to: store, type: "decimal(10, 2)", transform: *clean}
  - {from: City, to: city, transform: {map: {table: {01: eins, NA: null, yes: 1.10}, default: no}}}
  - {from: Note, to: note, transform: [{default: NA}]}
rules:
  SKU: required|between:1,5|in:"a,b",c
  02: [required, "regex:/^a|b,c$/i"]
  NA: nullable
`)
	no, zero, quarter := false, int64(0), 0.25
	clean := []importer.Transform{{Name: "trim"}, {Name: "lower", Options: map[string]any{}}}
	want := importer.Definition{
		Slug:           "products",
		Source:         importer.Source{Type: "filesystem", Path: "data/products.csv"},
		Format:         importer.Format{Type: "csv", Delimiter: "\t", Nulls: []string{"NULL", "~", ""}, ShortRows: "pad", MaxRecord: 64 << 10},
		Destination:    importer.Destination{Connection: "warehouse", Table: "products", CreateTable: &no},
		Key:            []string{"SKU", "Store"},
		OnDuplicate:    importer.Fail,
		ChunkSize:      500,
		Partitions:     4,
		StrictHeaders:  true,
		Unmapped:       "ignore",
		MaxFailedRows:  &zero,
		MaxFailedRatio: &quarter,
		Fields: []importer.Field{
			{From: []string{"SKU", "Sku"}, To: "sku", Transform: clean},
			{From: []string{"Store"}, To: "store", Type: "decimal(10, 2)", Transform: clean},
			{From: []string{"City"}, To: "city", Transform: []importer.Transform{{Name: "map", Options: map[string]any{
				"table": map[string]any{"01": "eins", "NA": "null", "yes": "1.10"}, "default": "no",
			}}}},
			{From: []string{"Note"}, To: "note", Transform: []importer.Transform{{Name: "default", Options: map[string]any{"value": "NA"}}}},
		},
		Rules: []importer.Rules{
			{Column: "SKU", Rules: []importer.Rule{{Name: "required"}, {Name: "between", Args: []string{"1", "5"}}, {Name: "in", Args: []string{"a,b", "c"}}}},
			{Column: "02", Rules: []importer.Rule{{Name: "required"}, {Name: "regex", Args: []string{"/^a|b,c$/i"}}}},
			{Column: "NA", Rules: []importer.Rule{{Name: "nullable"}}},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("definition (-want +got):\n%s", diff)
	}
}

// What looks like a number, a boolean or nothing to YAML is what its author typed.
func TestTextStaysText(t *testing.T) {
	t.Parallel()
	for _, spelling := range []string{
		"02", "NA", "1.10", "0x1F", "1e3", "yes", "No", "null", "Null", "~", "true",
		".inf", ".nan", "1_000", "2024-01-02", "010", "+1", "!!str 7",
	} {
		t.Run(spelling, func(t *testing.T) {
			t.Parallel()
			want := strings.TrimPrefix(spelling, "!!str ")
			d := parse(t, "importer: a\ndestination: {table: a}\nkey: "+spelling+"\nfields:\n- {from: "+spelling+
				", to: "+spelling+", transform: [{default: "+spelling+"}]}\nrules:\n  "+spelling+": required\n")
			got := []string{d.Key[0], d.Fields[0].From[0], d.Fields[0].To, d.Fields[0].Transform[0].Options["value"].(string), d.Rules[0].Column}
			if diff := cmp.Diff([]string{want, want, want, want, want}, got); diff != "" {
				t.Errorf("spelling (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRulesOfOneText(t *testing.T) {
	t.Parallel()
	one := func(args ...string) []importer.Rule { return []importer.Rule{{Name: "regex", Args: args}} }
	for text, want := range map[string][]importer.Rule{
		`required`:                  {{Name: "required"}},
		` required | integer `:      {{Name: "required"}, {Name: "integer"}},
		` max:2 | in:a b `:          {{Name: "max", Args: []string{"2"}}, {Name: "in", Args: []string{"a b"}}},
		`min:`:                      {{Name: "min", Args: []string{""}}},
		`in:a,,b`:                   {{Name: "in", Args: []string{"a", "", "b"}}},
		`regex:/a|b/`:               one(`/a|b/`),
		`regex:/a|b/i|required`:     append(one(`/a|b/i`), importer.Rule{Name: "required"}),
		`regex:/a\/|b/|max:1`:       append(one(`/a\/|b/`), importer.Rule{Name: "max", Args: []string{"1"}}),
		`regex:{a|b}u|max:1`:        append(one(`{a|b}u`), importer.Rule{Name: "max", Args: []string{"1"}}),
		`regex:^a|required`:         append(one(`^a`), importer.Rule{Name: "required"}),
		`regex:/a:b,c/`:             one(`/a:b,c/`),
		`after:2024-01-02 10:00:00`: {{Name: "after", Args: []string{"2024-01-02 10:00:00"}}},
	} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			d := parse(t, "importer: a\ndestination: {table: a}\nfields: [{from: a, to: a}]\nrules:\n  a: '"+text+"'\n")
			if diff := cmp.Diff(want, d.Rules[0].Rules); diff != "" {
				t.Errorf("rules (-want +got):\n%s", diff)
			}
		})
	}
}

func TestProblemStandsWhereTheRuleStands(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`  a: required | nope`:         "x.yaml:5:17: ",
		`  a: required|nope`:           "x.yaml:5:15: ",
		`  a: "required|nope"`:         "x.yaml:5:16: ",
		`  "ü": 'ü|nope'`:              "x.yaml:5:11: ",
		"  a: >\n    required|nope":    "x.yaml:5:6: ",
		"  a: [required, nope]":        "x.yaml:5:17: ",
		"  a:\n  - required\n  - nope": "x.yaml:7:5: ",
	} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			_, err := importer.Parse("x.yaml", []byte("importer: a\ndestination: {table: a}\nfields: [{from: a, to: a}]\nrules:\n"+text+"\n"), knowing())
			if err == nil || !strings.HasPrefix(err.Error(), want) {
				t.Errorf("got %v, want it to begin with %s", err, want)
			}
		})
	}
}

func TestFilesMadeToHurtAreRefusedQuickly(t *testing.T) {
	t.Parallel()
	bomb := "a: &a [x,x,x,x,x,x,x,x,x]\n"
	for i := range 12 {
		from, to := string(rune('a'+i)), string(rune('b'+i))
		bomb += to + ": &" + to + " [" + strings.Repeat("*"+from+",", 9) + "]\n"
	}
	good := "importer: a\ndestination: {table: a}\nfields: [{from: a, to: a}]\n"
	for name, c := range map[string]struct{ text, want string }{
		"brackets":  {strings.Repeat("[", 500_000), "nested too deeply"},
		"braces":    {strings.Repeat("{a: ", 200_000), "nested too deeply"},
		"sequences": {strings.Repeat("- ", 500_000) + "a", "nested too deeply"},
		"tags":      {strings.Repeat("!!a ", 200_000), "nested too deeply"},
		"depth":     {"a: " + strings.Repeat("[", 100) + strings.Repeat("]", 100), "nested too deeply"},
		"aliases":   {bomb, "expand to too much"},
		"itself":    {good + "rules: &a {a: *a}", "no anchor before it"},
		"size":      {good + "#" + strings.Repeat("x", 1<<20), "larger than 1 MiB"},
		"bytes":     {good + "# \xff\n", "not valid UTF-8"},
		"nul":       {good + `rules: {a: "in:\0"}`, "NUL"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := importer.Parse("x.yaml", []byte(c.text), importer.Checks{}); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestColumnType(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]column.Type{
		"text":          {Kind: column.Text},
		"integer":       {Kind: column.Integer, Bits: 32},
		"bigint":        {Kind: column.Integer, Bits: 64},
		"decimal":       {Kind: column.Decimal},
		"decimal(10,2)": {Kind: column.Decimal, Precision: 10, Scale: 2},
		"decimal( 5 )":  {Kind: column.Decimal, Precision: 5},
		"uuid":          {Kind: column.UUID},
	} {
		got, err := importer.ColumnType(text)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", text, err, diff)
		}
	}
	for _, text := range []string{"", "int", "decimal(0,0)", "decimal(2,3)", "decimal(9999,1)", "decimal(10,-2)", "varchar(3)", "Text"} {
		if got, err := importer.ColumnType(text); err == nil {
			t.Errorf("%q: accepted as %v", text, got)
		}
	}
}

func TestSnapshotKeepsEverything(t *testing.T) {
	t.Parallel()
	name := rapid.StringMatching(`[A-Za-z0-9äöü<>&|' ]{1,8}[a-z]`)
	rapid.Check(t, func(t *rapid.T) {
		d := importer.Definition{
			Slug:   rapid.StringMatching(`[a-z0-9][a-z0-9_-]{0,9}`).Draw(t, "slug"),
			Format: importer.Format{Nulls: rapid.SliceOfN(name, 0, 3).Draw(t, "nulls"), MaxRecord: rapid.Int64().Draw(t, "size")},
			Fields: []importer.Field{{
				From: rapid.SliceOfN(name, 1, 3).Draw(t, "from"), To: name.Draw(t, "to"),
				Transform: []importer.Transform{{Name: "map", Options: map[string]any{
					"table": map[string]any{name.Draw(t, "from text"): name.Draw(t, "to text")},
					"list":  []any{name.Draw(t, "item"), nil},
				}}},
			}},
			Compare:  &importer.Compare{Source: name.Draw(t, "source"), Column: name.Draw(t, "compared")},
			Timezone: name.Draw(t, "zone"), Overlap: name.Draw(t, "overlap"), SkipUnchanged: rapid.Bool().Draw(t, "skip"),
			IndependentRows: rapid.Bool().Draw(t, "independent"), TableWhen: []importer.TableChoice{{When: name.Draw(t, "when"), Table: name.Draw(t, "table")}},
			Relations: []importer.Relation{{From: []string{name.Draw(t, "relation")}, Pivot: name.Draw(t, "pivot"), Separator: name.Draw(t, "separator")}},
			Nested:    []importer.Nested{{From: []string{name.Draw(t, "list")}, Key: rapid.SliceOfN(name, 1, 3).Draw(t, "key"), Parent: name.Draw(t, "parent")}},
			Rules:     []importer.Rules{{Column: name.Draw(t, "column"), Rules: []importer.Rule{{Name: "in", Args: rapid.SliceOfN(name, 1, 3).Draw(t, "args")}}}},
		}
		snapshot, hash := d.Snapshot()
		back, err := importer.FromSnapshot(snapshot)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(d, back); diff != "" {
			t.Fatalf("definition (-want +got):\n%s", diff)
		}
		if _, again := back.Snapshot(); again != hash || len(hash) != 64 {
			t.Fatalf("hash %q, after the round trip %q", hash, again)
		}
		d.Slug += "x"
		if _, other := d.Snapshot(); other == hash {
			t.Fatal("another definition has the same hash")
		}
	})
}

func TestSnapshotOfANewerVersionIsRefused(t *testing.T) {
	t.Parallel()
	snapshot, _ := importer.Definition{Slug: "a"}.Snapshot()
	var fields map[string]any
	if err := json.Unmarshal(snapshot, &fields); err != nil {
		t.Fatal(err)
	}
	fields["from_the_future"] = "run"
	newer, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := importer.FromSnapshot(newer); err == nil {
		t.Error("a definition with an unknown key was accepted")
	}
}

func FuzzParse(f *testing.F) {
	f.Add("importer: a\ndestination: {table: a}\nfields: [{from: a, to: a, transform: [{default: x}]}]\nrules: {a: 'regex:/a|b/|in:\"x\",y'}\n")
	f.Add("importer: a\ndestination: {table: a}\nkey: c\non_duplicate: update_if_newer\ncompare: {source: m, column: u}\ntimezone: UTC\ntable_when: [{when: 'row.a == nil', table: b}]\n" +
		"relations: [{from: [c, d], to: c_id, table: c, match: n, on_missing: null}, {from: t, many: {table: t, match: n, pivot: p, separator: ;}, sync: replace}]\n" +
		"nested: [{from: l, table: l, key: s, parent: p, fields: [{from: s, to: s}], relations: [{from: x, to: x, table: x, match: n}]}]\n")
	f.Add("a: &a [*a]\n<<: *a\n? b\n: !!str |\n  c\n")
	f.Add("key: \"\\u00e4|\"\r\n- 'x''y'\n")
	f.Fuzz(func(t *testing.T, text string) {
		d, err := importer.Parse("x.yaml", []byte(text), knowing())
		if err != nil {
			return
		}
		snapshot, hash := d.Snapshot()
		back, err := importer.FromSnapshot(snapshot)
		if err != nil {
			t.Fatalf("the snapshot of an accepted definition cannot be read: %v", err)
		}
		if _, again := back.Snapshot(); again != hash {
			t.Fatal("the snapshot changes when it is read")
		}
	})
}
