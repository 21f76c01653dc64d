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
// clear error for what is no table that rows can be written to, such as a view. It needs a connection of its own: within a
// transaction, where others may hold all the rest and wait for what this one has locked, it is Tx.Table that is meant.
func (d *DB) Table(ctx context.Context, name string) (column.Table, error) {
	return catalog{db: d, reader: d}.table(ctx, name)
}

// Table is DB.Table as the transaction sees it, on its connection.
func (t *Tx) Table(ctx context.Context, name string) (column.Table, error) {
	return catalog{db: t.db, reader: t}.table(ctx, name)
}

// catalog describes the tables of a database.
type catalog struct {
	reader

	db *DB
}

// reader is a database or a transaction in it.
type reader interface {
	Query(ctx context.Context, query string, args ...any) (*Rows, error)
	QueryRow(ctx context.Context, query string, args ...any) *Row
}

func (cat catalog) table(ctx context.Context, name string) (column.Table, error) {
	var describe func(context.Context, string) (column.Table, error)
	switch cat.db.dialect {
	case SQLite:
		describe = cat.sqliteTable
	case Postgres:
		describe = cat.postgresTable
	case MySQL:
		describe = cat.mysqlTable
	}
	table, err := describe(ctx, name)
	if err != nil {
		return column.Table{}, fmt.Errorf("table '%s' in connection '%s': %w", name, cat.db.name, err)
	}
	return table, nil
}

// list reads a query of one text column.
func (cat catalog) list(ctx context.Context, query string, args ...any) ([]string, error) {
	rows, err := cat.Query(ctx, query, args...)
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
