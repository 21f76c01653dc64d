package pipeline

import (
	"slices"

	"ingest/shared/column"
	"ingest/shared/importer"
)

// Watches are the columns that rows read – by a rule or a relation – in tables that the run writes. Where there are any, a
// row has to see what the rows before it have written. A form stands for a value of such a column; equal values have equal
// forms, the converse need not hold.
type Watches struct {
	// Table is the name of one of the tables, empty when nothing is watched.
	Table string
	// Twice is the name of a table that several parts of a row write, empty when there is none.
	Twice string
	// Blind says that nobody can tell from a row's values which forms it writes: each row has to see all before it.
	Blind bool
	// Replaces says that a row can also take a value away: that of the record in the table that it overwrites.
	Replaces bool

	program *Program
	columns []watched
	asks    []int // by lookup: the position in columns, -1 for none
	taps    []taps
}

// watched is one column of a table.
type watched struct {
	schema, table string
	column        column.Column
	// unsure says that a row can leave the value to a default of the database, which nobody here knows.
	unsure bool
}

// taps are where a target's records hold values of watched columns. Creating are those of relations that create what they
// do not find: they read and write.
type taps struct {
	reads, creating, writes, replaces []tap
	manyReads, manyCreating           []tap
	nested                            []taps
}

// tap is a position in a record and one in Watches.columns.
type tap struct{ at, watch int }

// Watches is computed anew at each call; the result is immutable.
func (p *Program) Watches(d importer.Definition, tables map[string]column.Table) *Watches {
	w := &Watches{program: p, asks: make([]int, len(p.lookups))}
	written := p.written(d, tables)
	for i, l := range p.lookups {
		w.asks[i] = w.watch(written, l.Table, l.Column, false)
	}
	for _, t := range p.targets {
		w.taps = append(w.taps, w.reading(written, t))
	}
	for i, t := range p.targets {
		w.writing(&w.taps[i], p, t, d.OnDuplicate, true)
	}
	for _, c := range w.columns {
		w.Table = c.table
		// A pivot's rows hold keys that no record knows.
		w.Blind = w.Blind || slices.ContainsFunc(written, func(by writer) bool { return by.pivot && by.is(c.schema, c.table) })
	}
	if w.Twice = shared(written); w.Twice != "" {
		w.Blind = true
	}
	return w
}

// Idle says that rows neither read what others write nor have to be written one by one.
func (w *Watches) Idle() bool { return w.Table == "" && !w.Blind }

// shared finds a table that more than one part of a row writes: many rows are written part by part, so that what one part of
// a row writes would come after what another part of a later row does.
func shared(written []writer) string {
	for i, one := range written {
		for _, other := range written[:i] {
			if one.match == "" && other.match == "" && one.is(other.table.Schema, other.table.Name) && !(one.own && other.own) {
				return one.table.Name
			}
		}
	}
	return ""
}

// writer is one way in which the run writes a table.
type writer struct {
	table column.Table
	// own says that the rows are those of a target.
	own, pivot bool
	// match is the column that create_if_missing fills, empty for others.
	match string
}

func (w writer) is(schema, table string) bool {
	return w.table.Schema == schema && w.table.Name == table
}

func (p *Program) written(d importer.Definition, tables map[string]column.Table) (list []writer) {
	related := func(all []importer.Relation) {
		for _, r := range all {
			if r.CreateIfMissing {
				list = append(list, writer{table: tables[r.Table], match: r.Match})
			}
			if r.Many() {
				list = append(list, writer{table: tables[r.Pivot], pivot: true})
			}
		}
	}
	for _, t := range p.targets {
		list = append(list, writer{table: t.Table, own: true})
	}
	related(d.Relations)
	for _, n := range d.Nested {
		list = append(list, writer{table: tables[n.Table]})
		related(n.Relations)
	}
	return list
}

