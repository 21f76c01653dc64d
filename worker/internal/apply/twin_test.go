package apply_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"ingest/shared/run"
)

// twin imports a script row by row into maps. It knows the promises of the documentation and nothing of the engine.
type twin struct {
	*script
	w  world
	id int
}

// value is a cell: a text, NULL, or nothing where the row is too short.
type value struct {
	text      string
	set, null bool
}

// fault is why a row fails: a message for a column; several where a database may choose what it says.
type fault struct {
	column   string
	messages []string
}

type twinOutcome struct {
	what   string
	faults []fault
}

func (s *script) twin() *twin {
	t := &twin{script: s, w: world{}, id: 5000}
	for _, table := range s.tables {
		for _, values := range s.before[table.name] {
			r := record(maps.Clone(values))
			for _, c := range table.columns {
				if _, ok := r[c.name]; !ok && c.defaulted != "" {
					r[c.name] = c.defaulted
				}
			}
			t.w[table.name] = append(t.w[table.name], r)
		}
	}
	return t
}

func (w world) clone() world {
	out := world{}
	for table, rows := range w {
		for _, r := range rows {
			out[table] = append(out[table], maps.Clone(r))
		}
	}
	return out
}

// play imports the file. Nil for a message says that a database may say this or that.
func (t *twin) play() (counts run.Counts, messages map[int64][]string, tables string) {
	messages = map[int64][]string{}
	number := int64(0)
	for part := range slices.Chunk(t.rows, t.size) {
		before, first, bad := t.w.clone(), number+1, int64(0)
		var sum run.Counts
		for _, cells := range part {
			number++
			saved := t.w.clone()
			o := t.row(cells)
			switch o.what {
			case "created":
				sum.Created++
			case "updated":
				sum.Updated++
			case "unchanged":
				sum.Unchanged++
			case "skipped":
				sum.Skipped++
				t.w = saved
			default:
				sum.Failed++
				t.w = saved
				messages[number] = said(o.faults)
				if bad == 0 {
					bad = number
				}
			}
		}
		if t.whole && bad > 0 {
			t.w = before
			sum = run.Counts{Failed: number - first + 1}
			for n := first; n <= number; n++ {
				if _, ok := messages[n]; !ok {
					messages[n] = []string{fmt.Sprintf("Rolled back: row %d of the same chunk failed.", bad)}
				}
			}
		}
		counts = counts.Add(sum)
	}
	return counts, messages, t.w.dump(t.script)
}

// said is the message of a row.
func said(faults []fault) []string {
	more, seen := -1, map[string]bool{}
	for _, f := range faults {
		if len(f.messages) > 1 && len(faults) > 1 {
			return nil
		}
		if key := f.column + "\n" + f.messages[0]; !seen[key] {
			seen[key] = true
			more++
		}
	}
	tail := ""
	switch {
	case more == 1:
		tail = " (and 1 more error)"
	case more > 1:
		tail = fmt.Sprintf(" (and %d more errors)", more)
	}
	var list []string
	for _, message := range faults[0].messages {
		list = append(list, message+tail)
	}
	return list
}

func one(column, message string) fault { return fault{column, []string{message}} }

// shape is what rows of one table are made with: those of the file, or the objects of a list.
type shape struct {
	table     string
	fields    [][2]string
	relations []relationSpec
	prefix    string
	words     map[string]string // of columns, in messages
	sources   map[string]string
}

func newShape(table, prefix string, fields [][2]string, relations []relationSpec) shape {
	sh := shape{table, fields, relations, prefix, map[string]string{}, map[string]string{}}
	for _, f := range fields {
		sh.words[f[1]], sh.sources[f[1]] = f[0], prefix+f[0]
	}
	for _, r := range relations {
		if r.to != "" {
			sh.words[r.to], sh.sources[r.to] = r.from, prefix+r.from
		}
	}
	return sh
}

// made is a row before it is written: values of columns, with those of relations as texts to look up.
type made struct {
	values map[string]value
	lists  map[string][]string
	faults []fault
}

func (t *twin) row(cells []string) twinOutcome {
	cell := func(name string) value {
		i := slices.Index(t.header, name)
		switch {
		case i >= len(cells):
			return value{}
		case cells[i] == "":
			return value{null: true}
		}
		return value{text: cells[i], set: true}
	}
	if faults := t.ruled(cell); faults != nil {
		return twinOutcome{faults: faults}
	}
	table := t.table
	if t.other != "" && cell("type").text == "admin" {
		table = t.other
	}
	sh := newShape(table, "", t.fields, t.relations)
	m := t.fill(sh, cell)
	children, faults := t.children(cell)
	if m.faults = append(m.faults, faults...); m.faults != nil {
		return twinOutcome{faults: m.faults}
	}
	if t.relate(sh, []*made{&m}); m.faults != nil {
		return twinOutcome{faults: m.faults}
	}
	o, own := t.write(sh, m.values, t.keyColumns(), t.onDuplicate)
	if o.what == "skipped" || o.faults != nil {
		return o
	}
	for _, r := range t.relations {
		if list, ok := m.lists[r.from]; ok {
			changed, wrong := t.join(own, list, r.replace)
			if wrong != nil {
				return twinOutcome{faults: []fault{*wrong}}
			}
			if changed && o.what == "unchanged" {
				o.what = "updated"
			}
		}
	}
	return t.nest(o, own, children)
}

