package integration

// wideFields map one column per way in which a field is written.
const wideFields = `
key: [SKU]
on_duplicate: update
fields:
  - {from: SKU, to: sku}
  - {from: [E-Mail, Email Address], to: email, transform: [trim, lower]}
  - {from: price_cents, to: price, type: "decimal(10,2)", transform: [{expr: "value / 100"}]}
  - {from: status, to: order_status, when: 'row.type == "order"'}
  - {from: user.address.city, to: city}
  - {to: batch, const: "2026-01"}
  - {to: label, expr: 'upper(row.SKU) + "!"'}
`

// productFields is a mapping that several clauses use.
const productFields = `
mapping: product_fields
fields: [{from: sku, to: sku}, {from: name, to: name, transform: trim}]
rules: {sku: required}
`

func headersClauses() []clause {
	const (
		strict  = "strict_headers: true\n"
		missing = " Strict header validation is enabled.\n"
		keyed   = "CREATE TABLE my_x (a TEXT UNIQUE, b TEXT);"
	)
	pair := func(name, importer, file, want string) clause {
		return clause{name: name, tables: keyed, importer: importer, file: file, show: "SELECT * FROM my_x", want: want}
	}
	return []clause{
		pair("matched exactly, then trimmed", "fields: [{from: a, to: a}, {from: ' b', to: b}]\n", "b,\" a\", b\nx,1,2\n",
			"completed: 1 created\nwarning: Columns ignored because no field maps them: 'b'.\n1|2\n"),
		pair("the first alias present wins", "fields: [{from: [x, y, z], to: a}, {from: b, to: b}]\n", "z,y,b\n1,2,3\n",
			"completed: 1 created\nwarning: Columns ignored because no field maps them: 'z'.\n2|3\n"),
		pair("one source column may feed several fields", "fields: [{from: a, to: a}, {from: a, to: b, transform: upper}]\n", "a\nx\n", "completed: 1 created\nx|X\n"),
		pair("headers with dots or only digits can be mapped", "fields: [{from: a.b, to: a}, {from: '2', to: b}]\n", "a.b,2\nx,y\n", "completed: 1 created\nx|y\n"),
		pair("the key column or an alias must be there", "key: [a]\nfields: [{from: [a, aa], to: a}, {from: b, to: b}]\n", "b\n1\n",
			"failed: no rows\nThe key column 'a' or one of its aliases was not found in the source file headers.\n"),
		pair("the key column may be there under an alias", "key: [a]\nfields: [{from: [a, aa], to: a}, {from: b, to: b}]\n", "aa,b\n1,2\n1,3\n",
			"completed: 1 created, 1 skipped\n1|2\n"),
		pair("strict_headers: none of the aliases of a field", strict+"fields: [{from: a, to: a}, {from: [b, bb], to: b}]\n", "a\n1\n",
			"failed: no rows\nNone of the required columns ['b', 'bb'] were found in the source file headers."+missing),
		pair("strict_headers: a single column", strict+"fields: [{from: a, to: a}, {from: b, to: b}]\nrules: {c: required}\n", "a,b\n1,2\n",
			"failed: no rows\nThe column 'c' was not found in the source file headers."+missing),
		pair("strict_headers: all columns are there", strict+"fields: [{from: a, to: a}, {from: [b, bb], to: b}]\n", "a,bb\n1,2\n", "completed: 1 created\n1|2\n"),
		{
			name: "a mapping whose column is absent is left out", tables: "CREATE TABLE my_x (a TEXT UNIQUE, b TEXT DEFAULT 'default');" +
				"INSERT INTO my_x VALUES ('1', 'kept');",
			importer: "key: [a]\non_duplicate: update\nfields: [{from: a, to: a}, {from: b, to: b}]\n", file: "a\n1\n2\n",
			show: "SELECT * FROM my_x", want: "completed: 1 created, 1 unchanged\n1|kept\n2|default\n",
		},
	}
}

