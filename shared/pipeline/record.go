package pipeline

import (
	"ingest/shared/column"
	"ingest/shared/row"
)

// record is a row as rules and transforms see it: by positions, with NULL and guards already judged.
type record struct {
	program *Program
	cells   []string
}

func (p *Program) record(r row.Row) record { return record{p, r.Cells} }

// cell is what stands in the source: a text, NULL, or nothing in a short row or a column the header lacks.
func (r record) cell(at int) column.Value {
	if at < 0 || at >= len(r.cells) {
		return column.Value{}
	}
	text := r.cells[at]
	if r.program.guarded {
		text = unguarded(text)
	}
	for _, null := range r.program.nulls {
		if text == null {
			return column.Value{State: column.Null}
		}
	}
	return column.Value{Text: text, State: column.Set}
}

// present says whether a value is more than blanks, as the presence rules mean it.
func present(v column.Value) bool { return v.State == column.Set && column.Trim(v.Text) != "" }
