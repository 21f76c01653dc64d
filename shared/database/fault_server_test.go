package database_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ingest/shared/database"
	"ingest/shared/database/dbtest"
	"ingest/shared/lifecycle"
)

// provoked is a way to have a real server refuse something that is not a row's fault.
type provoked struct {
	class   database.Class
	code    string
	reason  string
	provoke func(t *testing.T, db *database.DB, url string) error
}

func (p provoked) check(t *testing.T, url string) {
	t.Helper()
	err := p.provoke(t, faultDB(t, url), url)
	if err == nil {
		t.Fatal("nothing was refused")
	}
	f := database.Explain(err)
	if f.Class != p.class || f.Code != p.code {
		t.Errorf("class %v, code %q, want %v, %q: %v", f.Class, f.Code, p.class, p.code, errors.Unwrap(err))
	}
	if f.Reason() != p.reason {
		t.Errorf("reason %q\nwant   %q", f.Reason(), p.reason)
	}
	if database.Transient(err) != (p.class == database.TransientFault) || database.Fatal(err) != (p.class == database.FatalFault) {
		t.Errorf("transient %t, fatal %t", database.Transient(err), database.Fatal(err))
	}
	harmless(t, err)
}

// last runs statements in a transaction and returns the error of the last one, after which the transaction must be over:
// its connection is not used again.
func last(t *testing.T, db *database.DB, statements ...string) error {
	t.Helper()
	return lastIn(t, begin(t, db), statements...)
}

func lastIn(t *testing.T, tx *database.Tx, statements ...string) error {
	t.Helper()
	for _, statement := range statements[:len(statements)-1] {
		if _, err := tx.Exec(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v: %v", statement, err, errors.Unwrap(err))
		}
	}
	_, err := tx.Exec(t.Context(), statements[len(statements)-1])
	if _, after := tx.Exec(t.Context(), "SELECT 1"); err != nil && !errors.Is(after, database.ErrDoomed) {
		t.Errorf("the transaction goes on after %v: %v", err, after)
	}
	return err
}

const busy, noRoom, tooLong = "The database is busy: another transaction is in the way",
	"The database has no room or no connection left", "The database ended a statement that took too long (57014)."

// TestPostgresProvokesEveryClass has a real server answer with each class of errors that are not a row's. Deadlock, refused
// login and a server that stops have tests of their own.
func TestPostgresProvokesEveryClass(t *testing.T) {
	t.Parallel()
	transient, fatal := database.TransientFault, database.FatalFault
	for name, p := range map[string]provoked{
		"lock timeout": {transient, "55P03", "The database did not answer in time (55P03).", func(t *testing.T, db *database.DB, _ string) error {
			holder := begin(t, db)
			if _, err := holder.Exec(t.Context(), "UPDATE t SET a = 3"); err != nil {
				t.Fatal(err)
			}
			return last(t, db, "SET LOCAL lock_timeout = '20ms'", "UPDATE t SET a = 4")
		}},
		"serialization": {transient, "40001", busy + " (40001).", func(t *testing.T, db *database.DB, _ string) error {
			tx := begin(t, db)
			for _, statement := range []string{"ROLLBACK", "BEGIN ISOLATION LEVEL SERIALIZABLE", "SELECT a FROM t"} {
				if _, err := tx.Exec(t.Context(), statement); err != nil {
					t.Fatal(err)
				}
			}
			exec(t, db, "UPDATE t SET a = 3")
			return lastIn(t, tx, "UPDATE t SET a = 4")
		}},
		"slow statement": {transient, "57014", tooLong, func(t *testing.T, db *database.DB, _ string) error {
			return last(t, db, "SET LOCAL statement_timeout = '20ms'", "SELECT pg_sleep(60)")
		}},
		"cancelled by an admin": {transient, "57014", tooLong, func(t *testing.T, db *database.DB, _ string) error {
			return last(t, db, "SELECT pg_cancel_backend(pg_backend_pid())")
		}},
		"shut down by an admin": {transient, "57P01", "The database ended the session (57P01).", func(t *testing.T, db *database.DB, _ string) error {
			return last(t, db, "SELECT pg_terminate_backend(pg_backend_pid())")
		}},
		"read-only": {transient, "25006", "The database is read-only (25006).", func(t *testing.T, db *database.DB, _ string) error {
			return last(t, db, "SET TRANSACTION READ ONLY", "INSERT INTO t (id) VALUES (987654321)")
		}},
		"disk full": {transient, "53100", noRoom + " (53100).", func(t *testing.T, db *database.DB, url string) error {
			space := databaseOf(url)
			exec(t, db, "CREATE TABLESPACE "+space+" LOCATION '"+dbtest.Tablespace(t, "1m")+"'", "CREATE TABLE wide (a TEXT) TABLESPACE "+space)
			t.Cleanup(func() {
				forget := context.WithoutCancel(t.Context())
				_, dropped := db.Exec(forget, "DROP TABLE wide")
				_, gone := db.Exec(forget, "DROP TABLESPACE "+space)
				if err := errors.Join(dropped, gone); err != nil {
					t.Error(err)
				}
			})
			return last(t, db, "INSERT INTO wide SELECT repeat('987654321', 100) FROM generate_series(1, 10000)")
		}},
		"no connection left": {transient, "53300", noRoom + " (53300).", func(t *testing.T, db *database.DB, url string) error {
			exec(t, db, "CREATE ROLE crowd LOGIN CONNECTION LIMIT 0")
			t.Cleanup(func() {
				if _, err := db.Exec(context.WithoutCancel(t.Context()), "DROP ROLE crowd"); err != nil {
					t.Error(err)
				}
			})
			return open(t, database.Config{URL: strings.Replace(url, "postgres@", "crowd@", 1)}).Ping(t.Context())
		}},
		"no database": {fatal, "3D000", `The database refused the statement: database "nowhere" does not exist (3D000).`, func(t *testing.T, _ *database.DB, url string) error {
			return open(t, database.Config{URL: strings.Replace(url, databaseOf(url), "nowhere", 1)}).Ping(t.Context())
		}},
		"no right": {fatal, "42501", "The database refused the statement: permission denied for table t (42501).", func(t *testing.T, db *database.DB, _ string) error {
			return last(t, db, "SET LOCAL ROLE pg_monitor", "SELECT a FROM t")
		}},
		"no table": {fatal, "42P01", `The database refused the statement: relation "nowhere" does not exist (42P01).`, func(t *testing.T, db *database.DB, _ string) error {
			return last(t, db, "INSERT INTO nowhere VALUES (987654321)")
		}},
		"no column": {fatal, "42703", `The database refused the statement: column "absent" of relation "t" does not exist (42703).`, func(t *testing.T, db *database.DB, _ string) error {
			return last(t, db, "INSERT INTO t (absent) VALUES (987654321)")
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p.check(t, dbtest.Postgres(t))
		})
	}
}

