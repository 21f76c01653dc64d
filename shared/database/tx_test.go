package database_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"ingest/shared/database"
	"ingest/shared/database/dbtest"
	"ingest/shared/lifecycle"
)

func exec(t *testing.T, db *database.DB, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		if _, err := db.Exec(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v: %v", statement, err, errors.Unwrap(err))
		}
	}
}

func begin(t *testing.T, db *database.DB) *database.Tx {
	t.Helper()
	tx, err := db.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := tx.Rollback(); err != nil {
			t.Error(err)
		}
	})
	return tx
}

func count(t *testing.T, db *database.DB, table string) (n int) {
	t.Helper()
	if err := db.QueryRow(t.Context(), "SELECT COUNT(*) FROM "+db.QuoteTable(table)).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestTransactionCommitsAndRollsBack(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, url string) {
		db := open(t, database.Config{URL: url})
		exec(t, db, "CREATE TABLE t (a INTEGER)")
		tx := begin(t, db)
		if _, err := tx.Exec(t.Context(), "INSERT INTO t VALUES (?)", 1); err != nil {
			t.Fatal(err)
		}
		if n := count(t, db, "t"); n != 0 {
			t.Errorf("others see %d uncommitted rows", n)
		}
		if err := tx.Commit(t.Context()); err != nil {
			t.Fatal(err)
		}
		tx = begin(t, db)
		if _, err := tx.Exec(t.Context(), "INSERT INTO t VALUES (?)", 2); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(tx.Rollback(), tx.Rollback()); err != nil {
			t.Fatal(err)
		}
		if n := count(t, db, "t"); n != 1 {
			t.Errorf("%d rows after commit and rollback, want 1", n)
		}
		if _, err := tx.Exec(t.Context(), "INSERT INTO t VALUES (3)"); err == nil {
			t.Error("an ended transaction takes statements")
		}
	})
}

func TestSavepointUndoesARowFault(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, url string) {
		db := open(t, database.Config{URL: url})
		exec(t, db, "CREATE TABLE t (a INTEGER UNIQUE)")
		tx := begin(t, db)
		steps := func(values ...int) {
			for _, value := range values {
				if err := tx.Savepoint(t.Context(), `r"w`); err != nil {
					t.Fatal(err)
				}
				_, err := tx.Exec(t.Context(), "INSERT INTO t VALUES (?)", value)
				end := tx.Release
				if err != nil {
					end = tx.RollbackTo
				}
				if err := end(t.Context(), `r"w`); err != nil {
					t.Fatal(err)
				}
			}
		}
		steps(1, 1, 2)
		if err := tx.Commit(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := count(t, db, "t"); n != 2 {
			t.Errorf("%d rows, want 2", n)
		}
	})
}

func TestTransactionIsDoomedByAnErrorThatIsNoRowFault(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, url string) {
		db := open(t, database.Config{URL: url})
		exec(t, db, "CREATE TABLE t (a INTEGER)")
		for name, fail := range map[string]func(*database.Tx) error{
			"statement": func(tx *database.Tx) error {
				_, err := tx.Exec(t.Context(), "INSERT INTO nowhere VALUES (1)")
				return err
			},
			"query row": func(tx *database.Tx) error {
				return tx.QueryRow(t.Context(), "SELECT 1 FROM nowhere").Scan(new(int))
			},
			"cancelled": func(tx *database.Tx) error {
				ctx, cancel := context.WithCancel(t.Context())
				cancel()
				_, err := tx.Exec(ctx, "INSERT INTO t VALUES (1)")
				return err
			},
		} {
			tx := begin(t, db)
			if _, err := tx.Exec(t.Context(), "INSERT INTO t VALUES (1)"); err != nil {
				t.Fatal(err)
			}
			if err := fail(tx); err == nil {
				t.Fatalf("%s: no error", name)
			}
			_, err := tx.Exec(t.Context(), "INSERT INTO t VALUES (2)")
			if !errors.Is(err, database.ErrDoomed) {
				t.Errorf("%s: the transaction goes on: %v", name, err)
			}
			if err := tx.QueryRow(t.Context(), "SELECT 1").Scan(new(int)); !errors.Is(err, database.ErrDoomed) {
				t.Errorf("%s: the transaction answers: %v", name, err)
			}
			if err := tx.Commit(t.Context()); !errors.Is(err, database.ErrDoomed) {
				t.Errorf("%s: commit: %v", name, err)
			}
		}
		if n := count(t, db, "t"); n != 0 {
			t.Errorf("%d rows of doomed transactions", n)
		}
	})
}

