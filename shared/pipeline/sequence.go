package pipeline

import (
	"strconv"

	"ingest/shared/column"
	"ingest/shared/row"
)

// Sequence cuts rows, which come in their order, into parts: those of a part can be written together, part by part of each
// row, with the effect of one after the other. It is made by Watches.Sequence and is not safe for concurrent use.
type Sequence struct {
	watches *Watches
	// written and created are what the rows of the part write, created by relations that found nothing; late is what they
	// look for only after the own rows of all of them are written.
	written, created, late map[string]bool
	// held are, over all parts, the forms that rows of the same key have written.
	held map[string][]string
}

// Sequence begins with an empty part.
func (w *Watches) Sequence() *Sequence {
	return &Sequence{
		watches: w, written: map[string]bool{}, created: map[string]bool{}, late: map[string]bool{}, held: map[string][]string{},
	}
}

// Next says whether a row has to begin a new part, and puts it into that or the last one. The record is what it becomes, nil
// if it is not written; stored are the values in the table of the row that it overwrites, as they were before the first row
// of the sequence, nil if there is none.
func (s *Sequence) Next(in row.Row, record *Record, stored []column.Value) (cut bool) {
	w := s.watches
	var t touched
	w.Asks(in, func(form string) { t.reads = append(t.reads, form) })
	if record != nil {
		w.touch(w.taps[record.Target], record, false, &t)
		t.written = append(t.written, s.replaced(record, stored)...)
	}
	cut = w.Blind || meets(t.reads, s.written) || meets(t.reads, s.created) || meets(t.creating, s.written) ||
		meets(t.written, s.created) || meets(t.written, s.late) || meets(t.created, s.late)
	if cut {
		clear(s.written)
		clear(s.created)
		clear(s.late)
	}
	put(t.written, s.written)
	put(t.created, s.created)
	put(t.late, s.late)
	return cut
}

// replaced are the forms that a record takes away: what its key has in the table, or was given by rows before it.
func (s *Sequence) replaced(record *Record, stored []column.Value) []string {
	w := s.watches
	if len(w.taps[record.Target].replaces) == 0 {
		return nil
	}
	id := strconv.Itoa(record.Target)
	target := w.program.targets[record.Target]
	for _, k := range target.key {
		text := Coarse(record.Values[k], target.columns[k])
		id += " " + strconv.Itoa(len(text)) + ":" + text
	}
	forms := s.held[id]
	if stored != nil {
		forms = append(forms, w.Replaced(record.Target, stored)...)
	}
	s.held[id] = w.values(w.taps[record.Target].replaces, record.Values, forms)
	return forms
}

func meets(forms []string, with map[string]bool) bool {
	for _, form := range forms {
		if with[form] {
			return true
		}
	}
	return false
}

func put(forms []string, into map[string]bool) {
	for _, form := range forms {
		into[form] = true
	}
}

// touched are the forms of what a row does: reads find something or not, creating find or create; late are those reads that
// belong to a nested list.
type touched struct{ reads, creating, late, written, created []string }

func (w *Watches) touch(t taps, record *Record, nested bool, into *touched) {
	reads := w.sought(t.reads, record.Values, nil)
	reads = w.lists(t.manyReads, record.Many, reads)
	into.reads = append(into.reads, reads...)
	if nested {
		into.late = append(into.late, reads...)
	}
	into.creating = w.sought(t.creating, record.Values, into.creating)
	into.creating = w.lists(t.manyCreating, record.Many, into.creating)
	into.created = into.creating
	into.written = w.values(t.writes, record.Values, into.written)
	for i, list := range record.Nested {
		for k := range list {
			w.touch(t.nested[i], &list[k], true, into)
		}
	}
}

// Asks tells the forms of what the rules ask of a row.
func (w *Watches) Asks(in row.Row, tell func(form string)) {
	w.program.Asks(in, func(lookup int, value column.Value) {
		if at := w.asks[lookup]; at >= 0 {
			tell(w.form(at, value))
			if w.columns[at].unsure {
				tell(defaulted(at))
			}
		}
	})
}

// Looks are the forms of what the relations of a record look for.
func (w *Watches) Looks(record *Record) []string {
	var t touched
	w.touch(w.taps[record.Target], record, false, &t)
	return append(t.reads, t.creating...)
}

// Writes are the forms of what a record writes.
func (w *Watches) Writes(record *Record) []string {
	var t touched
	w.touch(w.taps[record.Target], record, false, &t)
	return append(t.written, t.created...)
}

// Replaced are the forms of what a record of a target takes away from a row of the table, given its values.
func (w *Watches) Replaced(target int, stored []column.Value) []string {
	return w.values(w.taps[target].replaces, stored, nil)
}

func (w *Watches) form(watch int, value column.Value) string {
	return strconv.Itoa(watch) + ":" + Coarse(value, w.columns[watch].column)
}

// defaulted is the form of a value that the database makes.
func defaulted(watch int) string { return strconv.Itoa(watch) + "?" }

// values are the forms of what is written.
func (w *Watches) values(list []tap, values []column.Value, forms []string) []string {
	for _, tap := range list {
		switch value := values[tap.at]; {
		case value.State == column.Set:
			forms = append(forms, w.form(tap.watch, value))
		case value.State == column.Absent && w.columns[tap.watch].unsure:
			forms = append(forms, defaulted(tap.watch))
		}
	}
	return forms
}

// sought are the forms of what is looked for.
func (w *Watches) sought(list []tap, values []column.Value, forms []string) []string {
	for _, tap := range list {
		if values[tap.at].State == column.Set {
			forms = w.look(tap.watch, values[tap.at], forms)
		}
	}
	return forms
}

func (w *Watches) lists(list []tap, lists [][]column.Value, forms []string) []string {
	for _, tap := range list {
		for _, value := range lists[tap.at] {
			forms = w.look(tap.watch, value, forms)
		}
	}
	return forms
}

func (w *Watches) look(watch int, value column.Value, forms []string) []string {
	forms = append(forms, w.form(watch, value))
	if w.columns[watch].unsure {
		forms = append(forms, defaulted(watch))
	}
	return forms
}