// TestMariaDBProvokesEveryClass does the same with MariaDB. Lock timeout, a killed session and a missing table have tests of
// their own.
func TestMariaDBProvokesEveryClass(t *testing.T) {
	t.Parallel()
	transient, fatal := database.TransientFault, database.FatalFault
	for name, p := range map[string]provoked{
		"slow statement": {transient, "1969", "The database ended a statement that took too long (1969).", func(t *testing.T, db *database.DB, _ string) error {
			return last(t, db, "SET max_statement_time = 0.05", "INSERT INTO t (id) SELECT seq + 1 FROM seq_1_to_1000000000")
		}},
		"cancelled by an admin": {transient, "1317", "The database ended the session (1317).", func(t *testing.T, db *database.DB, _ string) error {
			return last(t, db, "KILL QUERY CONNECTION_ID()")
		}},
		"read-only": {transient, "1792", "The database is read-only (1792).", func(t *testing.T, db *database.DB, _ string) error {
			return last(t, db, "COMMIT", "START TRANSACTION READ ONLY", "INSERT INTO t (id) VALUES (987654321)")
		}},
		"table full": {transient, "1114", noRoom + " (1114).", func(t *testing.T, db *database.DB, _ string) error {
			// InnoDB itself answers a disk that is full by ending the server.
			exec(t, db, "CREATE TABLE wide (a VARCHAR(900)) ENGINE = MEMORY")
			return last(t, db, "INSERT INTO wide SELECT repeat('987654321', 100) FROM seq_1_to_50000")
		}},
		"no connection left": {transient, "1226", noRoom + " (1226).", func(t *testing.T, db *database.DB, url string) error {
			exec(t, db, "CREATE USER crowd@localhost WITH MAX_USER_CONNECTIONS 1", "GRANT ALL ON *.* TO crowd@localhost")
			t.Cleanup(func() {
				if _, err := db.Exec(context.WithoutCancel(t.Context()), "DROP USER crowd@localhost"); err != nil {
					t.Error(err)
				}
			})
			url = strings.Replace(url, "root@", "crowd@", 1)
			begin(t, open(t, database.Config{URL: url}))
			return open(t, database.Config{URL: url}).Ping(t.Context())
		}},
		"no database": {fatal, "1049", "The database refused the statement: Unknown database 'nowhere' (1049).", func(t *testing.T, _ *database.DB, url string) error {
			before, after, _ := strings.Cut(url, "localhost/")
			_, after, _ = strings.Cut(after, "?")
			return open(t, database.Config{URL: before + "localhost/nowhere?" + after}).Ping(t.Context())
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p.check(t, dbtest.MariaDB(t))
		})
	}
}

