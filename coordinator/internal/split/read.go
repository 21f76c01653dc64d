package split

import (
	"context"
	"slices"
	"strings"

	"ingest/shared/control"
	"ingest/shared/importer"
	"ingest/shared/row"
	"ingest/shared/run"
)

// Reader reads the sources of runs as they are split, for those who only look. It needs no Redis and writes nothing.
type Reader struct{ splitter *Splitter }

// NewReader returns a Reader.
func NewReader(p Parts) *Reader { return &Reader{New(p)} }

// Head reads the header and then row after row of a file until take says that it was enough, or the file ends. A row's
// cells are valid until take returns. The header is nil for a source without one. What is wrong with the file is a refusal.
func (r *Reader) Head(ctx context.Context, of run.Run, f importer.Format, begin func(header []string) error, take func(row.Row) bool) error {
	file, err := r.splitter.openFile(of, f)
	if err != nil {
		return refusal(sourceFailure(err))
	}
	defer func() { _ = file.close() }() // it was only read
	header := file.Header()
	if header == nil {
		return nil
	}
	if err := begin(slices.Clone(header)); err != nil {
		return err
	}
	for record, err := range file.rows() {
		if err != nil {
			return refusal(sourceFailure(err))
		}
		if !take(record) || ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}

// Find reads the rows of a run again up to the one with that number, and cuts them as the splitter does. Its place is
// known when its manifest is fixed. found is false when the run has no such row; that the source is gone or has changed is
// a refusal. It reads the source from its beginning, with the memory of one chunk per partition.
func (r *Reader) Find(ctx context.Context, of run.Run, number int64) (in row.Row, at run.Place, found bool, err error) {
	if of.Manifest.Header == nil {
		return in, at, false, nil
	}
	by, err := r.splitter.router(of)
	if err != nil {
		return in, at, false, refusal(err)
	}
	cut := newCutter(*of.Manifest, by)
	for record, err := range r.splitter.rowsOf(ctx, of, func(int64) {}) {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return in, at, false, refusal(err)
		}
		if record.Number > number {
			return in, at, false, nil
		}
		where, full := cut.add(record)
		if record.Number == number {
			return cloned(record), run.Place{Partition: where.partition, Chunk: where.chunk}, true, nil
		}
		if full {
			cut.drop(where.partition)
		}
	}
	return in, at, false, nil
}

// cloned is a row that does not share the memory of the file's reader.
func cloned(r row.Row) row.Row {
	r.Cells = slices.Clone(r.Cells)
	for i, cell := range r.Cells {
		r.Cells[i] = strings.Clone(cell)
	}
	return r
}

// refusal is an error that would end a run as a refusal with the same text.
func refusal(err error) error {
	if reason, final := reasonOf(err); final {
		return control.Refusal(control.Invalid, err, "%s", reason)
	}
	return err
}