// watch is the position of a column that is read, -1 if nobody writes its table. Who creates what it does not find reads
// the same whoever creates it.
func (w *Watches) watch(written []writer, table column.Table, c column.Column, creates bool) int {
	if !slices.ContainsFunc(written, func(by writer) bool {
		return by.is(table.Schema, table.Name) && (!creates || by.match != c.Name)
	}) {
		return -1
	}
	at := slices.IndexFunc(w.columns, func(known watched) bool {
		return known.schema == table.Schema && known.table == table.Name && known.column.Name == c.Name
	})
	if at < 0 {
		at = len(w.columns)
		w.columns = append(w.columns, watched{schema: table.Schema, table: table.Name, column: c})
	}
	return at
}

func (w *Watches) reading(written []writer, t *Target) (found taps) {
	for _, b := range t.Belongs {
		if at := w.watch(written, b.Related, b.Match, b.Relation.CreateIfMissing); at >= 0 {
			into := &found.reads
			if b.Relation.CreateIfMissing {
				into = &found.creating
			}
			*into = append(*into, tap{b.At, at})
		}
	}
	for i, m := range t.Many {
		if at := w.watch(written, m.Related, m.Match, m.Relation.CreateIfMissing); at >= 0 {
			into := &found.manyReads
			if m.Relation.CreateIfMissing {
				into = &found.manyCreating
			}
			*into = append(*into, tap{i, at})
		}
	}
	for _, n := range t.Nested {
		found.nested = append(found.nested, w.reading(written, n.Target))
	}
	return found
}

// writing adds where a target's records hold what is written into watched columns. Rows of a nested list always take the
// place of those they find.
func (w *Watches) writing(into *taps, p *Program, t *Target, on importer.OnDuplicate, main bool) {
	keyed := len(t.key) > 0 && (!main || on == importer.Update || on == importer.Upsert || on == importer.UpdateIfNewer)
	for i := range w.columns {
		c := &w.columns[i]
		for _, b := range t.Belongs {
			if b.Relation.CreateIfMissing && c.schema == b.Related.Schema && c.table == b.Related.Name {
				into.creating = tapped(into.creating, tap{b.At, i})
				w.Blind = w.Blind || c.column.Name != b.Match.Name
			}
		}
		for k, m := range t.Many {
			if m.Relation.CreateIfMissing && c.schema == m.Related.Schema && c.table == m.Related.Name {
				into.manyCreating = tapped(into.manyCreating, tap{k, i})
				w.Blind = w.Blind || c.column.Name != m.Match.Name
			}
		}
		if t.Table.Schema != c.schema || t.Table.Name != c.table {
			continue
		}
		at := slices.IndexFunc(t.columns, func(known column.Column) bool { return known.Name == c.column.Name })
		switch {
		case at < 0 || t.looksUp(at) || t.CompareOnly && at == t.Compare:
			w.Blind = true
			continue
		case keyed && !slices.Contains(t.key, at):
			into.replaces = append(into.replaces, tap{at, i})
			w.Replaces = true
			// What is in the table can be read only for keys that are known without a look into others, and that one row has.
			w.Blind = w.Blind || !main || t.Unindexed() || slices.ContainsFunc(t.key, t.looksUp)
		}
		into.writes = append(into.writes, tap{at, i})
		c.unsure = c.unsure || c.column.Default && p.mayLack(&t.fields[at])
	}
	for i, n := range t.Nested {
		w.writing(&into.nested[i], n.program, n.Target, on, false)
	}
}

// mayLack says that a row can come without the value of a field.
func (p *Program) mayLack(f *field) bool {
	return f.when != nil || f.constant == nil && f.computed == nil && (p.pad || f.cell >= p.header)
}

func tapped(list []tap, t tap) []tap {
	if slices.Contains(list, t) {
		return list
	}
	return append(list, t)
}

// looksUp says whether the values of a column are looked up in another table.
func (t *Target) looksUp(at int) bool {
	_, found := t.lookedUp(at)
	return found
}

func (t *Target) lookedUp(at int) (b Belongs, found bool) {
	i := slices.IndexFunc(t.Belongs, func(b Belongs) bool { return b.At == at })
	if i < 0 {
		return b, false
	}
	return t.Belongs[i], true
}

// distinct says that what different rows are found by leads to different keys.
func (b Belongs) distinct() bool {
	if b.Relation.Key == "" {
		return true // what a foreign key refers to, or the primary key
	}
	_, unique := b.Related.UniqueOn([]string{b.Relation.Key})
	return unique
}
