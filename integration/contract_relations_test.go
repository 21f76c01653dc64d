package integration

// belongs has products that belong to categories, the foreign key saying what is stored.
const belongs = `
CREATE TABLE my_categories (id SERIAL, name TEXT NOT NULL UNIQUE, code TEXT);
INSERT INTO my_categories (id, name, code) VALUES (10, 'Tools', 't'), (11, 'Toys', 'y');
CREATE TABLE my_x (sku TEXT UNIQUE, category_id INTEGER REFERENCES my_categories (id), other_id INTEGER REFERENCES my_categories (id));
`

// joined has products that have tags.
const joined = `
CREATE TABLE my_tags (id SERIAL, name TEXT NOT NULL UNIQUE);
INSERT INTO my_tags (id, name) VALUES (901, 'new'), (902, 'sale'), (903, 'old');
CREATE TABLE my_x (id INTEGER PRIMARY KEY, name TEXT);
INSERT INTO my_x VALUES (1, 'one'), (2, 'two');
CREATE TABLE my_x_tag (x_id INTEGER NOT NULL REFERENCES my_x (id), tag_id INTEGER NOT NULL REFERENCES my_tags (id), PRIMARY KEY (x_id, tag_id));
INSERT INTO my_x_tag VALUES (1, 903), (2, 903);
`

const (
	showBelongs = "SELECT sku, name FROM my_x LEFT JOIN my_categories ON my_categories.id = category_id UNION ALL SELECT 'category', name FROM my_categories"
	showJoined  = `SELECT my_x.id, my_x.name, my_tags.name AS tag FROM my_x LEFT JOIN my_x_tag ON x_id = my_x.id LEFT JOIN my_tags ON my_tags.id = tag_id
		UNION ALL SELECT NULL, 'tag', name FROM my_tags`
)

