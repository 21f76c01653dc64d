package integration

// atomicClauses: `transaction: run` writes all rows of the file or none.
func atomicClauses() []clause {
	const (
		table  = "CREATE TABLE my_x (a TEXT UNIQUE, b TEXT NOT NULL, c TEXT CHECK (c <> 'bad')); INSERT INTO my_x VALUES ('9', 'old', 'c');"
		fields = "fields: [{from: a, to: a}, {from: b, to: b}, {from: c, to: c}]\n"
		lanes  = "transaction: run\nchunk_size: 2\npartitions: 3\n"
	)
	part := func(name, importer, file, want string) clause {
		return clause{name: name, tables: table, importer: lanes + importer + fields, file: file, show: "SELECT a, b, c FROM my_x", want: want}
	}
	return []clause{
		part("no row fails: the table is that of transaction: row", "key: [a]\non_duplicate: update\n",
			"a,b,c\n1,x,c\n2,x,c\n9,new,c\n1,y,c\n3,x,c\n1,y,c\n4,x,c\n", "completed: 4 created, 2 updated, 1 unchanged\n1|y|c\n2|x|c\n3|x|c\n4|x|c\n9|new|c\n"),
		part("one row fails in the pipeline: nothing is written", "rules: {a: integer}\n", "a,b,c\n1,x,c\n2,x,c\nthree,x,c\n4,x,c\n", `
failed: 1 failed, 3 not processed
1 row failed, and with `+"`transaction: run`"+` nothing is written.
3@4 The a field must be an integer.
1 × a: The a field must be an integer.
9|old|c
`),
		part("everything that is refused is told at once, in the order of the file", "rules: {a: integer}\n",
			"a,b,c\n1,x,c\n2,,c\nthree,x,c\n1,x,c\n9,x,c\n4,x,c\n", `
failed: 4 failed, 2 not processed
4 rows failed, and with `+"`transaction: run`"+` nothing is written.
2@3 The b field is required.
3@4 The a field must be an integer.
4@5 The a has already been taken.
5@6 The a has already been taken.
2 × a: The a has already been taken.
1 × a: The a field must be an integer.
1 × b: The b field is required.
9|old|c
`),
		part("rows that skip_when leaves out are skipped, whatever becomes of the others", "skip_when: 'row.b == nil'\nrules: {a: integer}\n",
			"a,b,c\n1,x,c\n2,,c\nthree,x,c\n4,x,c\n", `
failed: 1 skipped, 1 failed, 2 not processed
1 row failed, and with `+"`transaction: run`"+` nothing is written.
3@4 The a field must be an integer.
1 × a: The a field must be an integer.
9|old|c
`),
		{
			name: "rows with different keys that can meet keep their order without one partition", importer: lanes + "key: [id]\non_duplicate: update\nfields: [{from: id, to: id}, {from: place, to: place}]\n",
			tables: "CREATE TABLE my_x (id TEXT UNIQUE, place TEXT UNIQUE); INSERT INTO my_x VALUES ('old', '1');",
			file:   "id,place\nold,2\nnew,1\nother,3\nold,4\nlast,2\n", show: "SELECT id, place FROM my_x",
			want: "completed: 3 created, 2 updated\nlast|2\nnew|1\nold|4\nother|3\n",
		},
		{
			name: "rules that ask the database see what rows before them write", tables: "CREATE TABLE my_x (a TEXT, parent TEXT);",
			importer: lanes + "rules: {a: 'unique:my_x,a', parent: 'nullable|exists:my_x,a'}\nfields: [{from: a, to: a}, {from: parent, to: parent}]\n",
			file:     "a,parent\n1,\n2,1\n3,2\n4,3\n5,1\n", show: "SELECT a, parent FROM my_x",
			want: "completed: 5 created\n1|\\N\n2|1\n3|2\n4|3\n5|1\n",
		},
		{
			name: "relations, pivots and nested lists stand or fall with the run",
			tables: `CREATE TABLE my_cats (id SERIAL, name TEXT NOT NULL UNIQUE);
				CREATE TABLE my_x (id SERIAL, sku TEXT UNIQUE, cat_id INTEGER REFERENCES my_cats (id));
				CREATE TABLE my_parts (id SERIAL, x_id INTEGER NOT NULL REFERENCES my_x (id), code TEXT NOT NULL);`,
			importer: lanes + `key: [sku]
on_duplicate: update
fields: [{from: sku, to: sku}]
relations: [{from: cat, to: cat_id, table: my_cats, match: name, create_if_missing: true}]
nested: [{from: parts, table: my_parts, parent: x_id, fields: [{from: code, to: code}]}]
`,
			file: "sku,cat,parts\na,new,\"[{\"\"code\"\": \"\"p\"\"}]\"\nb,new,\nc,other,\"[{\"\"code\"\": \"\"q\"\"}]\"\n",
			then: []string{"sku,cat,parts\nd,third,\"[{\"\"code\"\": \"\"p\"\"}]\"\ne,new,\"[{\"\"code\"\": null}]\"\n"},
			show: "SELECT x.sku, c.name, (SELECT COUNT(*) FROM my_parts AS p WHERE p.x_id = x.id) AS parts, (SELECT COUNT(*) FROM my_cats) AS cats FROM my_x AS x JOIN my_cats AS c ON c.id = x.cat_id",
			want: `
completed: 3 created
failed: 1 failed, 1 not processed
1 row failed, and with ` + "`transaction: run`" + ` nothing is written.
2@3 The code field is required.
1 × parts.code: The code field is required.
a|new|1|2
b|new|0|2
c|other|1|2
`,
		},
		{
			name: "table_when: rows of all tables, or of none", tables: "CREATE TABLE my_x (a TEXT UNIQUE); CREATE TABLE my_y (a TEXT UNIQUE);",
			importer: lanes + "key: [a]\non_duplicate: update\ntable_when: [{when: 'row.t == \"y\"', table: my_y}]\nfields: [{from: a, to: a}]\n",
			file:     "a,t\n1,x\n1,y\n2,y\n2,x\n2,x\n", show: "SELECT 'x', a FROM my_x UNION ALL SELECT 'y', a FROM my_y",
			want: "completed: 4 created, 1 unchanged\nx|1\nx|2\ny|1\ny|2\n",
		},
		{
			name: "a file without rows", tables: "CREATE TABLE my_x (a TEXT);", importer: lanes + "fields: [{from: a, to: a}]\n", file: "a\n", then: []string{""},
			show: "SELECT a FROM my_x", want: "completed: no rows\ncompleted: no rows\nwarning: The source is empty.\n",
		},
		{
			name: "max_failed_rows stops it as any other", tables: "CREATE TABLE my_x (a TEXT);", file: "a\nx\ny\n1\n",
			importer: "transaction: run\nmax_failed_rows: 1\nrules: {a: integer}\nfields: [{from: a, to: a}]\n", show: "SELECT a FROM my_x",
			want: `
failed: 2 failed, 1 not processed
More than 1 rows failed (max_failed_rows).
1@2 The a field must be an integer.
2@3 The a field must be an integer.
2 × a: The a field must be an integer.
`,
		},
	}
}