// TestASessionThatIsIdleInATransactionIsEnded: the client hears why, or finds the connection closed.
func TestASessionThatIsIdleInATransactionIsEnded(t *testing.T) {
	t.Parallel()
	db := open(t, database.Config{URL: dbtest.Postgres(t)})
	tx := begin(t, db)
	var pid int
	if err := tx.QueryRow(t.Context(), "SELECT pg_backend_pid()").Scan(&pid); err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), "SET LOCAL idle_in_transaction_session_timeout = '20ms'"); err != nil {
		t.Fatal(err)
	}
	for there := 1; there > 0; {
		if err := db.QueryRow(t.Context(), "SELECT count(*) FROM pg_stat_activity WHERE pid = ?", pid).Scan(&there); err != nil {
			t.Fatal(err)
		}
		if err := lifecycle.Wait(t.Context(), 5*time.Millisecond, nil); err != nil {
			t.Fatal(err)
		}
	}
	err := lastIn(t, tx, "SELECT 1")
	if f := database.Explain(err); f.Class != database.TransientFault || f.Code != "25P03" && f.Code != "" {
		t.Errorf("%+v: %v", f, err)
	}
}

// databaseOf is the name of the database in a URL of dbtest.
func databaseOf(url string) string {
	_, rest, _ := strings.Cut(url, "@/")
	name, _, _ := strings.Cut(rest, "?")
	return name
}

// TestSQLiteProvokesEveryClass does the same with files.
func TestSQLiteProvokesEveryClass(t *testing.T) {
	t.Parallel()
	transient, fatal := database.TransientFault, database.FatalFault
	for name, p := range map[string]provoked{
		"busy": {transient, "5", busy + " (5).", func(t *testing.T, db *database.DB, url string) error {
			begin(t, open(t, database.Config{URL: url}))
			exec(t, db, "PRAGMA busy_timeout = 0")
			_, err := db.Begin(t.Context())
			return err
		}},
		"locked by itself": {transient, "6", busy + " (6).", func(t *testing.T, db *database.DB, _ string) error {
			tx := begin(t, db)
			rows, err := tx.Query(t.Context(), "SELECT id FROM t")
			if err != nil {
				t.Fatal(err)
			}
			defer rows.Close()
			if !rows.Next() {
				t.Fatal("no row")
			}
			return lastIn(t, tx, "DROP TABLE t")
		}},
		"no page left": {transient, "13", noRoom + " (13).", func(t *testing.T, db *database.DB, _ string) error {
			return last(t, db, "PRAGMA max_page_count = 8", filling)
		}},
		"disk full": {transient, "13", noRoom + " (13).", func(t *testing.T, _ *database.DB, _ string) error {
			full := faultDB(t, "sqlite:"+filepath.Join(dbtest.Small(t, "256k"), "x.db"))
			tx := begin(t, full)
			if _, err := tx.Exec(t.Context(), filling); err != nil {
				return err
			}
			err := tx.Commit(t.Context())
			if n := count(t, full, "t"); n != 1 {
				t.Errorf("%d rows after a commit that failed", n)
			}
			return err
		}},
		"interrupted": {transient, "", "The database did not answer in time.", func(t *testing.T, db *database.DB, _ string) error {
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			_, err := db.Exec(ctx, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) INSERT INTO t (a) SELECT i FROM n")
			return err
		}},
		"read-only": {fatal, "8", "The database is read-only (8).", func(t *testing.T, db *database.DB, _ string) error {
			exec(t, db, "PRAGMA query_only = 1")
			_, err := db.Exec(t.Context(), "INSERT INTO t (id) VALUES (987654321)")
			return err
		}},
		"damaged": {fatal, "11", "The database file is damaged or no database (11).", func(t *testing.T, db *database.DB, url string) error {
			exec(t, db, filling, "PRAGMA wal_checkpoint(TRUNCATE)")
			return scribble(t, url, 4096*2)
		}},
		"no database": {fatal, "26", "The database file is damaged or no database (26).", func(t *testing.T, db *database.DB, url string) error {
			exec(t, db, "PRAGMA wal_checkpoint(TRUNCATE)")
			return scribble(t, url, 0)
		}},
		"a directory": {fatal, "14", "The database file cannot be opened (14).", func(t *testing.T, _ *database.DB, _ string) error {
			return open(t, database.Config{URL: "sqlite:" + t.TempDir()}).Ping(t.Context())
		}},
		"a file for a directory": {fatal, "", "The database file cannot be opened.", func(t *testing.T, _ *database.DB, url string) error {
			return open(t, database.Config{URL: url + "/x.db"}).Ping(t.Context())
		}},
		"no table": {fatal, "1", "The database refused the statement: no such table: nowhere (1).", func(t *testing.T, db *database.DB, _ string) error {
			return last(t, db, "INSERT INTO nowhere VALUES (987654321)")
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p.check(t, dbtest.SQLite(t))
		})
	}
}

