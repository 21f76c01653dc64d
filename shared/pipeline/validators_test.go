package pipeline_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"ingest/shared/chunk"
	"ingest/shared/importer"
	"ingest/shared/pipeline"
)

func validator(name string, o options) importer.Validator {
	return importer.Validator{Name: name, Options: o}
}

func validated(t *testing.T, f importer.Field, list ...importer.Validator) *pipeline.Program {
	t.Helper()
	f.Validate = list
	return compile(t, importer.Definition{Fields: []importer.Field{f}}, []string{"A"}, productTable())
}

// TestFieldValidators: every validator with all its options and the messages of the contract.
func TestFieldValidators(t *testing.T) {
	t.Parallel()
	type list = []importer.Validator
	for name, test := range map[string]struct {
		list      list
		good, bad []string
		message   string
	}{
		"required":          {list{validator("required", nil)}, []string{"x", "0"}, []string{"", " "}, "Field is required"},
		"email":             {list{validator("email", nil)}, []string{"", "a@b.c"}, []string{"a", " a@b.c"}, "Invalid email format"},
		"range of numbers":  {list{validator("range", options{"min": "10"})}, []string{"", "10", "1e2"}, []string{"x", "1,5"}, "Value must be numeric"},
		"range min":         {list{validator("range", options{"min": "10"})}, []string{"10"}, []string{"9.99", "-11"}, "Value must be at least 10"},
		"range max":         {list{validator("range", options{"min": "1", "max": 100.5})}, []string{"100.5"}, []string{"100.51"}, "Value must be at most 100.5"},
		"regex":             {list{validator("regex", options{"pattern": "/^[a-z]+$/i"})}, []string{"", "aB"}, []string{"a1"}, "Value does not match required pattern"},
		"regex in short":    {list{validator("regex", options{"value": "/^a/"})}, []string{"ab"}, []string{"b"}, "Value does not match required pattern"},
		"in":                {list{validator("in", options{"list": []any{"a", "b", "c"}})}, []string{"", "a"}, []string{"A", "d"}, "Value must be one of: a, b, c"},
		"in in short":       {list{validator("in", options{"value": []any{"a", "b"}})}, []string{"a"}, []string{"c"}, "Value must be one of: a, b"},
		"in strict":         {list{validator("in", options{"list": []any{"1", "x"}})}, []string{"1"}, []string{"1.0", "01"}, "Value must be one of: 1, x"},
		"in not strict":     {list{validator("in", options{"list": []any{"1", "x"}, "strict": "false"})}, []string{"1", "1.0", "01", "x"}, []string{"2", "X"}, "Value must be one of: 1, x"},
		"date":              {list{validator("date", nil)}, []string{"", "2024-01-31"}, []string{"2024-1-31", "2024-02-30"}, "Invalid date format. Expected: Y-m-d"},
		"date format":       {list{validator("date", options{"format": "d.m.Y"})}, []string{"31.01.2024"}, []string{"2024-01-31"}, "Invalid date format. Expected: d.m.Y"},
		"all that is wrong": {list{validator("email", nil), validator("range", options{"min": "1"})}, nil, []string{"x"}, "Invalid email format (and 1 more error)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := validated(t, field("sku", "A"), test.list...)
			for _, text := range test.good {
				if _, failure := apply(p, text); failure != nil {
					t.Errorf("%q: %s", text, failure.Message)
				}
			}
			for _, text := range test.bad {
				if _, failure := apply(p, text); failure == nil || failure.Message != test.message {
					t.Errorf("%q: got %+v, want %s", text, failure, test.message)
				}
			}
		})
	}
}

func TestValidatorsJudgeBetweenTransformsAndConversion(t *testing.T) {
	t.Parallel()
	p := validated(t, with(field("stock", "A"), named("trim")), validator("in", options{"list": []any{"1", "x"}}))
	if got, failure := apply(p, " 1 "); failure != nil || got[0] != set("1") {
		t.Errorf("got %+v, %+v", got, failure)
	}
	for cell, want := range map[string]string{"y": "Value must be one of: 1, x", "x": "The a field must be an integer."} {
		_, failure := apply(p, cell)
		if diff := cmp.Diff(&pipeline.Failure{Message: want, Fields: []chunk.FieldMessage{{Column: "A", Messages: []string{want}}}}, failure); diff != "" {
			t.Error(diff)
		}
	}
	d := importer.Definition{Format: importer.Format{ShortRows: "pad"}, Fields: []importer.Field{field("sku", "A"), field("email", "B")}}
	d.Fields[1].Validate = []importer.Validator{validator("required", nil)}
	if _, failure := apply(compile(t, d, []string{"A", "B"}, productTable()), "x"); failure == nil || failure.Message != "Field is required" {
		t.Errorf("an absent cell is not required: %+v", failure)
	}
}

