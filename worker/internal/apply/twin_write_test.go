package apply_test

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// relate puts keys in the place of what relations are found by: first all is looked for, then what is missing is created.
func (t *twin) relate(sh shape, rows []*made) {
	find := func(r relationSpec, text string) (id string, ok bool) {
		for _, row := range t.w[r.table] {
			if t.same(r.table, r.match, row, text) && (!ok || number(row["id"]) < number(id)) {
				id, ok = row["id"], true
			}
		}
		return id, ok
	}
	asks := func(r relationSpec, m *made) []string {
		if r.to == "" {
			return m.lists[r.from]
		}
		if v := m.values[r.to]; v.set {
			return []string{v.text}
		}
		return nil
	}
	// One relation of each kind after the other: those that fill columns first.
	relations := slices.Clone(sh.relations)
	slices.SortStableFunc(relations, func(a, b relationSpec) int { return strings.Compare(a.pivot, b.pivot) })
	found := make([]map[string]string, len(relations))
	for i, r := range relations {
		found[i] = map[string]string{}
		for _, m := range rows {
			for _, text := range asks(r, m) {
				id, ok := find(r, text)
				if ok {
					found[i][text] = id
				} else if !r.create && r.missing == "fail" {
					m.faults = append(m.faults, one(sh.prefix+r.from, "The selected "+r.from+" is invalid."))
				}
			}
		}
	}
	for i, r := range relations {
		if !r.create {
			continue
		}
		words := map[string]string{r.match: r.from}
		for _, m := range rows {
			if m.faults != nil {
				continue
			}
			for _, text := range asks(r, m) {
				if _, ok := found[i][text]; ok {
					continue
				}
				if id, ok := find(r, text); ok {
					found[i][text] = id
					continue
				}
				id, _, refused := t.insert(r.table, record{r.match: text}, nil, words)
				if refused != nil {
					m.faults = append(m.faults, fault{sh.prefix + r.from, refused})
					continue
				}
				found[i][text] = id
			}
		}
	}
	for _, m := range rows {
		if m.faults != nil {
			continue
		}
		for i, r := range relations {
			if r.to == "" {
				if list, ok := m.lists[r.from]; ok {
					ids := []string{}
					for _, text := range list {
						if id, ok := found[i][text]; ok {
							ids = append(ids, id)
						}
					}
					m.lists[r.from] = ids
				}
				continue
			}
			v := m.values[r.to]
			if v.set {
				id, ok := found[i][v.text]
				v = value{text: id, set: ok, null: !ok}
				m.values[r.to] = v
			}
			if v.null && t.spec(sh.table).column(r.to).notNull {
				m.faults = append(m.faults, one(sh.prefix+r.from, "The "+r.from+" field is required."))
			}
		}
	}
}

func number(id string) int {
	n, _ := strconv.Atoi(id)
	return n
}

// write writes a row as its strategy says, and returns its id.
func (t *twin) write(sh shape, values map[string]value, key []string, strategy string) (o twinOutcome, own string) {
	var old record
	keyed := len(key) > 0
	for _, k := range key {
		keyed = keyed && values[k].set
	}
	if keyed {
		for _, r := range t.w[sh.table] {
			if !slices.ContainsFunc(key, func(k string) bool { return !t.same(sh.table, k, r, values[k].text) }) {
				old = r
			}
		}
	}
	fields := map[string]value{}
	for name, v := range values {
		if sh.sources[name] != "" && (v.set || v.null) {
			fields[name] = v
		}
	}
	if old == nil {
		r, nulls := record{}, map[string]bool{}
		for name, v := range fields {
			if v.set {
				r[name] = v.text
			} else {
				nulls[name] = true
			}
		}
		id, columns, refused := t.insert(sh.table, r, nulls, sh.words)
		if refused != nil {
			return twinOutcome{faults: []fault{{t.blamed(sh, columns), refused}}}, ""
		}
		return twinOutcome{what: "created"}, id
	}
	switch strategy {
	case "skip":
		return twinOutcome{what: "skipped"}, ""
	case "fail":
		return twinOutcome{faults: []fault{one("", "Duplicate entry found for key '"+strings.Join(t.key, ", ")+"'.")}}, ""
	case "update_if_newer":
		if stored, ok := old["modified"]; ok && stored >= values["modified"].text {
			return twinOutcome{what: "skipped"}, ""
		}
	}
	changed, differs := maps.Clone(old), false
	for name, v := range fields {
		stored, ok := old[name]
		if slices.Contains(key, name) || v.set == ok && stored == v.text {
			continue
		}
		if differs = true; v.set {
			changed[name] = v.text
		} else {
			delete(changed, name)
		}
	}
	if !differs {
		return twinOutcome{what: "unchanged"}, old["id"]
	}
	if columns, refused := t.refusals(sh.table, changed, sh.words); refused != nil {
		return twinOutcome{faults: []fault{{t.blamed(sh, columns), refused}}}, ""
	}
	if t.stamps && t.spec(sh.table).column("updated_at").name != "" {
		changed["updated_at"] = "set"
	}
	maps.DeleteFunc(old, func(string, string) bool { return true })
	maps.Copy(old, changed)
	return twinOutcome{what: "updated"}, old["id"]
}

