package database

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// endTimeout bounds COMMIT, what commits by itself, and ROLLBACK, which do not end with the caller's context.
const endTimeout = 30 * time.Second

// ErrDoomed is wrapped by every use of a transaction after an error that was not a row's fault: nobody knows what the
// database has undone, so it can only be rolled back.
var ErrDoomed = errors.New("the transaction has failed and can only be rolled back")

// ErrRolledBack is returned by a COMMIT that the database answered with a rollback.
var ErrRolledBack = errors.New("the database rolled back instead of committing")

// Tx is a transaction. It is not safe for concurrent use. It ends with Commit or Rollback, never with a context.
type Tx struct {
	db   *DB
	conn *sql.Conn
	// base is the context of Begin without its end: a rollback must run whatever has been cancelled.
	base   context.Context
	doomed error
	// blaming says that a statement that took too long is a row's fault.
	blaming bool
	ended   bool
	// prepared are the statements of ExecOften.
	prepared map[string]*sql.Stmt
}

// Begin starts a transaction: READ COMMITTED, on SQLite BEGIN IMMEDIATE on its one writer connection. It
// blocks until a connection is free, not longer than ctx. The caller must end the transaction; Rollback after Commit
// does nothing, so it can be deferred. Within it, DB.Exec and DB.Begin of the same SQLite database block for ever.
func (d *DB) Begin(ctx context.Context) (*Tx, error) {
	conn, err := d.write.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("begin: %w", explained(ctx, err))
	}
	tx := &Tx{db: d, conn: conn, base: context.WithoutCancel(ctx)}
	if err := tx.begin(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("begin: %w", explained(ctx, err)), tx.drop())
	}
	return tx, nil
}

func (t *Tx) begin(ctx context.Context) error {
	switch t.db.dialect {
	case SQLite:
		_, err := t.conn.ExecContext(ctx, "BEGIN IMMEDIATE")
		return err
	case MySQL:
		_, err := t.conn.ExecContext(ctx, "START TRANSACTION")
		return err
	case Postgres:
	}
	return t.conn.Raw(func(c any) error {
		// A deferred constraint would fail at COMMIT, where nobody can say which row it was. Both in one round trip.
		return c.(*stdlib.Conn).Conn().PgConn().Exec(ctx,
			"BEGIN ISOLATION LEVEL READ COMMITTED; SET CONSTRAINTS ALL IMMEDIATE").Close()
	})
}

// DB is the connection the transaction runs on.
func (t *Tx) DB() *DB { return t.db }

// Exec runs a statement; `?` are the arguments.
func (t *Tx) Exec(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if err := t.usable(); err != nil {
		return nil, err
	}
	result, err := t.conn.ExecContext(ctx, t.db.rebind(query), args...)
	return result, t.noted(ctx, err)
}

// ExecOften is Exec for a statement that comes again and again: it is prepared once in the transaction.
func (t *Tx) ExecOften(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if err := t.usable(); err != nil {
		return nil, err
	}
	statement, ok := t.prepared[query]
	if !ok {
		var err error
		if statement, err = t.conn.PrepareContext(ctx, t.db.rebind(query)); err != nil {
			return nil, t.noted(ctx, err)
		}
		if t.prepared == nil {
			t.prepared = map[string]*sql.Stmt{}
		}
		t.prepared[query] = statement
	}
	result, err := statement.ExecContext(ctx, args...)
	return result, t.noted(ctx, err)
}

// forget closes what was prepared. database/sql does not do so with the connection, and SQLite keeps one that has statements,
// with its transaction and its lock.
func (t *Tx) forget() error {
	var all error
	for _, statement := range t.prepared {
		all = errors.Join(all, statement.Close())
	}
	t.prepared = nil
	return all
}

// Query runs a query. The rows must be closed before the next statement.
func (t *Tx) Query(ctx context.Context, query string, args ...any) (*Rows, error) {
	if err := t.usable(); err != nil {
		return nil, err
	}
	rows, err := t.conn.QueryContext(ctx, t.db.rebind(query), args...)
	if err != nil {
		return nil, t.noted(ctx, err)
	}
	return &Rows{Rows: rows, note: func(err error) error { return t.noted(ctx, err) }}, nil
}

// QueryRow runs a query that has at most one row. Scan must be called.
func (t *Tx) QueryRow(ctx context.Context, query string, args ...any) *Row {
	if err := t.usable(); err != nil {
		// A query on an ended context fails without reaching the database.
		gone, cancel := context.WithCancelCause(ctx)
		cancel(err)
		return &Row{row: t.conn.QueryRowContext(gone, query), note: func(error) error { return err }}
	}
	row := t.conn.QueryRowContext(ctx, t.db.rebind(query), args...)
	return &Row{row: row, note: func(err error) error { return t.noted(ctx, err) }}
}

// Savepoint marks the place RollbackTo returns to.
func (t *Tx) Savepoint(ctx context.Context, name string) error {
	return t.savepoint(ctx, "SAVEPOINT ", name)
}

// RollbackTo undoes everything since the savepoint and keeps it. It also undoes a row fault.
func (t *Tx) RollbackTo(ctx context.Context, name string) error {
	return t.savepoint(ctx, "ROLLBACK TO SAVEPOINT ", name)
}

// Release forgets the savepoint and keeps what was done since.
func (t *Tx) Release(ctx context.Context, name string) error {
	return t.savepoint(ctx, "RELEASE SAVEPOINT ", name)
}

