package database

import (
	"context"
	"errors"
	"fmt"

	"ingest/shared/column"
)

// ErrNoTable is wrapped when a table does not exist.
var ErrNoTable = errors.New("no such table")

// Table describes a table, named "table" or "schema.table", as the catalog does. It returns ErrNoTable for none and a
// clear error for what is no table that rows can be written to, such as a view.
func (d *DB) Table(ctx context.Context, name string) (column.Table, error) {
	var describe func(context.Context, string) (column.Table, error)
	switch d.dialect {
	case SQLite:
		describe = d.sqliteTable
	case Postgres:
		describe = d.postgresTable
	case MySQL:
		describe = d.mysqlTable
	}
	table, err := describe(ctx, name)
	if err != nil {
		return column.Table{}, fmt.Errorf("table '%s' in connection '%s': %w", name, d.name, err)
	}
	return table, nil
}

// list reads a query of one text column.
func (d *DB) list(ctx context.Context, query string, args ...any) ([]string, error) {
	rows, err := d.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []string
	for rows.Next() {
		var one string
		if err := rows.Scan(&one); err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, rows.Err()
}
