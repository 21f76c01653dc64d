package integration

import "strings"

func valuesClauses() []clause {
	const column = "CREATE TABLE my_x (n INTEGER PRIMARY KEY, v "
	// value is a clause about cells of a column of a type.
	value := func(name, kind, cells, want string, more ...string) clause {
		var file strings.Builder
		file.WriteString("n,v\n")
		for i, cell := range strings.Split(cells, "·") {
			file.WriteString(string(rune('1'+i)) + ",\"" + strings.ReplaceAll(cell, `"`, `""`) + "\"\n")
		}
		return clause{
			name: name, tables: column + kind + ");", file: file.String(), show: "SELECT n, v FROM my_x", want: want,
			importer: strings.Join(more, "") + "fields: [{from: n, to: n}, {from: v, to: v}]\n",
		}
	}
	return []clause{
		value("a cell is text exactly as in the file", "TEXT", " x ·02·NA·1.10", "completed: 4 created\n1| x \n2|02\n3|NA\n4|1.1\n"),
		value("an empty cell, quoted or not, is NULL", "TEXT", "·x", "completed: 2 created\n1|\\N\n2|x\n"),
		{
			name: "an absent column is left out, a NULL is written as NULL", tables: column + "TEXT DEFAULT 'd', w TEXT DEFAULT 'd');",
			importer: "fields: [{from: n, to: n}, {from: v, to: v}, {from: w, to: w}]\n", file: "n,v\n1,\n", show: "SELECT * FROM my_x",
			want: "completed: 1 created\n1|\\N|d\n",
		},
		value("integers: [+-]?digits in the column's range", "SMALLINT", "+8· -9 ·32767·32768·7.0·1e3·1 000· ", `completed_with_errors: 3 created, 5 failed
4@5 The v field must not be greater than 32767.
5@6 The v field must be an integer.
6@7 The v field must be an integer.
7@8 The v field must be an integer.
8@9 The v field must be an integer.
4 × v: The v field must be an integer.
1 × v: The v field must not be greater than 32767.
1|8
2|-9
3|32767
`),
		value("decimals: exponent, rounded half away from zero, never through a float", "DECIMAL(20,2)", "1.005·-1.005·2.5e1· .5 ·1234567890123.125·1,000.00·x", `completed_with_errors: 5 created, 2 failed
6@7 The v field must be a number.
7@8 The v field must be a number.
2 × v: The v field must be a number.
1|1.01
2|-1.01
3|25
4|0.5
5|1234567890123.13
`),
		value("booleans: true/false, t/f, yes/no, y/n, on/off, 1/0 in any case", "BOOLEAN", "TRUE·f· Yes ·N·on·0·2", `completed_with_errors: 6 created, 1 failed
7@8 The v field must be true or false.
1 × v: The v field must be true or false.
1|1
2|0
3|1
4|0
5|1
6|0
`),
		value("dates: 2006-01-02", "DATE", "2024-02-29· 2024-01-02 ·2023-02-29·02/01/2024·2024-1-2", `completed_with_errors: 2 created, 3 failed
3@4 The v field must be a valid date.
4@5 The v field must be a valid date.
5@6 The v field must be a valid date.
3 × v: The v field must be a valid date.
1|2024-02-29
2|2024-01-02
`),
		value("times: RFC 3339 with T or blank, seconds and zone optional, UTC without one", "TIMESTAMP",
			"2024-01-02T03:04:05Z·2024-01-02 03:04·2024-01-02T03:04:05+02:00·2024-01-02 24:00·yesterday", `completed_with_errors: 3 created, 2 failed
4@5 The v field must be a valid date.
5@6 The v field must be a valid date.
2 × v: The v field must be a valid date.
1|2024-01-02 03:04:05
2|2024-01-02 03:04:00
3|2024-01-02 01:04:05
`),
		value("text: The name field is required. (NOT NULL)", "TEXT NOT NULL", "x·", `completed_with_errors: 1 created, 1 failed
2@3 The v field is required.
1 × v: The v field is required.
1|x
`),
		value("text: must not be greater than 255 characters", "VARCHAR(255)", strings.Repeat("ä", 255)+"·"+strings.Repeat("ä", 256), `completed_with_errors: 1 created, 1 failed
2@3 The v field must not be greater than 255 characters.
1 × v: The v field must not be greater than 255 characters.
1|`+strings.Repeat("ä", 255)+"\n"),
		{
			name: "refused by the database: taken, foreign key, named constraint",
			tables: `CREATE TABLE my_categories (id INTEGER PRIMARY KEY); INSERT INTO my_categories VALUES (10);
				CREATE TABLE my_x (sku INTEGER PRIMARY KEY, email TEXT UNIQUE, category_id INTEGER REFERENCES my_categories (id),
				price NUMERIC(20,4), CONSTRAINT price_positive CHECK (price > 0));`,
			importer: "key: [SKU]\non_duplicate: update\nfields: [{from: SKU, to: sku}, {from: E-Mail, to: email}, {from: Category, to: category_id}, {from: Price, to: price}]\n",
			file:     "SKU,E-Mail,Category,Price\n1,a@x,10,1\n2,a@x,10,1\n3,c@x,11,1\n4,d@x,10,-1\n5,e@x,,2\n", show: "SELECT * FROM my_x",
			want: `
completed_with_errors: 2 created, 3 failed
2@3 The e-mail has already been taken.
3@4 The selected category is invalid.
4@5 The row violates 'price_positive'.
1 × Category: The selected category is invalid.
1 × E-Mail: The e-mail has already been taken.
1|a@x|10|1
5|e@x|\N|2
`,
		},
		value("the real column's declared type decides what a value must be", "INTEGER", "1·x", `completed_with_errors: 1 created, 1 failed
2@3 The v field must be an integer.
1 × v: The v field must be an integer.
1|1
`),
	}
}
