// Package destination writes the rows of a chunk into a table, set-based, with exactly the effect and the results
// of applying them one by one in their order.
//
// A bad row never costs its neighbours: what the database refuses is isolated and answered as a failed row with a
// message for people, without SQL and without values. An error of Write is never about a row: the caller rolls
// the whole transaction back.
//
// What hangs on rows has the same promise: Lookup finds rows that values name, and makes them, Links writes pivot tables.
// Create makes the tables of a definition that are missing.
//
// One algorithm serves every database (write.go, isolate.go); a database only says how rows are looked up,
// inserted and updated (store). Not covered by the promise are triggers that read or write other rows of the
// table, because they see the rows of a statement, not those of one row.
package destination

import (
	"context"
	"fmt"

	"ingest/shared/chunk"
	"ingest/shared/column"
	"ingest/shared/database"
	"ingest/shared/importer"
)

// Target says what is written and how.
type Target struct {
	// Table is what the catalog says.
	Table column.Table
	// Columns are the mapped columns, in the order of the values of a row.
	Columns []column.Column
	// Key are positions in Columns; nil = every row is inserted.
	Key []int
	// NoUniqueIndex allows a Key without a unique index. Then the rows of the table with one key are written all alike, as if
	// they were one that differs where one of them does and whose time is the latest of theirs; that nobody else inserts a
	// row with the key meanwhile is the caller's to see to.
	NoUniqueIndex bool
	// OnDuplicate says what happens to a row whose key is in the table.
	OnDuplicate importer.OnDuplicate
	// Compare is the position in Columns of what UpdateIfNewer compares; only that strategy looks at it. A row whose key is
	// in the table is updated if the stored value is NULL or less than the row's, which must be set; else it is skipped.
	// What SQLite stores that is no value of the column's type is never less.
	Compare int
	// CompareOnly says that the column at Compare is there to be compared: it is neither written nor a difference. It may
	// stand a second time in Columns, as one that is written.
	CompareOnly bool
	// Fixed are written with every row; none of them is in Columns.
	Fixed []Fixed
	// Own is a column of the table whose stored value every Result shall have that says Created, Updated or Unchanged;
	// nil = none.
	Own *column.Column
	// Label names column i in messages: the source column's primary name and the attribute in words. Nil = the
	// column's own name.
	Label func(i int) (source, words string)
	// Duplicate is the message of a row that strategy fail refuses.
	Duplicate string
}

// Fixed is a value that is the same for every row: it goes into every row that is inserted and, with Update, into every
// one that is updated because something else differs. It makes no row differ.
type Fixed struct {
	Column column.Column
	Value  column.Value
	Update bool
}

// Outcome is what became of a row.
type Outcome uint8

// The outcomes. The zero value is none of them.
const (
	Created Outcome = iota + 1
	Updated
	Unchanged
	Skipped
	Failed
)

// String is the outcome's name.
func (o Outcome) String() string {
	switch o {
	case Created:
		return "created"
	case Updated:
		return "updated"
	case Unchanged:
		return "unchanged"
	case Skipped:
		return "skipped"
	case Failed:
		return "failed"
	default:
		return fmt.Sprintf("outcome %d", uint8(o))
	}
}

// Result is the outcome of a row; Message and Fields say why it failed.
type Result struct {
	Outcome Outcome
	Message string
	Fields  []chunk.FieldMessage
	// Own is the value of Target.Own: as the row brings it, else as the table has it, in canonical form. It is absent
	// for rows without effect, and where a trigger has moved the row to another key.
	Own column.Value
}

// Writer writes chunks into one table. It is safe for concurrent use, each call with a transaction of its own.
type Writer interface {
	// Write applies the rows in their order and returns one result for each. Values are converted: canonical text
	// of the column's type; an absent value is left out (database default, not overwritten), a null is written.
	//
	// An error means that nothing can be said about the rows: the transaction must be rolled back. Otherwise the
	// transaction is usable and holds exactly the rows whose results say so. Nothing outlives the transaction but
	// prepared statements in the connection's cache.
	Write(ctx context.Context, tx *database.Tx, rows [][]column.Value) ([]Result, error)
	// Read returns, for every row whose key is in the table, the stored values of the mapped columns, of one row of several;
	// nil for the others. The rows must be such that Write would not fail them.
	Read(ctx context.Context, tx *database.Tx, rows [][]column.Value) ([][]column.Value, error)
}

// New returns the writer of a target. It refuses a key without a unique index (see MissingIndex) unless that is allowed,
// and databases it does not know.
func New(db *database.DB, t Target) (Writer, error) {
	if len(t.Key) > 0 && !t.NoUniqueIndex {
		names := make([]string, len(t.Key))
		for i, k := range t.Key {
			names[i] = t.Columns[k].Name
		}
		if err := MissingIndex(t.Table, names, db.Quote); err != nil {
			return nil, err
		}
	}
	p, err := newPlan(db, t)
	if err != nil {
		return nil, err
	}
	return &writer{plan: p}, nil
}

type writer struct{ plan *plan }

func (w *writer) Write(ctx context.Context, tx *database.Tx, rows [][]column.Value) ([]Result, error) {
	s, err := newSession(ctx, w.plan, tx, rows)
	if err != nil {
		return nil, err
	}
	if err := s.run(ctx); err != nil {
		return nil, fmt.Errorf("write %d rows into table '%s': %w", len(rows), w.plan.Table.Name, err)
	}
	if err := s.own(ctx); err != nil {
		return nil, fmt.Errorf("read what was written into table '%s': %w", w.plan.Table.Name, err)
	}
	return s.results, nil
}