func TestCommitThatBecameARollbackIsAnError(t *testing.T) {
	t.Parallel()
	db := open(t, database.Config{URL: dbtest.Postgres(t)})
	exec(t, db, "CREATE TABLE t (a INTEGER UNIQUE)", "INSERT INTO t VALUES (1)")
	tx := begin(t, db)
	if _, err := tx.Exec(t.Context(), "INSERT INTO t VALUES (1)"); database.Explain(err).Class != database.RowFault {
		t.Fatalf("unique violation: %v", err)
	}
	err := tx.Commit(t.Context())
	if !errors.Is(err, database.ErrRolledBack) || !database.Transient(err) {
		t.Errorf("commit of an aborted transaction: %v", err)
	}
}

func TestSQLiteTransactionThatVanishedIsDoomed(t *testing.T) {
	t.Parallel()
	db := open(t, database.Config{URL: dbtest.SQLite(t)})
	exec(t, db, "CREATE TABLE t (a INTEGER UNIQUE ON CONFLICT ROLLBACK)", "INSERT INTO t VALUES (1)")
	tx := begin(t, db)
	if _, err := tx.Exec(t.Context(), "INSERT INTO t VALUES (1)"); err == nil {
		t.Fatal("no unique violation")
	}
	if _, err := tx.Exec(t.Context(), "INSERT INTO t VALUES (2)"); !errors.Is(err, database.ErrDoomed) {
		t.Errorf("a statement after the rollback: %v", err)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if n := count(t, db, "t"); n != 1 {
		t.Errorf("%d rows, want 1: a row was committed by itself", n)
	}
}

func TestPostgresDeferredConstraintsAreCheckedAtTheRow(t *testing.T) {
	t.Parallel()
	db := open(t, database.Config{URL: dbtest.Postgres(t)})
	exec(t, db, "CREATE TABLE p (id INTEGER PRIMARY KEY)",
		"CREATE TABLE c (p INTEGER REFERENCES p DEFERRABLE INITIALLY DEFERRED)")
	tx := begin(t, db)
	_, err := tx.Exec(t.Context(), "INSERT INTO c VALUES (1)")
	if !database.Explain(err).ForeignKey() {
		t.Errorf("a deferred foreign key was not checked at once: %v", err)
	}
}

func TestSQLiteWriterWaitsNoLongerThanTheContext(t *testing.T) {
	t.Parallel()
	url := dbtest.SQLite(t)
	first := begin(t, open(t, database.Config{URL: url}))
	for name, db := range map[string]*database.DB{"same": first.DB(), "other": open(t, database.Config{URL: url})} {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		from := time.Now()
		if _, err := db.Begin(ctx); !errors.Is(err, context.DeadlineExceeded) || !database.Transient(err) {
			t.Errorf("%s connection: %v", name, err)
		}
		if took := time.Since(from); took > 5*time.Second {
			t.Errorf("%s connection: waited %s", name, took)
		}
		cancel()
	}
}

func TestWritersWaitForEachOther(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, url string) {
		one, two := open(t, database.Config{URL: url}), open(t, database.Config{URL: url})
		exec(t, one, "CREATE TABLE t (n INTEGER)", "INSERT INTO t VALUES (0)")
		var tasks []func(context.Context) error
		for i := range 8 {
			db := one
			if i%2 == 1 {
				db = two
			}
			tasks = append(tasks, func(ctx context.Context) error {
				for range 10 {
					if err := increment(ctx, db); err != nil {
						return err
					}
				}
				return nil
			})
		}
		if err := lifecycle.Parallel(t.Context(), tasks...); err != nil {
			t.Fatal(err)
		}
		var n int
		if err := one.QueryRow(t.Context(), "SELECT n FROM t").Scan(&n); err != nil || n != 80 {
			t.Errorf("80 increments made %d (%v)", n, err)
		}
	})
}

