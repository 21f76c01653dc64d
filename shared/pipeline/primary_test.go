package pipeline_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"ingest/shared/importer"
	"ingest/shared/pipeline"
)

func TestPrimaryNames(t *testing.T) {
	t.Parallel()
	mail := field("email", "E-Mail", "Email Address", "mail")
	for name, test := range map[string]struct {
		fields []importer.Field
		header []string
		want   []string
	}{
		"the primary name stays":               {[]importer.Field{mail}, []string{"SKU", "E-Mail"}, []string{"SKU", "E-Mail"}},
		"an alias becomes the primary name":    {[]importer.Field{mail}, []string{"SKU", "mail"}, []string{"SKU", "E-Mail"}},
		"an alias with blanks around it, too":  {[]importer.Field{mail}, []string{" mail\t"}, []string{"E-Mail"}},
		"an alias that lost keeps its name":    {[]importer.Field{mail}, []string{"mail", "E-Mail"}, []string{"mail", "E-Mail"}},
		"the earlier alias wins":               {[]importer.Field{mail}, []string{"mail", "Email Address"}, []string{"mail", "E-Mail"}},
		"the earlier one wins with blanks":     {[]importer.Field{mail}, []string{"mail", "E-Mail "}, []string{"mail", "E-Mail"}},
		"exact beats trimmed":                  {[]importer.Field{mail}, []string{" mail", "mail"}, []string{"mail", "E-Mail"}},
		"case matters":                         {[]importer.Field{mail}, []string{"MAIL"}, []string{"MAIL"}},
		"unmapped columns are trimmed":         {nil, []string{" Notes ", "Größe\t"}, []string{"Notes", "Größe"}},
		"columns without a name have none":     {[]importer.Field{mail}, []string{"", " ", "mail"}, []string{"", "", "E-Mail"}},
		"_ hides what is not mapped":           {[]importer.Field{mail}, []string{"_row", " _x ", "mail"}, []string{"", "", "E-Mail"}},
		"_ does not hide what is mapped":       {[]importer.Field{field("id", "_id")}, []string{"_id", "_row"}, []string{"_id", ""}},
		"a mapped alias with _ is not hidden":  {[]importer.Field{field("id", "ID", "_id")}, []string{"_id"}, []string{"ID"}},
		"of two fields the first one names it": {[]importer.Field{field("a", "A", "x"), field("b", "B", "x")}, []string{"x"}, []string{"A"}},
		"one primary name, two aliases": {
			[]importer.Field{field("a", "A", "x"), field("b", "A", "y")}, []string{"x", "y"}, []string{"A", "y"},
		},
		"a name that is taken, with _":          {[]importer.Field{field("a", "A", "_x"), field("b", "A", "_y")}, []string{"_x", "_y"}, []string{"A", "_y"}},
		"an alias is no name for another's own": {[]importer.Field{field("a", "A"), field("b", "B", "A")}, []string{"A"}, []string{"A"}},
		"a field that finds nothing":            {[]importer.Field{mail, field("stock", "Stock")}, []string{"mail"}, []string{"E-Mail"}},
		"no columns":                            {[]importer.Field{mail}, nil, []string{}},
		// Such a header is refused when a run begins; its names are still shown, as they stand.
		"a name twice": {[]importer.Field{mail}, []string{"mail", " mail", "mail", "_row"}, []string{"mail", "mail", "mail", ""}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := pipeline.PrimaryNames(importer.Definition{Fields: test.fields}, test.header)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("of %q (-want +got):\n%s", test.header, diff)
			}
		})
	}
}
