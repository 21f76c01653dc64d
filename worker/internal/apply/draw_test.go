package apply_test

import (
	"slices"

	"pgregory.net/rapid"
)

// drawn draws from few values, so that rows meet all the time.
type drawn struct{ t *rapid.T }

func (d drawn) yes(label string) bool { return rapid.Bool().Draw(d.t, label) }

// seldom is for what spoils most rows.
func (d drawn) seldom(label string) bool { return d.below(label, 6) == 5 }

func (d drawn) of(label string, choices ...string) string {
	return choices[d.below(label, len(choices))]
}

// below is a number below n, each as likely as the others: rapid's own prefer small ones.
func (d drawn) below(label string, n int) int {
	at := 0
	for range 6 {
		at *= 2
		if rapid.Bool().Draw(d.t, label) {
			at++
		}
	}
	return at * n / 64
}

func drawScript(t *rapid.T, sqlite bool) *script {
	d := drawn{t}
	s := &script{size: 1 + d.below("size", 6)}
	if d.yes("tree") {
		d.tree(s)
	} else {
		d.products(s)
	}
	d.schema(s, sqlite)
	s.stamps = d.seldom("stamps")
	s.whole = d.seldom("whole")
	d.file(s)
	return s
}

func (d drawn) relation(r relationSpec, missing ...string) relationSpec {
	r.create = d.below("create "+r.from, 3) > 0
	r.missing = d.of("missing "+r.from, missing...)
	return r
}

func (d drawn) belongs(from, to, table, match string) relationSpec {
	return d.relation(relationSpec{from: from, to: to, table: table, match: match}, "fail", "null")
}

func (d drawn) products(s *script) {
	s.table = "products"
	s.fields = [][2]string{{"sku", "sku"}, {"name", "name"}}
	if d.yes("stock") {
		s.fields = append(s.fields, [2]string{"stock", "stock"})
	}
	if d.yes("category") {
		s.relations = append(s.relations, d.belongs("category", "category_id", "categories", "name"))
	}
	if d.yes("kind") {
		s.relations = append(s.relations, d.belongs("kind", "kind_id", "categories", d.of("kind match", "name", "name", "code")))
	}
	if d.seldom("like") {
		s.relations = append(s.relations, d.belongs("like", "like_id", "products", d.of("like match", "sku", "sku", "name")))
	}
	if d.yes("tags") {
		r := relationSpec{from: "tags", table: "tags", match: "name", pivot: "product_tag", replace: d.yes("replace")}
		s.relations = append(s.relations, d.relation(r, "fail", "ignore"))
	}
	if d.yes("items") {
		s.nested = &nestedSpec{from: "items", table: "items", parent: "product_id", fields: [][2]string{{"sku", "sku"}, {"qty", "qty"}}}
		if d.yes("items key") {
			s.nested.key = []string{"sku"}
		}
		if d.yes("items tag") {
			s.nested.relations = append(s.nested.relations, d.belongs("tag", "tag_id", "tags", "name"))
		}
		if d.seldom("items other") {
			s.nested.relations = append(s.nested.relations, d.belongs("other", "other_id", "products", "sku"))
		}
	}
	if d.seldom("admins") {
		s.other = "admins"
	}
	switch d.of("key", "sku", "sku", "sku", "category", "none") {
	case "sku":
		s.key = []string{"sku"}
	case "category":
		if len(s.relations) > 0 && s.relations[0].to == "category_id" {
			s.key = []string{"category", "name"}
		}
	}
	d.strategy(s)
	for _, rule := range [][]string{
		{"sku", "unique:products,sku"},
		{"sku", "exists:products"},
		{"category", "exists:categories,name"},
		{"name", "unique:categories,name"},
		{"sku", "unique:items,sku"},
		{"category", "unique:tags,name"},
		{"name", "exists:tags,name"},
		{"name", "unique:products,name,k,sku"},
		{"kind", "exists:categories,code"},
		{"sku", "exists:items"},
	} {
		if d.seldom(rule[0]+" "+rule[1]) && d.yes("really") {
			s.rules = append(s.rules, rule)
			break
		}
	}
}

func (d drawn) strategy(s *script) {
	if s.key == nil {
		return
	}
	s.onDuplicate = d.of("strategy", "update", "update", "skip", "upsert", "fail", "update_if_newer")
	if s.onDuplicate == "update_if_newer" {
		s.compare = "modified"
	}
	if d.yes("modified") {
		s.fields = append(s.fields, [2]string{"modified", "modified"})
	}
}

