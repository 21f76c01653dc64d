package database_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ingest/shared/database"
	"ingest/shared/database/dbtest"
	"ingest/shared/lifecycle"
)

func TestOpenRefusesMaliciousURLs(t *testing.T) {
	t.Parallel()
	for _, url := range []string{
		"", "mysql://root@localhost", "oracle://root@localhost/x", "file:x.db", "sqlite:", "sqlite::memory:", "sqlite:file:x.db",
		"sqlite:x.db?_pragma=writable_schema(1)", "sqlite:x.db?vfs=other", "sqlite:x.db#y", "sqlite:x\x00.db", "sqlite:dir/",
		"postgres://u:marker@h/d?service=x", "postgres://u:marker@h/d?servicefile=/etc/passwd",
		"postgres://u:marker@h/d?passfile=/etc/shadow", "postgres://u:marker@h/d?options=-csynchronous_commit%3Doff",
		"postgres:host=h passfile=/etc/shadow password=marker", "postgres://u:marker@h/d?sslmode=require&passfile=x",
		"postgres://u:marker@h/d?PASSFILE=x", "postgres://u:marker@h/d?sslpassword=marker", "postgres://u:marker@h/d?hostaddr=1.2.3.4",
		"postgres://u:marker@h/d?sslkeylogfile=/tmp/x", "postgres://u:marker@h/d?krbsrvname=x", "postgres://u:marker@h/d?session_replication_role=replica",
		"postgres://u:marker@h/d?synchronous_commit=off", "postgres://u:marker@h/d?krbspn=x",
		"postgres://u:marker@h/d?timezone=Asia/Tokyo", "postgres://u:marker@h/d?application_name=x",
		"postgres://u:marker@h:marker2:y/d", "postgres://u:marker@h/d?sslrootcert=/does/not/exist&sslmode=verify-full",
		"mysql://u:marker@h/d?allowAllFiles=true", "mysql://u:marker@h/d?allowCleartextPasswords=1", "mysql://u:marker@h/d?allowOldPasswords=1",
		"mysql://u:marker@h/d?multiStatements=true", "mysql://u:marker@h/d?tls=skip-verify", "mysql://u:marker@h/d?sql_mode=%27%27",
		"mysql://u:marker@h/d?ssl-mode=required", "mysql://u:marker@h/d?ssl-mode=verify_identity&ssl-ca=/does/not/exist",
		"mysql://u:marker@h/d?ssl-ca=/etc/passwd", "mysql://u:marker@h/d?connect_timeout=x", "mysql://u:marker@h:marker2:y/d",
		"postgres://u:marker@h/d?%zz", "postgres://u:mar%zzker@h/d",
	} {
		db, err := database.Open(database.Config{Name: "warehouse", URL: url})
		if err == nil {
			t.Errorf("%q was accepted", url)
			_ = db.Close()
			continue
		}
		if !strings.Contains(err.Error(), "connection 'warehouse'") || strings.Contains(err.Error(), "mar") {
			t.Errorf("%q: %v", url, err)
		}
	}
	for _, schema := range []string{`a"b`, "a.b", "1a", "a b", "ä"} {
		if _, err := database.Open(database.Config{URL: "postgres://h/d", LedgerSchema: schema}); err == nil {
			t.Errorf("the schema %q was accepted", schema)
		}
	}
}

func TestSQLiteFileIsCreatedForItsOwnerAndOnlyWhenAskedFor(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "new", "a%20b c.db")
	reader := open(t, database.Config{URL: "sqlite:" + path, MustExist: true})
	if err := reader.Ping(t.Context()); !errors.Is(err, database.ErrNoFile) {
		t.Errorf("a missing file: %v", err)
	}
	if _, err := reader.Begin(t.Context()); !errors.Is(err, database.ErrNoFile) {
		t.Errorf("begin on a missing file: %v", err)
	}
	if _, err := os.Stat(filepath.Dir(path)); !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("the directory was created: %v", err)
	}
	writer := open(t, database.Config{URL: "sqlite://" + path})
	exec(t, writer, "CREATE TABLE t (a INTEGER)")
	for name, mode := range map[string]os.FileMode{path: 0o600, path + "-wal": 0o600, filepath.Dir(path): 0o700} {
		info, err := os.Stat(name)
		if err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
	if n := count(t, reader, "t"); n != 0 {
		t.Errorf("%d rows", n)
	}
	if _, err := reader.Exec(t.Context(), "INSERT INTO t VALUES (1)"); err != nil {
		t.Errorf("a file that is there can be written: %v", err)
	}
}

