package pipeline_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"ingest/shared/column"
	"ingest/shared/importer"
	"ingest/shared/pipeline"
)

func configured(name string, options map[string]any) importer.Transform {
	return importer.Transform{Name: name, Options: options}
}

func TestTransforms(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		list []importer.Transform
		cell string
		want column.Value
	}{
		"trim":                     {[]importer.Transform{named("trim")}, "\t a b \r\n", set("a b")},
		"trim of characters":       {[]importer.Transform{configured("trim", map[string]any{"chars": "-ö"})}, "ö-a-ö", set("a")},
		"trim in short":            {[]importer.Transform{configured("trim", map[string]any{"value": "-"})}, "-a-", set("a")},
		"trim leaves NULL":         {[]importer.Transform{named("trim")}, "", null()},
		"a trimmed text is a text": {[]importer.Transform{named("trim")}, "  ", set("")},
		"lower":                    {[]importer.Transform{named("lower")}, "ÄB", set("äb")},
		"upper":                    {[]importer.Transform{named("upper")}, "äb", set("ÄB")},
		"default of NULL":          {[]importer.Transform{configured("default", map[string]any{"value": "x"})}, "", set("x")},
		"default keeps":            {[]importer.Transform{configured("default", map[string]any{"value": "x"})}, "y", set("y")},
		"default after trim": {
			[]importer.Transform{named("trim"), configured("default", map[string]any{"value": "x"})}, " ", set("x"),
		},
		"default with empties": {
			[]importer.Transform{configured("default", map[string]any{"value": "x", "empties": []any{"-", "n/a"}})}, "n/a", set("x"),
		},
		"default of a number":  {[]importer.Transform{configured("default", map[string]any{"value": 1.5})}, "", set("1.5")},
		"default of a boolean": {[]importer.Transform{configured("default", map[string]any{"value": true})}, "", set("true")},
		"in order": {
			[]importer.Transform{configured("default", map[string]any{"value": "x"}), named("upper")}, "", set("X"),
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := importer.Definition{Fields: []importer.Field{with(field("sku", "A"), test.list...)}}
			got, failure := apply(compile(t, d, []string{"A"}, productTable()), test.cell)
			if failure != nil || got[0] != test.want {
				t.Errorf("got %+v, %+v, want %+v", got, failure, test.want)
			}
		})
	}
}

func TestTransformsSeeReadableTextOnly(t *testing.T) {
	t.Parallel()
	d := importer.Definition{Fields: []importer.Field{with(field("sku", "A"), named("lower"))}}
	p := compile(t, d, []string{"A"}, productTable())
	for cell, want := range map[string]string{
		"A\xff": "The a field is not valid UTF-8.", "A\x00": "The a field contains a NUL character.",
	} {
		if _, failure := apply(p, cell); failure == nil || failure.Message != want {
			t.Errorf("got %+v, want %s", failure, want)
		}
	}
}

func TestCheckTransform(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		transform importer.Transform
		want      string
	}{
		"good":             {named("trim"), ""},
		"near miss":        {named("triim"), "there is no transform 'triim' (did you mean 'trim'?)"},
		"far miss":         {named("slugify"), "there is no transform 'slugify'; there are default, expr, lower, trim, upper"},
		"no options":       {configured("lower", map[string]any{"locale": "tr"}), "the transform 'lower' takes no options"},
		"unknown option":   {configured("default", map[string]any{"values": "x"}), "the transform 'default' has no option 'values'; it has value, empties"},
		"missing value":    {named("default"), "the transform 'default' needs a text, a number or true or false as 'value'"},
		"wrong empties":    {configured("default", map[string]any{"value": "x", "empties": "y"}), "the transform 'default' needs a list of texts as 'empties'"},
		"empty characters": {configured("trim", map[string]any{"chars": ""}), "the transform 'trim' needs characters as 'chars'"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := ""
			if err := pipeline.CheckTransform(test.transform); err != nil {
				got = err.Error()
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