// missingClauses: rows of the table that the file no longer has.
func missingClauses() []clause {
	const (
		table  = "CREATE TABLE my_x (a TEXT UNIQUE, b TEXT, active BOOLEAN DEFAULT TRUE); INSERT INTO my_x VALUES ('1', 'old', TRUE), ('2', 'old', TRUE), ('3', 'old', FALSE), (NULL, 'no key', TRUE);"
		fields = "transaction: run\npartitions: 2\nchunk_size: 1\nkey: [a]\nfields: [{from: a, to: a}, {from: b, to: b}]\n"
	)
	part := func(name, importer, file, want string) clause {
		return clause{name: name, tables: table, importer: importer + fields, file: file, show: "SELECT a, b, CASE WHEN active THEN 'active' ELSE 'not' END FROM my_x", want: want}
	}
	const kept = "1|old|active\n2|old|active\n3|old|not\n\\N|no key|active\n"
	return []clause{
		part("keep, the default", "missing: keep\n", "a,b\n1,x\n4,x\n", "completed: 1 created, 1 skipped\n1|old|active\n2|old|active\n3|old|not\n4|x|active\n\\N|no key|active\n"),
		part("delete; rows without a key stay", "missing: delete\n", "a,b\n1,x\n4,x\n,x\n",
			"completed: 2 created, 1 skipped\nwarning: 2 rows that the file no longer has were deleted.\n1|old|active\n4|x|active\n\\N|no key|active\n\\N|x|active\n"),
		part("set: only what differs is counted", "missing: {set: {active: false}}\n", "a,b\n1,x\n4,x\n",
			"completed: 1 created, 1 skipped\nwarning: 1 row that the file no longer has was set.\n1|old|active\n2|old|not\n3|old|not\n4|x|active\n\\N|no key|active\n"),
		part("set a mapped column and NULL", "missing: {set: {b: gone, active: null}}\non_duplicate: update\n", "a,b\n1,x\n2,y\n",
			"completed: 2 updated\nwarning: 1 row that the file no longer has was set.\n1|x|active\n2|y|active\n3|gone|not\n\\N|no key|active\n"),
		part("a row that skip_when leaves out is not in the file", "missing: delete\nskip_when: 'row.b == \"out\"'\n", "a,b\n1,x\n2,out\n",
			"completed: 2 skipped\nwarning: 2 rows that the file no longer has were deleted.\n1|old|active\n\\N|no key|active\n"),
		part("a row fails: nothing is missing", "missing: delete\nrules: {a: integer}\n", "a,b\n1,x\nx,y\n", `
failed: 1 failed, 1 not processed
1 row failed, and with `+"`transaction: run`"+` nothing is written.
2@3 The a field must be an integer.
1 × a: The a field must be an integer.
`+kept),
		part("a file without rows takes nothing", "missing: delete\n", "a,b\n",
			"failed: no rows\nThe file has no row with a key, and `missing` would take every row of the table for gone: nothing was changed.\n"+kept),
		part("an empty file takes nothing", "missing: delete\n", "",
			"failed: no rows\nThe file has no row with a key, and `missing` would take every row of the table for gone: nothing was changed.\n"+kept),
		part("a file whose rows are all skipped takes nothing", "missing: {set: {active: false}}\nskip_when: 'true'\n", "a,b\n1,x\n",
			"failed: 1 skipped\nThe file has no row with a key, and `missing` would take every row of the table for gone: nothing was changed.\n"+kept),
		part("a value that is none of its column fails the run when it begins", "missing: {set: {active: perhaps}}\n", "a,b\n1,x\n",
			"failed: no rows\nThe value of the column 'active' (missing) must be true or false.\n"+kept),
		part("a column that the table lacks, too", "missing: {set: {b: gone, gone: true}}\n", "a,b\n1,x\n",
			"failed: no rows\nThe table 'my_x' has no column 'gone' (missing)\n"+kept),
		{
			name: "needs key and transaction: run, and is for one table", tables: "CREATE TABLE my_x (a TEXT);", file: "a\n1\n",
			importer: "missing: delete\ntable_when: [{when: 'true', table: my_x}]\nfields: [{from: a, to: a}]\n",
			want: "refused: my.yaml:4:10: missing needs `transaction: run` (rows are missing only when the whole file is there)\n" +
				"my.yaml:4:10: missing needs a key: it tells which rows of the table the file has (add `key:` with the columns that identify a row)\n" +
				"my.yaml:4:10: missing is for one table, and table_when has several\n",
		},
		{
			name: "a composite key of a field and a relation", file: "cat,n,v\nA,1,x\nB,1,y\nB,3,z\n",
			tables: `CREATE TABLE my_cats (id INTEGER PRIMARY KEY, name TEXT UNIQUE); INSERT INTO my_cats VALUES (1, 'A'), (2, 'B');
				CREATE TABLE my_x (cat_id INTEGER, n INTEGER, v TEXT, UNIQUE (cat_id, n)); INSERT INTO my_x VALUES (1, 1, 'old'), (1, 2, 'gone'), (2, 1, 'old'), (2, NULL, 'kept'), (7, 1, 'gone');`,
			importer: "transaction: run\nmissing: delete\nkey: [cat, n]\non_duplicate: update\nfields: [{from: n, to: n}, {from: v, to: v}]\nrelations: [{from: cat, to: cat_id, table: my_cats, match: name}]\n",
			show:     "SELECT cat_id, n, v FROM my_x",
			want:     "completed: 1 created, 2 updated\nwarning: 2 rows that the file no longer has were deleted.\n1|1|x\n2|1|y\n2|3|z\n2|\\N|kept\n",
		},
		{
			name: "numbers, dates and decimals are compared as the database compares them", file: "n,d,p\n01,2026-01-01,1.50\n2,2026-01-02,2\n",
			tables:   "CREATE TABLE my_x (n INTEGER, d DATE, p NUMERIC(10,2), v TEXT, UNIQUE (n, d, p)); INSERT INTO my_x VALUES (1, '2026-01-01', 1.5, 'kept'), (2, '2026-01-02', 2, 'kept'), (2, '2026-01-02', 3, 'gone');",
			importer: "transaction: run\nmissing: delete\nkey: [n, d, p]\nfields: [{from: n, to: n}, {from: d, to: d}, {from: p, to: p}]\n", show: "SELECT n, v FROM my_x",
			want: "completed: 2 skipped\nwarning: 1 row that the file no longer has was deleted.\n1|kept\n2|kept\n",
		},
		{
			name: "timestamps: what is set is changed now", file: "a\n1\n",
			tables:   "CREATE TABLE my_x (a TEXT UNIQUE, active INTEGER, created_at TIMESTAMP, updated_at TIMESTAMP); INSERT INTO my_x VALUES ('1', 1, '2001-01-01 00:00:00', '2001-01-01 00:00:00'), ('2', 1, '2001-01-01 00:00:00', '2001-01-01 00:00:00'), ('3', 0, '2001-01-01 00:00:00', '2001-01-01 00:00:00');",
			importer: "destination: {table: my_x, timestamps: true}\ntransaction: run\nmissing: {set: {active: 0}}\nkey: [a]\nfields: [{from: a, to: a}]\n",
			show:     "SELECT a, active, CASE WHEN created_at < '2002-01-01' THEN 'old' ELSE 'now' END AS created, CASE WHEN updated_at < '2002-01-01' THEN 'old' ELSE 'now' END AS updated FROM my_x",
			want:     "completed: 1 skipped\nwarning: 1 row that the file no longer has was set.\n1|1|old|old\n2|0|old|now\n3|0|old|old\n",
		},
	}
}