// tree is an importer of a table whose rows have parents among themselves.
func (d drawn) tree(s *script) {
	s.table = "categories"
	s.fields = [][2]string{{"name", "name"}, {"code", "code"}}
	if d.yes("label") {
		s.fields = append(s.fields, [2]string{"label", "label"})
	}
	s.relations = append(s.relations, d.belongs("category", "parent_id", "categories", d.of("match", "name", "name", "code")))
	if d.seldom("kind") {
		s.relations = append(s.relations, d.belongs("kind", "kind_id", "categories", d.of("kind match", "name", "code")))
	}
	if d.seldom("children") {
		s.nested = &nestedSpec{from: "items", table: "categories", parent: "parent_id", fields: [][2]string{{"sku", "name"}}}
		if d.yes("children key") {
			s.nested.key = []string{"sku"}
		}
		if d.yes("children kind") {
			s.nested.relations = append(s.nested.relations, d.belongs("tag", "kind_id", "categories", "name"))
		}
	}
	switch d.of("key", "name", "name", "code", "parent", "none") {
	case "name":
		s.key = []string{"name"}
	case "code":
		s.key = []string{"code"}
	case "parent":
		s.key = []string{"category", "name"}
	}
	d.strategy(s)
	for _, rule := range [][]string{
		{"name", "unique:categories"},
		{"code", "exists:categories"},
		{"category", "exists:categories,name"},
		{"kind", "unique:categories,name"},
		{"kind", "exists:categories,label"},
	} {
		if d.seldom(rule[0]+" "+rule[1]) && d.yes("really") {
			s.rules = append(s.rules, rule)
			break
		}
	}
}

func (d drawn) schema(s *script, sqlite bool) {
	foreign := d.yes("foreign")
	self := foreign && d.seldom("self foreign")
	cascade := foreign && d.seldom("cascade")
	id := columnSpec{name: "id", kind: "int"}
	text := func(name string, notNull bool) columnSpec {
		return columnSpec{name: name, kind: "text", notNull: notNull}
	}
	check := func(c columnSpec, constraint ...string) columnSpec {
		if d.yes("check " + constraint[0]) {
			c.check, c.trigger = constraint, d.seldom("trigger "+constraint[0])
		}
		return c
	}
	refer := func(name, table string, declared bool) columnSpec {
		return columnSpec{name: name, kind: table, foreign: declared, cascade: declared && cascade}
	}
	stamps := []columnSpec{
		{name: "modified", kind: "date"}, {name: "created_at", kind: "time"}, {name: "updated_at", kind: "time"},
	}
	name := check(text("name", d.seldom("name required")), "good_category", "<>", "'bad'")
	name.nocase = sqlite && d.seldom("nocase")
	label := check(text("label", false), "good_label", "<>", "'bad'")
	if d.yes("label default") {
		label.defaulted = "d"
	}
	code := text("code", s.table == "categories" && d.seldom("code required"))
	categories := tableSpec{name: "categories", columns: append([]columnSpec{
		id, name, code, label, refer("parent_id", "categories", self), refer("kind_id", "categories", self),
	}, stamps...)}
	tags := tableSpec{name: "tags", columns: []columnSpec{id, check(text("name", true), "good_tag", "<>", "'bad'")}, unique: [][]string{{"name"}}}
	single := len(s.key) == 1 || s.table != "categories"
	if single || d.yes("name unique") || s.uses("categories", "name") {
		categories.unique = append(categories.unique, []string{"name"})
	}
	if s.has("code") || s.uses("categories", "code") || d.yes("code unique") {
		categories.unique = append(categories.unique, []string{"code"})
	}
	if s.table == "categories" && len(s.key) == 2 || s.nested != nil && s.nested.table == "categories" {
		categories.unique = append(categories.unique, []string{"parent_id", "name"})
	}
	shop := func(table string) tableSpec {
		category := refer("category_id", "categories", foreign)
		category.notNull = s.fills("category_id") && d.seldom("category required")
		t := tableSpec{name: table, columns: append([]columnSpec{
			id, text("sku", d.seldom("sku required")), check(text("name", false), "good_name", "<>", "'bad'"),
			check(columnSpec{name: "stock", kind: "int"}, "good_stock", ">", "1"), category, refer("kind_id", "categories", foreign),
			refer("like_id", "products", self && table == "products"),
		}, stamps...), unique: [][]string{{"sku"}}}
		if s.uses("products", "name") || d.seldom("name unique") {
			t.unique = append(t.unique, []string{"name"})
		}
		if len(s.key) == 2 || d.seldom("category and name unique") {
			t.unique = append(t.unique, []string{"category_id", "name"})
		}
		return t
	}
	products, admins := shop("products"), shop("admins")
	owned := foreign && s.other == ""
	pivot := tableSpec{name: "product_tag", columns: []columnSpec{
		refer("product_id", "products", owned), check(refer("tag_id", "tags", foreign), "good_pair", "<>", "2"),
	}, unique: [][]string{{"product_id", "tag_id"}}}
	items := tableSpec{name: "items", columns: []columnSpec{
		id, refer("product_id", "products", owned), text("sku", d.yes("item sku required")),
		check(columnSpec{name: "qty", kind: "int"}, "good_qty", ">", "1"), refer("tag_id", "tags", foreign), refer("other_id", "products", foreign),
	}, unique: [][]string{{"product_id", "sku"}}}
	if d.seldom("items unique") {
		items.unique = append(items.unique, []string{"sku"})
	}
	s.tables = []tableSpec{categories, tags, products, admins, pivot, items}
	s.before = map[string][]map[string]string{
		"admins":     {{"id": "1000", "sku": "z", "name": "z", "stock": "9", "category_id": "1"}},
		"categories": {{"id": "1", "name": "x", "code": "x"}},
		"tags":       {{"id": "1", "name": "x"}, {"id": "2", "name": "y"}},
	}
	if d.yes("two categories") {
		s.before["categories"] = append(s.before["categories"], map[string]string{"id": "2", "name": "y", "code": "c", "parent_id": "1"})
	}
	if d.yes("a product") {
		s.before["products"] = []map[string]string{{"id": "1", "sku": "k", "name": "a", "stock": "2", "category_id": "1", "modified": "2024-01-02"}}
		s.before["product_tag"] = []map[string]string{{"product_id": "1", "tag_id": "1"}}
		s.before["items"] = []map[string]string{{"id": "1", "product_id": "1", "sku": "x", "qty": "2"}}
	}
}

