// Package draft writes the first version of an importer from a sample of its source.
//
// It is conservative: what the sample does not prove stays text, and every guess stands in the file beside its evidence.
// The importer it writes is valid, and takes every row of the sample that can be read at all. It reads through shared/format
// and judges values by the conversions and transforms of the engine, so that it cannot hold one for something that a run does not.
package draft

import (
	"fmt"
	"io"

	"ingest/shared/column"
	"ingest/shared/format"
	"ingest/shared/importer"
	"ingest/shared/pipeline"
	"ingest/shared/row"
)

// Source is where a sample is read from.
type Source struct {
	// Open begins to read it, each time anew.
	Open func() (io.ReadCloser, error)
	// Compression is "", "gz" or "zst".
	Compression string
	// Rows is the greatest number of rows that are looked at.
	Rows int
}

// The most that is looked at whatever Rows says: what is remembered of a column grows with its cells.
const (
	maxCells = 2_000_000
	maxBytes = 128 << 20
)

// Draft is what a sample says about an importer.
type Draft struct {
	delimiter string
	// agreeing is how many of the first rows have the width of the header by this delimiter, of how many; told says that the
	// file names it itself.
	agreeing, judged int
	told             bool

	columns []*observed
	rows    int
	// more says that there are rows that were not looked at.
	more bool
	// What is wrong with rows, and the line of the first.
	short, long, broken tally
}

// tally counts rows and remembers the line of the first.
type tally struct {
	rows int
	line int64
}

func (t *tally) add(line int64) {
	if t.rows++; t.rows == 1 {
		t.line = line
	}
}

// Error is why nothing can be drafted. Its message is for people.
type Error struct{ Message string }

// Error returns the message.
func (e *Error) Error() string { return e.Message }

func failure(format string, args ...any) error { return &Error{Message: fmt.Sprintf(format, args...)} }

// Read looks at a sample. What the engine refuses of a file is refused here in its words: an error is an *Error, a
// *format.Error or a *pipeline.Error, or wraps one of the reader.
func Read(s Source) (*Draft, error) {
	d := &Draft{}
	if err := d.findDelimiter(s); err != nil {
		return nil, err
	}
	cells, bytes := 0, 0
	err := s.each(d.delimiter, d.begin, func(_ *format.CSV, r row.Row) (bool, error) {
		if cells += len(d.columns); d.rows == s.Rows || cells > maxCells || bytes > maxBytes {
			d.more = true
			return false, nil
		}
		d.rows++
		for _, cell := range r.Cells {
			bytes += len(cell)
		}
		return true, d.look(r)
	})
	if err != nil {
		return nil, err
	}
	return d, nil
}

// Rows is how many rows were looked at, Columns how many the importer maps.
func (d *Draft) Rows() int { return d.rows }

// Columns is how many columns the importer maps.
func (d *Draft) Columns() int { return len(d.mapped()) }

func (d *Draft) mapped() []*observed {
	var all []*observed
	for _, c := range d.columns {
		if !c.ignored() {
			all = append(all, c)
		}
	}
	return all
}

// begin makes the columns of a header.
func (d *Draft) begin(c *format.CSV) error {
	header := c.Header()
	if header == nil {
		return failure("The file is empty: there is nothing to make an importer of.")
	}
	guesses, err := newGuesses()
	if err != nil {
		return err
	}
	for i, name := range header {
		if problem := column.Readable(name); problem != "" {
			return failure("Column %d of the header %s%s", i+1, problem, mend(problem))
		}
		d.columns = append(d.columns, newObserved(name, i, guesses))
	}
	if err := pipeline.CheckHeader(importer.Definition{}, pipeline.Setting{Header: header}); err != nil {
		return err
	}
	if len(d.mapped()) == 0 {
		return failure("The header names no column to map: blank names and names that begin with _ are ignored.")
	}
	nameTargets(d.mapped())
	return nil
}

// look takes a row into account.
func (d *Draft) look(r row.Row) error {
	if r.Fault != "" {
		d.broken.add(r.Line)
		return nil
	}
	if len(r.Cells) < len(d.columns) {
		d.short.add(r.Line)
	}
	for i := len(d.columns); i < len(r.Cells); i++ {
		if r.Cells[i] != "" {
			d.long.add(r.Line)
			break
		}
	}
	for i, c := range d.columns {
		switch {
		case c.ignored():
		case i >= len(r.Cells):
			c.absent++
		default:
			if problem := column.Readable(r.Cells[i]); problem != "" {
				return failure("The column '%s' of the row in line %d %s%s", c.header, r.Line, problem, mend(problem))
			}
			c.look(r.Cells[i])
		}
	}
	return nil
}

// mend says what helps against a text that no database takes.
func mend(problem column.Problem) string {
	if problem == column.NotUTF8 {
		return ` Save the file again as "CSV UTF-8".`
	}
	return ""
}
