package destination

import (
	"context"
	"fmt"
	"strings"

	"ingest/shared/column"
	"ingest/shared/database"
)

// haveParents looks for the rows that deferred foreign keys of some items lead to: SQLite would do so at the commit, where
// nobody can say any more which row it was. It returns database.ErrNoParent when one is not there.
func (q *sqlite) haveParents(ctx context.Context, items []*item) error {
	for _, key := range q.Table.Foreign {
		if !key.Deferred {
			continue
		}
		if err := q.haveParent(ctx, items, key); err != nil {
			return err
		}
	}
	return nil
}

// positions are where columns are, as far as they are written.
func (p *plan) positions(names []string) (all []int) {
	for _, name := range names {
		if i := p.position(name); i >= 0 {
			all = append(all, i)
		}
	}
	return all
}

// haveParent does so for one foreign key. Of one whose columns are not all written nothing is known.
func (q *sqlite) haveParent(ctx context.Context, items []*item, key column.ForeignKey) error {
	positions := q.positions(key.Columns)
	if len(positions) < len(key.Columns) || len(key.References) != len(positions) {
		return nil
	}
	var args []any
	children := 0
	for _, it := range items {
		if values, ok := q.refers(it, positions); ok {
			args = append(args, values...)
			children++
		}
	}
	if children == 0 {
		return nil
	}
	same := make([]string, len(positions))
	for i := range positions {
		same[i] = fmt.Sprintf("p.%s = v.column%d", q.quote(key.References[i]), i+1)
	}
	query := "SELECT count(*) FROM (VALUES " + tuples(children, len(positions)) + ") AS v WHERE NOT EXISTS (SELECT 1 FROM " +
		q.quote(key.Table) + " AS p WHERE " + strings.Join(same, " AND ") + ")"
	var orphans int
	if err := q.tx.QueryRow(ctx, query, args...).Scan(&orphans); err != nil {
		return fmt.Errorf("look for parents: %w", err)
	}
	if orphans > 0 {
		return database.ErrNoParent
	}
	return nil
}

// refers are the values of a key as they are bound; false when one of them is missing, so that it leads nowhere.
func (q *sqlite) refers(it *item, positions []int) (values []any, ok bool) {
	for _, i := range positions {
		if it.values[i].State != column.Set {
			return nil, false
		}
		values = append(values, bind(q.Columns[i], it.values[i]))
	}
	return values, true
}
