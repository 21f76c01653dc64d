package split

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"ingest/shared/column"
	"ingest/shared/database"
	"ingest/shared/destination"
	"ingest/shared/importer"
	"ingest/shared/ledger"
	"ingest/shared/pipeline"
	"ingest/shared/run"
	"ingest/shared/source"
)

const (
	// partitionBytes is how much of a source one partition is for: a small import is one transaction.
	partitionBytes = 4 << 20
	// chunkBytes closes a chunk of long rows before it has chunk_size of them.
	chunkBytes = 1 << 20
	// retriedRow is the assumed size of a row whose size is not known before it is read.
	retriedRow = 256
)

// prepare looks at the source and the table and returns the manifest. It writes nothing but the table of
// create_table, and that of a dry run whose table does not exist.
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
	if m.Header == nil {
		m.Partitions = 1
		m.Warnings = append(m.Warnings, "The source is empty.")
		return m, nil
	}
	if err := pipeline.CheckHeader(definition, m.Header); err != nil {
		return run.Manifest{}, err // before a table is made for it
	}
	if m.Table, err = s.table(ctx, r, definition, db); err != nil {
		return run.Manifest{}, err
	}
	program, err := pipeline.Compile(definition, pipeline.Met(m))
	if err != nil {
		return run.Manifest{}, err
	}
	m.Warnings = append(m.Warnings, program.Warnings()...)
	if err := refuseKey(db, program, m.Table); err != nil {
		return run.Manifest{}, err
	}
	m.Partitions = definition.Partitions
	if m.Partitions == 0 {
		m.Partitions = min(max(1, int((size+partitionBytes-1)/partitionBytes)), s.settings.Partitions)
	}
	if m.OneBecause = meeting(program, m.Table); m.OneBecause == "" && definition.Transaction == importer.TransactionChunk {
		m.OneBecause = "a chunk that stands or falls as a whole is made of consecutive rows"
	}
	if m.OneBecause != "" {
		if definition.Partitions > 1 {
			m.Warnings = append(m.Warnings, fmt.Sprintf("One partition is used instead of %d: %s.", definition.Partitions, m.OneBecause))
		}
		m.Partitions = 1
	}
	return m, nil
}

// Scratch is the table a dry run makes for itself where the real one does not exist.
func Scratch(r run.Run) string { return fmt.Sprintf("ingest_dry_%s", r.UID) }

// look finds out what the source is: fingerprint, header, delimiter. It returns the size in bytes, for a retry a guess.
func (s *Splitter) look(ctx context.Context, r run.Run, d importer.Definition, m *run.Manifest) (int64, error) {
	if r.Origin.Retry == nil {
		return lookAt(r, d, m)
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
			return lookAt(root, d, m)
		}
		m.Fingerprint = root.Manifest.Fingerprint
	}
	m.Header, m.Delimiter = nearest.Manifest.Header, nearest.Manifest.Delimiter
	return rows * retriedRow, nil
}

// ancestors follows a chain of retries upwards: to the nearest run that has a manifest, and to the one that read the file.
func (s *Splitter) ancestors(ctx context.Context, r run.Run) (nearest, root run.Run, err error) {
	nearest = r
	for root = r; root.Origin.Retry != nil; {
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

func lookAt(r run.Run, d importer.Definition, m *run.Manifest) (int64, error) {
	fingerprint, err := source.Inspect(r.Origin.Path)
	if err != nil {
		return 0, sourceFailure(err)
	}
	f, err := openFile(r, d.Format)
	if err != nil {
		return 0, sourceFailure(err)
	}
	m.Fingerprint, m.Header, m.Delimiter = fingerprint, f.csv.Header(), f.csv.Delimiter()
	return fingerprint.Size, f.close()
}

// table describes the destination table, making it first where the importer says so. A dry run makes no table that
// stays: it works on one of its own, dropped at the end.
func (s *Splitter) table(ctx context.Context, r run.Run, d importer.Definition, db *database.DB) (column.Table, error) {
	table, err := db.Table(ctx, d.Destination.Table)
	if errors.Is(err, database.ErrNoTable) && d.Destination.Creates(db.Dialect() == database.SQLite) {
		if r.DryRun {
			d.Destination.Table = Scratch(r)
		}
		if err := destination.Create(ctx, db, d); err != nil {
			return column.Table{}, fmt.Errorf("create table %s: %w", d.Destination.Table, err)
		}
		table, err = db.Table(ctx, d.Destination.Table)
	}
	if errors.Is(err, database.ErrNoTable) {
		return column.Table{}, &failure{reason: fmt.Sprintf(
			"The table '%s' does not exist in connection '%s' (create it, or set `create_table: true` under `destination`).",
			d.Destination.Table, d.Destination.Connection)}
	}
	if err != nil {
		return column.Table{}, fmt.Errorf("describe table %s: %w", d.Destination.Table, err)
	}
	return table, nil
}

// refuseKey ends the run when the key has no unique index: nothing could then keep two rows of one key apart.
func refuseKey(db *database.DB, program *pipeline.Program, table column.Table) error {
	var key []string
	for _, i := range program.Key() {
		key = append(key, program.Columns()[i].Name)
	}
	if err := destination.MissingIndex(table, key, db.Quote); err != nil {
		return &failure{reason: err.Error()}
	}
	return nil
}

// meeting says why rows with different keys could meet, so that one partition must keep their order; "" if they
// cannot.
func meeting(program *pipeline.Program, table column.Table) string {
	if len(table.Meets) > 0 {
		return "rows with different keys can meet in " + strings.Join(table.Meets, ", ")
	}
	columns := program.Columns()
	var key, mapped []string
	for _, c := range columns {
		mapped = append(mapped, c.Name)
	}
	for _, i := range program.Key() {
		key = append(key, columns[i].Name)
		if columns[i].Fold == column.FoldUnknown {
			return fmt.Sprintf("the collation of column %s may hold different keys equal", columns[i].Name)
		}
	}
	for _, index := range table.Unique {
		if coversKey := len(key) > 0 && subset(key, index.Columns); coversKey {
			continue // rows that differ in the key differ in the index, too
		}
		if slices.ContainsFunc(index.Columns, func(name string) bool { return slices.Contains(mapped, name) }) {
			return "rows with different keys can meet in the unique index " + index.Name
		}
	}
	return ""
}

func subset(a, b []string) bool {
	return !slices.ContainsFunc(a, func(name string) bool { return !slices.Contains(b, name) })
}

// fix makes the manifest the run's own, in registry and ledger. It returns the manifest that won: another
// coordinator may have been first.
func (s *Splitter) fix(ctx context.Context, r run.Run, db *database.DB) (run.Run, error) {
	if r.Manifest == nil {
		m, err := s.prepare(ctx, r, db)
		if err != nil {
			return r, err
		}
		if r.Manifest, err = s.registry.Fix(ctx, r.ID, m); err != nil {
			return r, fmt.Errorf("fix the manifest: %w", err)
		}
		if r.Manifest == nil {
			return r, errLetGo // it was stopped meanwhile
		}
	}
	if err := ledger.New(db).Create(ctx, r.UID, r.Manifest.Partitions); err != nil {
		return r, fmt.Errorf("create the heads: %w", err)
	}
	return r, nil
}
