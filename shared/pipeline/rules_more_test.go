package pipeline_test

import (
	"strings"
	"testing"

	"ingest/shared/importer"
)

// TestRulesOfOneField: rules that look at their own cell only.
func TestRulesOfOneField(t *testing.T) {
	t.Parallel()
	type list = []importer.Rule
	for name, test := range map[string]struct {
		list      list
		good, bad []string
		message   string
	}{
		"decimal": {list{rule("decimal", "2")}, []string{"", "1.50", "-.25", "+10.00"}, []string{"1", "1.5", "1.555", "x", "1.50e1", "1.e1"}, "The a field must have 2 decimal places."},
		"decimal range": {
			list{rule("decimal", "0", "2")}, []string{"1", "1.5", "1.55"}, []string{"1.555", "a"}, "The a field must have 0-2 decimal places.",
		},
		"decimal makes sizes numbers": {list{rule("decimal", "0", "2"), rule("min", "5")}, []string{"5.5"}, []string{"4.99"}, "The a field must be at least 5."},
		"size of characters":          {list{rule("size", "3")}, []string{"", "abc", "äöü", "123"}, []string{"ab", "3"}, "The a field must be 3 characters."},
		"size of numbers":             {list{rule("integer"), rule("size", "3")}, []string{"3", "+03"}, []string{"4", "123"}, "The a field must be 3."},
		"digits_between":              {list{rule("digits_between", "2", "4")}, []string{"12", "0123"}, []string{"1", "12345", "1.2", "-12"}, "The a field must be between 2 and 4 digits."},
		"not_in":                      {list{rule("not_in", "a", "b")}, []string{"", "A", "c"}, []string{"a", "b"}, "The selected a is invalid."},
		"alpha":                       {list{rule("alpha")}, []string{"", "abc", "Größe", "Москва", "e\u0301"}, []string{"a1", "a b", "a-b", "a\xff"}, "The a field must only contain letters."},
		"alpha ascii":                 {list{rule("alpha", "ascii")}, []string{"abc"}, []string{"ä", "1"}, "The a field must only contain letters."},
		"alpha_num":                   {list{rule("alpha_num")}, []string{"abc1", "٣", "½"}, []string{"a_b", "a b"}, "The a field must only contain letters and numbers."},
		"alpha_dash": {
			list{rule("alpha_dash")}, []string{"a-b_1"}, []string{"a b", "a.b"}, "The a field must only contain letters, numbers, dashes, and underscores.",
		},
		"starts_with": {list{rule("starts_with", "DE", "AT")}, []string{"", "DE1", "AT"}, []string{"de1", "xDE"}, "The a field must start with one of the following: DE, AT."},
		"ends_with":   {list{rule("ends_with", ".jpg", ".png")}, []string{"a.png"}, []string{"a.PNG", ".jpg "}, "The a field must end with one of the following: .jpg, .png."},
		"url": {
			list{rule("url")},
			[]string{
				"", "https://example.com", "http://localhost:8080/a%20b?c=d&e[]=f#g", "ftp://user:pass@host.example/", "https://müller.example/straße",
				"https://[2001:db8::1]:443/", "https://10.0.0.1", "s3://bucket_name/key", "HTTPS://EXAMPLE.COM.",
			},
			[]string{
				"example.com", "https://", "https:// example.com", "https://exa mple.com", "https://example.com:99999", "https://example.com:0",
				"https://-a.com", "https://a..b", "https://a/%2", "https://[::1", "https://[1.2.3.4]", "javascript://x/%0aalert(1)", "1http://a", "://a",
				"https://a/\xff", "mailto:a@b.c", "https://a b@c.d", "https://a/<b>",
			},
			"The a field must be a valid URL.",
		},
		"url of schemes": {list{rule("url", "https", "sftp")}, []string{"HTTPS://a.b", "sftp://c"}, []string{"http://a.b"}, "The a field must be a valid URL."},
		"ip": {
			list{rule("ip")},
			[]string{"", "127.0.0.1", "::1", "2001:db8::8a2e:370:7334", "::ffff:1.2.3.4"},
			[]string{"127.0.0", "256.1.1.1", "01.2.3.4", "fe80::1%eth0", "::g", "1.2.3.4/8"},
			"The a field must be a valid IP address.",
		},
		"uuid": {
			list{rule("uuid")},
			[]string{"", "550e8400-e29b-41d4-a716-446655440000", "550E8400-E29B-41D4-A716-44665544ABCD"},
			[]string{"550e8400e29b41d4a716446655440000", "550e8400-e29b-41d4-a716-44665544000g", "550e8400-e29b-41d4-a716-4466554400-0", "{550e8400-e29b-41d4-a716-446655440000}"},
			"The a field must be a valid UUID.",
		},
		"json":        {list{rule("json")}, []string{"", `{"a":[1,null]}`, "5", `"x"`}, []string{"{a:1}", "[1,]", "x"}, "The a field must be a valid JSON string."},
		"date_format": {list{rule("date_format", "d.m.Y")}, []string{"", "31.01.2024"}, []string{"31.1.2024", "30.02.2024", "2024-01-31", "31.01.2024 "}, "The a field must match the format d.m.Y."},
		"date_format of several": {
			list{rule("date_format", "Y-m-d", "H:i")}, []string{"2024-01-31", "23:59"}, []string{"24:00", "7:05"}, "The a field must match the format Y-m-d.",
		},
		"date_format with a zone": {
			list{rule("date_format", `Y-m-d\TH:i:sP`)}, []string{"2024-01-31T10:00:00+02:00", "2024-01-31T10:00:00+00:00"}, []string{"2024-01-31T10:00:00Z"}, `The a field must match the format Y-m-d\TH:i:sP.`,
		},
		"date_format of strftime": {list{rule("date_format", "%d/%m/%y %Z")}, []string{"31/01/24 UTC", "31/01/24 GMT"}, []string{"31/1/24 UTC"}, "The a field must match the format %d/%m/%y %Z."},
		"after":                   {list{rule("after", "2024-01-31")}, []string{"", "2024-02-01", "2024-01-31T00:00:01Z"}, []string{"2024-01-31", "2023-12-31", "x"}, "The a field must be a date after 2024-01-31."},
		"before": {
			list{rule("before", "2024-01-31 12:00")},
			[]string{"2024-01-31", "20240130", "2024-01-31T13:00+02:00"},
			[]string{"2024-01-31 12:00", "2024-02-01", "soon"},
			"The a field must be a date before 2024-01-31 12:00.",
		},
		"after in the field's format": {
			list{rule("date_format", "d.m.Y"), rule("after", "31.01.2024")}, []string{"01.02.2024"}, []string{"31.01.2024", "01.01.2024"}, "The a field must be a date after 31.01.2024.",
		},
		"after a date in another format": {
			list{rule("date_format", "d.m.Y"), rule("after", "2024-01-31")}, []string{"01.02.2024"}, []string{"31.01.2024"}, "The a field must be a date after 2024-01-31.",
		},
		"dates are silent after a wrong type": {list{rule("date"), rule("after", "2024-01-31")}, nil, []string{"x"}, "The a field must be a valid date."},
		"gt of numbers":                       {list{rule("numeric"), rule("gt", "5")}, []string{"", "5.01"}, []string{"5", "-6"}, "The a field must be greater than 5."},
		"gt of a number without its rule":     {list{rule("gt", "5")}, []string{"10", "abcdef"}, []string{"5", "-600000"}, "The a field must be greater than 5."},
		"gt of characters":                    {list{rule("gt", "5")}, nil, []string{"abcde", "a"}, "The a field must be greater than 5 characters."},
		"gte":                                 {list{rule("integer"), rule("gte", "5")}, []string{"5"}, []string{"4"}, "The a field must be greater than or equal to 5."},
		"gte of characters":                   {list{rule("gte", "5")}, []string{"abcde"}, []string{"abcd"}, "The a field must be greater than or equal to 5 characters."},
		"lt":                                  {list{rule("integer"), rule("lt", "5")}, []string{"4"}, []string{"5"}, "The a field must be less than 5."},
		"lt of characters":                    {list{rule("lt", "5")}, []string{"abcd"}, []string{"abcde"}, "The a field must be less than 5 characters."},
		"lte":                                 {list{rule("integer"), rule("lte", "5")}, []string{"5"}, []string{"6"}, "The a field must be less than or equal to 5."},
		"lte of characters":                   {list{rule("lte", "5")}, []string{"abcde"}, []string{"abcdef"}, "The a field must be less than or equal to 5 characters."},
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

// TestRulesOfOtherFields: rows are the cells of A (which has the rules), First_Name (also called Vorname) and Nr.
func TestRulesOfOtherFields(t *testing.T) {
	t.Parallel()
	type list = []importer.Rule
	const good = ""
	for name, test := range map[string]struct {
		list list
		rows map[string]string
	}{
		"same":      {list{rule("same", "Nr")}, map[string]string{"x,,x": good, ",,x": good, "x,,X": "The a field must match nr.", "x,,": "The a field must match nr."}},
		"different": {list{rule("different", "Nr")}, map[string]string{"x,,y": good, "x,,": good, ",,": good, "x,,x": "The a field and nr must be different."}},
		"different from several": {
			list{rule("different", "Nr", "Vorname")}, map[string]string{"x,y,z": good, "x,x,y": "The a field and first name must be different."},
		},
		"required_if": {
			list{rule("required_if", "Nr", "1", "2")},
			map[string]string{"x,,1": good, ",,3": good, ",,1": "The a field is required when nr is 1.", " ,,2": "The a field is required when nr is 2."},
		},
		"required_if is exact": {list{rule("required_if", "Nr", "x")}, map[string]string{",,X": good, ",, x": good}},
		"comparisons leave what is no number to its type": {
			list{rule("gt", "Nr"), rule("numeric")}, map[string]string{"x,,1": "The a field must be a number."},
		},
		"required_if null": {list{rule("required_if", "Nr", "null")}, map[string]string{",,x": good, ",,": "The a field is required when nr is null."}},
		"required_if a boolean": {
			list{rule("required_if", "Nr", "true")}, map[string]string{",,0": good, ",,x": good, ",,1": "The a field is required when nr is true.", ",,TRUE": "The a field is required when nr is true."},
		},
		"required_if not a boolean": {list{rule("required_if", "Nr", "false")}, map[string]string{",,1": good, ",,": good, ",,0": "The a field is required when nr is false."}},
		"required_with": {
			list{rule("required_with", "Vorname", "Nr")},
			map[string]string{",,": good, "x,y,z": good, ", ,": good, ",y,": "The a field is required when first name / nr is present."},
		},
		"required_without": {
			list{rule("required_without", "Vorname", "Nr")},
			map[string]string{",y,z": good, "x,,": good, ",y,": "The a field is required when first name / nr is not present."},
		},
		"a failed presence rule ends its field": {
			list{rule("required_without", "Nr"), rule("required")}, map[string]string{",,": "The a field is required when nr is not present.", ",,1": "The a field is required."},
		},
		"gt": {list{rule("gt", "Nr")}, map[string]string{
			"10,,9": good, ",,9": good, "9,,10": "The a field must be greater than nr.", "9,,": "The a field must be greater than nr.",
			"abc,,ab": good, "ab,,abc": "The a field must be greater than nr characters.",
		}},
		"gte of numbers": {list{rule("numeric"), rule("gte", "Nr")}, map[string]string{
			"10,,1e1": good, "9,,10": "The a field must be greater than or equal to nr.", "9,,x": "The a field must be greater than or equal to nr.",
			"x,,1": "The a field must be a number.",
		}},
		"lt": {list{rule("lt", "Vorname")}, map[string]string{"1,2,": good, "2,1,": "The a field must be less than first name."}},
		"lte": {list{rule("lte", "First_Name")}, map[string]string{
			"2,2,": good, "x,yy,": good, "xx,y,": "The a field must be less than or equal to first name characters.",
		}},
		"after": {list{rule("after", "Nr")}, map[string]string{
			"2024-02-01,,2024-01-31": good, "2024-01-31,,": good, "2024-01-31,,soon": good, ",,2024-01-31": good,
			"2024-01-31,,2024-01-31": "The a field must be a date after nr.", "soon,,2024-01-31": "The a field must be a date after nr.",
		}},
		"before": {list{rule("before", "Vorname")}, map[string]string{
			"2024-01-30,2024-01-31T00:00Z,": good, "2024-02-01,2024-01-31,": "The a field must be a date before first name.",
		}},
		"a column that is not there": {
			list{rule("required_without", "Gone"), rule("different", "Gone")}, map[string]string{"x,,": good, ",,": "The a field is required when gone is not present."},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := importer.Definition{
				Fields: []importer.Field{field("sku", "A"), field("name", "First_Name", "Vorname"), field("email", "Nr")},
				Rules:  []importer.Rules{rules("A", test.list...)},
			}
			table := productTable()
			table.Columns[4].NotNull = false
			p := compile(t, d, []string{"A", "Vorname", "Nr"}, table)
			for cells, want := range test.rows {
				got := ""
				if _, failure := apply(p, strings.Split(cells, ",")...); failure != nil {
					got = failure.Message
				}
				if got != want {
					t.Errorf("%q: got %q, want %q", cells, got, want)
				}
			}
		})
	}
}

func TestCheckRulesOfMoreArguments(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		rule importer.Rule
		want string
	}{
		"good":                   {rule("required_if", "a", "b", "c"), ""},
		"decimal":                {rule("decimal"), "the rule 'decimal' takes 1 to 2 arguments, not 0"},
		"decimal order":          {rule("decimal", "2", "1"), "the rule 'decimal' needs the lesser number first, not '2,1'"},
		"decimal places":         {rule("decimal", "x"), "the rule 'decimal' needs a number of decimal places, not 'x'"},
		"most decimal places":    {rule("decimal", "1", "x"), "the rule 'decimal' needs a number of decimal places, not 'x'"},
		"digits_between":         {rule("digits_between", "3", "2"), "the rule 'digits_between' needs the lesser number first, not '3,2'"},
		"least digits":           {rule("digits_between", "x", "2"), "the rule 'digits_between' needs a number of digits, not 'x'"},
		"most digits":            {rule("digits_between", "3", "x"), "the rule 'digits_between' needs a number of digits, not 'x'"},
		"required_if":            {rule("required_if", "a"), "the rule 'required_if' takes at least 2 arguments, not 1"},
		"alpha":                  {rule("alpha", "utf8"), "the rule 'alpha' knows only the argument 'ascii', not 'utf8'"},
		"too many of few":        {rule("alpha", "ascii", "x"), "the rule 'alpha' takes at most 1 argument, not 2"},
		"starts_with":            {rule("starts_with", "a", ""), "the rule 'starts_with' needs texts that are not empty"},
		"url":                    {rule("url", "htt ps"), "the rule 'url' needs schemes such as https, not 'htt ps'"},
		"gt":                     {rule("gt", " "), "the rule 'gt' needs a number or a source column, not ' '"},
		"gt beyond":              {rule("gt", "1e999"), "the rule 'gt' needs a smaller number than '1e999'"},
		"today":                  {rule("after", "Today"), "the rule 'after' needs a date such as 2024-01-31 or a source column, not 'Today'"},
		"date_format":            {rule("date_format", "d.x"), "the rule 'date_format' has a format with the letter 'x', which means nothing: 'd.x' (text is written \\x)"},
		"unique needs the table": {rule("unique"), "the rule 'unique' takes 1 to 4 arguments, not 0"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := ""
			if err := checks().Rule(test.rule); err != nil {
				got = err.Error()
			}
			if got != test.want && (!strings.HasSuffix(test.want, " ") || !strings.HasPrefix(got, test.want)) {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}
