package split

import (
	"context"
	"fmt"

	"ingest/shared/column"
	"ingest/shared/database"
	"ingest/shared/failpoint"
	"ingest/shared/importer"
	"ingest/shared/ledger"
	"ingest/shared/pipeline"
	"ingest/shared/records"
	"ingest/shared/run"
	"ingest/shared/source"
)

const (
	// chunkBytes closes a chunk of long rows before it has chunk_size of them.
	chunkBytes = 1 << 20
	// retriedRow is the assumed size of a row whose size is not known before it is read.
	retriedRow = 256
)

// prepare looks at the source and the table and returns the manifest. It writes nothing but the tables of
// create_table, and those of a dry run whose tables do not exist.
func (s *Splitter) prepare(ctx context.Context, r run.Run, db *database.DB) (run.Manifest, error) {
	definition, err := importer.FromSnapshot(r.Definition)
	if err != nil {
		return run.Manifest{}, err
	}
	m := run.Manifest{
		Splitter: run.SplitterVersion, Started: s.now().UTC(), ChunkRows: definition.ChunkSize, ChunkBytes: chunkBytes,
		LogRows: s.settings.LogRows,
	}
	if m.ChunkRows == 0 {
		m.ChunkRows = s.settings.ChunkSize
	}
	size, err := s.look(ctx, r, definition, &m)
	if err != nil {
		return run.Manifest{}, err
	}
	if definition.SkipUnchanged && r.Origin.Retry == nil {
		if err := s.compare(ctx, r, &m); err != nil {
			return run.Manifest{}, err
		}
		if m.UnchangedSince != 0 {
			return m, nil
		}
	}
	if m.Header == nil && definition.Missing != nil {
		return run.Manifest{}, &failure{reason: records.NothingThere}
	}
	if m.Header == nil {
		m.Partitions = 1
		m.Warnings = append(m.Warnings, "The source is empty.")
		return m, nil
	}
	if err := pipeline.CheckHeader(definition, pipeline.Met(m, s.extensions)); err != nil {
		return run.Manifest{}, err // before a table is made for it
	}
	if m.Table, m.Tables, err = s.tables(ctx, r, definition, db); err != nil {
		return run.Manifest{}, err
	}
	program, err := pipeline.Compile(definition, pipeline.Met(m, s.extensions))
	if err != nil {
		return run.Manifest{}, err
	}
	m.Warnings = append(m.Warnings, program.Warnings()...)
	sink := s.sinks.Has(definition.Destination.Connection)
	if !sink {
		if err := refuseTables(db, definition, program, m.Tables); err != nil {
			return run.Manifest{}, err
		}
	}
	if !r.DryRun { // which leaves no row that another could be too late for
		m.Locks = program.Locks()
	}
	m.Partitions = definition.Partitions
	if m.Partitions == 0 {
		m.Partitions = partitionsBySize(size, s.settings.Partitions, storeOf(definition, sink, db.Dialect()))
		if definition.MaxParallel > 0 {
			m.Partitions = min(m.Partitions, definition.MaxParallel)
		}
	}
	if m.Staged = definition.Transaction == importer.TransactionRun; !m.Staged {
		// Several would only wait for each other where chunks go one after the other.
		independent := definition.IndependentRows && len(program.Locks()) == 0
		one(&m, definition, program.Meeting(definition, m.Tables).Reason, independent)
	}
	return m, nil
}

// one gives a run one partition where the order of its rows asks for it. Rows that are staged need none: they are merged in
// the order of the file. meeting says how rows with different keys can meet, independent that it does not matter.
func one(m *run.Manifest, d importer.Definition, meeting string, independent bool) {
	if m.OneBecause = meeting; independent {
		m.OneBecause = ""
	}
	if m.OneBecause == "" && d.Transaction == importer.TransactionChunk {
		m.OneBecause = "a chunk that stands or falls as a whole is made of consecutive rows"
	}
	switch {
	case m.OneBecause != "":
		if d.Partitions > 1 {
			m.Warnings = append(m.Warnings, fmt.Sprintf("One partition is used instead of %d: %s.", d.Partitions, m.OneBecause))
		}
		m.Partitions = 1
	case meeting != "" && m.Partitions > 1:
		m.Warnings = append(m.Warnings, fmt.Sprintf("Rows may take effect in another order than the file's (independent_rows): %s.", meeting))
	}
}

