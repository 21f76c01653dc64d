package mended

import (
	"cmp"
	"errors"
	"io"
	"iter"
	"slices"
	"strings"

	"ingest/shared/pipeline"
	"ingest/shared/row"
)

// perRow and perCell are what a row and a cell in memory take beside their text.
const (
	perRow  = 64
	perCell = 16
)

// ordered yields the rows by the numbers in the file, each number once. As much as there is room for is kept and put in order;
// what does not fit must be in order already.
func (f *File) ordered() iter.Seq2[row.Row, error] {
	return func(yield func(row.Row, error) bool) {
		kept, r, err := f.fill()
		if errors.Is(err, io.EOF) {
			slices.SortStableFunc(kept, func(a, b row.Row) int { return cmp.Compare(a.Number, b.Number) })
		} else if err != nil {
			yield(row.Row{}, err)
			return
		}
		var last row.Row
		take := func(r row.Row) bool {
			wrong := f.follows(last, r)
			if wrong != nil {
				r = row.Row{}
			}
			last.Number, last.Line = r.Number, r.Line
			return yield(r, wrong) && wrong == nil
		}
		for _, r := range kept {
			if !take(r) {
				return
			}
		}
		for ; err == nil; err = f.next(&r) {
			if !take(r) {
				return
			}
		}
		if !errors.Is(err, io.EOF) {
			yield(row.Row{}, err)
		}
	}
}

// fill keeps rows until there is no room, which gives the row that did not fit, or until an error, such as io.EOF.
func (f *File) fill() (kept []row.Row, r row.Row, err error) {
	for taken := 0; ; {
		if err := f.next(&r); err != nil {
			return kept, r, err
		}
		taken += perRow + perCell*len(r.Cells)
		for _, cell := range r.Cells {
			taken += len(cell)
		}
		if taken > f.room {
			return kept, r, nil
		}
		kept = append(kept, clone(r))
	}
}

// follows returns why a row must not come behind the one before.
func (f *File) follows(last, r row.Row) error {
	switch {
	case r.Number == last.Number:
		return f.wrong(" has the row %d twice (lines %d and %d).", r.Number, last.Line, r.Line)
	case r.Number < last.Number:
		return f.wrong(" is too large to be put in the order of %s here (over %d MiB): sort it by that column.",
			pipeline.RowNumber, sortable>>20)
	default:
		return nil
	}
}

// clone copies a row whose cells are views: all texts in one.
func clone(r row.Row) row.Row {
	text := strings.Join(r.Cells, "")
	cells := make([]string, len(r.Cells))
	for i, cell := range r.Cells {
		cells[i], text = text[:len(cell)], text[len(cell):]
	}
	r.Cells = cells
	return r
}