func fieldsClauses() []clause {
	const table = `CREATE TABLE my_x (sku TEXT UNIQUE, email TEXT, price DECIMAL(10,2), order_status TEXT DEFAULT 'none', city TEXT DEFAULT '-',
		batch TEXT, label TEXT);`
	return []clause{
		{
			name: "aliases, transforms, expr, when, dotted path, const", tables: table, importer: wideFields, show: "SELECT * FROM my_x",
			file: `SKU,Email Address,price_cents,status,type,user
a, Ann@Example.com ,1999,open,order,"{""address"":{""city"":""Bonn""}}"
b,,5,open,refund,"{""address"":{""city"":null}}"
c,C@x,,,order,text
d,D@x,many,,order,
`,
			want: `
completed_with_errors: 3 created, 1 failed
4@5 The price cents field could not be computed: value is not a number.
1 × price_cents: The price cents field could not be computed: value is not a number.
a|ann@example.com|19.99|open|Bonn|2026-01|A!
b|\N|0.05|none|\N|2026-01|B!
c|c@x|\N|\N|-|2026-01|C!
`,
		},
		{
			name: "unmapped: ignore", tables: "CREATE TABLE my_x (a TEXT, b TEXT);", importer: "fields: [{from: a, to: a}]\n", file: "a,b,c\n1,2,3\n",
			show: "SELECT * FROM my_x",
			want: "completed: 1 created\nwarning: Columns ignored because no field maps them: 'b', 'c'.\n1|\\N\n",
		},
		{
			name: "unmapped: pass", tables: "CREATE TABLE my_x (a TEXT, b TEXT, _c TEXT);", importer: "unmapped: pass\nfields: [{from: a, to: a}]\n",
			file: "a,b,_c,d\n1,2,3,4\n", show: "SELECT * FROM my_x",
			want: "completed: 1 created\nwarning: Columns ignored because no field maps them: 'd'.\n1|2|\\N\n",
		},
		{
			name: "use: a mapping with a prefix", tables: "CREATE TABLE my_x (id TEXT, sku TEXT, name TEXT);",
			importer: "use: [{mapping: product_fields, prefix: line_item}]\nfields: [{from: id, to: id}]\n",
			file:     "id,line_item.sku,line_item.name\n1,a, A \n2,,B\n", show: "SELECT * FROM my_x",
			want: `
completed_with_errors: 1 created, 1 failed
2@3 The line item.sku field is required.
1 × line_item.sku: The line item.sku field is required.
1|a|A
`,
		},
		{
			name: "use: nested values behind the prefix, an own field takes the place of one", tables: "CREATE TABLE my_x (sku TEXT, name TEXT);",
			importer: "use: [{mapping: product_fields, prefix: item}]\nfields: [{to: name, const: own}]\n",
			file:     "item\n\"{\"\"sku\"\":\"\"a\"\",\"\"name\"\":\"\"A\"\"}\"\n", show: "SELECT * FROM my_x",
			want: "completed: 1 created\na|own\n",
		},
		{
			name: "schema: rules in short form", tables: "CREATE TABLE my_x (sku TEXT, stock INTEGER);",
			importer: "schema: {SKU: {type: string, required: true}, stock: {type: integer, min: 1}}\nfields: [{from: SKU, to: sku}, {from: stock, to: stock}]\n",
			file:     "SKU,stock\na,1\n,2\nb,0\nc,x\n", show: "SELECT * FROM my_x",
			want: `
completed_with_errors: 1 created, 3 failed
2@3 The sku field is required.
3@4 The stock field must be at least 1.
4@5 The stock field must be an integer.
1 × SKU: The sku field is required.
1 × stock: The stock field must be an integer.
1 × stock: The stock field must be at least 1.
a|1
`,
		},
		{
			name: "tables keep their keys as written: 02 stays 02", tables: "CREATE TABLE my_x (a TEXT, b TEXT);",
			importer: "fields: [{from: 02, to: a, transform: [{map: {table: {02: two, no: never, 1.10: ten}}}]}, {to: b, const: 1.10}]\n",
			file:     "02\n02\nno\n1.10\n2\n", show: "SELECT * FROM my_x",
			want: `
completed_with_errors: 3 created, 1 failed
4@5 The selected 02 is invalid.
1 × 02: The selected 02 is invalid.
never|1.1
ten|1.1
two|1.1
`,
		},
		{
			name: "unknown keys are errors with position and suggestion", tables: "CREATE TABLE my_x (a TEXT);",
			importer: "filds: [{from: a, to: a}]\n", file: "a\n1\n",
			want: "refused: my.yaml:4:1: unknown key \"filds\" (did you mean \"fields\"?)\n",
		},
	}
}

