package split

import (
	"context"
	"fmt"
	"iter"

	"ingest/shared/importer"
	"ingest/shared/ledger"
	"ingest/shared/mended"
	"ingest/shared/row"
	"ingest/shared/run"
)

// mendedRows yields the rows of a retry's own file, matched again with the failed rows of the parent: they say in which
// line of the source a row stands, and neither they nor the file can have changed since the retry was begun.
func (s *Splitter) mendedRows(ctx context.Context, r run.Run, read func(bytes int64)) iter.Seq2[row.Row, error] {
	return func(yield func(row.Row, error) bool) {
		parent, err := s.registry.Get(ctx, r.Parent)
		if err != nil {
			yield(row.Row{}, fmt.Errorf("read the retried run: %w", err))
			return
		}
		db, err := s.databases.Get(parent.Connection)
		if err != nil {
			yield(row.Row{}, err)
			return
		}
		definition, err := importer.FromSnapshot(r.Definition)
		if err != nil {
			yield(row.Row{}, err)
			return
		}
		if err := s.unchanged(r); err != nil {
			yield(row.Row{}, err)
			return
		}
		f, err := mended.Open(r.Origin.Path, r.Filename, definition.Format)
		if err != nil {
			yield(row.Row{}, sourceFailure(err))
			return
		}
		defer func() { _ = f.Close() }() // it was only read
		failed := ledger.New(db).Logged(ctx, parent.UID, parent.Manifest.Lanes(), ledger.Filter{Failed: true})
		original, err := mended.Of(parent, failed)
		if err != nil {
			yield(row.Row{}, err)
			return
		}
		for record, err := range f.Rows(original) {
			read(f.Read())
			if !yield(record, err) {
				return
			}
		}
	}
}

// lookAtMended fills in what the retry's own file says; the format of the source is not the file's.
func lookAtMended(r run.Run, d importer.Definition, m *run.Manifest) error {
	f, err := mended.Open(r.Origin.Path, r.Filename, d.Format)
	if err != nil {
		return sourceFailure(err)
	}
	m.Header, m.Delimiter = f.Header(), f.Delimiter()
	return f.Close()
}
