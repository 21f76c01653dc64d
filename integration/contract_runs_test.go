package integration

func runsClauses() []clause {
	const table = "CREATE TABLE my_x (a TEXT UNIQUE, b TEXT);"
	const fields = "key: [a]\non_duplicate: update\nfields: [{from: a, to: a}, {from: b, to: b}]\n"
	twice := func(name, importer, second, want string) clause {
		return clause{
			name: name, tables: table, importer: importer + fields, file: "a,b\n1,x\n", then: []string{second}, show: "SELECT * FROM my_x", want: want,
		}
	}
	return []clause{
		twice("if_unchanged: import, the default", "", "a,b\n1,x\n", "completed: 1 created\ncompleted: 1 unchanged\n1|x\n"),
		twice("if_unchanged: skip: the same source as that of the last import", "if_unchanged: skip\n", "a,b\n1,x\n",
			"completed: 1 created\ncompleted: no rows\nwarning: The source is unchanged since run #N: nothing was imported (if_unchanged: skip).\n1|x\n"),
		twice("if_unchanged: skip: another source", "if_unchanged: skip\n", "a,b\n1,y\n", "completed: 1 created\ncompleted: 1 updated\n1|y\n"),
		twice("overlap: refuse: a run that is over is not in the way", "overlap: refuse\n", "a,b\n1,y\n", "completed: 1 created\ncompleted: 1 updated\n1|y\n"),
		twice("overlap: wait: a run that is over is not in the way", "overlap: wait\n", "a,b\n1,y\n", "completed: 1 created\ncompleted: 1 updated\n1|y\n"),
		{
			name: "a definition is read at every start of a run, never cached", tables: table, importer: fields,
			later: "key: [a]\non_duplicate: update\nfields: [{from: a, to: a}, {from: b, to: b, transform: upper}]\n",
			file:  "a,b\n1,x\n", then: []string{"a,b\n1,x\n2,x\n"}, show: "SELECT * FROM my_x",
			want: "completed: 1 created\ncompleted: 1 created, 1 updated\n1|X\n2|X\n",
		},
		{
			name: "timezone: a time without a zone is in the importer's", tables: "CREATE TABLE my_x (n INTEGER PRIMARY KEY, t TIMESTAMP, d DATE);",
			importer: "timezone: Europe/Berlin\nrules: {t: 'after:2026-01-01'}\nfields: [{from: n, to: n}, {from: t, to: t}, {from: d, to: d}]\n",
			file: `n,t,d
1,2026-07-31 12:00,2026-07-31
2,2026-07-31T12:00:00Z,
3,2026-03-29 02:30,
4,2026-10-25 02:30,
5,2025-12-31 23:30Z,
6,2025-12-31 22:30Z,
`,
			show: "SELECT * FROM my_x",
			want: `
completed_with_errors: 4 created, 2 failed
3@4 The t field must be a date after 2026-01-01.
6@7 The t field must be a date after 2026-01-01.
2 × t: The t field must be a date after 2026-01-01.
1|2026-07-31 10:00:00|2026-07-31
2|2026-07-31 12:00:00|\N
4|2026-10-25 00:30:00|\N
5|2025-12-31 23:30:00|\N
`,
		},
		{
			name: "timezone: one that does not exist is refused", tables: table, importer: "timezone: Europe/Bärlin\n" + fields, file: "a,b\n",
			want: "refused: my.yaml:4:11: there is no timezone \"Europe/Bärlin\" (a name of the IANA database like Europe/Berlin, or UTC)\n",
		},
		{
			name: "params: what a run may be given, a default", tables: table, importer: "params: {month: {default: '01'}}\nfields: [{from: a, to: a}, {to: b, expr: params.month}]\n",
			file: "a\n1\n", show: "SELECT * FROM my_x", want: "completed: 1 created\n1|01\n",
		},
		{
			name: "max_failed_rows: more of them fail the run", tables: table, importer: "max_failed_rows: 1\npartitions: 1\nchunk_size: 2\nrules: {a: integer}\n" + fields,
			file: "a,b\nx,1\ny,1\n", show: "SELECT * FROM my_x",
			want: `
failed: 2 failed
More than 1 rows failed (max_failed_rows).
1@2 The a field must be an integer.
2@3 The a field must be an integer.
2 × a: The a field must be an integer.
`,
		},
		{
			name: "max_failed_ratio: a greater share of them fails the run at its end", tables: table, importer: "max_failed_ratio: 0.4\nrules: {a: integer}\n" + fields,
			file: "a,b\n1,1\ny,1\n", show: "SELECT * FROM my_x",
			want: `
failed: 1 created, 1 failed
More than 0.4 of the rows failed (max_failed_ratio).
2@3 The a field must be an integer.
1 × a: The a field must be an integer.
1|1
`,
		},
		{
			name: "chunk_size and partitions do not change the result", tables: "CREATE TABLE my_x (a TEXT UNIQUE, b TEXT);",
			importer: "chunk_size: 1\npartitions: 4\n" + fields, file: "a,b\n1,x\n2,x\n3,x\n1,y\n2,y\n1,z\n4,x\n", show: "SELECT * FROM my_x",
			want: "completed: 4 created, 3 updated\n1|z\n2|y\n3|x\n4|x\n",
		},
		{
			name: "max_parallel and max_rows_per_second do not change the result", tables: "CREATE TABLE my_x (a TEXT UNIQUE, b TEXT);",
			importer: "chunk_size: 1\nmax_parallel: 2\nmax_rows_per_second: 1000\n" + fields, file: "a,b\n1,x\n2,x\n1,y\n2,y\n1,z\n4,x\n", show: "SELECT * FROM my_x",
			want: "completed: 3 created, 3 updated\n1|z\n2|y\n4|x\n",
		},
		{
			name: "unique_index: false: a key without one, all rows with it are written", tables: "CREATE TABLE my_x (a TEXT, b TEXT); INSERT INTO my_x VALUES ('1', 'o'), ('1', 'p');",
			importer: "chunk_size: 2\ndestination: {table: my_x, unique_index: false}\n" + fields, file: "a,b\n1,x\n2,x\n2,y\n1,x\n", show: "SELECT * FROM my_x",
			want: "completed: 1 created, 2 updated, 1 unchanged\n1|x\n1|x\n2|y\n",
		},
	}
}