// blamed is what a refusal is filed under.
func (t *twin) blamed(sh shape, column string) string {
	if source := sh.sources[column]; source != "" {
		return source
	}
	return strings.TrimSuffix(sh.prefix, ".")
}

func (t *twin) insert(table string, r record, nulls map[string]bool, words map[string]string) (id, column string, refused []string) {
	for _, c := range t.spec(table).columns {
		if _, ok := r[c.name]; !ok && !nulls[c.name] && c.defaulted != "" {
			r[c.name] = c.defaulted
		}
		if c.kind == "time" && t.stamps {
			r[c.name] = "set"
		}
	}
	if column, refused = t.refusals(table, r, words); refused != nil {
		return "", column, refused
	}
	t.id++
	r["id"] = strconv.Itoa(t.id)
	t.w[table] = append(t.w[table], r)
	return r["id"], "", nil
}

// refusals are what a database may say to a row, and the column of the last of them.
func (t *twin) refusals(table string, r record, words map[string]string) (column string, refused []string) {
	called := func(name string) string {
		if text, ok := words[name]; ok {
			return text
		}
		return strings.ReplaceAll(name, "_", " ")
	}
	spec := t.spec(table)
	for _, c := range spec.columns {
		text, ok := r[c.name]
		if !ok && c.notNull {
			column, refused = c.name, append(refused, "The "+called(c.name)+" field is required.")
		}
		if !ok || c.check == nil {
			continue
		}
		if c.check[1] == ">" && number(text) <= number(c.check[2]) || c.check[1] == "<>" && text == strings.Trim(c.check[2], "'") {
			column, refused = "", append(refused, "The row violates '"+c.check[0]+"'.")
			if c.trigger { // each database has its own number for it
				refused = append(refused[:len(refused)-1], "The database refused the row (P0001).", "The database refused the row (1811).", "The database refused the row (1644).")
			}
		}
	}
	for _, index := range spec.unique {
		for _, other := range t.w[table] {
			if other["id"] == r["id"] && r["id"] != "" || slices.ContainsFunc(index, func(name string) bool {
				text, ok := r[name]
				return !ok || !t.same(table, name, other, text)
			}) {
				continue
			}
			names := make([]string, len(index))
			for i, name := range index {
				names[i] = called(name)
			}
			column, refused = index[0], append(refused, fmt.Sprintf("The %s has already been taken.", strings.Join(names, ", ")))
		}
	}
	return column, refused
}

// join writes the pairs of a row.
func (t *twin) join(own string, others []string, replace bool) (changed bool, failed *fault) {
	if replace {
		t.w["product_tag"] = slices.DeleteFunc(t.w["product_tag"], func(r record) bool {
			gone := r["product_id"] == own && !slices.Contains(others, r["tag_id"])
			changed = changed || gone
			return gone
		})
	}
	for _, other := range others {
		pair := record{"product_id": own, "tag_id": other}
		if slices.ContainsFunc(t.w["product_tag"], func(r record) bool { return r["product_id"] == own && r["tag_id"] == other }) {
			continue
		}
		if _, refused := t.refusals("product_tag", pair, nil); refused != nil {
			f := fault{"tags", refused}
			return false, &f
		}
		t.w["product_tag"] = append(t.w["product_tag"], pair)
		changed = true
	}
	return changed, nil
}

// nest writes the rows of the list.
func (t *twin) nest(o twinOutcome, own string, children []*made) twinOutcome {
	if len(children) == 0 {
		return o
	}
	sh := t.inner()
	t.relate(sh, children)
	var key []string
	if t.nested.key != nil {
		key = []string{t.nested.parent, sh.fields[0][1]}
	}
	var faults []fault
	for _, m := range children {
		if m.faults == nil {
			m.values[t.nested.parent] = value{text: own, set: true}
			done, _ := t.write(sh, m.values, key, "update")
			if m.faults = done.faults; done.what != "unchanged" && o.what == "unchanged" {
				o.what = "updated"
			}
		}
		faults = append(faults, m.faults...)
	}
	if faults != nil {
		return twinOutcome{faults: faults}
	}
	return o
}