func TestSessionsAreAsPromised(t *testing.T) {
	t.Parallel()
	for url, settings := range map[string]map[string]string{
		dbtest.Postgres(t): {
			"SHOW timezone": "UTC", "SHOW synchronous_commit": "on", "SHOW transaction_isolation": "read committed",
			"SHOW application_name": "ingest", "SHOW idle_in_transaction_session_timeout": "1min",
			"SHOW statement_timeout": "10min", "SHOW lock_timeout": "30s", "SHOW datestyle": "ISO, MDY",
		},
		dbtest.MariaDB(t): {
			"SELECT @@time_zone": "+00:00", "SELECT @@tx_isolation": "READ-COMMITTED", "SELECT @@autocommit": "1",
			"SELECT @@sql_mode": "ANSI_QUOTES,NO_BACKSLASH_ESCAPES,STRICT_ALL_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE," +
				"ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION",
			"SELECT @@innodb_lock_wait_timeout": "30", "SELECT @@idle_write_transaction_timeout": "60", "SELECT @@foreign_key_checks": "1",
		},
		dbtest.SQLite(t): {
			"PRAGMA synchronous": "2", "PRAGMA foreign_keys": "1", "PRAGMA busy_timeout": "10000",
			"PRAGMA trusted_schema": "0", "PRAGMA journal_mode": "wal",
			"PRAGMA cache_size": "-32768", "PRAGMA wal_autocheckpoint": "4096",
		},
	} {
		tx := begin(t, open(t, database.Config{URL: url}))
		for query, want := range settings {
			var got string
			if err := tx.QueryRow(t.Context(), query).Scan(&got); err != nil || got != want {
				t.Errorf("%s = %q, want %q (%v)", query, got, want, err)
			}
		}
	}
}

func TestSQLiteReadersCannotWrite(t *testing.T) {
	t.Parallel()
	db := open(t, database.Config{URL: dbtest.SQLite(t)})
	exec(t, db, "CREATE TABLE t (a INTEGER)")
	if err := db.QueryRow(t.Context(), "INSERT INTO t VALUES (1) RETURNING a").Scan(new(int)); err == nil {
		t.Error("a query wrote")
	}
}

func TestPoolOpensOnceAndNamesWhatItKnows(t *testing.T) {
	t.Parallel()
	pool := database.NewPool(map[string]database.Config{
		"default": {URL: dbtest.SQLite(t)}, "warehouse": {URL: dbtest.SQLite(t)},
	})
	one, err := pool.Get("default")
	if err != nil {
		t.Fatal(err)
	}
	two, err := pool.Get("default")
	if err != nil || one != two || one.Name() != "default" {
		t.Errorf("the second Get: %v, %q, %v", one == two, one.Name(), err)
	}
	if _, err := pool.Get("nope"); err == nil || err.Error() != "there is no connection 'nope' (known: default, warehouse)" {
		t.Errorf("unknown: %v", err)
	}
	if err := errors.Join(pool.Close(), pool.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := pool.Get("default"); err == nil {
		t.Error("a closed pool gives connections")
	}
}

func FuzzQuotedNamesAreNames(f *testing.F) {
	for _, name := range []string{"plain", `a"b`, `";DROP TABLE t;--`, "a.b", "`", "]", "ü", "“quoted”", "", "a\x00b", "Order ID"} {
		f.Add(name)
	}
	path := filepath.Join(f.TempDir(), "q.db")
	f.Fuzz(func(t *testing.T, name string) {
		clean := strings.ReplaceAll(name, "\x00", "")
		db := open(t, database.Config{URL: "sqlite:" + path})
		var got string
		rows, err := db.Query(t.Context(), "SELECT 1 AS "+database.Quote(name))
		if err != nil {
			t.Fatalf("%q: %v", name, err)
		}
		defer rows.Close()
		columns, err := rows.Columns()
		if err != nil || len(columns) != 1 {
			t.Fatalf("%q: %v %v", name, columns, err)
		}
		if got = columns[0]; got != clean {
			t.Errorf("quoted %q reads %q", name, got)
		}
	})
}

// TestSeveralMayOpenANewFileAtOnce: SQLite itself refuses some of those that open a file while it is turned to WAL.
func TestSeveralMayOpenANewFileAtOnce(t *testing.T) {
	t.Parallel()
	for range 20 {
		url := dbtest.SQLite(t)
		var tasks []func(context.Context) error
		for range 8 {
			db := open(t, database.Config{URL: url})
			tasks = append(tasks, func(ctx context.Context) error {
				tx, err := db.Begin(ctx)
				if err != nil {
					return err
				}
				return tx.Rollback()
			})
		}
		if err := lifecycle.Parallel(t.Context(), tasks...); err != nil {
			t.Fatal(err)
		}
	}
}
