package destination

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"ingest/shared/column"
)

// mysqlGathered outlives a transaction, so that one may be left over in the session.
const mysqlGathered = "ingest_present"

func (m *mysql) gather(ctx context.Context) error {
	if err := m.scatter(ctx); err != nil {
		return err
	}
	names := strings.Join(m.keyNames(), ", ")
	index := ""
	if m.indexed {
		index = " (INDEX (" + names + "))"
	}
	_, err := m.tx.Exec(ctx, "CREATE TEMPORARY TABLE "+mysqlGathered+index+" AS SELECT "+names+" FROM "+m.table+" WHERE FALSE")
	return err
}

func (m *mysql) note(ctx context.Context, items []*item) error {
	values := make([]string, len(m.Key))
	for i, k := range m.Key {
		values[i] = comparand(m.Columns[k], listed(i))
	}
	list, err := m.list(items, m.Key)
	if err != nil {
		return err
	}
	_, err = m.tx.Exec(ctx, fmt.Sprintf("INSERT INTO %s SELECT %s FROM %s", mysqlGathered, strings.Join(values, ", "), m.listed(m.Key)), list)
	return err
}

func (m *mysql) take(ctx context.Context, set []column.Value, deciding int) (int64, error) {
	var known, same []string
	for _, name := range m.keyNames() {
		known, same = append(known, "t."+name+" IS NOT NULL"), append(same, "g."+name+" = t."+name)
	}
	missing := fmt.Sprintf("%s AND NOT EXISTS (SELECT 1 FROM %s AS g WHERE %s)",
		strings.Join(known, " AND "), mysqlGathered, strings.Join(same, " AND "))
	query, args := fmt.Sprintf("DELETE t FROM %s AS t WHERE %s", m.table, missing), []any(nil)
	if set != nil {
		var sets, differs []string
		var compared []any
		for i, value := range set {
			at := len(m.Key) + i
			c := m.Columns[at]
			sets, args = append(sets, "t."+m.names[at]+" = ?"), append(args, bound(c, value))
			if i < deciding {
				differs, compared = append(differs, "NOT ("+sameStored(c, "t."+m.names[at])+")"), append(compared, bound(c, value))
			}
		}
		query = fmt.Sprintf("UPDATE %s AS t SET %s WHERE (%s) AND %s", m.table, strings.Join(sets, ", "), strings.Join(differs, " OR "), missing)
		args = slices.Concat(args, compared)
	}
	done, err := m.tx.Exec(ctx, query, args...)
	if err != nil {
		return 0, err
	}
	return done.RowsAffected()
}

// sameStored compares a stored value with an argument, texts by their bytes.
func sameStored(c column.Column, name string) string {
	switch c.Type.Kind {
	case column.Text, column.Other, column.JSON, column.UUID:
		return "CAST(CONVERT(" + name + " USING utf8mb4) AS BINARY) <=> CAST(? AS BINARY)"
	case column.Decimal, column.Date, column.Time, column.Datetime:
		return name + " <=> " + comparand(c, "?")
	default:
		return name + " <=> ?"
	}
}

func (m *mysql) scatter(ctx context.Context) error {
	_, err := m.tx.Exec(ctx, "DROP TEMPORARY TABLE IF EXISTS "+mysqlGathered)
	return err
}