func (t *Tx) savepoint(ctx context.Context, verb, name string) error {
	if _, err := t.Exec(ctx, verb+Quote(name)); err != nil {
		return fmt.Errorf("savepoint %s: %w", name, err)
	}
	return nil
}

// Pgx gives the transaction's own PostgreSQL connection to use, for COPY and batches; use must not keep it. Its
// error counts like a statement's.
func (t *Tx) Pgx(use func(*pgx.Conn) error) error {
	if err := t.usable(); err != nil {
		return err
	}
	var failed error
	err := t.conn.Raw(func(c any) error {
		pg, ok := c.(*stdlib.Conn)
		if !ok {
			return fmt.Errorf("connection '%s' is not PostgreSQL", t.db.name)
		}
		failed = use(pg.Conn())
		return nil
	})
	return t.noted(t.base, errors.Join(err, failed))
}

// BlameRows says that from now on each statement is for one row: one that the database ends because it takes too long is
// that row's fault. Without it such a statement is transient, because nobody knows what it waited for.
func (t *Tx) BlameRows() { t.blaming = true }

// Commit makes the transaction durable. It does not end with ctx but after a fixed time. After an error the outcome
// is unknown unless Explain says it was refused; the connection is dropped.
func (t *Tx) Commit(ctx context.Context) error {
	if err := t.usable(); err != nil {
		return errors.Join(err, t.Rollback())
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTimeout)
	defer cancel()
	t.ended = true
	if err := t.commit(ctx); err != nil {
		return errors.Join(fmt.Errorf("commit: %w", explained(ctx, err)), t.drop())
	}
	return errors.Join(t.forget(), t.conn.Close())
}

func (t *Tx) commit(ctx context.Context) error {
	if t.db.dialect != Postgres {
		_, err := t.conn.ExecContext(ctx, "COMMIT")
		return err
	}
	var answer string
	err := t.conn.Raw(func(c any) error {
		conn := c.(*stdlib.Conn).Conn()
		tag, err := conn.Exec(ctx, "COMMIT")
		answer = tag.String()
		if err != nil && conn.IsClosed() {
			// Whatever the driver calls it: nobody knows whether the COMMIT arrived.
			return errors.Join(err, driver.ErrBadConn)
		}
		return err
	})
	if err == nil && answer != "COMMIT" {
		return ErrRolledBack
	}
	return err
}

// CommitRow runs one statement that writes and returns a row, as a transaction of its own, on a server's database. Like Commit it does not end
// with ctx but after a fixed time, and after an error the outcome is unknown unless Explain says it was refused. Without
// a row it is sql.ErrNoRows.
func (d *DB) CommitRow(ctx context.Context, query string, args []any, into ...any) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTimeout)
	defer cancel()
	err := d.write.QueryRowContext(ctx, d.rebind(query), args...).Scan(into...)
	if err != nil && !errors.Is(err, sql.ErrNoRows) && Explain(err).Class == UnknownFault {
		// Whatever the driver calls it: nobody knows whether the statement arrived.
		err = errors.Join(err, driver.ErrBadConn)
	}
	return explained(ctx, err)
}

// Rollback undoes the transaction; it does nothing when it has ended. It does not end with the context of Begin. After
// an error that was not a row's fault the connection is dropped instead of being used again.
func (t *Tx) Rollback() error {
	if t.ended {
		return nil
	}
	t.ended = true
	if t.doomed != nil {
		return t.drop()
	}
	ctx, cancel := context.WithTimeout(t.base, endTimeout)
	defer cancel()
	if _, err := t.conn.ExecContext(ctx, "ROLLBACK"); err != nil {
		return errors.Join(fmt.Errorf("rollback: %w", explained(ctx, err)), t.drop())
	}
	return errors.Join(t.forget(), t.conn.Close())
}

// drop closes the connection itself; the database then undoes what was open on it.
func (t *Tx) drop() error {
	_ = t.forget() // what cannot be closed on a broken connection is gone with it
	err := t.conn.Raw(func(any) error { return driver.ErrBadConn })
	if errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) {
		return nil
	}
	return errors.Join(err, t.conn.Close())
}

func (t *Tx) usable() error {
	if t.ended {
		return sql.ErrTxDone
	}
	if t.doomed != nil {
		return fmt.Errorf("%w: %w", ErrDoomed, t.doomed)
	}
	return nil
}

// noted remembers that the transaction cannot go on after err.
func (t *Tx) noted(ctx context.Context, err error) error {
	if err == nil || errors.Is(err, sql.ErrNoRows) {
		return err
	}
	err = explained(ctx, err)
	if f := Explain(err); t.blaming && f.Slow() && ctx.Err() == nil {
		f.Class = RowFault
		err = &Error{Fault: f, cause: err}
	}
	if t.doomed == nil && (Explain(err).Class != RowFault || t.vanished()) {
		t.doomed = err
	}
	return err
}

// vanished says whether SQLite has ended the transaction with a row fault, as a constraint declared ON CONFLICT
// ROLLBACK does: every further statement would commit by itself. A BEGIN succeeds only then.
func (t *Tx) vanished() bool {
	if t.db.dialect != SQLite || t.ended {
		return false
	}
	_, err := t.conn.ExecContext(t.base, "BEGIN")
	return err == nil
}
