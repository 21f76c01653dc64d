package destination

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strings"

	"ingest/shared/column"
)

// suspects are the items that a CHECK would refuse, and those without a parent.
func (m *mysql) suspects(ctx context.Context, items []*item) ([]int, error) {
	bad := map[int]bool{}
	ask := func(columns []int, query string) error {
		return m.ask(ctx, query, items, columns, 0, func(ord int64, _ []sql.NullString) { bad[int(ord)] = true })
	}
	if columns, query := m.unchecked(items[0].shape); query != "" {
		if err := ask(columns, query); err != nil {
			return nil, err
		}
	}
	for _, key := range m.Table.Foreign {
		columns := m.brought(items[0].shape, key.Columns)
		if columns == nil || len(columns) != len(key.References) {
			continue
		}
		if err := ask(columns, m.orphaned(key, columns)); err != nil {
			return nil, err
		}
	}
	return slices.Sorted(maps.Keys(bad)), nil
}

// unchecked is the query for the positions of rows that a CHECK refuses whose columns they bring, "" if there is none.
func (m *mysql) unchecked(sh *shape) (columns []int, query string) {
	var terms []string
	for _, check := range m.Table.Checks {
		if brought := m.brought(sh, check.Columns); brought != nil {
			columns, terms = append(columns, brought...), append(terms, "NOT ("+check.Expression+")")
		}
	}
	if len(terms) == 0 {
		return nil, ""
	}
	slices.Sort(columns)
	columns = slices.Compact(columns)
	named := make([]string, len(columns))
	for i, c := range columns {
		named[i] = comparand(m.Columns[c], listed(i)) + " AS " + m.names[c]
	}
	return columns, fmt.Sprintf("SELECT r.%[1]s FROM (SELECT u.ord AS %[1]s, %[2]s FROM %[3]s) AS r WHERE %[4]s",
		judged, strings.Join(named, ", "), m.listed(columns), strings.Join(terms, " OR "))
}

// orphaned is the query for the positions of rows that a foreign key leads nowhere.
func (m *mysql) orphaned(key column.ForeignKey, columns []int) string {
	var same, given []string
	for i, c := range columns {
		same = append(same, fmt.Sprintf("p.%s = %s", m.quote(key.References[i]), comparand(m.Columns[c], listed(i))))
		given = append(given, listed(i)+" IS NOT NULL")
	}
	parent := quoted(column.Table{Schema: key.Schema, Name: key.Table}, m.quote)
	return fmt.Sprintf("SELECT u.ord FROM %s LEFT JOIN %s AS p ON %s WHERE %s AND p.%s IS NULL", m.listed(columns), parent,
		strings.Join(same, " AND "), strings.Join(given, " AND "), m.quote(key.References[0]))
}

// probe writes each item, and takes it back if it could be written: what is refused has no effect.
func (m *mysql) probe(ctx context.Context, items []*item) ([]error, error) {
	const probed = "ingest_probe"
	if err := m.tx.Savepoint(ctx, probed); err != nil {
		return nil, err
	}
	causes := make([]error, len(items))
	write := m.insert
	if items[0].op == update {
		write = m.update
	}
	for i := range items {
		if causes[i] = write(ctx, items[i:i+1]); causes[i] != nil {
			continue
		}
		if err := m.tx.RollbackTo(ctx, probed); err != nil {
			return nil, err
		}
	}
	return causes, m.tx.Release(ctx, probed)
}
