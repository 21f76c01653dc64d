package pipeline_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ingest/shared/column"
	"ingest/shared/importer"
)

func configured(name string, options map[string]any) importer.Transform {
	return importer.Transform{Name: name, Options: options}
}

// short is `{name: value}`.
func short(name, value string) importer.Transform {
	return configured(name, map[string]any{"value": value})
}

// transformed applies transforms to the column A of a row A, B, C and answers the value, or the message of the row.
func transformed(t *testing.T, list []importer.Transform, cells ...string) (column.Value, string) {
	t.Helper()
	d := importer.Definition{Fields: []importer.Field{with(field("sku", "A"), list...)}}
	p := compile(t, d, []string{"A", "B", "C"}, productTable())
	for len(cells) < 3 {
		cells = append(cells, "")
	}
	got, failure := apply(p, cells...)
	if failure != nil {
		return column.Value{}, failure.Message
	}
	return got[0], ""
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
		"no options":       {configured("lower", map[string]any{"locale": "tr"}), "the transform 'lower' takes no options"},
		"unknown option":   {configured("default", map[string]any{"values": "x"}), "the transform 'default' has no option 'values'; it has value, empties"},
		"missing value":    {named("default"), "the transform 'default' needs a text, a number or true or false as 'value'"},
		"wrong empties":    {configured("default", map[string]any{"value": "x", "empties": "y"}), "the transform 'default' needs a list of texts as 'empties'"},
		"empty characters": {configured("trim", map[string]any{"chars": ""}), "the transform 'trim' needs characters as 'chars'"},
		"unnamed map":      {named("map"), "the transform 'map' needs a table of texts as 'table', like {A: active, I: inactive}"},
		"map of lists": {
			configured("map", map[string]any{"table": map[string]any{"a": []any{}}}), "the transform 'map' needs a text as 'table'",
		},
		"both truthy and falsy": {
			configured("boolean", map[string]any{"truthy": []any{"J", "n"}}), "the transform 'boolean' cannot have 'n' in 'truthy' and in 'falsy'",
		},
		"no flag":            {configured("boolean", map[string]any{"case_sensitive": "maybe"}), "the transform 'boolean' needs true or false as 'case_sensitive'"},
		"decimals":           {short("numeric", "x"), "the transform 'numeric' needs a whole number from 0 to 100 as 'decimals'"},
		"no bound":           {configured("numeric", map[string]any{"min": "x"}), "the transform 'numeric' needs a number as 'min'"},
		"bounds":             {configured("numeric", map[string]any{"min": "2", "max": "1"}), "the transform 'numeric' needs a 'min' that is not greater than 'max'"},
		"long separator":     {configured("numeric", map[string]any{"decimal_separator": "ab"}), "the transform 'numeric' needs one character as 'decimal_separator', not 'ab'"},
		"equal separators":   {configured("numeric", map[string]any{"thousands_separator": "."}), "the transform 'numeric' needs two different separators, not '.' and '.'"},
		"digit as separator": {configured("numeric", map[string]any{"thousands_separator": "0"}), "the transform 'numeric' cannot have '0' as a separator"},
		"unknown letter": {
			short("date", "d.q.Y"), "the transform 'date' has a format with the letter 'q', which means nothing: 'd.q.Y' (text is written \\q)",
		},
		"unknown strftime letter": {short("date", "%d.%Q"), "the transform 'date' has a format with '%Q', which means nothing: '%d.%Q'"},
		"unknown unpadded letter": {short("date", "%-Y"), "the transform 'date' has a format with '%-Y', which means nothing: '%-Y'"},
		"open strftime letter":    {short("date", "%d%"), "the transform 'date' has a format that ends within a letter: '%d%'"},
		"cannot be read":          {short("date", "o-W"), "the transform 'date' cannot read a date by the letter 'o' of the format 'o-W'"},
		"no format":               {configured("date", map[string]any{"out": ""}), "the transform 'date' needs a date format, such as d.m.Y or %d.%m.%Y"},
		"no fields":               {named("concat"), "the transform 'concat' needs a list of source columns as 'fields'"},
		"no separator":            {named("split"), "the transform 'split' needs the text between the parts as 'separator'"},
		"no search":               {named("replace"), "the transform 'replace' needs either 'search' or 'regex'"},
		"two searches": {
			configured("replace", map[string]any{"search": "a", "regex": "/a/"}), "the transform 'replace' needs either 'search' or 'regex'",
		},
		"empty search":  {configured("replace", map[string]any{"search": ""}), "the transform 'replace' needs a text that is not empty as 'search'"},
		"wrong pattern": {configured("replace", map[string]any{"regex": "/(?=a)/"}), "the transform 'replace' has a pattern with look-around, which is not supported"},
		"missing group": {
			configured("replace", map[string]any{"regex": "/a/", "replace": "$1"}), "the transform 'replace' names the group '1', which the pattern has not",
		},
		"missing named group": {
			configured("regex", map[string]any{"pattern": "/a/", "replacement": "${year}"}), "the transform 'regex' names the group 'year', which the pattern has not",
		},
		"group beyond": {
			configured("regex", map[string]any{"pattern": "/(a)/", "group": "2"}), "the transform 'regex' needs a whole number from 0 to 1 as 'group'",
		},
		"group and replacement": {
			configured("regex", map[string]any{"pattern": "/(a)/", "group": "1", "replacement": "x"}),
			"the transform 'regex' needs either 'group' or 'replacement', not both",
		},
		"algorithm":           {short("hash", "crc"), "the transform 'hash' knows no algorithm 'crc'; there are md5, sha1, sha256, sha512, xxh64"},
		"long slug separator": {short("slug", strings.Repeat("-", 17)), "the transform 'slug' needs a separator of at most 16 bytes"},
		"long replacement": {
			configured("replace", map[string]any{"search": "a", "replace": strings.Repeat("b", 1025)}),
			"the transform 'replace' needs a text of at most 1024 bytes as 'replace'",
		},
		"letters as separator": {
			short("slug", "x"), "the transform 'slug' needs a separator without letters and digits, not 'x'",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := ""
			if err := checks().Transform(test.transform); err != nil {
				got = err.Error()
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