func relationsClauses() []clause {
	one := func(name, options, file, want string) clause {
		return clause{
			name: name, tables: belongs, file: file, show: showBelongs, want: want,
			importer: "key: [SKU]\non_duplicate: update\nfields: [{from: SKU, to: sku}]\n" +
				"relations: [{from: Category, to: category_id, table: my_categories, match: name" + options + "}]\n",
		}
	}
	many := func(name, options, file, want string) clause {
		return clause{
			name: name, tables: joined, file: file, show: showJoined, want: want,
			importer: "key: [id]\non_duplicate: update\nfields: [{from: id, to: id}, {from: name, to: name}]\n" +
				"relations: [{from: Tags, many: {table: my_tags, match: name, pivot: my_x_tag" + options + "}]\n",
		}
	}
	return []clause{
		one("on_missing: fail, the default", "", "SKU,Category\na,Tools\nb,Food\nc,\nd,tools\n", `
completed_with_errors: 2 created, 2 failed
2@3 The selected category is invalid.
4@5 The selected category is invalid.
2 × Category: The selected category is invalid.
a|Tools
category|Tools
category|Toys
c|\N
`),
		one("on_missing: null", ", on_missing: null", "SKU,Category\na,Tools\nb,Food\n", `
completed: 2 created
a|Tools
b|\N
category|Tools
category|Toys
`),
		one("create_if_missing: true", ", create_if_missing: true", "SKU,Category\na,Tools\nb,Food\nc,Food\na,Food\n", `
completed: 3 created, 1 updated
a|Food
b|Food
category|Food
category|Tools
category|Toys
c|Food
`),
		one("create_if_missing: not for rows that fail", ", create_if_missing: true}, {from: Other, to: other_id, table: my_categories, match: name", "SKU,Category,Other\na,Food,None\nb,Drink,Tools\n", `
completed_with_errors: 1 created, 1 failed
1@2 The selected other is invalid.
1 × Other: The selected other is invalid.
b|Drink
category|Drink
category|Tools
category|Toys
`),
		one("transform: before anything is looked for", ", transform: [trim, {map: {table: {T: Tools}}}]", "SKU,Category\na, T \n", `
completed: 1 created
a|Tools
category|Tools
category|Toys
`),
		one("from: aliases, the first names it", "}, {from: [No, Kind], to: other_id, table: my_categories, match: code", "SKU,Kind\na,y\nb,Toys\n", `
completed_with_errors: 1 created, 1 failed
2@3 The selected no is invalid.
1 × No: The selected no is invalid.
a|\N
category|Tools
category|Toys
`),
		one("unchanged when the related row is the same", "", "SKU,Category\na,Tools\na,Tools\na,Toys\na,\n", `
completed: 1 created, 2 updated, 1 unchanged
a|\N
category|Tools
category|Toys
`),
		{
			name: "key: another column than the foreign key's", tables: "CREATE TABLE my_c (id SERIAL, name TEXT UNIQUE, code TEXT); INSERT INTO my_c (name, code) VALUES ('Tools', 't'); CREATE TABLE my_x (sku TEXT, c TEXT);",
			importer: "fields: [{from: SKU, to: sku}]\nrelations: [{from: Category, to: c, table: my_c, match: name, key: code}]\n",
			file:     "SKU,Category\na,Tools\n", show: "SELECT * FROM my_x", want: "completed: 1 created\na|t\n",
		},
		{
			name: "a key that goes through a relation", tables: "CREATE TABLE my_shops (id SERIAL, name TEXT UNIQUE); INSERT INTO my_shops (name) VALUES ('Bonn'); CREATE TABLE my_x (shop_id INTEGER REFERENCES my_shops (id), sku TEXT, v TEXT, UNIQUE (shop_id, sku));",
			importer: "key: [Shop, SKU]\non_duplicate: update\nfields: [{from: SKU, to: sku}, {from: v, to: v}]\nrelations: [{from: Shop, to: shop_id, table: my_shops, match: name, create_if_missing: true}]\n",
			file:     "Shop,SKU,v\nBonn,a,1\nKiel,a,2\nBonn,a,3\nKiel,a,2\n", show: "SELECT name, sku, v FROM my_x JOIN my_shops ON my_shops.id = shop_id",
			want: "completed: 2 created, 1 updated, 1 unchanged\nBonn|a|3\nKiel|a|2\n",
		},
		{
			name: "a relation to the table itself sees the rows before", tables: "CREATE TABLE my_x (id INTEGER PRIMARY KEY, name TEXT UNIQUE, parent_id INTEGER REFERENCES my_x (id)); INSERT INTO my_x VALUES (1, 'root', NULL);",
			importer: "key: [id]\nfields: [{from: id, to: id}, {from: name, to: name}]\nrelations: [{from: parent, to: parent_id, table: my_x, match: name}]\n",
			file:     "id,name,parent\n2,a,root\n3,b,a\n4,c,d\n5,d,\n", show: "SELECT * FROM my_x",
			want: `
completed_with_errors: 3 created, 1 failed
3@4 The selected parent is invalid.
1 × parent: The selected parent is invalid.
1|root|\N
2|a|1
3|b|2
5|d|\N
`,
		},
		{
			name: "on_missing: null where the column is NOT NULL", tables: "CREATE TABLE my_c (id SERIAL, name TEXT UNIQUE); CREATE TABLE my_x (sku TEXT, c_id INTEGER NOT NULL);",
			importer: "fields: [{from: SKU, to: sku}]\nrelations: [{from: Category, to: c_id, table: my_c, match: name, on_missing: null}]\n",
			file:     "SKU,Category\na,Tools\nb,\n", want: `
completed_with_errors: 2 failed
1@2 The category field is required.
2@3 The category field is required.
2 × Category: The category field is required.
`,
		},
		{
			name: "create_if_missing needs a unique index", tables: "CREATE TABLE my_c (id SERIAL, name TEXT); CREATE TABLE my_x (sku TEXT, c_id INTEGER);",
			importer: "fields: [{from: SKU, to: sku}]\nrelations: [{from: Category, to: c_id, table: my_c, match: name, create_if_missing: true}]\n",
			file:     "SKU,Category\na,Tools\n", want: `
failed: no rows
The key 'name' needs a unique index in the table 'my_c': CREATE UNIQUE INDEX "my_c_name_key" ON "my_c" ("name")
`,
		},
		{
			name: "a column that the related table lacks", tables: "CREATE TABLE my_c (id SERIAL, name TEXT UNIQUE); CREATE TABLE my_x (sku TEXT, c_id INTEGER);",
			importer: "fields: [{from: SKU, to: sku}]\nrelations: [{from: Category, to: c_id, table: my_c, match: title}]\n",
			file:     "SKU,Category\na,Tools\n", want: `
failed: no rows
The table 'my_c' has no column 'title' (relation 'Category').
`,
		},
		{
			name: "a related table that does not exist", tables: "CREATE TABLE my_x (sku TEXT, c_id INTEGER);",
			importer: "destination: {table: my_x, create_table: false}\nfields: [{from: SKU, to: sku}]\nrelations: [{from: Category, to: c_id, table: my_c, match: title}]\n",
			file:     "SKU,Category\na,Tools\n", want: "failed: no rows\nThe table 'my_c' does not exist in connection 'default' (create it, or set `create_table: true` under `destination`).\n",
		},
		{
			name: "many: the pivot table needs a unique index", tables: "CREATE TABLE my_tags (id SERIAL, name TEXT UNIQUE); CREATE TABLE my_x (id INTEGER PRIMARY KEY); CREATE TABLE my_x_tag (x_id INTEGER REFERENCES my_x (id), tag_id INTEGER REFERENCES my_tags (id));",
			importer: "fields: [{from: id, to: id}]\nrelations: [{from: Tags, many: {table: my_tags, match: name, pivot: my_x_tag}}]\n",
			file:     "id,Tags\n1,new\n", want: `
failed: no rows
The key 'x_id, tag_id' needs a unique index in the table 'my_x_tag': CREATE UNIQUE INDEX "my_x_tag_x_id_tag_id_key" ON "my_x_tag" ("x_id", "tag_id")
`,
		},
		{
			name: "many: own, other and key", tables: "CREATE TABLE my_tags (id SERIAL, name TEXT UNIQUE, code TEXT UNIQUE); INSERT INTO my_tags (name, code) VALUES ('new', 'n'); CREATE TABLE my_x (id INTEGER PRIMARY KEY); CREATE TABLE my_link (p INTEGER, q TEXT, UNIQUE (p, q));",
			importer: "fields: [{from: id, to: id}]\nrelations: [{from: Tags, many: {table: my_tags, match: name, pivot: my_link, own: p, other: q, key: code}}]\n",
			file:     "id,Tags\n1,new\n", show: "SELECT * FROM my_link", want: "completed: 1 created\n1|n\n",
		},
		{
			name: "rows that are skipped have no part in other tables", tables: joined,
			importer: "key: [id]\nfields: [{from: id, to: id}, {from: name, to: name}]\nrelations: [{from: Tags, many: {table: my_tags, match: name, pivot: my_x_tag}, create_if_missing: true}]\n",
			file:     "id,name,Tags\n1,uno,\"new,hot\"\n3,three,new\n3,tres,sale\n", show: showJoined, want: `
completed: 1 created, 2 skipped
1|one|old
2|two|old
3|three|new
\N|tag|new
\N|tag|old
\N|tag|sale
`,
		},
		many("many: sync: attach, the default", "}", "id,name,Tags\n1,one,\"new, sale\"\n2,two,old\n3,three,new\n", `
completed: 1 created, 1 updated, 1 unchanged
1|one|new
1|one|old
1|one|sale
2|two|old
3|three|new
\N|tag|new
\N|tag|old
\N|tag|sale
`),
		many("many: sync: replace", "}, sync: replace", "id,name,Tags\n1,one,\"new,sale,new\"\n2,two,\n", `
completed: 2 updated
1|one|new
1|one|sale
2|two|\N
\N|tag|new
\N|tag|old
\N|tag|sale
`),
		many("many: separator", ", separator: ' '}", "id,name,Tags\n3,three,new  sale\n", `
completed: 1 created
1|one|old
2|two|old
3|three|new
3|three|sale
\N|tag|new
\N|tag|old
\N|tag|sale
`),
		many("many: a list that the transform split makes", "}, transform: [{split: '/'}]", "id,name,Tags\n3,three,new/sale\n", `
completed: 1 created
1|one|old
2|two|old
3|three|new
3|three|sale
\N|tag|new
\N|tag|old
\N|tag|sale
`),
		many("many: on_missing: fail, the default", "}", "id,name,Tags\n1,uno,\"new,none\"\n3,three,none\n", `
completed_with_errors: 2 failed
1@2 The selected tags is invalid.
2@3 The selected tags is invalid.
2 × Tags: The selected tags is invalid.
1|one|old
2|two|old
\N|tag|new
\N|tag|old
\N|tag|sale
`),
		many("many: on_missing: ignore", "}, on_missing: ignore", "id,name,Tags\n3,three,\"none,new\"\n4,four,none\n", `
completed: 2 created
1|one|old
2|two|old
3|three|new
4|four|\N
\N|tag|new
\N|tag|old
\N|tag|sale
`),
		many("many: create_if_missing", "}, create_if_missing: true", "id,name,Tags\n3,three,\"hot,new\"\n4,four,hot\n", `
completed: 2 created
1|one|old
2|two|old
3|three|hot
3|three|new
4|four|hot
\N|tag|hot
\N|tag|new
\N|tag|old
\N|tag|sale
`),
	}
}

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
