package records

import (
	"context"
	"fmt"
	"time"

	"ingest/shared/column"
	"ingest/shared/database"
	"ingest/shared/destination"
	"ingest/shared/importer"
	"ingest/shared/pipeline"
)

// NothingThere is the reason of a run whose file has no row that could keep one of the table.
const NothingThere = "The file has no row with a key, and `missing` would take every row of the table for gone: nothing was changed."

// Missing takes the rows of the table that a file no longer has, as the definition says. It is safe for concurrent use, each
// transaction being used by one.
type Missing struct {
	*destination.Missing
	table *table
	// belongs are the finders of the key's columns.
	belongs []finder
}

// NewMissing returns what the definition says of rows that are missing, for the table that the writer writes; nil when they
// stay. The error is for people.
func (w *Writer) NewMissing(db *database.DB, d importer.Definition, p *pipeline.Program) (*Missing, error) {
	if d.Missing == nil {
		return nil, nil //nolint:nilnil // most definitions say nothing of them
	}
	m := &Missing{table: w.targets[0]}
	target := m.table.target
	to := destination.MissingTarget{Table: target.Table}
	for _, k := range target.Key() {
		to.Key = append(to.Key, target.Columns()[k])
		for _, f := range m.table.belongs {
			if f.at == k {
				m.belongs = append(m.belongs, f)
			}
		}
	}
	var set []column.Column
	for _, s := range d.Missing.Set {
		value, err := Setting(target.Table, s, d.Timezone)
		if err != nil {
			return nil, err
		}
		c, _ := target.Table.Column(s.Column)
		to.Set, set = append(to.Set, destination.Fixed{Column: c, Value: value}), append(set, c)
	}
	if len(set) > 0 {
		for _, stamp := range fixed(p.Stamps(target.Table, set)) {
			if stamp.Update {
				to.Stamps = append(to.Stamps, stamp)
			}
		}
	}
	var err error
	m.Missing, err = destination.NewMissing(db, to)
	return m, err
}

// Setting is the value that missing rows get in a column of the table; a time without a zone is in the given one, which may
// be empty. The error is for people.
func Setting(table column.Table, s importer.Setting, timezone string) (column.Value, error) {
	c, ok := table.Column(s.Column)
	switch {
	case !ok:
		return column.Value{}, fmt.Errorf("the table '%s' has no column '%s' (missing)", table.Name, s.Column)
	case c.Generated:
		return column.Value{}, fmt.Errorf("the column '%s' of the table '%s' is generated and cannot be written (missing)", s.Column, table.Name)
	case s.Value == nil && c.NotNull:
		return column.Value{}, fmt.Errorf("the column '%s' of the table '%s' takes no NULL (missing)", s.Column, table.Name)
	case s.Value == nil:
		return column.Value{State: column.Null}, nil
	}
	zone, err := time.LoadLocation(timezone)
	if err != nil {
		return column.Value{}, fmt.Errorf("load the timezone %s: %w", timezone, err)
	}
	value, problem := column.ConvertIn(*s.Value, &c, zone)
	if problem != "" {
		return value, fmt.Errorf("the value of the column '%s' (missing) %s", s.Column, problem)
	}
	return value, nil
}

// Note takes the keys of records that were written, or that the table has already, in the transaction that wrote them. It
// returns how many of them have one.
func (m *Missing) Note(ctx context.Context, tx *database.Tx, records []pipeline.Record) (int, error) {
	w := newWork(records, len(m.belongs) > 0)
	finders := len(m.table.finders())
	w.found, w.created = make([]keys, finders), make([]keys, finders)
	for _, f := range m.belongs {
		if err := f.find(ctx, tx, w); err != nil {
			return 0, err
		}
		for i := range records {
			f.put(w, i)
		}
	}
	key := m.table.target.Key()
	noted := make([][]column.Value, len(records))
	for i, values := range w.values {
		noted[i] = make([]column.Value, 0, len(key))
		for _, k := range key {
			noted[i] = append(noted[i], values[k])
		}
	}
	return m.Missing.Note(ctx, tx, noted)
}
