package integration

import (
	"fmt"
	"strings"
)

// transformed is a clause with one column per entry: how it is mapped, its cell, and what is stored.
func transformed(name string, entries [][3]string) clause {
	var header, cells, stored, table, fields []string
	for i, entry := range entries {
		column := fmt.Sprintf("c%02d", i)
		header, cells, stored = append(header, column), append(cells, `"`+strings.ReplaceAll(entry[1], `"`, `""`)+`"`), append(stored, entry[2])
		table = append(table, column+" TEXT")
		fields = append(fields, "  - {from: "+column+", to: "+column+", transform: ["+entry[0]+"]}\n")
	}
	return clause{
		name: name, tables: "CREATE TABLE my_x (" + strings.Join(table, ", ") + ");", importer: "fields:\n" + strings.Join(fields, ""),
		file: strings.Join(header, ",") + "\n" + strings.Join(cells, ",") + "\n", show: "SELECT * FROM my_x",
		want: "completed: 1 created\n" + strings.Join(stored, "|") + "\n",
	}
}

// broken is a clause with one column per entry: how it is judged, its cell, and the message.
func broken(name, under string, entries [][3]string) clause {
	var header, cells, table, fields, rules, messages []string
	for i, entry := range entries {
		column := fmt.Sprintf("c%02d", i)
		header, cells = append(header, column), append(cells, `"`+entry[1]+`"`)
		table = append(table, column+" TEXT")
		judge := ""
		if under == "validate" {
			judge = ", validate: [" + entry[0] + "]"
		} else {
			rules = append(rules, "  "+column+": '"+entry[0]+"'\n")
		}
		fields = append(fields, "  - {from: "+column+", to: "+column+judge+"}\n")
		messages = append(messages, "1 × "+column+": "+strings.ReplaceAll(entry[2], "%", column)+"\n")
	}
	importer := "fields:\n" + strings.Join(fields, "")
	if len(rules) > 0 {
		importer += "rules:\n" + strings.Join(rules, "")
	}
	return clause{
		name: name, tables: "CREATE TABLE my_x (" + strings.Join(table, ", ") + ");", importer: importer,
		file: strings.Join(header, ",") + "\n" + strings.Join(cells, ",") + "\n",
		want: fmt.Sprintf("completed_with_errors: 1 failed\n1@2 %s (and %d more errors)\n", strings.ReplaceAll(entries[0][2], "%", "c00"), len(entries)-1) +
			strings.Join(messages, ""),
	}
}

