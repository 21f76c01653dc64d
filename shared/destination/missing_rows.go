package destination

import (
	"context"
	"fmt"
	"slices"

	"ingest/shared/column"
	"ingest/shared/database"
)

// Missing finds the rows of a table whose key a file no longer has, and deletes them or sets columns of them. What the file
// has is noted in a temporary table of the transaction, so that it may be more than fits into memory. It is safe for
// concurrent use, each transaction being used by one.
type Missing struct {
	plan *plan
	// set are the values of the plan's columns behind the key, nil = the rows are deleted. The first of them, deciding many,
	// say whether a row differs.
	set      []column.Value
	deciding int
}

// MissingTarget says which rows of which table are missing, and what becomes of them.
type MissingTarget struct {
	Table column.Table
	// Key are the columns that tell rows apart.
	Key []column.Column
	// Set are values that missing rows get; none = the rows are deleted. A row that has them all is left alone; others get
	// the Stamps, too.
	Set, Stamps []Fixed
}

// NewMissing returns what finds the missing rows of a target.
func NewMissing(db *database.DB, t MissingTarget) (*Missing, error) {
	to := Target{Table: t.Table, Columns: slices.Clone(t.Key)}
	for i := range t.Key {
		to.Key = append(to.Key, i)
	}
	m := &Missing{deciding: len(t.Set)}
	for _, s := range slices.Concat(t.Set, t.Stamps) {
		to.Columns, m.set = append(to.Columns, s.Column), append(m.set, s.Value)
	}
	var err error
	m.plan, err = newPlan(db, to)
	return m, err
}

// Begin makes room for what the file has. It is called once in a transaction, and End, too, before the commit.
func (m *Missing) Begin(ctx context.Context, tx *database.Tx) error {
	return m.explained("make room for the keys of the file", newStore(m.plan, tx).gather(ctx))
}

// Note takes keys that the file has. One with a NULL in it is no row's. It returns how many were noted.
func (m *Missing) Note(ctx context.Context, tx *database.Tx, keys [][]column.Value) (int, error) {
	items := make([]*item, 0, len(keys))
	for i, key := range keys {
		if m.plan.keyed(key) {
			items = append(items, &item{row: i, values: key})
		}
	}
	if len(items) == 0 {
		return 0, nil
	}
	return len(items), m.explained("note the keys of the file", newStore(m.plan, tx).note(ctx, items))
}

// Take deletes or sets the rows of the table whose keys were not noted, and returns how many it were. Rows with a NULL in
// their key stay as they are: nobody can say whether the file has them. A *Refused says why the database does not let it.
func (m *Missing) Take(ctx context.Context, tx *database.Tx) (int64, error) {
	n, err := newStore(m.plan, tx).take(ctx, m.set, m.deciding)
	if fault := database.Explain(err); fault.Class == database.RowFault {
		return 0, &Refused{Reason: m.refusal(fault)}
	}
	return n, m.explained("take the rows that are missing", err)
}

// Refused is an error whose Reason is for people: the database refuses what is to become of many rows.
type Refused struct{ Reason string }

func (r *Refused) Error() string { return r.Reason }

func (m *Missing) refusal(f database.Fault) string {
	what := "Rows that the file no longer has cannot be deleted: "
	if m.set != nil {
		what = "Rows that the file no longer has cannot be set: "
	}
	switch {
	case f.ForeignKey() && m.set == nil && f.Constraint != "":
		return fmt.Sprintf("%sother rows refer to them ('%s').", what, f.Constraint)
	case f.ForeignKey() && m.set == nil:
		return what + "other rows refer to them."
	default:
		return what + f.Reason()
	}
}

// End removes what Begin made.
func (m *Missing) End(ctx context.Context, tx *database.Tx) error {
	return m.explained("forget the keys of the file", newStore(m.plan, tx).scatter(ctx))
}

func (m *Missing) explained(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s (table '%s'): %w", what, m.plan.Table.Name, err)
}

// keyNames are the quoted columns of the key.
func (p *plan) keyNames() []string {
	names := make([]string, len(p.Key))
	for i, k := range p.Key {
		names[i] = p.names[k]
	}
	return names
}