func TestCheckValidator(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		validator importer.Validator
		want      string
	}{
		"good":         {validator("range", options{"min": "1", "max": "2"}), ""},
		"near miss":    {validator("requird", nil), "there is no validator 'requird' (did you mean 'required'?)"},
		"no options":   {validator("email", options{"dns": "true"}), "the validator 'email' takes no options"},
		"unknown":      {validator("in", options{"values": []any{}}), "the validator 'in' has no option 'values'; it has list, strict"},
		"no bound":     {validator("range", nil), "the validator 'range' needs a number as 'min' or as 'max'"},
		"wrong bound":  {validator("range", options{"min": "x"}), "the validator 'range' needs a number as 'min'"},
		"wrong order":  {validator("range", options{"min": "2", "max": "1"}), "the validator 'range' needs a 'min' that is not greater than 'max'"},
		"no list":      {validator("in", options{"list": []any{}}), "the validator 'in' needs a list of texts as 'list'"},
		"no pattern":   {validator("regex", nil), "the validator 'regex' needs a pattern between delimiters, such as /^[A-Z]+$/i"},
		"wrong format": {validator("date", options{"format": "x"}), "the validator 'date' has a format with the letter 'x', which means nothing: 'x' (text is written \\x)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := ""
			if err := checks().Validator(test.validator); err != nil {
				got = err.Error()
			}
			if got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

// TestMessages: the importer's own words for rules, for what cannot be read or converted, and for its columns.
func TestMessages(t *testing.T) {
	t.Parallel()
	d := importer.Definition{
		Fields: []importer.Field{
			field("sku", "SKU"), field("email", "E-Mail", "Mail"), with(field("stock", "Stock"), named("numeric")), field("name", "Full Name"),
		},
		Rules: []importer.Rules{
			rules("SKU", rule("required"), rule("between", "2", "3"), rule("starts_with", "A", "B")),
			rules("Mail", rule("email"), rule("required_if", "Full Name", "x")),
		},
		Messages: map[string]string{
			"required":           "Please fill in :attribute.",
			"SKU.between":        ":Attribute hat :min bis :max Zeichen, :ATTRIBUTE! :unknown 12:30",
			"SKU.starts_with":    "erlaubt sind :values",
			"Mail.email":         ":attribute ist falsch",
			"E-Mail.required_if": ":OTHER ist :value",
			"Stock.numeric":      "Zahl!",
			"integer":            "Ganze Zahl!",
		},
		Attributes: map[string]string{"SKU": "artikel", "Mail": "E-Mail-Adresse", "Full Name": "Name"},
	}
	p := compile(t, d, []string{"SKU", "Mail", "Stock", "Full Name"}, productTable())
	for name, test := range map[string]struct {
		cells []string
		want  string
	}{
		"rule of every column":      {[]string{"", "", "1", "y"}, "Please fill in artikel."},
		"rule of a column":          {[]string{"Axxx", "", "1", "y"}, "Artikel hat 2 bis 3 Zeichen, ARTIKEL! :unknown 12:30"},
		"values":                    {[]string{"xx", "", "1", "y"}, "erlaubt sind A, B"},
		"by an alias":               {[]string{"Ax", "x", "1", "y"}, "E-Mail-Adresse ist falsch"},
		"another column":            {[]string{"Ax", "", "1", "x"}, "NAME ist x"},
		"what cannot be read":       {[]string{"Ax", "", "x", "y"}, "Zahl!"},
		"what cannot be converted":  {[]string{"Ax", "", "1.5", "y"}, "Ganze Zahl!"},
		"a column that is NOT NULL": {[]string{"Ax", "", "1", ""}, "Please fill in Name."},
		"another conversion":        {[]string{"Ax", "a@bcdefghijklmnopqrstuvw.x", "1", "y"}, "The E-Mail-Adresse field must not be greater than 20 characters."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, failure := apply(p, test.cells...); failure == nil || failure.Message != test.want {
				t.Errorf("got %+v, want %s", failure, test.want)
			}
		})
	}
	if p.Targets()[0].Words(0) != "artikel" {
		t.Errorf("the database's refusals would name %q", p.Targets()[0].Words(0))
	}
}

func TestCheckRuleName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"required": "", "requird": "there is no rule 'requird' (did you mean 'required'?)", "bail": "the rule 'bail' has no message",
	} {
		got := ""
		if err := checks().RuleName(name); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