func transformsClauses() []clause {
	return []clause{
		transformed("each transform", [][3]string{
			{"trim", "  a b ", "a b"},
			{`{trim: "-_"}`, "_-a_b-", "a_b"},
			{"lower", "Ä@B", "ä@b"},
			{"upper", "äb", "ÄB"},
			{"slug", "Größe & Maß: 1.5 µm", "grosse-mass-1-5-um"},
			{"{slug: {separator: _}}", "Москва 北京", "moskva_bei_jing"},
			{"{map: {table: {A: active}, default: other}}", "x", "other"},
			{"{boolean: {truthy: [ja], falsy: [nein]}}", "Nein", "0"},
			{"{boolean: {default: 0}}", "maybe", "0"},
			{"{numeric: {decimals: 2}}", "-2.675", "-2.68"},
			{`{numeric: {decimal_separator: ","}}`, "1.234,56", "1234.56"},
			{"{numeric: {min: 0, max: 100}}", "250", "100"},
			{"{numeric: {default: 0}}", "12,34", "0"},
			{"{date: d.m.Y}", "31.1.2024", "2024-01-31"},
			{`{date: {in: "%m/%d/%y", out: "D d.m."}}`, "01/31/24", "Wed 31.01."},
			{"{date: {in: Y-m-d, default: }}", "2024-13-45", `\N`},
			{`{concat: {fields: [c00, c02], separator: "+"}}`, "", "  a b +Ä@B"},
			{"{default: unknown}", "", "unknown"},
			{`{default: {value: 0, empties: ["-"]}}`, "-", "0"},
			{`{split: {separator: ", ", index: 0}}`, "van Gogh, Vincent", "van Gogh"},
			{`{replace: {search: [€, " "]}}`, "5 €", "5"},
			{`{regex: '/#(\d+)/'}`, "order #12", "12"},
			{"{hash: md5}", "abc", "900150983cd24fb0d6963f7d28e17f72"},
			{`{expr: "value / 100"}`, "1999", "19.99"},
		}),
		{
			name: "a value a transform cannot read is that row's error", tables: "CREATE TABLE my_x (a TEXT, b TEXT, c TEXT, d TEXT, e TEXT);",
			importer: `
fields:
  - {from: a, to: a, transform: [numeric]}
  - {from: b, to: b, transform: [{date: d.m.Y}]}
  - {from: c, to: c, transform: [boolean]}
  - {from: d, to: d, transform: [{map: {table: {A: active}}}]}
  - {from: e, to: e, transform: [{split: {separator: " ", index: 1}}]}
`,
			file: "a,b,c,d,e\n\"12,34\",30.02.2024,maybe,x,one\n1,,,,\n", show: "SELECT * FROM my_x",
			want: `
completed_with_errors: 1 created, 1 failed
1@2 The a field must be a number. (and 4 more errors)
1 × a: The a field must be a number.
1 × b: The b field must match the format d.m.Y.
1 × c: The c field must be true or false.
1 × d: The selected d is invalid.
1 × e: The e field format is invalid.
1|\N|\N|\N|\N
`,
		},
	}
}

func validatorsClauses() []clause {
	return []clause{
		broken("each field validator and its message", "validate", [][3]string{
			{"required", "", "Field is required"},
			{"email", "a", "Invalid email format"},
			{"{range: {min: 10, max: 100}}", "x", "Value must be numeric"},
			{"{range: {min: 10}}", "9", "Value must be at least 10"},
			{"{range: {max: 100}}", "101", "Value must be at most 100"},
			{"{regex: '/^[a-z]+$/i'}", "a1", "Value does not match required pattern"},
			{"{in: [a, b, c]}", "A", "Value must be one of: a, b, c"},
			{"{in: {list: [1, 2], strict: false}}", "3", "Value must be one of: 1, 2"},
			{"{date: {format: Y-m-d}}", "2024-1-31", "Invalid date format. Expected: Y-m-d"},
		}),
	}
}

