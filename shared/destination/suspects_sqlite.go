package destination

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
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
		if orphans, err := q.orphans(ctx, items, key); err != nil || len(orphans) > 0 {
			return cmp.Or(err, database.ErrNoParent)
		}
	}
	return nil
}

// suspects are those whose foreign keys lead nowhere. A CHECK says itself which row it refuses.
func (q *sqlite) suspects(ctx context.Context, items []*item) (all []int, err error) {
	for _, key := range q.Table.Foreign {
		orphans, err := q.orphans(ctx, items, key)
		if err != nil {
			return nil, err
		}
		all = append(all, orphans...)
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

// probe writes each item and takes back what that has done.
func (q *sqlite) probe(ctx context.Context, items []*item) ([]error, error) {
	const probed = "ingest_probe"
	if err := q.tx.Savepoint(ctx, probed); err != nil {
		return nil, err
	}
	causes := make([]error, len(items))
	write := q.insert
	if items[0].op == update {
		write = q.update
	}
	for i := range items {
		if causes[i] = write(ctx, items[i:i+1]); errors.Is(causes[i], errLeftOut) {
			causes[i] = nil
		}
		if err := errors.Join(q.undo(ctx), q.tx.RollbackTo(ctx, probed)); err != nil {
			return nil, err
		}
	}
	return causes, q.tx.Release(ctx, probed)
}

// orphans are the positions of the items that a foreign key leads nowhere. Of one whose columns are not all written nothing is
// known.
func (q *sqlite) orphans(ctx context.Context, items []*item, key column.ForeignKey) (all []int, err error) {
	positions := q.brought(items[0].shape, key.Columns)
	if positions == nil || len(key.References) != len(positions) {
		return nil, nil
	}
	same := make([]string, len(positions))
	for i := range positions {
		same[i] = fmt.Sprintf("p.%s = v.column%d", q.quote(key.References[i]), i+2)
	}
	tail := ") AS v WHERE NOT EXISTS (SELECT 1 FROM " + q.quote(key.Table) + " AS p WHERE " + strings.Join(same, " AND ") + ")"
	err = q.slices(items, len(positions)+1, func(from int, part []*item) error {
		var args []any
		children := 0
		for i, it := range part {
			if values, ok := q.refers(it, positions); ok {
				args = append(append(args, int64(from+i)), values...)
				children++
			}
		}
		if children == 0 {
			return nil
		}
		return q.scan(ctx, "SELECT v.column1 FROM (VALUES "+tuples(children, len(positions)+1)+tail, args, 0, func(ord int64, _ []any) {
			all = append(all, int(ord))
		})
	})
	if err != nil {
		return nil, fmt.Errorf("look for parents: %w", err)
	}
	return all, nil
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
