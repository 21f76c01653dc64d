package integration

// orders have items, whose key is the product within an order.
const orders = `
CREATE TABLE my_products (id SERIAL, sku TEXT UNIQUE);
INSERT INTO my_products (id, sku) VALUES (50, 'p'), (51, 'q');
CREATE TABLE my_x (id SERIAL, number TEXT UNIQUE, note TEXT);
CREATE TABLE my_items (id SERIAL, order_id INTEGER NOT NULL REFERENCES my_x (id), product_id INTEGER REFERENCES my_products (id), sku TEXT,
	qty INTEGER, label TEXT, UNIQUE (order_id, sku));
`

const showOrders = `SELECT number, note, my_items.sku, qty, label, my_products.sku AS product FROM my_x LEFT JOIN my_items ON order_id = my_x.id
	LEFT JOIN my_products ON my_products.id = product_id`

func nestedClauses() []clause {
	nested := func(name, options, file, want string) clause {
		return clause{
			name: name, tables: orders, file: file, show: showOrders, want: want,
			importer: "key: [number]\non_duplicate: update\nfields: [{from: number, to: number}, {from: note, to: note}]\n" +
				"nested: [{from: [items, line_items], table: my_items, parent: order_id, " + options + "}]\n",
		}
	}
	const whole = "key: [sku], fields: [{from: sku, to: sku}, {from: qty, to: qty, transform: [{replace: {search: x}}]}, " +
		"{to: label, expr: 'row.sku + \"!\"'}], relations: [{from: product, to: product_id, table: my_products, match: sku}]"
	return []clause{
		nested("own key, fields and relations", whole, `number,note,line_items
1,n,"[{""sku"":""a"",""qty"":""2x"",""product"":""p""},{""sku"":""b"",""qty"":3}]"
2,n,"[{""sku"":""a"",""qty"":1},{""sku"":""a"",""qty"":5,""product"":""q""}]"
3,n,
`, `
completed: 3 created
1|n|a|2|a!|p
1|n|b|3|b!|\N
2|n|a|5|a!|q
3|n|\N|\N|\N|\N
`),
		nested("an object that is wrong fails its whole row", whole, `number,note,items
1,n,"[{""sku"":""a"",""qty"":1},{""sku"":""b"",""qty"":""many""}]"
2,n,"[{""sku"":""a"",""product"":""none""}]"
3,n,"{""sku"":""a""}"
4,n,"[1]"
5,n,"[]"
`, `
completed_with_errors: 1 created, 4 failed
1@2 The qty field must be an integer.
2@3 The selected product is invalid.
3@4 The items field must be a list of objects.
4@5 The items field must be a list of objects.
2 × items: The items field must be a list of objects.
1 × items.product: The selected product is invalid.
1 × items.qty: The qty field must be an integer.
5|n|\N|\N|\N|\N
`),
		nested("rows with the same key take the place of those that are there", whole, `number,note,items
1,n,"[{""sku"":""a"",""qty"":1},{""sku"":""b"",""qty"":1}]"
1,n,"[{""sku"":""a"",""qty"":2}]"
1,n,"[{""sku"":""a"",""qty"":2}]"
`, `
completed: 1 created, 1 updated, 1 unchanged
1|n|a|2|a!|\N
1|n|b|1|b!|\N
`),
		nested("from: dotted paths, const and when within the objects", "key: [product.sku], fields: [{from: product.sku, to: sku}, {from: product.qty, to: qty, when: 'row.kind == \"full\"'}, {to: label, const: L}]", `number,note,items
1,n,"[{""kind"":""full"",""product"":{""sku"":""a"",""qty"":2}},{""product"":{""sku"":""b"",""qty"":3}}]"
`, "completed: 1 created\n1|n|a|2|L|\\N\n1|n|b|\\N|L|\\N\n"),
		{
			name: "rows that are older (update_if_newer) leave nested rows alone",
			tables: `CREATE TABLE my_x (id INTEGER PRIMARY KEY, at TIMESTAMP); INSERT INTO my_x VALUES (1, '2024-01-02 00:00:00');
				CREATE TABLE my_items (x_id INTEGER REFERENCES my_x (id), sku TEXT, UNIQUE (x_id, sku));`,
			importer: `
key: [id]
on_duplicate: update_if_newer
compare: {source: at, column: at}
fields: [{from: id, to: id}, {from: at, to: at}]
nested: [{from: items, table: my_items, parent: x_id, key: [sku], fields: [{from: sku, to: sku}]}]
`,
			file: "id,at,items\n1,2024-01-01T00:00Z,\"[{\"\"sku\"\":\"\"old\"\"}]\"\n1,2024-01-03T00:00Z,\"[{\"\"sku\"\":\"\"new\"\"}]\"\n",
			show: "SELECT * FROM my_items", want: "completed: 1 updated, 1 skipped\n1|new\n",
		},
		{
			name: "a nested row that the database refuses fails its whole row",
			tables: `CREATE TABLE my_x (id INTEGER PRIMARY KEY, v TEXT); CREATE TABLE my_items (x_id INTEGER REFERENCES my_x (id), sku TEXT,
				qty INTEGER, UNIQUE (x_id, sku), CONSTRAINT my_qty CHECK (qty > 0));`,
			importer: `
key: [id]
on_duplicate: update
fields: [{from: id, to: id}, {from: v, to: v}]
nested: [{from: items, table: my_items, parent: x_id, key: [sku], fields: [{from: sku, to: sku}, {from: qty, to: qty}]}]
`,
			file: "id,v,items\n1,a,\"[{\"\"sku\"\":\"\"a\"\",\"\"qty\"\":1},{\"\"sku\"\":\"\"b\"\",\"\"qty\"\":0}]\"\n2,a,\"[{\"\"sku\"\":\"\"a\"\",\"\"qty\"\":1}]\"\n",
			show: "SELECT my_x.id, v, sku, qty FROM my_x LEFT JOIN my_items ON x_id = my_x.id", want: `
completed_with_errors: 1 created, 1 failed
1@2 The row violates 'my_qty'.
1 × items: The row violates 'my_qty'.
2|a|a|1
`,
		},
		nested("without a key every object is inserted", "fields: [{from: qty, to: qty}]", `number,note,items
1,n,"[{""qty"":1},{""qty"":1}]"
1,n,"[{""qty"":1}]"
`, `
completed: 1 created, 1 updated
1|n|\N|1|\N|\N
1|n|\N|1|\N|\N
1|n|\N|1|\N|\N
`),
	}
}
