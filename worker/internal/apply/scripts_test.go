package apply_test

import (
	"fmt"
	"strings"
	"testing"
)

// scripted is a script over tables without foreign keys, so that nothing but the engine keeps them in order.
func scripted(header string, rows ...string) *script {
	id := columnSpec{name: "id", kind: "int"}
	text := func(name string) columnSpec { return columnSpec{name: name, kind: "text"} }
	stock := columnSpec{name: "stock", kind: "int", check: []string{"good_stock", ">", "1"}}
	s := &script{size: len(rows), header: strings.Split(header, ";"), tables: []tableSpec{
		{name: "categories", columns: []columnSpec{id, text("name"), text("code"), {name: "parent_id", kind: "categories"}}, unique: [][]string{{"name"}, {"code"}}},
		{name: "tags", columns: []columnSpec{id, text("name")}, unique: [][]string{{"name"}}},
		{name: "products", columns: []columnSpec{
			id, text("sku"), stock, {name: "category_id", kind: "categories"}, {name: "kind_id", kind: "categories"},
		}, unique: [][]string{{"sku"}}},
		{name: "product_tag", columns: []columnSpec{{name: "product_id", kind: "products"}, {name: "tag_id", kind: "tags"}}, unique: [][]string{{"product_id", "tag_id"}}},
		{name: "items", columns: []columnSpec{
			id, {name: "product_id", kind: "products"}, text("sku"), {name: "tag_id", kind: "tags"}, {name: "other_id", kind: "products"},
		}, unique: [][]string{{"product_id", "sku"}}},
	}}
	s.table, s.key, s.onDuplicate = "products", []string{"sku"}, "update"
	s.fields = [][2]string{{"sku", "sku"}, {"stock", "stock"}}
	for _, row := range rows {
		s.rows = append(s.rows, strings.Split(row, ";"))
	}
	return s
}

// creating is a relation that creates what it does not find.
func creating(from, to, table, match string) relationSpec {
	return relationSpec{from: from, to: to, table: table, match: match, create: true, missing: "fail"}
}

// scripts are meetings that chance seldom brings about.
func scripts() map[string]*script {
	all := map[string]*script{}
	add := func(name string, s *script, change func(s *script)) {
		change(s)
		all[name] = s
	}
	tags := creating("tags", "", "tags", "name")
	tags.pivot = "product_tag"
	items := func(relations ...relationSpec) *nestedSpec {
		return &nestedSpec{from: "items", table: "items", parent: "product_id", key: []string{"sku"}, fields: [][2]string{{"sku", "sku"}}, relations: relations}
	}
	add("what a bad row creates is kept for the relation of another", scripted("sku;stock;category;kind", "k;1;z;x", "l;2;x;z"), func(s *script) {
		s.relations = []relationSpec{creating("category", "category_id", "categories", "name"), creating("kind", "kind_id", "categories", "name")}
	})
	add("and for the list of another", scripted("sku;stock;tags;items", "k;1;z;", `l;2;x;[{"sku":"i","tag":"z"}]`), func(s *script) {
		s.relations, s.nested = []relationSpec{tags}, items(creating("tag", "tag_id", "tags", "name"))
	})
	add("a list that looks for a later row", scripted("sku;stock;items", `k;2;[{"sku":"i","other":"l"}]`, "l;2;", `m;2;[{"sku":"i","other":"l"}]`), func(s *script) {
		s.nested = items(relationSpec{from: "other", to: "other_id", table: "products", match: "sku", missing: "fail"})
	})
	add("links of one row in two rounds", scripted("sku;stock;tags", "k;2;x,y", "k;2;y,z", "l;2;x", "k;3;z"), func(s *script) {
		s.relations = []relationSpec{tags}
		s.relations[0].replace = true
	})
	spelled := []string{"k;2;Z;z", "l;2;z;Z", "m;1;Y;y", "n;2;y;Y", "o;2;Y;y"}
	add("two spellings", scripted("sku;stock;category;kind", spelled...), func(s *script) {
		s.relations = []relationSpec{creating("category", "category_id", "categories", "name"), creating("kind", "kind_id", "categories", "name")}
		s.tables[0].columns[1].nocase = true
	})
	add("two spellings, the second first in order", scripted("sku;stock;category", "k;2;z", "l;2;Z", "m;1;y", "n;2;Y"), func(s *script) {
		s.relations = []relationSpec{creating("category", "category_id", "categories", "name")}
		s.tables[0].columns[1].nocase = true
	})
	tree := func(s *script) {
		s.table, s.key = "categories", []string{"code"}
		s.fields = [][2]string{{"name", "name"}, {"code", "code"}}
		s.relations = []relationSpec{{from: "parent", to: "parent_id", table: "categories", match: "name", missing: "null"}}
	}
	add("a name that is given and taken away again", scripted("name;code;parent", "a;1;", "b;1;", "c;2;b", "d;1;", "e;3;b", "b;4;", "f;5;b"), tree)
	add("a parent that a bad row created", scripted("name;code;parent", "a;1;p", "a;2;q", "q;3;", "p;4;a", "x;3;q"), func(s *script) {
		tree(s)
		s.relations[0].create = true
	})
	add("a key behind a relation", scripted("sku;stock;category", "k;2;z", "k;3;z", "k;3;y", "k;1;w", "k;2;w"), func(s *script) {
		s.relations = []relationSpec{creating("category", "category_id", "categories", "name")}
		s.key = []string{"category", "sku"}
		s.tables[2].unique = [][]string{{"category_id", "sku"}}
	})
	return all
}

func TestScripts(t *testing.T) {
	t.Parallel()
	for name, url := range urls(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			th := openTheatre(t, url)
			for what, s := range scripts() {
				for i := range s.tables[0].columns {
					s.tables[0].columns[i].nocase = s.tables[0].columns[i].nocase && name == "sqlite"
				}
				for s.size = 1; s.size <= len(s.rows); s.size++ {
					if !thorough(name) && s.size != 2 && s.size != len(s.rows) {
						continue
					}
					t.Run(fmt.Sprintf("%s, in chunks of %d", what, s.size), func(t *testing.T) { th.compare(t, s) })
				}
			}
		})
	}
}