func (t *twin) keyColumns() (columns []string) {
	for _, source := range t.key {
		if source == "category" {
			source = map[bool]string{true: "parent_id", false: "category_id"}[t.table == "categories"]
		}
		columns = append(columns, source)
	}
	return columns
}

func (t *twin) ruled(cell func(string) value) (faults []fault) {
	for _, rule := range t.rules {
		source := rule[0]
		name, args, _ := strings.Cut(rule[1], ":")
		list := append(strings.Split(args, ","), "", "", "")
		column := list[1]
		if column == "" {
			column = source
		}
		v := cell(source)
		if !v.set {
			continue
		}
		there := slices.ContainsFunc(t.w[list[0]], func(r record) bool {
			return t.same(list[0], column, r, v.text) && (list[3] == "" || r[list[3]] != list[2])
		})
		switch {
		case name == "exists" && !there:
			faults = append(faults, one(source, "The selected "+source+" is invalid."))
		case name == "unique" && there:
			faults = append(faults, one(source, "The "+source+" has already been taken."))
		}
	}
	return faults
}

// same says that a row holds a text in a column, as the database compares.
func (t *twin) same(table, column string, r record, text string) bool {
	stored, ok := r[column]
	return ok && (stored == text || t.spec(table).column(column).nocase && strings.EqualFold(stored, text))
}

func (t *twin) fill(sh shape, cell func(string) value) (m made) {
	m = made{values: map[string]value{}, lists: map[string][]string{}}
	add := func(source, column string, v value, kind string, notNull bool) {
		problem := ""
		switch {
		case !v.set:
		case kind == "int":
			if _, err := strconv.Atoi(v.text); err != nil {
				problem = "must be an integer."
			}
		case kind == "date" && v.text == "bad":
			problem = "must be a valid date."
		}
		if problem == "" && (v.null && notNull || column == "modified" && t.compare != "" && !v.set) {
			problem = "is required."
		}
		if problem != "" {
			m.faults = append(m.faults, one(sh.prefix+source, "The "+source+" field "+problem))
		}
		m.values[column] = v
	}
	for _, f := range sh.fields {
		c := t.spec(sh.table).column(f[1])
		add(f[0], f[1], cell(f[0]), c.kind, c.notNull)
	}
	for _, r := range sh.relations {
		if r.to != "" {
			add(r.from, r.to, cell(r.from), "text", t.spec(sh.table).column(r.to).notNull)
		}
	}
	if _, ok := m.values["modified"]; !ok && sh.prefix == "" && t.compare != "" {
		add("modified", "modified", cell("modified"), "date", false)
	}
	for _, r := range sh.relations {
		if v := cell(r.from); r.to == "" && (v.set || v.null) {
			m.lists[r.from] = texts(v.text)
		}
	}
	return m
}

func texts(cell string) (list []string) {
	items := strings.Split(cell, ",")
	if strings.HasPrefix(cell, "[") {
		items = nil
		_ = json.Unmarshal([]byte(cell), &items) // the file has only good ones
	}
	for _, item := range items {
		if item != "" && !slices.Contains(list, item) {
			list = append(list, item)
		}
	}
	return list
}

// children are the rows of the list.
func (t *twin) children(cell func(string) value) (list []*made, faults []fault) {
	if t.nested == nil || !cell(t.nested.from).set {
		return nil, nil
	}
	wrong := []fault{one("items", "The items field must be a list of objects.")}
	var objects []map[string]any
	if json.Unmarshal([]byte(cell("items").text), &objects) != nil {
		return nil, wrong
	}
	for _, object := range objects {
		m := t.fill(t.inner(), func(name string) value {
			found, ok := object[name]
			switch {
			case !ok:
				return value{}
			case found == nil || found == "":
				return value{null: true}
			}
			return value{text: fmt.Sprint(found), set: true}
		})
		list, faults = append(list, &m), append(faults, m.faults...)
	}
	return list, faults
}

func (t *twin) inner() shape {
	sh := newShape(t.nested.table, "items.", t.nested.fields, t.nested.relations)
	sh.words[t.nested.parent], sh.sources[t.nested.parent] = strings.ReplaceAll(t.nested.parent, "_", " "), "items."+t.nested.parent
	return sh
}
