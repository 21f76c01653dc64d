package integration

func destinationClauses() []clause {
	const stamped = "CREATE TABLE my_x (a INTEGER UNIQUE, b TEXT, created_at TIMESTAMP, updated_at TIMESTAMP); INSERT INTO my_x VALUES (1, 'old', '2001-01-01 00:00:00', '2001-01-01 00:00:00'), (2, 'same', '2001-01-01 00:00:00', '2001-01-01 00:00:00');"
	return []clause{
		{
			name: "timestamps: created_at and updated_at on insert, updated_at on a real change", tables: stamped,
			importer: "destination: {table: my_x, timestamps: true}\nkey: [a]\non_duplicate: update\nfields: [{from: a, to: a}, {from: b, to: b}]\n",
			file:     "a,b\n1,new\n2,same\n3,new\n",
			show:     "SELECT a, created_at > '2002-01-01' AS c, updated_at > '2002-01-01' AS u, created_at = updated_at AS e FROM my_x",
			want:     "completed: 1 created, 1 updated, 1 unchanged\n1|0|1|0\n2|0|0|1\n3|1|1|1\n",
		},
		{
			name: "timestamps: false, the default", tables: stamped,
			importer: "key: [a]\non_duplicate: update\nfields: [{from: a, to: a}, {from: b, to: b}]\n", file: "a,b\n1,new\n3,new\n",
			show: "SELECT * FROM my_x WHERE a <> 2", want: "completed: 1 created, 1 updated\n1|new|2001-01-01 00:00:00|2001-01-01 00:00:00\n3|new|\\N|\\N\n",
		},
		{
			name: "timestamps: a table without the columns", tables: "CREATE TABLE my_x (a TEXT);",
			importer: "destination: {table: my_x, timestamps: true}\nfields: [{from: a, to: a}]\n", file: "a\n1\n",
			want: "failed: no rows\nThe table 'my_x' has no column 'created_at' (timestamps).\n",
		},
		{
			name: "timestamps: a field that fills one of them wins", tables: stamped,
			importer: "destination: {table: my_x, timestamps: true}\nfields: [{from: a, to: a}, {from: made, to: created_at}]\n", file: "a,made\n3,2020-01-01T00:00\n",
			show: "SELECT a, created_at, updated_at > '2002-01-01' AS u FROM my_x WHERE a = 3", want: "completed: 1 created\n3|2020-01-01 00:00:00|1\n",
		},
		{
			name:     "create_table: true: a column per field with its type, a unique index on the key, id",
			importer: "destination: {table: my_x, create_table: true}\nkey: [a]\nfields: [{from: a, to: a, type: integer}, {from: b, to: b, type: \"decimal(10,2)\"}, {from: c, to: c}, {from: d, to: d, type: date}, {from: e, to: e, type: boolean}]\n",
			file:     "a,b,c,d,e\n1,1.005,x,2024-01-02,yes\n1,2,x,2024-01-02,no\nx,y,z,n,m\n", show: "SELECT a, b, c, d, e FROM my_x WHERE id IS NOT NULL",
			want: `
completed_with_errors: 1 created, 1 skipped, 1 failed
3@4 The a field must be an integer. (and 3 more errors)
1 × a: The a field must be an integer.
1 × b: The b field must be a number.
1 × d: The d field must be a valid date.
1 × e: The e field must be true or false.
1|1.01|x|2024-01-02|1
`,
		},
		{
			name:     "create_table: false: a missing table",
			importer: "destination: {table: my_x, create_table: false}\nfields: [{from: a, to: a}]\n", file: "a\n1\n",
			want: "failed: no rows\nThe table 'my_x' does not exist in connection 'default' (create it, or set `create_table: true` under `destination`).\n",
		},
		{
			name: "a key needs a unique index: refused with the CREATE UNIQUE INDEX that helps", tables: "CREATE TABLE my_x (a TEXT, b TEXT);",
			importer: "key: [a, b]\nfields: [{from: a, to: a}, {from: b, to: b}]\n", file: "a,b\n1,2\n",
			want: "refused: the key 'a, b' needs a unique index in the table 'my_x': CREATE UNIQUE INDEX \"my_x_a_b_key\" ON \"my_x\" (\"a\", \"b\")\n",
		},
		{
			name: "connection: one that is not configured", importer: "destination: {connection: none, table: my_x}\nfields: [{from: a, to: a}]\n", file: "a\n1\n",
			want: "refused: there is no connection 'none' (known: default)\n",
		},
	}
}

func orderClauses() []clause {
	return []clause{
		{
			name: "rows with different keys can meet: one partition", tables: "CREATE TABLE my_x (a TEXT UNIQUE, b TEXT); CREATE UNIQUE INDEX my_b ON my_x (b);",
			importer: "key: [a]\npartitions: 4\nfields: [{from: a, to: a}, {from: b, to: b}]\n", file: "a,b\n1,x\n2,x\n3,y\n", show: "SELECT * FROM my_x",
			want: `
completed_with_errors: 2 created, 1 failed
warning: One partition is used instead of 4: rows with different keys can meet in the unique index my_b.
2@3 The b has already been taken.
1 × b: The b has already been taken.
1|x
3|y
`,
		},
		{
			name: "independent_rows: true: several partitions all the same", tables: "CREATE TABLE my_x (a TEXT UNIQUE, b TEXT); CREATE UNIQUE INDEX my_b ON my_x (b);",
			importer: "key: [a]\npartitions: 4\nindependent_rows: true\nfields: [{from: a, to: a}, {from: b, to: b}]\n", file: "a,b\n1,x\n2,z\n3,y\n", show: "SELECT * FROM my_x",
			want: `
completed: 3 created
warning: Rows may take effect in another order than the file's (independent_rows): rows with different keys can meet in the unique index my_b.
1|x
2|z
3|y
`,
		},
	}
}
