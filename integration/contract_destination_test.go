package integration

func destinationClauses() []clause {
	const stamped = "CREATE TABLE my_x (a INTEGER UNIQUE, b TEXT, created_at TIMESTAMP, updated_at TIMESTAMP); INSERT INTO my_x VALUES (1, 'old', '2001-01-01 00:00:00', '2001-01-01 00:00:00'), (2, 'same', '2001-01-01 00:00:00', '2001-01-01 00:00:00');"
	return []clause{
		{
			name:   "names of columns are anything but control characters, at most 63 bytes",
			tables: `CREATE TABLE my_order ("select" INTEGER, "Group By" TEXT, "a""b" INTEGER, "what? $1" INTEGER, "it's :c" TEXT, PRIMARY KEY ("select", "Group By"));`,
			importer: `
destination: {table: my_order}
key: [select, Group By]
on_duplicate: update
fields:
  - {from: select, to: select}
  - {from: Group By, to: Group By}
  - {from: 'a"b', to: 'a"b'}
  - {from: w, to: "what? $1"}
  - {from: i, to: "it's :c"}
`,
			file: "select,Group By,\"a\"\"b\",w,i\n1,x,1,2,?\n1,x,3,4,$1\n2,x,y,,\n", show: "SELECT * FROM my_order",
			want: "completed_with_errors: 1 created, 1 updated, 1 failed\n3@4 The a\"b field must be an integer.\n1 × a\"b: The a\"b field must be an integer.\n1|x|3|4|$1\n",
		},
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
			name: "create_table: true: a column per field with its type, a unique index on the key, id",
			importer: `
destination: {table: my_x, create_table: true}
key: [i]
fields:
  - {from: t, to: t}
  - {from: i, to: i, type: integer}
  - {from: b, to: b, type: bigint}
  - {from: d, to: d, type: "decimal(10,2)"}
  - {from: f, to: f, type: float}
  - {from: o, to: o, type: boolean}
  - {from: a, to: a, type: date}
  - {from: w, to: w, type: datetime}
  - {from: j, to: j, type: json}
  - {from: u, to: u, type: uuid}
`,
			file: `t,i,b,d,f,o,a,w,j,u
 x ,1,9223372036854775807,1.005,1e-3,yes,2024-01-02,2024-01-02T03:04Z,[1],A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11
x,1,,,,,,,,
x,3000000000,x,x,x,x,x,x,x,x
`,
			show: "SELECT t, i, b, d, f, o, a, w = '2024-01-02 03:04:00' AS w, j, u FROM my_x WHERE id IS NOT NULL",
			want: `
completed_with_errors: 1 created, 1 skipped, 1 failed
3@4 The i field must not be greater than 2147483647. (and 8 more errors)
1 × a: The a field must be a valid date.
1 × b: The b field must be an integer.
1 × d: The d field must be a number.
1 × f: The f field must be a number.
1 × i: The i field must not be greater than 2147483647.
1 × j: The j field must be a valid JSON string.
1 × o: The o field must be true or false.
1 × u: The u field must be a valid UUID.
1 × w: The w field must be a valid date.
 x |1|9223372036854775807|1.01|0.001|1|2024-01-02|1|[1]|a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11
`,
		},
		{
			name: "create_table: true: a field called id takes the place of the primary key", importer: "destination: {table: my_x, create_table: true}\nfields: [{from: id, to: id, type: integer}, {from: a, to: a}]\n",
			file: "id,a\n7,x\n", show: "SELECT * FROM my_x", want: "completed: 1 created\n7|x\n",
		},
		{
			name: "create_table: true: related, pivot and nested tables",
			importer: `
destination: {table: my_x, create_table: true}
key: [SKU]
on_duplicate: update
fields: [{from: SKU, to: sku}]
relations:
  - {from: Category, to: category_id, table: my_categories, match: name, create_if_missing: true}
  - {from: Tags, many: {table: my_tags, match: name, pivot: my_x_tag}, create_if_missing: true}
nested: [{from: Variants, table: my_variants, parent: x_id, key: [size], fields: [{from: size, to: size}, {from: stock, to: stock, type: integer}]}]
`,
			file: `SKU,Category,Tags,Variants
a,Clothes,"blue, red","[{""size"":""S"",""stock"":4}]"
b,Kitchen,blue,"[{""size"":""S"",""stock"":""many""}]"
c,Clothes,,
a,Clothes,red,"[{""size"":""S"",""stock"":5},{""size"":""M""}]"
`,
			show: `SELECT 'x' AS t, sku, my_categories.name AS n FROM my_x LEFT JOIN my_categories ON my_categories.id = category_id UNION ALL SELECT 'category', name, NULL FROM my_categories
				UNION ALL SELECT 'tag', sku, name FROM my_x_tag JOIN my_x ON my_x.id = my_x_id JOIN my_tags ON my_tags.id = my_tag_id
				UNION ALL SELECT 'variant', size, CAST(stock AS TEXT) FROM my_variants JOIN my_x ON my_x.id = x_id`,
			want: `
completed_with_errors: 2 created, 1 updated, 1 failed
2@3 The stock field must be an integer.
1 × Variants.stock: The stock field must be an integer.
category|Clothes|\N
tag|a|blue
tag|a|red
variant|M|\N
variant|S|5
x|a|Clothes
x|c|Clothes
`,
		},
		{
			name: "create_table: true: tables that nobody can draw from the definition",
			importer: "destination: {table: my_x, create_table: true}\nkey: [a]\nfields: [{from: a, to: a}]\n" +
				"relations: [{from: b, many: {table: my_x, match: a, pivot: my_xx}}]\n",
			file: "a,b\n1,2\n",
			want: "failed: no rows\nThe tables cannot be created: both columns of the table 'my_xx' would be called 'my_x_id': name them with 'own' and 'other'.\n",
		},
		{
			name:     "create_table: false: a missing table",
			importer: "destination: {table: my_x, create_table: false}\nfields: [{from: a, to: a}]\n", file: "a\n1\n",
			want: "failed: no rows\nThe table 'my_x' does not exist in connection 'default' (create it, or set `create_table: true` under `destination`).\n",
		},
		{
			name: "a key needs a unique index: refused with the CREATE UNIQUE INDEX that helps", tables: "CREATE TABLE my_x (a TEXT, b TEXT);",
			importer: "key: [a, b]\nfields: [{from: a, to: a}, {from: b, to: b}]\n", file: "a,b\n1,2\n",
			want: "refused: the key 'a, b' needs a unique index in the table 'my_x' (or `unique_index: false` under `destination`): CREATE UNIQUE INDEX \"my_x_a_b_key\" ON \"my_x\" (\"a\", \"b\")\n",
		},
		{
			name: "connection: one that is not configured", importer: "destination: {connection: none, table: my_x}\nfields: [{from: a, to: a}]\n", file: "a\n1\n",
			want: "refused: there is no connection 'none' (known: default)\n",
		},
	}
}

