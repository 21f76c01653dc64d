package database_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"

	"ingest/shared/database"
	"ingest/shared/database/dbtest"
	"ingest/shared/lifecycle"
)

// each runs a test on every dialect, on a database of its own.
func each(t *testing.T, test func(t *testing.T, url string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		test(t, dbtest.SQLite(t))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		test(t, dbtest.Postgres(t))
	})
	t.Run("mariadb", func(t *testing.T) {
		t.Parallel()
		test(t, dbtest.MariaDB(t))
	})
}

func open(t *testing.T, c database.Config) *database.DB {
	t.Helper()
	if c.Name == "" {
		c.Name = "warehouse"
	}
	db, err := database.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func TestMigrateIsIdempotentAndSafeForSeveralAtOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, url string) {
		first := open(t, database.Config{URL: url})
		err := database.Migrated(t.Context(), first)
		if !errors.Is(err, database.ErrNotMigrated) {
			t.Fatalf("before migrating: %v", err)
		}
		want := "The ledger tables are missing in connection 'warehouse': run `ingest migrate`."
		if err.Error() != want {
			t.Errorf("text %q, want %q", err, want)
		}
		var tasks []func(context.Context) error
		for range 4 {
			db := open(t, database.Config{URL: url})
			tasks = append(tasks, func(ctx context.Context) error { return database.Migrate(ctx, db) })
		}
		if err := lifecycle.Parallel(t.Context(), tasks...); err != nil {
			t.Fatalf("four at once: %v (%v)", err, errors.Unwrap(errors.Unwrap(errors.Unwrap(err))))
		}
		if err := database.Migrate(t.Context(), first); err != nil {
			t.Fatal(err)
		}
		if err := database.Migrated(t.Context(), first); err != nil {
			t.Fatal(err)
		}
		var n int
		if err := first.QueryRow(t.Context(), "SELECT COUNT(*) FROM "+first.Ledger("ingest_schema")).Scan(&n); err != nil {
			t.Fatal(err)
		}
		files, err := filepath.Glob(filepath.Join("migrations", string(first.Dialect()), "*.sql"))
		if err != nil || n != len(files)+1 {
			t.Errorf("the version table has %d rows, want one for zero and each of %d migrations: %v", n, len(files), err)
		}
	})
}

func TestMigrateIntoASchema(t *testing.T) {
	t.Parallel()
	url := dbtest.Postgres(t)
	db := open(t, database.Config{URL: url, LedgerSchema: "Ops_1"})
	if err := database.Migrate(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	if err := database.Migrated(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	var schema string
	err := db.QueryRow(t.Context(), "SELECT schemaname FROM pg_tables WHERE tablename = 'ingest_runs'").Scan(&schema)
	if err != nil || schema != "Ops_1" {
		t.Errorf("the ledger is in schema %q (%v)", schema, err)
	}
	if err := database.Migrated(t.Context(), open(t, database.Config{URL: url})); !errors.Is(err, database.ErrNotMigrated) {
		t.Errorf("the public schema counts as migrated: %v", err)
	}
}
