package destination

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"ingest/shared/column"
)

// suspects are the items without a parent. What a CHECK refuses is found by failing.
func (m *mysql) suspects(ctx context.Context, items []*item) ([]int, error) {
	bad := map[int]bool{}
	for _, key := range m.Table.Foreign {
		var columns []int
		for _, name := range key.Columns {
			if i := m.position(name); i >= 0 && slices.Contains(items[0].shape.present, i) {
				columns = append(columns, i)
			}
		}
		if len(columns) < len(key.Columns) || len(columns) != len(key.References) {
			continue
		}
		var same, given []string
		for i, c := range columns {
			same = append(same, fmt.Sprintf("p.%s = %s", m.quote(key.References[i]), comparand(m.Columns[c], listed(i))))
			given = append(given, listed(i)+" IS NOT NULL")
		}
		parent := quoted(column.Table{Schema: key.Schema, Name: key.Table}, m.quote)
		query := fmt.Sprintf("SELECT u.ord FROM %s LEFT JOIN %s AS p ON %s WHERE %s AND p.%s IS NULL", m.listed(columns), parent,
			strings.Join(same, " AND "), strings.Join(given, " AND "), m.quote(key.References[0]))
		if err := m.ask(ctx, query, items, columns, 0, func(ord int64, _ []sql.NullString) { bad[int(ord)] = true }); err != nil {
			return nil, err
		}
	}
	var all []int
	for i := range items {
		if bad[i] {
			all = append(all, i)
		}
	}
	return all, nil
}

// probe writes each item and takes it back.
func (m *mysql) probe(ctx context.Context, items []*item) ([]error, error) {
	const probed = "ingest_probe"
	causes := make([]error, len(items))
	for i := range items {
		if err := m.tx.Savepoint(ctx, probed); err != nil {
			return nil, err
		}
		if items[i].op == update {
			causes[i] = m.update(ctx, items[i:i+1])
		} else {
			causes[i] = m.insert(ctx, items[i:i+1])
		}
		if err := errors.Join(m.tx.RollbackTo(ctx, probed), m.tx.Release(ctx, probed)); err != nil {
			return nil, err
		}
	}
	return causes, nil
}
