package importer_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"ingest/shared/importer"
)

// monthly has a required parameter, one with a default and one without anything.
func monthly(path string, given map[string]string) importer.Definition {
	north := "north"
	return importer.Definition{
		Slug: "x", Source: importer.Source{Type: importer.Filesystem, Path: path}, Given: given,
		Params: []importer.Param{{Name: "month", Required: true}, {Name: "region", Default: &north}, {Name: "note"}},
	}
}

func TestSourcePath(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ path, month, want, says string }{
		{"data/x.csv", "", "data/x.csv", ""},
		{"data/${region}/${month}.csv", "2026-01", "data/north/2026-01.csv", ""},
		{"data/$${month}/$month/${}x", "2026-01", "", "The source needs the parameter '' (--param =…)."},
		{"data/$${month}/$month", "2026-01", "data/${month}/$month", ""},
		{"${note}.csv", "2026-01", "", "The source needs the parameter 'note' (--param note=…)."},
		{"${month}.csv", "", "", "The parameter 'month' is a part of the source's path"},
		{"${month}.csv", "../2026", "", "must be a name without / and \\ that does not begin with a dot."},
		{"${month}.csv", "..", "", "The parameter 'month'"},
		{"${month}/x.csv", "/etc", "", "The parameter 'month'"},
		{"${month}.csv", `a\b`, "", "The parameter 'month'"},
		{"${month}.csv", "a\x00", "", "The parameter 'month'"},
	} {
		got, err := monthly(c.path, map[string]string{"month": c.month}).SourcePath()
		if c.says == "" && (err != nil || got != c.want) || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%q with %q: %q, %v; want %q %s", c.path, c.month, got, err, c.want, c.says)
		}
	}
}

// TestAParameterStaysWithinItsDirectory, whatever it is.
func TestAParameterStaysWithinItsDirectory(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.OneOf(rapid.String(), rapid.StringMatching(`[./\\a]{0,6}`)).Draw(t, "value")
		got, err := monthly("data/${month}/x.csv", map[string]string{"month": value}).SourcePath()
		if err != nil {
			return
		}
		parts := strings.Split(got, "/")
		if len(parts) != 3 || parts[1] != value || value == ".." || value == "." || value == "" {
			t.Errorf("%q leads to %q", value, got)
		}
	})
}

func TestSourceOptions(t *testing.T) {
	t.Parallel()
	d := monthly("", map[string]string{"month": "../x"})
	d.Source.Options = map[string]any{
		"url": "https://x.example/${month}?r=${region}", "list": []any{"${month}", "a"}, "table": map[string]any{"k": "$${month}"}, "nothing": nil,
	}
	got, err := d.SourceOptions()
	want := map[string]any{
		"url": "https://x.example/../x?r=north", "list": []any{"../x", "a"}, "table": map[string]any{"k": "${month}"}, "nothing": nil,
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	d.Source.Options["list"] = []any{"${note}"}
	if _, err := d.SourceOptions(); err == nil || !strings.Contains(err.Error(), "The source needs the parameter 'note'") {
		t.Errorf("a parameter without a value: %v", err)
	}
	for _, c := range []struct {
		option any
		want   bool
	}{
		{"${month}", true}, {"$${month}", false}, {[]any{"a", "${x}"}, true}, {map[string]any{"a": []any{}}, false}, {nil, false},
	} {
		if got := importer.HasPlaceholder(c.option); got != c.want {
			t.Errorf("HasPlaceholder(%v) = %v", c.option, got)
		}
	}
}

// TestOwnTypes: what an extension is given survives the snapshot; the keys of the engine are not among its options.
func TestOwnTypes(t *testing.T) {
	t.Parallel()
	c := knowing()
	c.Formats = map[string]func(map[string]any) error{"shape": nil}
	c.Sources = map[string]func(map[string]any) error{"well": nil}
	d, err := importer.Parse("x.yaml", []byte(`importer: x
source: {deep: {a: [1, true]}, type: well, path: p}
format: {type: shape, nulls: [NA], short_rows: pad, delimiter: x}
destination: {table: x}
fields: [{from: a, to: a, transform: [mine, trim], validate: [mine]}]
rules: {a: law|required}
`), c)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"deep": map[string]any{"a": []any{"1", "true"}}, "path": "p"}
	if diff := cmp.Diff(want, d.Source.Options); diff != "" || d.Source.Path != "" {
		t.Errorf("source %q (-want +got):\n%s", d.Source.Path, diff)
	}
	if diff := cmp.Diff(map[string]any{"delimiter": "x"}, d.Format.Options); diff != "" || d.Format.ShortRows != "pad" || d.Format.Delimiter != "" {
		t.Errorf("format %+v (-want +got):\n%s", d.Format, diff)
	}
	snapshot, _ := d.Snapshot()
	again, err := importer.FromSnapshot(snapshot)
	if diff := cmp.Diff(d, again); err != nil || diff != "" {
		t.Errorf("%v (-definition +snapshot):\n%s", err, diff)
	}
	if diff := cmp.Diff([]string{
		"transform mine", "transform trim", "rule law", "rule required", "validator mine", "format shape", "source well",
	}, d.Uses().List()); diff != "" {
		t.Errorf("uses (-want +got):\n%s", diff)
	}
}