func rowsClauses() []clause {
	return []clause{
		{
			name: "before_row, then skip_when, then rules", tables: "CREATE TABLE my_x (k TEXT UNIQUE, type TEXT);",
			importer: `
key: [composite_key]
on_duplicate: update
before_row: ['composite_key = row.store_id + "|" + row.sku', 'type = lower(row.type)']
skip_when: 'row.type == "total"'
rules: {type: 'required|in:order,refund', composite_key: 'ends_with:1,2'}
fields: [{from: composite_key, to: k}, {from: type, to: type}]
`,
			file: "store_id,sku,type\n7,1,ORDER\n7,1,refund\n7,2,gift\n7,3,order\n8,,order\n9,9,TOTAL\n", show: "SELECT * FROM my_x",
			want: `
completed_with_errors: 1 created, 1 updated, 1 skipped, 3 failed
3@4 The selected type is invalid.
4@5 The composite key field must end with one of the following: 1, 2.
5@6 The composite key field could not be computed: row.sku is NULL.
1 × composite_key: The composite key field could not be computed: row.sku is NULL.
1 × composite_key: The composite key field must end with one of the following: 1, 2.
1 × type: The selected type is invalid.
7|1|refund
`,
		},
		{
			name: "skip_when: counted as skipped, whatever rules it breaks", tables: "CREATE TABLE my_x (a TEXT);",
			importer: "skip_when: 'row.type == \"total\"'\nrules: {a: required}\nfields: [{from: a, to: a}]\n", file: "a,type\n1,x\n,total\n",
			show: "SELECT * FROM my_x", want: "completed: 1 created, 1 skipped\n1\n",
		},
		{
			name: "table_when: the first condition that is true counts",
			tables: `CREATE TABLE my_x (a TEXT UNIQUE, b TEXT); CREATE TABLE my_admins (a TEXT UNIQUE, b TEXT);
				CREATE TABLE my_guests (a TEXT UNIQUE, b TEXT); INSERT INTO my_admins VALUES ('2', 'old');`,
			importer: `
key: [a]
on_duplicate: update
table_when: [{when: 'row.b == "admin"', table: my_admins}, {when: 'row.b != nil and row.b != "user"', table: my_guests}]
fields: [{from: a, to: a}, {from: b, to: b}]
`,
			file: "a,b\n1,user\n2,admin\n3,guest\n1,admin\n4,\n",
			show: "SELECT 'x' AS t, a, b FROM my_x UNION ALL SELECT 'admins', a, b FROM my_admins UNION ALL SELECT 'guests', a, b FROM my_guests",
			want: "completed: 4 created, 1 updated\nadmins|1|admin\nadmins|2|admin\nguests|3|guest\nx|1|user\nx|4|\\N\n",
		},
		{
			name: "mappings with transforms and field validators come before the write", tables: "CREATE TABLE my_x (a INTEGER UNIQUE);",
			importer: "key: [a]\non_duplicate: fail\nfields: [{from: a, to: a, transform: [{replace: {search: '#'}}], validate: [{range: {max: 5}}]}]\n",
			file:     "a\n#1\n#9\n#x\n1\n", show: "SELECT * FROM my_x",
			want: `
completed_with_errors: 1 created, 3 failed
2@3 Value must be at most 5
3@4 Value must be numeric
4@5 Duplicate entry found for key 'a'.
1 × a: Value must be at most 5
1 × a: Value must be numeric
1
`,
		},
	}
}