func (s *script) has(source string) bool {
	for _, k := range s.key {
		if k == source {
			return true
		}
	}
	return false
}

// uses says that rows of a table are created by a column, which has to be unique.
func (s *script) uses(table, match string) bool {
	all := s.relations
	if s.nested != nil {
		all = append(all[:len(all):len(all)], s.nested.relations...)
	}
	for _, r := range all {
		if r.table == table && r.match == match {
			return true
		}
	}
	return false
}

func (s *script) fills(column string) bool {
	return slices.ContainsFunc(s.relations, func(r relationSpec) bool { return r.to == column })
}

func (d drawn) file(s *script) {
	s.header = []string{"sku", "type", "name", "code", "category", "kind", "like", "tags", "items", "modified", "stock", "label"}
	cells := map[string][]string{
		"sku": {"k", "l", "m", "n", ""}, "type": {"", "admin", "x"}, "name": {"a", "b", "c", "x", "bad", ""}, "code": {"a", "b", "c", "x", ""},
		"category": {"x", "y", "z", "Z", "a", "b", "bad", ""}, "kind": {"x", "y", "z", "Z", "a", "c", ""}, "like": {"k", "l", "m", "a", ""},
		"tags":     {"x", "y", "z", "x,z", "z,w", "a,,z", `["z","w"]`, "bad", "", "[]"},
		"items":    {"", "[]", "OBJECTS", "OBJECTS", "OBJECTS", "OBJECTS", "OBJECTS", "OBJECTS", "OBJECTS", "no"},
		"modified": {"2024-01-01", "2024-01-02", "2024-01-03", "", "bad"},
		"stock":    {"1", "2", "3", "bad", ""}, "label": {"a", "b", "d", "bad", ""},
	}
	if s.table == "categories" {
		cells["name"] = []string{"a", "b", "c", "x", "y", "z", "X", "bad", ""}
	}
	for range 1 + d.below("rows", 12) {
		var row []string
		for _, name := range s.header {
			text := d.of(name, cells[name]...)
			if text == "bad" && !d.seldom("bad") {
				text = cells[name][0]
			}
			if text == "OBJECTS" {
				text = d.objects()
			}
			row = append(row, text)
		}
		if len(s.rows) > 0 && d.below("again", 3) == 0 {
			// Much of a row before it, so that one overwrites the other.
			for i, text := range s.rows[d.below("which", len(s.rows))] {
				if d.below("other", 5) > 0 {
					row[i] = text
				}
			}
		}
		if d.seldom("short") {
			row = row[:len(row)-1-d.below("by", 3)]
		}
		s.rows = append(s.rows, row)
	}
}

func (d drawn) objects() string {
	text := "["
	for i := range 1 + d.below("objects", 2) {
		if i > 0 {
			text += ","
		}
		text += `{"sku":"` + d.of("item sku", "k", "l", "x", "a") + `"`
		text += d.of("item qty", `,"qty":2`, `,"qty":"3"`, `,"qty":1`, `,"qty":"bad"`, `,"qty":null`, "", `,"qty":2`, `,"qty":3`)
		text += d.of("item tag", `,"tag":"x"`, `,"tag":"z"`, `,"tag":"w"`, `,"tag":"a"`, `,"tag":""`, "", `,"tag":"bad"`)
		text += d.of("item other", "", `,"other":"k"`, `,"other":"l"`, `,"other":"m"`) + "}"
	}
	return text + "]"
}
