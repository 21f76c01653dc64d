package split

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"

	"ingest/shared/chunk"
	"ingest/shared/format"
	"ingest/shared/importer"
	"ingest/shared/ledger"
	"ingest/shared/pipeline"
	"ingest/shared/row"
	"ingest/shared/run"
	"ingest/shared/source"
)

// file is an open source file that is being read as rows.
type file struct {
	handle *os.File
	format.Rows
}

// openFile opens the file of a run. What its name says of its compression is what people called it: in the spool a file
// has another name.
func (s *Splitter) openFile(r run.Run, f importer.Format) (*file, error) {
	name := r.Origin.Path
	if r.Origin.Spooled {
		name = r.Filename
	}
	handle, err := source.Open(r.Origin.Path)
	if err != nil {
		return nil, err
	}
	rows, err := format.OpenRows(handle, name, f, s.extensions)
	if err != nil {
		return nil, errors.Join(err, handle.Close())
	}
	return &file{handle: handle, Rows: rows}, nil
}

// rows yields the rows; a row's cells are valid until the next one is asked for.
func (f *file) rows() iter.Seq2[row.Row, error] {
	return func(yield func(row.Row, error) bool) {
		var r row.Row
		for {
			err := f.Next(&r)
			if errors.Is(err, io.EOF) {
				return
			}
			if !yield(r, err) || err != nil {
				return
			}
		}
	}
}

func (f *file) close() error { return errors.Join(f.Close(), f.handle.Close()) }

// rowsOf yields the rows of a run in the order of their numbers: its file's, mended ones, or those its parent left. read is told
// now and then how many bytes of the file were read.
func (s *Splitter) rowsOf(ctx context.Context, r run.Run, read func(bytes int64)) iter.Seq2[row.Row, error] {
	switch {
	case r.Origin.Retry == nil:
		return s.fileRows(r, read)
	case r.Origin.Own():
		return s.mendedRows(ctx, r, read)
	default:
		return s.retryRows(ctx, r, read)
	}
}

func (s *Splitter) fileRows(r run.Run, read func(bytes int64)) iter.Seq2[row.Row, error] {
	return func(yield func(row.Row, error) bool) {
		definition, err := importer.FromSnapshot(r.Definition)
		if err != nil {
			yield(row.Row{}, err)
			return
		}
		if err := s.unchanged(r); err != nil {
			yield(row.Row{}, err)
			return
		}
		f, err := s.openFile(r, definition.Format)
		if err != nil {
			yield(row.Row{}, sourceFailure(err))
			return
		}
		defer func() { _ = f.close() }() // it was only read
		for record, err := range f.rows() {
			read(f.Read())
			if !yield(record, err) {
				return
			}
		}
	}
}

// retryRows merges the parent's failed rows with, where wanted, the rows it never processed.
func (s *Splitter) retryRows(ctx context.Context, r run.Run, read func(bytes int64)) iter.Seq2[row.Row, error] {
	return func(yield func(row.Row, error) bool) {
		parent, err := s.registry.Get(ctx, r.Parent)
		if err != nil {
			yield(row.Row{}, fmt.Errorf("read the retried run: %w", err))
			return
		}
		if parent.Manifest == nil || parent.Manifest.Staged {
			s.rowsOf(ctx, parent, read)(yield) // it wrote no row
			return
		}
		db, err := s.databases.Get(parent.Connection)
		if err != nil {
			yield(row.Row{}, err)
			return
		}
		book := ledger.New(db)
		failed := failedRows(book.Logged(ctx, parent.UID, parent.Manifest.Lanes(),
			ledger.Filter{Failed: true, Message: r.Origin.Retry.Error}))
		if parent.Manifest.LogRows == run.LogNone {
			failed = pick(s.rowsOf(ctx, parent, read), failed)
		}
		if !r.Origin.Retry.Unprocessed {
			failed(yield)
			return
		}
		heads, err := book.Heads(ctx, parent.UID)
		if err != nil {
			yield(row.Row{}, fmt.Errorf("read the heads of the retried run: %w", err))
			return
		}
		merge(failed, s.unprocessed(ctx, parent, heads, read))(yield)
	}
}

func failedRows(logged iter.Seq2[chunk.Logged, error]) iter.Seq2[row.Row, error] {
	return func(yield func(row.Row, error) bool) {
		for entry, err := range logged {
			if !yield(entry.Row, err) {
				return
			}
		}
	}
}

// pick yields the rows of all whose numbers are wanted; both are ordered by number.
func pick(all, wanted iter.Seq2[row.Row, error]) iter.Seq2[row.Row, error] {
	return func(yield func(row.Row, error) bool) {
		next, stop := iter.Pull2(wanted)
		defer stop()
		want, err, more := next()
		if err != nil {
			yield(row.Row{}, err)
			return
		}
		for r, err := range all {
			if !more {
				return
			}
			if err == nil && r.Number < want.Number {
				continue
			}
			if !yield(r, err) || err != nil {
				return
			}
			if want, err, more = next(); err != nil {
				yield(row.Row{}, err)
				return
			}
		}
	}
}

// unprocessed cuts the parent's own rows again by its manifest and leaves out the chunks that took effect.
func (s *Splitter) unprocessed(
	ctx context.Context, parent run.Run, heads []ledger.Head, read func(bytes int64),
) iter.Seq2[row.Row, error] {
	return func(yield func(row.Row, error) bool) {
		by, err := s.router(parent)
		if err != nil {
			yield(row.Row{}, err)
			return
		}
		next := make([]int64, parent.Manifest.Partitions)
		for _, head := range heads {
			next[head.Partition] = head.Next
		}
		cut := newCutter(*parent.Manifest, by)
		for r, err := range s.rowsOf(ctx, parent, read) {
			if err != nil {
				yield(row.Row{}, err)
				return
			}
			at, full := cut.add(r)
			if full {
				cut.drop(at.partition)
			}
			if at.chunk >= next[at.partition] && !yield(r, nil) {
				return
			}
		}
	}
}

// merge yields both sequences, each ordered by number, as one ordered by number. They share no row.
func merge(a, b iter.Seq2[row.Row, error]) iter.Seq2[row.Row, error] {
	return func(yield func(row.Row, error) bool) {
		next, stop := iter.Pull2(b)
		defer stop()
		second, errSecond, more := next()
		for first, err := range a {
			for more && err == nil && (errSecond != nil || second.Number < first.Number) {
				if !yield(second, errSecond) || errSecond != nil {
					return
				}
				second, errSecond, more = next()
			}
			if !yield(first, err) || err != nil {
				return
			}
		}
		for more {
			if !yield(second, errSecond) || errSecond != nil {
				return
			}
			second, errSecond, more = next()
		}
	}
}

// router returns how the run's rows are routed, by its own definition and manifest.
func (s *Splitter) router(r run.Run) (route, error) {
	definition, err := importer.FromSnapshot(r.Definition)
	if err != nil {
		return nil, err
	}
	program, err := pipeline.Compile(definition, pipeline.Met(*r.Manifest, s.extensions))
	if err != nil {
		return nil, fmt.Errorf("compile importer %s: %w", r.Importer, err)
	}
	return program.Route, nil
}
