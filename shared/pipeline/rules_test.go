package pipeline_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ingest/shared/importer"
	"ingest/shared/pipeline"
)

// ruled is a program whose only work is the rules of the column A.
func ruled(t *testing.T, list ...importer.Rule) *pipeline.Program {
	t.Helper()
	d := importer.Definition{Fields: []importer.Field{field("sku", "A")}, Rules: []importer.Rules{rules("A", list...)}}
	return compile(t, d, []string{"A"}, productTable())
}

func TestRules(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		list    []importer.Rule
		good    []string
		bad     []string
		message string
	}{
		"required": {[]importer.Rule{rule("required")}, []string{"0", "x"}, []string{"", " ", "\t\n"}, "The a field is required."},
		"string":   {[]importer.Rule{rule("nullable"), rule("string")}, []string{"", "1", "x"}, nil, ""},
		"numeric": {
			[]importer.Rule{rule("numeric")},
			[]string{"", " ", "1", "-1.5", "+.5", "1e3", " 7 "},
			[]string{"x", "1,5", "0x1", "--1", "1e", "NaN"},
			"The a field must be a number.",
		},
		"integer": {
			[]importer.Rule{rule("integer")},
			[]string{"", "0", "-12", "+5", "007", strings.Repeat("9", 40)},
			[]string{"1.0", "1e3", "x", "-"},
			"The a field must be an integer.",
		},
		"boolean": {
			[]importer.Rule{rule("boolean")},
			[]string{"1", "0", "true", "FALSE"},
			[]string{"yes", "2", "x"},
			"The a field must be true or false.",
		},
		"email": {
			[]importer.Rule{rule("email")},
			[]string{"", "a@b", "first.last+tag@sub.example.com", "o'neil@example.com", "jörg@müller.example"},
			[]string{
				"a", "@b", "a@", "a@b@c", "a b@c.d", "a.@b.c", ".a@b.c", "a..b@c.d", "a@-b.c", "a@b-.c", "a@b..c",
				"a@b.c ", "a@b_c.d", strings.Repeat("a", 65) + "@b.c", "\xff@b.c",
			},
			"The a field must be a valid email address.",
		},
		"date": {
			[]importer.Rule{rule("date")},
			[]string{"2024-02-29", "2024-01-02T03:04:05Z", "2024-01-02 03:04", "20240102", "2024-01-02T03:04:05.123+02:00"},
			[]string{"2023-02-29", "2024-13-45", "20240230", "tomorrow", "12345678", "2024"},
			"The a field must be a valid date.",
		},
		"min of characters":     {[]importer.Rule{rule("min", "3")}, []string{"", "äöü", "123"}, []string{"ab", "99"}, "The a field must be at least 3 characters."},
		"max of characters":     {[]importer.Rule{rule("max", "3")}, []string{"äöü", "999"}, []string{"abcd"}, "The a field must not be greater than 3 characters."},
		"between of characters": {[]importer.Rule{rule("between", "2", "3")}, []string{"ab", "abc"}, []string{"a", "abcd"}, "The a field must be between 2 and 3 characters."},
		"min of numbers": {
			[]importer.Rule{rule("numeric"), rule("min", "0.1")},
			[]string{"0.1", "1e-1", "12345678901234567890"},
			[]string{"0.09999999999999999999999", "-5"},
			"The a field must be at least 0.1.",
		},
		"max of numbers, type rule behind": {
			[]importer.Rule{rule("max", "9007199254740993"), rule("integer")},
			[]string{"9007199254740993", "-1"},
			[]string{"9007199254740994"},
			"The a field must not be greater than 9007199254740993.",
		},
		"between of numbers": {
			[]importer.Rule{rule("integer"), rule("between", "-1", "5")},
			[]string{"-1", "5", "+5"},
			[]string{"-2", "6"},
			"The a field must be between -1 and 5.",
		},
		"in":     {[]importer.Rule{rule("in", "a", "b c")}, []string{"", "a", "b c"}, []string{"A", " a", "b"}, "The selected a is invalid."},
		"regex":  {[]importer.Rule{rule("regex", "/^[a-z]{2}$/i")}, []string{"", "ab", "AB"}, []string{"abc", "1"}, "The a field format is invalid."},
		"digits": {[]importer.Rule{rule("digits", "4")}, []string{"0123"}, []string{"123", "12345", "12.4", "-123", " 123"}, "The a field must be 4 digits."},
		"sizes are silent after a wrong type": {
			[]importer.Rule{rule("numeric"), rule("min", "100"), rule("between", "100", "200")},
			[]string{"150"},
			[]string{"abc"},
			"The a field must be a number.",
		},
		"bail": {[]importer.Rule{rule("bail"), rule("min", "3"), rule("in", "abc")}, []string{"abc"}, []string{"x"}, "The a field must be at least 3 characters."},
		"without bail": {
			[]importer.Rule{rule("min", "3"), rule("in", "abc"), rule("digits", "9")},
			nil,
			[]string{"x"},
			"The a field must be at least 3 characters. (and 2 more errors)",
		},
		"a failed required ends its field": {
			[]importer.Rule{rule("required"), rule("numeric")}, nil, []string{"", " "}, "The a field is required.",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := ruled(t, test.list...)
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

func TestRulesOfAColumnThatIsNotThere(t *testing.T) {
	t.Parallel()
	d := importer.Definition{
		Fields: []importer.Field{field("sku", "A"), field("email", "User_Email", "Mail")},
		Rules:  []importer.Rules{rules("Mail", rule("required"), rule("email")), rules("B", rule("integer"))},
	}
	_, failure := apply(compile(t, d, []string{"A"}, productTable()), "x")
	if failure == nil || failure.Message != "The user email field is required." || failure.Fields[0].Column != "User_Email" {
		t.Errorf("got %+v", failure)
	}
	if _, failure = apply(compile(t, d, []string{"A", "Mail"}, productTable()), "x", "a@b.c"); failure != nil {
		t.Errorf("got %+v", failure)
	}
}

func TestNullCellsAreNotPresent(t *testing.T) {
	t.Parallel()
	d := importer.Definition{
		Format: importer.Format{Nulls: []string{"NULL"}},
		Fields: []importer.Field{field("sku", "A")},
		Rules:  []importer.Rules{rules("A", rule("required")), rules("B", rule("integer"))},
	}
	_, failure := apply(compile(t, d, []string{"A", "B"}, productTable()), "NULL", "NULL")
	if failure == nil || failure.Message != "The a field is required." {
		t.Errorf("got %+v", failure)
	}
}

func TestRegexOfPCRE(t *testing.T) {
	t.Parallel()
	for pattern, match := range map[string][2]string{
		`/^a.c$/`: {"abc", "a\nc"}, `/^a.c$/s`: {"a\nc", "ac"}, `/^b$/m`: {"a\nb", "ab"}, `#^a/b$#u`: {"a/b", "ab"},
		`~^\d+\/\d+$~`: {"1/2", "1"}, `{^[{}]+$}`: {"{}", "a"}, `(^(a|b)$)ii`: {"B", "c"}, `/^[](?=]$/`: {"(", "a"},
		`/^\(\?=$/`: {"(?=", "a"},
	} {
		p := ruled(t, rule("regex", pattern))
		if _, failure := apply(p, match[0]); failure != nil {
			t.Errorf("%s does not match %q", pattern, match[0])
		}
		if _, failure := apply(p, match[1]); failure == nil {
			t.Errorf("%s matches %q", pattern, match[1])
		}
	}
	if _, failure := apply(ruled(t, rule("regex", "/a/")), strings.Repeat("a", 1<<16+1)); failure == nil {
		t.Error("a text beyond the limit was matched")
	}
}

func TestCheckRules(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		rule importer.Rule
		want string
	}{
		"good":               {rule("between", "1", "5.5"), ""},
		"good pattern":       {rule("regex", "/^a|b$/"), ""},
		"near miss":          {rule("requierd"), "there is no rule 'requierd' (did you mean 'required'?)"},
		"case":               {rule("Email"), "there is no rule 'Email' (did you mean 'email'?)"},
		"surplus argument":   {rule("integer", "5"), "the rule 'integer' takes no arguments, not 1"},
		"missing argument":   {rule("min"), "the rule 'min' takes 1 argument, not 0"},
		"missing arguments":  {rule("between", "1"), "the rule 'between' takes 2 arguments, not 1"},
		"empty list":         {rule("in"), "the rule 'in' takes at least 1 argument, not 0"},
		"no number":          {rule("max", "ten"), "the rule 'max' needs a number, not 'ten'"},
		"no digits":          {rule("digits", "-1"), "the rule 'digits' needs a number of digits, not '-1'"},
		"wrong order":        {rule("between", "5", "1"), "the rule 'between' needs the lesser number first, not '5,1'"},
		"no delimiters":      {rule("regex", "^a$"), "the rule 'regex' needs a pattern between delimiters, such as /^[A-Z]+$/i"},
		"open delimiter":     {rule("regex", "/a"), "the rule 'regex' has a pattern that begins with / and never ends"},
		"unknown flag":       {rule("regex", "/a/x"), "the rule 'regex' has a pattern with the flag 'x'; there are i, m, s and u"},
		"look-ahead":         {rule("regex", "/^(?!a)/"), "the rule 'regex' has a pattern with look-around, which is not supported"},
		"look-behind":        {rule("regex", "/(?<=a)b/"), "the rule 'regex' has a pattern with look-around, which is not supported"},
		"back-reference":     {rule("regex", `/(a)\1/`), "the rule 'regex' has a pattern with a back-reference, which is not supported"},
		"unreadable pattern": {rule("regex", "/(a/"), "the rule 'regex' has a pattern that cannot be read: missing closing ): (a"},
		"long pattern":       {rule("regex", "/"+strings.Repeat("a", 2000)+"/"), "the rule 'regex' has a pattern of more than 1024 bytes"},
		"costly pattern":     {rule("regex", "/((a{100}){100}){100}/"), "the rule 'regex' has a pattern that cannot be read: invalid repeat count: {100}"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := ""
			if err := checks().Rule(test.rule); err != nil {
				got = err.Error()
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
