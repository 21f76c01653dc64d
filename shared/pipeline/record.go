package pipeline

import (
	"ingest/shared/column"
	"ingest/shared/expression"
	"ingest/shared/row"
)

// record is a row while it is worked on, by value: as read, with NULL and guards judged where a cell is asked for, and
// with what is made of it. Its source columns have addresses: below the header's length a cell of the row, from there on
// the virtual columns.
type record struct {
	program *Program
	cells   []string
	*computed
}

// computed is what a record has beside its cells. It is apart because records are passed on for every cell, and most have
// nothing of it.
type computed struct {
	virtual []column.Value
	// state is nil for a program without expressions.
	state *expression.State
	// answers are those of the database.
	answers Answers
}

// virtual is a source column that is no cell of its own: made by before_row, or found within a cell.
type virtual struct {
	assigned *expression.Expression
	source   string
	path     []walk
	// slots are where expressions look for it.
	slots []int
}

// read is a cell that expressions look at, in the order of their slots.
type read struct {
	address int
	slot    int
}

// few is how many columns of each kind a scratch has room for before it needs more memory.
const few = 4

// scratch is the memory of a record, allocated at once.
type scratch struct {
	computed
	state   expression.State
	columns [few]column.Value
	virtual [few]column.Value
}

// open makes the record of a row: its virtual columns in order, so that each sees those before it. problem says of
// which column of before_row there is no value.
func (p *Program) open(in row.Row, answers Answers) (r record, problem *Failure) {
	r = record{program: p, cells: in.Cells, computed: &p.nothing}
	if len(p.virtual) == 0 && !p.computes {
		if answers != nil {
			r.computed = &computed{answers: answers}
		}
		return r, nil
	}
	s := &scratch{computed: computed{answers: answers}}
	r.computed = &s.computed
	r.virtual, s.state.Columns = sized(s.virtual[:], len(p.virtual)), sized(s.columns[:], p.slots)
	if p.computes {
		r.state = &s.state
	}
	for _, read := range p.reads {
		s.state.Columns[read.slot] = r.cell(read.address)
	}
	for i := range p.virtual {
		v := &p.virtual[i]
		if v.assigned == nil {
			r.virtual[i] = r.walk(v.path)
		} else {
			cell, why := v.assigned.Cell(r.state)
			if why != "" {
				return r, p.uncomputed(v.source, why)
			}
			r.virtual[i] = p.nulled(cell.Text)
			if cell.State == column.Null {
				r.virtual[i] = cell
			}
		}
		for _, slot := range v.slots {
			s.state.Columns[slot] = r.virtual[i]
		}
	}
	return r, nil
}

func sized(room []column.Value, n int) []column.Value {
	if n > len(room) {
		return make([]column.Value, n)
	}
	return room[:n]
}

// uncomputed is the failure of a row one of whose columns could not be computed.
func (p *Program) uncomputed(source, why string) *Failure {
	var found failures
	found.add(source, "The "+p.phrases.words(source)+" field "+couldNot+why+".")
	return found.failure()
}

const couldNot = "could not be computed: "

// cell is what stands in a source column: a text, NULL, or nothing in a short row or a column the header lacks.
func (r record) cell(at int) column.Value {
	switch {
	case at >= r.program.header:
		return r.virtual[at-r.program.header]
	case at < 0 || at >= len(r.cells):
		return column.Value{}
	}
	text := r.cells[at]
	if r.program.guarded {
		text = unguarded(text)
	}
	return r.program.nulled(text)
}

// nulled is a text of the source: NULL when it is one of those that mean it.
func (p *Program) nulled(text string) column.Value {
	for _, null := range p.nulls {
		if text == null {
			return column.Value{State: column.Null}
		}
	}
	return column.Value{Text: text, State: column.Set}
}

// present says whether a value is more than blanks, as the presence rules mean it.
func present(v column.Value) bool { return v.State == column.Set && column.Trim(v.Text) != "" }
