package integration

func duplicatesClauses() []clause {
	const (
		table  = "CREATE TABLE my_x (store_id TEXT, sku TEXT, v TEXT, other TEXT DEFAULT 'own', UNIQUE (store_id, sku)); INSERT INTO my_x VALUES ('1', 'a', 'old', 'kept');"
		file   = "store_id,sku,v\n1,a,x\n2,b,y\n2,b,z\n2,b,z\n,a,n\n,a,n\n"
		fields = "fields: [{from: store_id, to: store_id}, {from: sku, to: sku}, {from: v, to: v}]\n"
		nulls  = "\\N|a|n|own\n\\N|a|n|own\n"
	)
	strategy := func(name, strategy, want string) clause {
		return clause{
			name: name, tables: table, file: file, show: "SELECT * FROM my_x", want: want,
			importer: "key: [store_id, sku]\n" + strategy + fields,
		}
	}
	return []clause{
		strategy("skip is the default and keeps the record", "", "completed: 3 created, 3 skipped\n1|a|old|kept\n2|b|y|own\n"+nulls),
		strategy("update overwrites mapped columns", "on_duplicate: update\n", "completed: 3 created, 2 updated, 1 unchanged\n1|a|x|kept\n2|b|z|own\n"+nulls),
		strategy("upsert has the same effect", "on_duplicate: upsert\n", "completed: 3 created, 2 updated, 1 unchanged\n1|a|x|kept\n2|b|z|own\n"+nulls),
		strategy("fail: composite key, source names", "on_duplicate: fail\n", `completed_with_errors: 3 created, 3 failed
1@2 Duplicate entry found for key 'store_id, sku'.
3@4 Duplicate entry found for key 'store_id, sku'.
4@5 Duplicate entry found for key 'store_id, sku'.
1|a|old|kept
2|b|y|own
`+nulls),
		{
			name: "fail: one key", tables: "CREATE TABLE my_x (mail TEXT UNIQUE);", importer: "key: [E-Mail]\non_duplicate: fail\nfields: [{from: E-Mail, to: mail}]\n",
			file: "E-Mail\na\na\n", show: "SELECT * FROM my_x",
			want: "completed_with_errors: 1 created, 1 failed\n2@3 Duplicate entry found for key 'E-Mail'.\na\n",
		},
		{
			name: "update_if_newer: later, same, earlier, NULL column, missing, unreadable, new",
			tables: `CREATE TABLE my_x (id INTEGER PRIMARY KEY, v TEXT, updated_at TIMESTAMP);
				INSERT INTO my_x VALUES (1, 'old', '2024-01-02 12:00:00'), (2, 'old', '2024-01-02 12:00:00'), (3, 'old', '2024-01-02 12:00:00'),
				(4, 'old', NULL), (5, 'old', '2024-01-02 12:00:00'), (6, 'old', '2024-01-02 12:00:00');`,
			importer: `
key: [id]
on_duplicate: update_if_newer
compare: {source: modified, column: updated_at}
fields: [{from: id, to: id}, {from: v, to: v}, {from: modified, to: updated_at}]
`,
			file: `id,v,modified
1,new,2024-01-02T12:00:01Z
2,new,2024-01-02 12:00
3,new,2024-01-02T13:00:00+02:00
4,new,2024-01-01T00:00
5,new,
6,new,yesterday
7,new,2024-01-01 00:00
`,
			show: "SELECT id, v FROM my_x",
			want: `
completed_with_errors: 1 created, 2 updated, 2 skipped, 2 failed
5@6 The modified field is required.
6@7 The modified field must be a valid date.
1 × modified: The modified field is required.
1 × modified: The modified field must be a valid date.
1|new
2|old
3|old
4|new
5|old
6|old
7|new
`,
		},
		{
			name: "without a key every row is inserted", tables: "CREATE TABLE my_x (a TEXT);", importer: "fields: [{from: a, to: a}]\n", file: "a\n1\n1\n",
			show: "SELECT * FROM my_x", want: "completed: 2 created\n1\n1\n",
		},
		{
			name: "in-file duplicates follow the same strategy in file order", tables: "CREATE TABLE my_x (a TEXT UNIQUE, b INTEGER);",
			importer: "key: [a]\non_duplicate: update\nfields: [{from: a, to: a}, {from: b, to: b}]\n", file: "a,b\n1,1\n2,1\n1,2\n1,x\n2,1\n1,3\n",
			show: "SELECT * FROM my_x",
			want: `
completed_with_errors: 2 created, 2 updated, 1 unchanged, 1 failed
4@5 The b field must be an integer.
1 × b: The b field must be an integer.
1|3
2|1
`,
		},
		{
			name: "a key with a NULL matches nothing", tables: "CREATE TABLE my_x (a TEXT UNIQUE, b TEXT); INSERT INTO my_x VALUES (NULL, 'old');",
			importer: "key: [a]\non_duplicate: update\nfields: [{from: a, to: a}, {from: b, to: b}]\n", file: "a,b\n,1\n,2\n", show: "SELECT * FROM my_x",
			want: "completed: 2 created\n\\N|1\n\\N|2\n\\N|old\n",
		},
		{
			name:     "unchanged: every mapped value, converted, equals the stored one as that type",
			tables:   "CREATE TABLE my_x (a INTEGER PRIMARY KEY, d DECIMAL(10,2), b BOOLEAN, t TIMESTAMP, s TEXT); INSERT INTO my_x VALUES (1, 1.5, TRUE, '2024-01-02 03:04:05', 'x'), (2, 1.5, TRUE, '2024-01-02 03:04:05', NULL);",
			importer: "key: [a]\non_duplicate: update\nfields: [{from: a, to: a}, {from: d, to: d}, {from: b, to: b}, {from: t, to: t}, {from: s, to: s}]\n",
			file:     "a,d,b,t,s\n+1,1.500,yes,2024-01-02T04:04:05+01:00,x\n02,15e-1,on,2024-01-02 03:04:05,\n", show: "SELECT a, d, b, s FROM my_x",
			want: "completed: 2 unchanged\n1|1.5|1|x\n2|1.5|1|\\N\n",
		},
	}
}

