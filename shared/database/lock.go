package database

import (
	"context"
	"errors"
	"strings"
)

// Lock waits until no other transaction holds the lock of that name, and holds it until this one ends. SQLite has one
// writer: there it does nothing.
func (t *Tx) Lock(ctx context.Context, name string) (err error) {
	switch t.db.dialect {
	case Postgres:
		_, err = t.Exec(ctx, "SELECT pg_advisory_xact_lock(hashtext(?))", name)
	case MySQL:
		// Reading a row that is not there would lock nothing that can be relied on.
		_, err = t.Exec(ctx, "INSERT INTO "+t.db.Ledger("ingest_locks")+" (name) VALUES (?) ON DUPLICATE KEY UPDATE name = name", name)
	case SQLite:
	}
	return err
}

// Uncommitted reads a row as transactions that are not committed would leave it (MySQL); sql.ErrNoRows for none.
func (d *DB) Uncommitted(ctx context.Context, query string, args []any, into ...any) (err error) {
	conn, err := d.read.Conn(ctx)
	if err != nil {
		return explained(ctx, err)
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	// It holds for the next statement only.
	if _, err := conn.ExecContext(ctx, "SET TRANSACTION ISOLATION LEVEL READ UNCOMMITTED"); err != nil {
		return explained(ctx, err)
	}
	return explained(ctx, conn.QueryRowContext(ctx, query, args...).Scan(into...))
}

// OnConflict ends an INSERT that meets a row with the same key, which is a list of columns: it is changed as set says, or
// left alone for "".
func (d *DB) OnConflict(key, set string) string {
	switch {
	case d.dialect == MySQL && set == "":
		first, _, _ := strings.Cut(key, ",")
		return "ON DUPLICATE KEY UPDATE " + first + " = " + first
	case d.dialect == MySQL:
		return "ON DUPLICATE KEY UPDATE " + set
	case set == "":
		return "ON CONFLICT (" + key + ") DO NOTHING"
	default:
		return "ON CONFLICT (" + key + ") DO UPDATE SET " + set
	}
}