func increment(ctx context.Context, db *database.DB) (err error) {
	tx, err := db.Begin(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, tx.Rollback()) }()
	if _, err := tx.Exec(ctx, "UPDATE t SET n = n + 1"); err != nil {
		return err
	}
	return tx.Commit(ctx)
}

func TestPgxRunsInTheTransaction(t *testing.T) {
	t.Parallel()
	db := open(t, database.Config{URL: dbtest.Postgres(t)})
	exec(t, db, "CREATE TABLE t (a INTEGER, b TEXT)")
	tx := begin(t, db)
	err := tx.Pgx(func(c *pgx.Conn) error {
		_, err := c.CopyFrom(t.Context(), pgx.Identifier{"t"}, []string{"a", "b"}, pgx.CopyFromRows([][]any{{1, "x"}, {2, "y"}}))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if n := count(t, db, "t"); n != 0 {
		t.Errorf("%d copied rows survived the rollback", n)
	}
	lite := begin(t, open(t, database.Config{URL: dbtest.SQLite(t)}))
	if err := lite.Pgx(func(*pgx.Conn) error { return nil }); err == nil {
		t.Error("SQLite has a pgx connection")
	}
}

// A transaction that is dropped gives its lock back, also when statements were prepared in it.
func TestADroppedTransactionKeepsNoLock(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, url string) {
		db, other := open(t, database.Config{URL: url}), open(t, database.Config{URL: url})
		exec(t, db, "CREATE TABLE t (a INTEGER PRIMARY KEY)", "INSERT INTO t VALUES (1)")
		tx := begin(t, db)
		if _, err := tx.ExecOften(t.Context(), "UPDATE t SET a = a + ? WHERE a = 1", 1); err != nil {
			t.Fatal(err)
		}
		if _, err := tx.Exec(t.Context(), "INSERT INTO nowhere VALUES (1)"); err == nil {
			t.Fatal("no error")
		}
		if err := tx.Rollback(); err != nil {
			t.Fatal(err)
		}
		exec(t, other, "UPDATE t SET a = a + 2 WHERE a = 1")
	})
}

// TestSQLiteStatementsThatComeAgain are kept prepared: whatever happens in between, they do what they say.
func TestSQLiteStatementsThatComeAgain(t *testing.T) {
	t.Parallel()
	db := open(t, database.Config{URL: dbtest.SQLite(t)})
	exec(t, db, "CREATE TABLE t (a INTEGER PRIMARY KEY)")
	columns := func() int {
		t.Helper()
		rows, err := db.Query(t.Context(), "SELECT * FROM t")
		if err != nil {
			t.Fatal(err)
		}
		names, err := rows.Columns()
		for rows.Next() {
		}
		if err := errors.Join(err, rows.Err(), rows.Close()); err != nil {
			t.Fatal(err)
		}
		return len(names)
	}
	for round := range 3 {
		for i := range 5 {
			_, err := db.Exec(t.Context(), "INSERT INTO t (a) VALUES (?)", i)
			if refused := err != nil; refused != (round > 0) {
				t.Fatalf("round %d, row %d: %v", round, i, err)
			}
		}
		for i := range 200 {
			exec(t, db, fmt.Sprintf("UPDATE t SET a = a WHERE a = %d", i))
		}
		if n := columns(); n != round+1 {
			t.Errorf("round %d: %d columns", round, n)
		}
		exec(t, db, fmt.Sprintf("ALTER TABLE t ADD COLUMN b%d TEXT", round))
	}
	tx := begin(t, db)
	for range 3 {
		if err := tx.Savepoint(t.Context(), "s"); err != nil {
			t.Fatal(err)
		}
		if _, err := tx.Exec(t.Context(), "DELETE FROM t"); err != nil {
			t.Fatal(err)
		}
		if err := tx.RollbackTo(t.Context(), "s"); err != nil {
			t.Fatal(err)
		}
	}
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := count(t, db, "t"); n != 5 {
		t.Errorf("%d rows", n)
	}
	exec(t, db, "DROP TABLE t")
	if _, err := db.Exec(t.Context(), "INSERT INTO t (a) VALUES (?)", 1); err == nil {
		t.Error("a table that is gone takes rows")
	}
}