// look finds out what the source is: fingerprint, header, delimiter. It returns the size in bytes, for a retry a guess.
func (s *Splitter) look(ctx context.Context, r run.Run, d importer.Definition, m *run.Manifest) (int64, error) {
	if r.Origin.Own() {
		return s.lookAt(r, d, m)
	}
	parent, err := s.registry.Get(ctx, r.Parent)
	if err != nil {
		return 0, fmt.Errorf("read the retried run: %w", err)
	}
	rows := retried(parent.Final, *r.Origin.Retry)
	if !r.Origin.Retry.Unprocessed {
		m.Expected = rows
	}
	nearest, root, err := s.ancestors(ctx, parent)
	if err != nil {
		return 0, err
	}
	if r.Origin.Path != "" {
		if root.Manifest == nil {
			return s.lookAt(root, d, m)
		}
		m.Fingerprint = root.Manifest.Fingerprint
	}
	m.Header, m.Delimiter = nearest.Manifest.Header, nearest.Manifest.Delimiter
	return rows * retriedRow, nil
}

// ancestors follows a chain of retries upwards: to the nearest run that has a manifest, and to the one that read a file of
// its own.
func (s *Splitter) ancestors(ctx context.Context, r run.Run) (nearest, root run.Run, err error) {
	nearest = r
	for root = r; !root.Origin.Own(); {
		if root, err = s.registry.Get(ctx, root.Parent); err != nil {
			return nearest, root, fmt.Errorf("read the retried run: %w", err)
		}
		if nearest.Manifest == nil {
			nearest = root
		}
	}
	return nearest, root, nil
}

// retried is how many rows a retry takes, as far as the parent's final numbers say.
func retried(final *run.Final, of run.Selection) int64 {
	rows := final.Counts.Failed
	if of.Error != "" {
		rows = 0
		for _, entry := range final.Errors {
			if entry.Message == of.Error {
				rows = entry.Count
			}
		}
	}
	if of.Unprocessed {
		rows += final.NotProcessed
	}
	return rows
}

func (s *Splitter) lookAt(r run.Run, d importer.Definition, m *run.Manifest) (int64, error) {
	fingerprint, err := source.Inspect(r.Origin.Path)
	if err != nil {
		return 0, sourceFailure(err)
	}
	m.Fingerprint = fingerprint
	if r.Origin.Retry != nil {
		return fingerprint.Size, lookAtMended(r, d, m)
	}
	f, err := s.openFile(r, d.Format)
	if err != nil {
		return 0, sourceFailure(err)
	}
	m.Header, m.Delimiter = f.Header(), f.Delimiter()
	return fingerprint.Size, f.close()
}

// refuseTables ends the run when its rows cannot be written into the tables as they are: when a key has no unique index,
// so that nothing could keep two rows of one key apart, or the tables are not joined as the definition says.
func refuseTables(db *database.DB, d importer.Definition, program *pipeline.Program, tables map[string]column.Table) error {
	w, err := records.New(db, d, program, tables)
	if err == nil {
		_, err = w.NewMissing(db, d, program)
	}
	if err != nil {
		return &failure{reason: run.Reason(err)}
	}
	return nil
}

// fix makes the manifest the run's own, in registry and ledger. It returns the manifest that won: another
// coordinator may have been first.
func (s *Splitter) fix(ctx context.Context, r run.Run, db *database.DB) (run.Run, error) {
	if r.Manifest == nil {
		var err error
		if r, err = s.pin(ctx, r, db); err != nil {
			return r, err
		}
		if r.Manifest == nil {
			return r, errLetGo // it was stopped meanwhile
		}
	}
	failpoint.Hit("split.fixed")
	if err := ledger.New(db).Create(ctx, r.UID, r.Manifest.Lanes()); err != nil {
		return r, fmt.Errorf("create the heads: %w", err)
	}
	if err := ledger.New(db).CreateLocks(ctx, r.Manifest.Locks); err != nil {
		return r, err
	}
	failpoint.Hit("split.created")
	return r, nil
}