func rulesClauses() []clause {
	const people = "CREATE TABLE my_users (id INTEGER PRIMARY KEY, email TEXT UNIQUE); INSERT INTO my_users VALUES (1, 'ann@x'), (2, 'bob@x');"
	return []clause{
		broken("each rule and its message", "rules", [][3]string{
			{"required", " ", "The % field is required."},
			{"nullable|integer", "1.5", "The % field must be an integer."},
			{"string|max:3", "abcd", "The % field must not be greater than 3 characters."},
			{"string|min:3", "äö", "The % field must be at least 3 characters."},
			{"string|between:3,4", "ab", "The % field must be between 3 and 4 characters."},
			{"numeric", "x", "The % field must be a number."},
			{"numeric|min:1", "0.5", "The % field must be at least 1."},
			{"numeric|max:1", "2", "The % field must not be greater than 1."},
			{"numeric|between:1,5", "5.01", "The % field must be between 1 and 5."},
			{"decimal:2", "1.5", "The % field must have 2 decimal places."},
			{"boolean", "yes", "The % field must be true or false."},
			{"email", "a@b@c", "The % field must be a valid email address."},
			{"url", "x", "The % field must be a valid URL."},
			{"ip", "1.2.3.256", "The % field must be a valid IP address."},
			{"uuid", "550e8400", "The % field must be a valid UUID."},
			{"date", "2024-02-30", "The % field must be a valid date."},
			{"date_format:d.m.Y", "31.1.2024", "The % field must match the format d.m.Y."},
			{"after:2024-01-31", "2024-01-31", "The % field must be a date after 2024-01-31."},
			{"before:2024-01-31", "2024-01-31", "The % field must be a date before 2024-01-31."},
			{"size:2", "abc", "The % field must be 2 characters."},
			{"digits:4", "12.4", "The % field must be 4 digits."},
			{"digits_between:2,4", "1", "The % field must be between 2 and 4 digits."},
			{"in:S,M", "s", "The selected % is invalid."},
			{"not_in:a", "a", "The selected % is invalid."},
			{"regex:/^[A-Z]+$/i", "1a", "The % field format is invalid."},
			{"alpha", "a1", "The % field must only contain letters."},
			{"alpha_num", "a-1", "The % field must only contain letters and numbers."},
			{"alpha_dash", "a b", "The % field must only contain letters, numbers, dashes, and underscores."},
			{"starts_with:DE,AT", "CH", "The % field must start with one of the following: DE, AT."},
			{"ends_with:.png", "a.jpg", "The % field must end with one of the following: .png."},
			{"same:c00", "x", "The % field must match c00."},
			{"different:c05", "x", "The % field and c05 must be different."},
			{"required_if:c05,x", "", "The % field is required when c05 is x."},
			{"required_with:c05", "", "The % field is required when c05 is present."},
			{"required_without:c00", "", "The % field is required when c00 is not present."},
			{"gt:5", "5.0", "The % field must be greater than 5."},
			{"gte:5", "4", "The % field must be greater than or equal to 5."},
			{"numeric|lt:5", "5", "The % field must be less than 5."},
			{"numeric|lte:5", "6", "The % field must be less than or equal to 5."},
			{"json", "x", "The % field must be a valid JSON string."},
		}),
		{
			name: "exists and unique", tables: people + "CREATE TABLE my_x (n INTEGER, email TEXT);",
			importer: "rules: {boss: 'exists:my_users,email', email: 'unique:my_users', mail: 'unique:my_users,email,1'}\nfields: [{from: n, to: n}, {from: email, to: email}]\n",
			file:     "n,boss,email,mail\n1,ann@x,new@x,ann@x\n2,none@x,new@x,\n3,,bob@x,\n4,,,bob@x\n5,,ANN@x,\n", show: "SELECT * FROM my_x",
			want: `
completed_with_errors: 2 created, 3 failed
2@3 The selected boss is invalid.
3@4 The email has already been taken.
4@5 The mail has already been taken.
1 × boss: The selected boss is invalid.
1 × email: The email has already been taken.
1 × mail: The mail has already been taken.
1|new@x
5|ANN@x
`,
		},
		{
			name: "exists and unique see what the rows before have written", tables: "CREATE TABLE my_x (sku TEXT UNIQUE, parent TEXT, mail TEXT);",
			importer: "key: [sku]\nrules: {parent: 'exists:my_x,sku', mail: 'unique:my_x,mail'}\nfields: [{from: sku, to: sku}, {from: parent, to: parent}, {from: mail, to: mail}]\n",
			file:     "sku,parent,mail\na,,a@x\nb,a,b@x\nc,d,c@x\nd,,a@x\ne,,c@x\n", show: "SELECT * FROM my_x",
			want: `
completed_with_errors: 3 created, 2 failed
3@4 The selected parent is invalid.
4@5 The mail has already been taken.
1 × mail: The mail has already been taken.
1 × parent: The selected parent is invalid.
a|\N|a@x
b|a|b@x
e|\N|c@x
`,
		},
		{
			name:     "fields in file order, rules left to right, a failed required and bail end the field, a failed type silences sizes",
			tables:   "CREATE TABLE my_x (b TEXT, a TEXT, c TEXT);",
			importer: "rules: {a: 'min:3|alpha', b: 'required|numeric|min:5', c: 'bail|min:3|alpha'}\nfields: [{from: b, to: b}, {from: a, to: a}, {from: c, to: c}]\n",
			file:     "b,a,c\n,1,1\nx,12,\n4,,ab\n",
			want: `
completed_with_errors: 3 failed
1@2 The a field must be at least 3 characters. (and 3 more errors)
2@3 The a field must be at least 3 characters. (and 2 more errors)
3@4 The b field must be at least 5. (and 1 more error)
2 × a: The a field must be at least 3 characters.
2 × a: The a field must only contain letters.
2 × c: The c field must be at least 3 characters.
1 × b: The b field is required.
1 × b: The b field must be a number.
1 × b: The b field must be at least 5.
`,
		},
		{
			name: "the first message, plus how many more", tables: "CREATE TABLE my_x (a TEXT, b TEXT);",
			importer: "rules: {a: 'min:3|alpha', b: required}\nfields: [{from: a, to: a}, {from: b, to: b}]\n", file: "a,b\n12,x\n12,\n",
			want: `
completed_with_errors: 2 failed
1@2 The a field must be at least 3 characters. (and 1 more error)
2@3 The a field must be at least 3 characters. (and 2 more errors)
2 × a: The a field must be at least 3 characters.
2 × a: The a field must only contain letters.
1 × b: The b field is required.
`,
		},
		{
			name: "rules outside the required family skip absent and blank values", tables: "CREATE TABLE my_x (a TEXT);",
			importer: "rules: {a: 'integer|min:3|in:7', b: integer}\nfields: [{from: a, to: a}]\n", file: "a\n \n7\n", show: "SELECT * FROM my_x", want: "completed: 1 created\n7\n",
		},
		{
			name: "a column's name in words", tables: "CREATE TABLE my_x (a TEXT, b TEXT, c TEXT, d TEXT, e TEXT);",
			importer: "rules: {user_email: required, Full Name: required, E-Mail: required, usageType: required, SKU: required}\n" +
				"fields: [{from: user_email, to: a}, {from: Full Name, to: b}, {from: E-Mail, to: c}, {from: usageType, to: d}, {from: SKU, to: e}]\n",
			file: "user_email,Full Name,E-Mail,usageType,SKU\n\"\", , , , \n",
			want: `
completed_with_errors: 1 failed
1@2 The user email field is required. (and 4 more errors)
1 × E-Mail: The e-mail field is required.
1 × Full Name: The full name field is required.
1 × SKU: The sku field is required.
1 × usageType: The usage type field is required.
1 × user_email: The user email field is required.
`,
		},
		{
			name: "a look-around in a pattern is an error of check", tables: "CREATE TABLE my_x (a TEXT);",
			importer: "rules: {a: 'regex:/(?=x)/'}\nfields: [{from: a, to: a}]\n", file: "a\n1\n",
			want: "refused: my.yaml:4:13: the rule 'regex' has a pattern with look-around, which is not supported\n",
		},
		{
			name: "messages and attributes: own words", tables: "CREATE TABLE my_x (a INTEGER, b INTEGER);",
			importer: "messages: {required: 'Please fill in :attribute.', b.min: 'At least :min.', integer: ':Attribute is no number.'}\nattributes: {a: the stock}\n" +
				"rules: {a: required, b: 'numeric|min:3'}\nfields: [{from: a, to: a}, {from: b, to: b}]\n",
			file: "a,b\n,2\nx,3\n", want: `
completed_with_errors: 2 failed
1@2 Please fill in the stock. (and 1 more error)
2@3 The stock is no number.
1 × a: Please fill in the stock.
1 × a: The stock is no number.
1 × b: At least 3.
`,
		},
		{
			name: "an unknown rule is refused with a suggestion", tables: "CREATE TABLE my_x (a TEXT);",
			importer: "rules: {a: 'requird'}\nfields: [{from: a, to: a}]\n", file: "a\n1\n",
			want: "refused: my.yaml:4:13: there is no rule 'requird' (did you mean 'required'?)\n",
		},
	}
}
