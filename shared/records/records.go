// Package records takes records into all tables that an importer feeds: the destination's and those of table_when, rows that
// others belong to, rows of pivot tables, rows of nested lists.
//
// A record takes effect as a whole or not at all, and records take effect as if one by one in their order, but for what
// they find by relations in tables that the run itself writes: who calls gives records that look for what others write
// in different calls (see pipeline.Watches).
package records

import (
	"context"
	"fmt"
	"slices"

	"ingest/shared/column"
	"ingest/shared/database"
	"ingest/shared/destination"
	"ingest/shared/importer"
	"ingest/shared/pipeline"
)

// Writer writes the records of one run. It is safe for concurrent use, each call with a transaction of its own.
type Writer struct {
	targets []*table
	// ordered says that the order of records counts between the targets, too.
	ordered bool
}

// New returns the writer of a program. The tables are all that the definition names.
func New(db *database.DB, d importer.Definition, p *pipeline.Program, tables map[string]column.Table) (*Writer, error) {
	w := &Writer{}
	b := builder{db: db, program: p, tables: tables}
	for _, target := range p.Targets() {
		if err := destination.MissingKeyIndex(d.Destination, target.Table, target.KeyColumns(), db.Quote); err != nil {
			return nil, err
		}
		t, err := b.table(target, d.OnDuplicate, pipeline.Duplicate(target.KeyNames()), 0)
		if err != nil {
			return nil, err
		}
		w.targets = append(w.targets, t)
	}
	// Rows of different targets can meet in what hangs on them, too.
	w.ordered = p.Refer() || !p.Watches(d, tables).Idle() || len(d.Nested) > 0 ||
		slices.ContainsFunc(d.Relations, importer.Relation.Many)
	return w, nil
}

// Write applies the records in their order and returns one result for each. An error means that nothing can be said about
// them: the transaction must be rolled back.
func (w *Writer) Write(ctx context.Context, tx *database.Tx, records []pipeline.Record) ([]destination.Result, error) {
	if len(w.targets) == 1 {
		return w.targets[0].write(ctx, tx, records)
	}
	results := make([]destination.Result, len(records))
	for _, group := range w.groups(records) {
		part := make([]pipeline.Record, len(group))
		for i, at := range group {
			part[i] = records[at]
		}
		some, err := w.targets[part[0].Target].write(ctx, tx, part)
		if err != nil {
			return nil, err
		}
		for i, at := range group {
			results[at] = some[i]
		}
	}
	return results, nil
}

// groups are positions of records of one target each, in the order in which they have to be written.
func (w *Writer) groups(records []pipeline.Record) (groups [][]int) {
	last := make([]int, len(w.targets)) // by target: where its group is, counting from 1
	for i, r := range records {
		at := last[r.Target]
		if w.ordered && at != len(groups) {
			at = 0 // another target's rows came in between
		}
		if at == 0 {
			groups = append(groups, nil)
			at = len(groups)
		}
		last[r.Target] = at
		groups[at-1] = append(groups[at-1], i)
	}
	return groups
}

// Read returns, for every record whose key is in its table, the stored values of the mapped columns; nil for the others. The
// keys must not be such that relations have to be looked up for them.
func (w *Writer) Read(ctx context.Context, tx *database.Tx, records []pipeline.Record) ([][]column.Value, error) {
	found := make([][]column.Value, len(records))
	for at, t := range w.targets {
		var rows [][]column.Value
		var of []int
		for i, r := range records {
			if r.Target == at {
				rows, of = append(rows, r.Values), append(of, i)
			}
		}
		if len(rows) == 0 {
			continue
		}
		stored, err := t.writer.Read(ctx, tx, rows)
		if err != nil {
			return nil, fmt.Errorf("read what is in the table: %w", err)
		}
		for i, row := range stored {
			found[of[i]] = row
		}
	}
	return found, nil
}