func dryClauses() []clause {
	return []clause{
		{
			name: "creates nothing", importer: "destination: {table: my_x, create_table: true}\nfields: [{from: a, to: a}]\n", file: "a\n1\n",
			show: "SELECT a FROM my_x", want: "completed: 1 created\n1\n",
		},
		{
			name: "constraint errors, duplicates inside the file, across chunks, and counts are what the real run gives",
			tables: `CREATE TABLE my_x (sku TEXT NOT NULL UNIQUE, email TEXT UNIQUE, stock INTEGER, CONSTRAINT my_check CHECK (stock < 100));
				INSERT INTO my_x VALUES ('a', 'a@x', 1), ('b', 'b@x', 2);`,
			importer: "key: [sku]\non_duplicate: update\nchunk_size: 1\nfields: [{from: sku, to: sku}, {from: email, to: email}, {from: stock, to: stock}]\n",
			file:     "sku,email,stock\na,a@x,5\nb,b@x,2\nc,c@x,3\nc,c@x,4\nd,a@x,5\ne,e@x,many\nf,f@x,100\ng,c@x,1\n,h@x,1\n", show: "SELECT * FROM my_x",
			want: `
completed_with_errors: 1 created, 2 updated, 1 unchanged, 5 failed
5@6 The email has already been taken.
6@7 The stock field must be an integer.
7@8 The row violates 'my_check'.
8@9 The email has already been taken.
9@10 The sku field is required.
2 × email: The email has already been taken.
1 × sku: The sku field is required.
1 × stock: The stock field must be an integer.
a|a@x|5
b|b@x|2
c|c@x|4
`,
		},
		{
			name:     "rows of other chunks meet in what the database generates",
			tables:   "CREATE TABLE my_x (a TEXT UNIQUE, b TEXT, made TEXT GENERATED ALWAYS AS (lower(b)) STORED UNIQUE);",
			importer: "key: [a]\non_duplicate: update\nchunk_size: 1\nfields: [{from: a, to: a}, {from: b, to: b}]\n",
			file:     "a,b\n1,x\n2,X\n1,y\n3,X\n4,Y\n", show: "SELECT a, b FROM my_x ORDER BY a", want: `
completed_with_errors: 2 created, 1 updated, 2 failed
2@3 The made has already been taken.
5@6 The made has already been taken.
1|y
3|X
`,
		},
		{
			name: "what relations create is forgotten", tables: belongs,
			importer: "chunk_size: 1\nfields: [{from: SKU, to: sku}]\nrelations: [{from: Category, to: category_id, table: my_categories, match: name, create_if_missing: true}]\n",
			file:     "SKU,Category\na,Food\nb,Food\n", show: showBelongs, want: "completed: 2 created\na|Food\nb|Food\ncategory|Food\ncategory|Tools\ncategory|Toys\n",
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
