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
			name: "transaction: chunk: what relations created for a chunk that fails is gone", tables: belongs,
			importer: "transaction: chunk\nchunk_size: 2\nrules: {SKU: alpha}\nfields: [{from: SKU, to: sku}]\nrelations: [{from: Category, to: category_id, table: my_categories, match: name, create_if_missing: true}]\n",
			file:     "SKU,Category\na,Food\n2,Drink\nc,Tea\n", show: showBelongs, want: `
completed_with_errors: 1 created, 2 failed
1@2 Rolled back: row 2 of the same chunk failed.
2@3 The sku field must only contain letters.
1 × SKU: The sku field must only contain letters.
category|Tea
category|Tools
category|Toys
c|Tea
`,
		},
		{
			name: "match: a value that is none of the column's type", tables: belongs,
			importer: "fields: [{from: SKU, to: sku}]\nrelations: [{from: Category, to: category_id, table: my_categories, match: id}]\n",
			file:     "SKU,Category\na,10\nb,Tools\nc, 11 \nd,99\n", show: showBelongs, want: `
completed_with_errors: 2 created, 2 failed
2@3 The category field must be an integer.
4@5 The selected category is invalid.
1 × Category: The category field must be an integer.
1 × Category: The selected category is invalid.
a|Tools
category|Tools
category|Toys
c|Toys
`,
		},
		{
			name: "table_when: relations of each table", tables: "CREATE TABLE my_c (id SERIAL, name TEXT UNIQUE); CREATE TABLE my_x (sku TEXT UNIQUE, c_id INTEGER REFERENCES my_c (id)); CREATE TABLE my_y (sku TEXT UNIQUE, c_id INTEGER REFERENCES my_c (id));",
			importer: "key: [SKU]\ntable_when: [{when: 'row.kind == \"y\"', table: my_y}]\nfields: [{from: SKU, to: sku}]\nrelations: [{from: Category, to: c_id, table: my_c, match: name, create_if_missing: true}]\n",
			file:     "SKU,Category,kind\na,One,x\nb,One,y\nc,Two,y\na,Three,y\na,Four,x\n",
			show:     "SELECT 'x' AS t, sku, name FROM my_x JOIN my_c ON my_c.id = c_id UNION ALL SELECT 'y', sku, name FROM my_y JOIN my_c ON my_c.id = c_id UNION ALL SELECT 'c', name, NULL FROM my_c",
			want: `
completed: 4 created, 1 skipped
c|One|\N
c|Three|\N
c|Two|\N
x|a|One
y|a|Three
y|b|One
y|c|Two
`,
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