// filling needs more room than there is where little is left.
const filling = `WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
	INSERT INTO t (id, email) SELECT i, '987654321 ' || i FROM n`

// scribble overwrites a closed SQLite file from a place on, and reads it.
func scribble(t *testing.T, url string, at int64) error {
	t.Helper()
	copied := filepath.Join(t.TempDir(), "copy.db")
	text, err := os.ReadFile(strings.TrimPrefix(url, "sqlite:"))
	if err != nil {
		t.Fatal(err)
	}
	copy(text[at:], strings.Repeat("987654321", 4096))
	if err := os.WriteFile(copied, text, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = open(t, database.Config{URL: "sqlite:" + copied}).Exec(t.Context(), "UPDATE t SET a = 1")
	return err
}

// TestARowIsBlamedForAStatementThatTakesTooLong only where each statement is one row's.
func TestARowIsBlamedForAStatementThatTakesTooLong(t *testing.T) {
	t.Parallel()
	tx := begin(t, faultDB(t, dbtest.Postgres(t)))
	tx.BlameRows()
	if _, err := tx.Exec(t.Context(), "SET LOCAL statement_timeout = '20ms'"); err != nil {
		t.Fatal(err)
	}
	if err := tx.Savepoint(t.Context(), "row"); err != nil {
		t.Fatal(err)
	}
	_, err := tx.Exec(t.Context(), "SELECT pg_sleep(60)")
	if f := database.Explain(err); f.Class != database.RowFault || f.Reason() != "The database did not finish the row in time (57014)." {
		t.Fatalf("%+v: %s", f, f.Reason())
	}
	if err := tx.RollbackTo(t.Context(), "row"); err != nil {
		t.Fatal(err)
	}
	if err := tx.Commit(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestWhatIsNotDurableIsTold: what a session can decide is decided whatever the role says, the rest is told.
func TestWhatIsNotDurableIsTold(t *testing.T) {
	t.Parallel()
	url := dbtest.Postgres(t)
	admin := open(t, database.Config{URL: url})
	exec(t, admin, "ALTER DATABASE "+databaseOf(url)+" SET synchronous_commit = off",
		"ALTER DATABASE "+databaseOf(url)+" SET default_transaction_isolation = 'serializable'",
		"ALTER DATABASE "+databaseOf(url)+" SET default_transaction_read_only = on")
	pool := database.NewPool(map[string]database.Config{
		"warehouse": {URL: url}, "twin": {Of: "warehouse"}, "file": {URL: dbtest.SQLite(t)}, "other": {URL: dbtest.MariaDB(t)},
	})
	t.Cleanup(func() {
		if err := pool.Close(); err != nil {
			t.Error(err)
		}
	})
	db, err := pool.Get("warehouse")
	if err != nil {
		t.Fatal(err)
	}
	for setting, want := range map[string]string{
		"synchronous_commit": "on", "transaction_isolation": "read committed", "transaction_read_only": "off",
	} {
		var got string
		if err := begin(t, db).QueryRow(t.Context(), "SELECT current_setting(?)", setting).Scan(&got); err != nil || got != want {
			t.Errorf("%s is %q, want %q: %v", setting, got, want, err)
		}
	}
	var mu sync.Mutex
	var told []string
	if err := pool.Inspect(t.Context(), func(weakness string) {
		mu.Lock()
		defer mu.Unlock()
		told = append(told, weakness)
	}); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"the database of connection 'warehouse' has fsync = off: a crash of its machine can damage it and lose what was committed",
		"the database of connection 'warehouse' has full_page_writes = off: a crash of its machine can damage it",
		"the database of connection 'other' has innodb_doublewrite = OFF: a crash of its machine can damage it",
		"the database of connection 'other' has innodb_flush_method = nosync: a crash of its machine can damage it and lose what was committed",
	}
	slices.Sort(want)
	if slices.Sort(told); !slices.Equal(told, want) {
		t.Errorf("told %q, want %q", told, want)
	}
}
