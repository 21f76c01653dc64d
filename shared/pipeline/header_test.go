package pipeline_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ingest/shared/importer"
	"ingest/shared/pipeline"
)

func TestHeaderIsMatchedExactlyThenTrimmed(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		header []string
		from   []string
		want   string
	}{
		"exact":                   {[]string{"Name", "Other"}, []string{"Name"}, "0"},
		"trimmed":                 {[]string{"Other", " Name\t"}, []string{"Name"}, "1"},
		"exact beats trimmed":     {[]string{" Name", "Name"}, []string{"Name"}, "1"},
		"first alias wins":        {[]string{"B", "A"}, []string{"A", "B"}, "1"},
		"alias":                   {[]string{"Z", "B"}, []string{"A", "B"}, "1"},
		"case matters":            {[]string{"name", "Name"}, []string{"Name"}, "1"},
		"dots and digits":         {[]string{"1", "a.b"}, []string{"a.b"}, "1"},
		"definition with a blank": {[]string{"x", "Name"}, []string{" Name"}, "1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := importer.Definition{Fields: []importer.Field{field("name", test.from...)}}
			got, failure := apply(compile(t, d, test.header, productTable()), "0", "1")
			if failure != nil || got[0] != set(test.want) {
				t.Errorf("got %+v, %+v", got, failure)
			}
		})
	}
}

func TestCompileRefuses(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(*importer.Definition)
		header []string
		want   string
	}{
		"key column missing": {
			func(*importer.Definition) {},
			[]string{"E-Mail"},
			"The key column 'SKU' or one of its aliases was not found in the source file headers.",
		},
		"key not mapped": {
			func(d *importer.Definition) { d.Key = []string{"Size"} },
			[]string{"SKU", "Size"},
			"The key column 'Size' is not mapped by any field.",
		},
		"strict, one name": {
			func(d *importer.Definition) { d.StrictHeaders = true },
			[]string{"SKU", "E-Mail", "Full Name"},
			"None of the required columns ['Stock'] were found in the source file headers. Strict header validation is enabled.",
		},
		"strict, aliases": {
			func(d *importer.Definition) { d.StrictHeaders = true },
			[]string{"SKU", "Stock", "Full Name"},
			"None of the required columns ['E-Mail', 'Email Address'] were found in the source file headers. Strict header validation is enabled.",
		},
		"strict, column of rules": {
			func(d *importer.Definition) {
				d.StrictHeaders = true
				d.Rules = append(d.Rules, rules("Size", rule("required")))
			},
			productHeader(),
			"The column 'Size' was not found in the source file headers. Strict header validation is enabled.",
		},
		"repeated name": {
			func(*importer.Definition) {},
			[]string{"SKU", "a", "", "Notes", "", "b", "c", "d", "Notes"},
			"The column 'Notes' appears twice in the header (columns 4 and 9).",
		},
		"repeated but for blanks": {
			func(*importer.Definition) {},
			[]string{" SKU", "SKU "},
			"The column 'SKU' appears twice in the header (columns 1 and 2).",
		},
		"unknown target": {
			func(d *importer.Definition) { d.Fields[2].To = "amount" }, productHeader(),
			"The table 'products' has no column 'amount' (field 'Stock').",
		},
		"generated target": {
			func(d *importer.Definition) { d.Fields[2].To = "total" }, productHeader(),
			"The column 'total' of the table 'products' is generated and cannot be written (field 'Stock').",
		},
		"target twice": {
			func(d *importer.Definition) { d.Fields[2].To = "sku" }, productHeader(),
			"The column 'sku' is written by two fields ('SKU' and 'Stock').",
		},
		"field without source": {
			func(d *importer.Definition) { d.Fields[2].From = nil }, productHeader(),
			"The field of the column 'stock' has no source column.",
		},
		"nothing mapped": {
			func(d *importer.Definition) { d.Key = nil },
			[]string{"x"},
			"None of the mapped columns were found in the source file headers.",
		},
		"rule of another version": {
			func(d *importer.Definition) { d.Rules[0].Rules[0].Name = "emails" }, productHeader(),
			"The rules of 'SKU' are wrong: there is no rule 'emails' (did you mean 'email'?).",
		},
		"transform of another version": {
			func(d *importer.Definition) { d.Fields[0] = with(d.Fields[0], named("lowr")) }, productHeader(),
			"The field 'SKU' cannot be transformed: there is no transform 'lowr' (did you mean 'lower'?).",
		},
		"validator of another version": {
			func(d *importer.Definition) { d.Fields[0].Validate = []importer.Validator{{Name: "emails"}} }, productHeader(),
			"The field 'SKU' cannot be validated: there is no validator 'emails' (did you mean 'email'?).",
		},
		"strict: a column that only a rule names": {
			func(d *importer.Definition) {
				d.StrictHeaders, d.Rules[0].Rules[0] = true, rule("required_with", "Group")
			}, productHeader(),
			"The column 'Group' was not found in the source file headers. Strict header validation is enabled.",
		},
		"strict: a column that only a transform names": {
			func(d *importer.Definition) {
				d.StrictHeaders = true
				d.Fields[0] = with(d.Fields[0], configured("concat", map[string]any{"fields": []any{"SKU", "Group"}}))
			}, productHeader(),
			"The column 'Group' was not found in the source file headers. Strict header validation is enabled.",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := products()
			test.change(&d)
			_, err := pipeline.Compile(d, pipeline.Setting{Header: test.header, Table: productTable()})
			var refused *pipeline.Error
			if !errors.As(err, &refused) || refused.Message != test.want {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}

func TestWarnings(t *testing.T) {
	t.Parallel()
	many := []string{"SKU", "", "E-Mail", "a", "b", "c", "d", " ", "e", "f", "g", "h", "i", "j", "k", "_row_number", "Rated"}
	d := products()
	d.Rules = append(d.Rules, rules("Rated", rule("integer")))
	d.Rules = append(d.Rules, rules("SKU", rule("different", "E-Mail", "Old SKU"), rule("required_without", "Old SKU")))
	const lacks = "Columns that rules, transforms or expressions name and the source does not have: 'Old SKU'."
	for name, test := range map[string]struct {
		header []string
		want   []string
	}{
		"none":                     {append(productHeader(), "Old SKU"), nil},
		"a column that rules name": {productHeader(), []string{lacks}},
		"unread columns and cells without a name": {many, []string{
			"Header cells without a name, their columns are ignored: 2, 8.",
			lacks,
			"Columns ignored because no field maps them: 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j' and 1 more.",
		}},
		"an alias that lost": {[]string{"SKU", "Email Address", "E-Mail"}, []string{
			lacks, "Columns ignored because no field maps them: 'Email Address'.",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(test.want, compile(t, d, test.header, productTable()).Warnings()); diff != "" {
				t.Error(diff)
			}
		})
	}
}
