package destination

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"ingest/shared/column"
	"ingest/shared/database"
	"ingest/shared/importer"
)

// LookupTarget says which rows of a table are looked for, and what is wanted of them.
type LookupTarget struct {
	Table column.Table
	// Match is the column that has the values that are looked for, Key the one that is wanted.
	Match, Key column.Column
	// Create says that rows can be made, with Fixed in them; then Match needs a unique index.
	Create bool
	Fixed  []Fixed
	// Except leaves out the rows whose column equals a value; nil = none.
	Except *Except
	// Label names column 0, which is Match, in the messages of Create, as in Target.
	Label func(i int) (source, words string)
}

// Except is a value that rows must not have.
type Except struct {
	Column column.Column
	Value  column.Value
}

// Lookup finds rows by the value of a column. It is safe for concurrent use, each call with a transaction of its own.
type Lookup struct {
	match, keys *plan
	key         column.Column
	except      *Except
}

// NewLookup returns the lookup of a target. With Create it refuses a Match without a unique index, see MissingIndex.
func NewLookup(db *database.DB, l LookupTarget) (*Lookup, error) {
	if l.Create {
		if err := MissingIndex(l.Table, []string{l.Match.Name}, db.Quote); err != nil {
			return nil, err
		}
	}
	match, err := newPlan(db, Target{
		Table: l.Table, Columns: []column.Column{l.Match}, Key: []int{0}, OnDuplicate: importer.Skip, Fixed: l.Fixed, Label: l.Label,
	})
	if err != nil {
		return nil, err
	}
	keys, err := newPlan(db, Target{Table: l.Table, Columns: []column.Column{l.Key}, Key: []int{0}})
	if err != nil {
		return nil, err
	}
	return &Lookup{match: match, keys: keys, key: l.Key, except: l.Except}, nil
}

// Find returns for every value, in canonical form of Match's type, the Key of the row whose Match equals it as the
// database compares, the least one of several; absent for a value that no row has, which one that the database cannot
// read never is. Values may come more than once. The transaction stays usable unless there is an error.
func (l *Lookup) Find(ctx context.Context, tx *database.Tx, values []column.Value) ([]column.Value, error) {
	found := make([]column.Value, len(values))
	first := make(map[string]int, len(values))
	var items []*item
	for i, value := range values {
		if _, known := first[value.Text]; value.State == column.Set && !known {
			first[value.Text] = i
			items = append(items, &item{row: i, values: values[i : i+1]})
		}
	}
	st := newStore(l.match, tx)
	look := func(ctx context.Context, items []*item) error {
		return st.match(ctx, items, l.key, l.except, func(ord int64, key column.Value) { found[items[ord].row] = key })
	}
	if err := halve(ctx, st, items, look); err != nil {
		return nil, fmt.Errorf("look for %d values in table '%s': %w", len(items), l.match.Table.Name, err)
	}
	for i, value := range values {
		if value.State == column.Set {
			found[i] = found[first[value.Text]]
		}
	}
	return found, nil
}

// Create makes a row for every value that none has: Created, or Skipped when there is one by now, or Failed. Of several
// transactions that create a value at the same time one does, and the others wait until it is committed. Values are
// taken in their sorted order, so that this seldom becomes a deadlock.
func (l *Lookup) Create(ctx context.Context, tx *database.Tx, values []column.Value) ([]Result, error) {
	order := make([]int, len(values))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(values[a].Text, values[b].Text) })
	rows := make([][]column.Value, len(values))
	for i, at := range order {
		rows[i] = []column.Value{values[at]}
	}
	sorted, err := (&writer{plan: l.match}).Write(ctx, tx, rows)
	if err != nil {
		return nil, err
	}
	results := make([]Result, len(values))
	for i, at := range order {
		results[at] = sorted[i]
	}
	return results, nil
}

// Remove deletes the rows with these keys; those that the database does not let go, because others refer to them, stay.
func (l *Lookup) Remove(ctx context.Context, tx *database.Tx, keys []column.Value) error {
	var items []*item
	for i := range keys {
		if keys[i].State == column.Set {
			items = append(items, &item{row: i, values: keys[i : i+1]})
		}
	}
	st := newStore(l.keys, tx)
	if err := halve(ctx, st, items, st.remove); err != nil {
		return fmt.Errorf("remove %d rows of table '%s': %w", len(items), l.keys.Table.Name, err)
	}
	return nil
}

// halve has do applied to all items but those that the database refuses alone.
func halve(ctx context.Context, st store, items []*item, do func(context.Context, []*item) error) error {
	if len(items) == 0 {
		return nil
	}
	err := do(ctx, items)
	if err == nil || database.Explain(err).Class != database.RowFault {
		return err
	}
	if err := st.undo(ctx); err != nil || len(items) == 1 {
		return err
	}
	if err := halve(ctx, st, items[:len(items)/2], do); err != nil {
		return err
	}
	return halve(ctx, st, items[len(items)/2:], do)
}
