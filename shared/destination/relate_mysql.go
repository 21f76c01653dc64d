package destination

import (
	"context"
	"database/sql"
	"fmt"

	"ingest/shared/column"
)

func (m *mysql) match(ctx context.Context, items []*item, key column.Column, except *Except, keep func(ord int64, key column.Value)) error {
	columns, rows := []column.Column{m.Columns[0]}, make([][]*string, len(items))
	for i, it := range items {
		rows[i] = []*string{spelled(m.Columns[0], it.values[0])}
	}
	where := ""
	if except != nil && except.Value.State == column.Set {
		columns = append(columns, except.Column)
		value := spelled(except.Column, except.Value)
		for i := range rows {
			rows[i] = append(rows[i], value)
		}
		where = fmt.Sprintf(" WHERE (t.%s = %s) IS NOT TRUE", m.quote(except.Column.Name), comparand(except.Column, listed(1)))
	}
	list, err := jsonList(rows)
	if err != nil {
		return err
	}
	// The column may have no index, so that the server has to choose the order of the tables.
	query := fmt.Sprintf("SELECT u.ord, MIN(%s) FROM %s JOIN %s AS t ON t.%s = %s%s GROUP BY u.ord",
		read(key, "t."+m.quote(key.Name)), jsonTable(columns, 0), m.table, m.names[0], comparand(m.Columns[0], listed(0)), where)
	return m.scan(ctx, query, list, 1, func(ord int64, stored []sql.NullString) {
		if value := understood(key, stored[0]); value.State == column.Set {
			keep(ord, value)
		}
	})
}

func (m *mysql) remove(ctx context.Context, items []*item) error {
	list, err := m.list(items, m.Key)
	if err != nil {
		return err
	}
	_, err = m.tx.Exec(ctx, "DELETE t FROM "+m.joined(m.Key), list)
	return err
}

// unlink locks the rows of the items, and deletes those that no pair has. Which they are is known by their stored values.
func (m *mysql) unlink(ctx context.Context, items []*item, others [][]column.Value, removed func(ord int64)) error {
	var pairs []*item
	for i, it := range items {
		for _, other := range others[i] {
			pairs = append(pairs, &item{values: []column.Value{it.values[0], other}})
		}
	}
	selected := fmt.Sprintf("SELECT u.ord, %s, %s FROM ", read(m.Columns[0], "t."+m.names[0]), read(m.Columns[1], "t."+m.names[1]))
	// Its index may begin with the other column, so that the server has to choose the order of the tables.
	query := fmt.Sprintf("%s%s JOIN %s AS t ON t.%s = %s FOR UPDATE",
		selected, m.listed([]int{0}), m.table, m.names[0], comparand(m.Columns[0], listed(0)))
	surplus := map[[2]column.Value]int64{}
	err := m.ask(ctx, query, items, []int{0}, 2, func(ord int64, stored []sql.NullString) { surplus[m.pair(stored)] = ord })
	if err != nil || len(surplus) == 0 {
		return err
	}
	if len(pairs) > 0 {
		err := m.ask(ctx, selected+m.joined(m.Key), pairs, m.Key, 2, func(_ int64, stored []sql.NullString) { delete(surplus, m.pair(stored)) })
		if err != nil || len(surplus) == 0 {
			return err
		}
	}
	var rows []*item
	for pair, ord := range surplus {
		rows = append(rows, &item{values: []column.Value{pair[0], pair[1]}})
		removed(ord)
	}
	list, err := m.list(rows, m.Key)
	if err != nil {
		return err
	}
	// A pair without another one is removed, too.
	_, err = m.tx.Exec(ctx, fmt.Sprintf("DELETE t FROM %s STRAIGHT_JOIN %s AS t ON t.%s = %s AND t.%s <=> %s", m.listed(m.Key), m.table,
		m.names[0], comparand(m.Columns[0], listed(0)), m.names[1], comparand(m.Columns[1], listed(1))), list)
	return err
}

// pair is a stored row of a pivot table.
func (m *mysql) pair(stored []sql.NullString) [2]column.Value {
	return [2]column.Value{understood(m.Columns[0], stored[0]), understood(m.Columns[1], stored[1])}
}