func transactionsClauses() []clause {
	const table, more = "CREATE TABLE my_x (a TEXT UNIQUE, b TEXT NOT NULL);", "chunk_size: 3\nrules: {a: integer}\nfields: [{from: a, to: a}, {from: b, to: b}]\n"
	part := func(name, importer, file, want string) clause {
		return clause{name: name, tables: table, importer: importer + more, file: file, show: "SELECT * FROM my_x", want: want}
	}
	return []clause{
		part("row, the default: a bad row fails alone", "", "a,b\n1,x\ntwo,x\n3,\n4,x\n", `completed_with_errors: 2 created, 2 failed
2@3 The a field must be an integer.
3@4 The b field is required.
1 × a: The a field must be an integer.
1 × b: The b field is required.
1|x
4|x
`),
		part("chunk: one bad row fails its whole chunk, every row of it is logged", "transaction: chunk\n", "a,b\n1,x\n2,x\n3,x\n4,x\n5,\n6,x\n7,x\n",
			`completed_with_errors: 4 created, 3 failed
4@5 Rolled back: row 5 of the same chunk failed.
5@6 The b field is required.
6@7 Rolled back: row 5 of the same chunk failed.
1 × b: The b field is required.
1|x
2|x
3|x
7|x
`),
		{
			name: "chunk: one partition, so that a chunk is consecutive rows", tables: "CREATE TABLE my_x (a TEXT);", file: "a\n1\n2\n3\nfour\n5\n6\n7\n",
			importer: "transaction: chunk\npartitions: 3\nchunk_size: 3\nrules: {a: integer}\nfields: [{from: a, to: a}]\n", show: "SELECT * FROM my_x",
			want: `
completed_with_errors: 4 created, 3 failed
warning: One partition is used instead of 3: a chunk that stands or falls as a whole is made of consecutive rows.
4@5 The a field must be an integer.
5@6 Rolled back: row 4 of the same chunk failed.
6@7 Rolled back: row 4 of the same chunk failed.
1 × a: The a field must be an integer.
1
2
3
7
`,
		},
	}
}
