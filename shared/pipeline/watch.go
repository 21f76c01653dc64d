package pipeline

import (
	"slices"
	"strconv"

	"ingest/shared/column"
	"ingest/shared/importer"
	"ingest/shared/row"
)

// Watches are the columns that rows read – by a rule or a relation – in tables that the run writes. Where there are any, a
// row has to see what the rows before it have written. A form stands for a value of such a column; equal values have equal
// forms, the converse need not hold.
type Watches struct {
	// Table is the name of one of the tables, empty when nothing is watched.
	Table string
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
}

// taps are where a target's records hold values of watched columns.
type taps struct {
	reads, writes, replaces []tap
	manyReads, manyWrites   []tap
	nested                  []taps
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
		w.writing(&w.taps[i], t, d.OnDuplicate, true)
	}
	for _, c := range w.columns {
		w.Table = c.table
		// A pivot's rows hold keys that no record knows.
		w.Blind = w.Blind || slices.ContainsFunc(written, func(by writer) bool { return by.pivot && by.is(c.schema, c.table) })
	}
	return w
}

// writer is one way in which the run writes a table.
type writer struct {
	table column.Table
	pivot bool
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
		list = append(list, writer{table: t.Table})
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
		w.columns = append(w.columns, watched{table.Schema, table.Name, c})
	}
	return at
}

func (w *Watches) reading(written []writer, t *Target) (found taps) {
	for _, b := range t.Belongs {
		if at := w.watch(written, b.Related, b.Match, b.Relation.CreateIfMissing); at >= 0 {
			found.reads = append(found.reads, tap{b.At, at})
		}
	}
	for i, m := range t.Many {
		if at := w.watch(written, m.Related, m.Match, m.Relation.CreateIfMissing); at >= 0 {
			found.manyReads = append(found.manyReads, tap{i, at})
		}
	}
	for _, n := range t.Nested {
		found.nested = append(found.nested, w.reading(written, n.Target))
	}
	return found
}

// writing adds where a target's records hold what is written into watched columns. Rows of a nested list always take the
// place of those they find.
func (w *Watches) writing(into *taps, t *Target, on importer.OnDuplicate, main bool) {
	keyed := len(t.key) > 0 && (!main || on == importer.Update || on == importer.Upsert || on == importer.UpdateIfNewer)
	for i, c := range w.columns {
		for _, b := range t.Belongs {
			if b.Relation.CreateIfMissing && c.schema == b.Related.Schema && c.table == b.Related.Name {
				into.writes = append(into.writes, tap{b.At, i})
				w.Blind = w.Blind || c.column.Name != b.Match.Name
			}
		}
		for k, m := range t.Many {
			if m.Relation.CreateIfMissing && c.schema == m.Related.Schema && c.table == m.Related.Name {
				into.manyWrites = append(into.manyWrites, tap{k, i})
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
		case keyed && !slices.Contains(t.key, at):
			into.writes, into.replaces = append(into.writes, tap{at, i}), append(into.replaces, tap{at, i})
			w.Replaces = true
			// What is in the table can be read only for keys that are known without a look into others.
			w.Blind = w.Blind || !main || slices.ContainsFunc(t.key, t.looksUp)
		default:
			into.writes = append(into.writes, tap{at, i})
		}
	}
	for i, n := range t.Nested {
		w.writing(&into.nested[i], n.Target, on, false)
	}
}

// looksUp says whether the values of a column are looked up in another table.
func (t *Target) looksUp(at int) bool {
	return slices.ContainsFunc(t.Belongs, func(b Belongs) bool { return b.At == at })
}

func (w *Watches) form(watch int, value column.Value) string {
	return strconv.Itoa(watch) + ":" + Coarse(value, w.columns[watch].column)
}

// Reads are the forms of what a row, which becomes a record, looks for.
func (w *Watches) Reads(in row.Row, record *Record) (forms []string) {
	w.program.Asks(in, func(lookup int, value column.Value) {
		if at := w.asks[lookup]; at >= 0 {
			forms = append(forms, w.form(at, value))
		}
	})
	if record != nil {
		forms = w.read(w.taps[record.Target], record, forms)
	}
	return forms
}

func (w *Watches) read(t taps, record *Record, forms []string) []string {
	forms = w.values(t.reads, record.Values, forms)
	forms = w.lists(t.manyReads, record.Many, forms)
	for i, list := range record.Nested {
		for k := range list {
			forms = w.read(t.nested[i], &list[k], forms)
		}
	}
	return forms
}

// Writes are the forms of what a record writes.
func (w *Watches) Writes(record *Record) []string { return w.write(w.taps[record.Target], record, nil) }

func (w *Watches) write(t taps, record *Record, forms []string) []string {
	forms = w.values(t.writes, record.Values, forms)
	forms = w.lists(t.manyWrites, record.Many, forms)
	for i, list := range record.Nested {
		for k := range list {
			forms = w.write(t.nested[i], &list[k], forms)
		}
	}
	return forms
}

// Replaced are the forms of what a record of a target takes away from a row of the table, given its values.
func (w *Watches) Replaced(target int, stored []column.Value) []string {
	return w.values(w.taps[target].replaces, stored, nil)
}

func (w *Watches) values(list []tap, values []column.Value, forms []string) []string {
	for _, tap := range list {
		if values[tap.at].State == column.Set {
			forms = append(forms, w.form(tap.watch, values[tap.at]))
		}
	}
	return forms
}

func (w *Watches) lists(list []tap, lists [][]column.Value, forms []string) []string {
	for _, tap := range list {
		for _, value := range lists[tap.at] {
			forms = append(forms, w.form(tap.watch, value))
		}
	}
	return forms
}
