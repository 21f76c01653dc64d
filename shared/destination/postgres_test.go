package destination

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ingest/shared/column"
	"ingest/shared/database"
	"ingest/shared/importer"
	"ingest/shared/lifecycle"
)

func postgresOnly(t *testing.T) *database.DB {
	t.Helper()
	return open(t, databases()[1])
}

// A key that somebody else inserts between look and COPY is no failed row: it is a row that exists.
func TestAnotherWriterInsertsTheSameKeys(t *testing.T) {
	t.Parallel()
	db := postgresOnly(t)
	meetsNewKeys(t, db)
}

// meetsNewKeys writes keys that another transaction is inserting, with every strategy.
func meetsNewKeys(t *testing.T, db *database.DB) {
	t.Helper()
	for strategy, want := range map[importer.OnDuplicate]string{importer.Skip: "CSSC", importer.Update: "C=UC", importer.Fail: "CFFC"} {
		name := newName()
		execute(t, db, "CREATE TABLE "+name+" (k integer UNIQUE, a text)")
		tg := target(t, db, name, strategy, []string{"k"}, []string{"k", "a"})
		other, err := db.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := other.Exec(t.Context(), "INSERT INTO "+name+" VALUES (2, 'two'), (3, 'other')"); err != nil {
			t.Fatal(err)
		}
		var results []Result
		err = lifecycle.Parallel(t.Context(),
			func(ctx context.Context) error { return commitWhenWaitedFor(ctx, db, other, name) },
			func(context.Context) error {
				results = write(t, db, tg, cells(t, tg.Columns, "1,one", "2,two", "3,three", "4,four"), 4)
				return nil
			})
		if err != nil {
			t.Fatal(err)
		}
		if got := outcomes(results); got != want {
			t.Errorf("%s: outcomes %s, want %s", strategy, got, want)
		}
	}
}

// commitWhenWaitedFor commits when a COPY into the table, in MariaDB an INSERT, waits for a lock.
func commitWhenWaitedFor(ctx context.Context, db *database.DB, tx *database.Tx, table string) error {
	query, text, pause := "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE ?", "%COPY%"+table+"%", time.Millisecond
	if db.Dialect() == database.MySQL {
		// The server looks anew only if nobody has asked for a tenth of a second.
		query, text, pause = "SELECT count(*) FROM information_schema.INNODB_TRX WHERE trx_state = 'LOCK WAIT' AND trx_query LIKE ?",
			"%"+table+"%", 150*time.Millisecond
	}
	for {
		waiting := 0
		if err := db.QueryRow(ctx, query, text).Scan(&waiting); err != nil {
			return errors.Join(err, tx.Rollback())
		}
		if waiting > 0 {
			return tx.Commit(ctx)
		}
		if err := lifecycle.Wait(ctx, pause, nil); err != nil {
			return errors.Join(err, tx.Rollback())
		}
	}
}

// Tables whose peculiarities a set-based write could trip over.
func TestPeculiarTables(t *testing.T) {
	t.Parallel()
	db := postgresOnly(t)
	execute(t, db, "CREATE TYPE mood AS ENUM ('sad', 'ok')", "CREATE COLLATION nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false)")
	cases := []struct {
		name, create, more string
		columns            []string
		rows               []string
		outcomes           string
		contents           []string
		failed             string
	}{
		{
			name: "equality of keys that only the database knows", create: "CREATE TABLE T (k text COLLATE nocase UNIQUE, v text)", columns: []string{"k", "v"},
			rows: []string{"A,1", "b,2", "a,3", "B,2", "c,4", "NULL,5"}, outcomes: "CCU=CC", contents: []string{"<null>|5", "A|3", "b|2", "c|4"},
		},
		{
			name: "blanks at the end of char(n)", create: "CREATE TABLE T (k char(4) UNIQUE, v char(4))", columns: []string{"k", "v"},
			rows: []string{"a,x", "a ,x ", "a  ,y"}, outcomes: "C=U", contents: []string{"a|y"},
		},
		{
			name: "an enum", create: "CREATE TABLE T (k integer UNIQUE, v mood)", columns: []string{"k", "v"},
			rows: []string{"1,sad", "2,glad", "1,sad", "1,ok", "1,glad", "3,ok"}, outcomes: "CF=UFC", contents: []string{"1|ok", "3|ok"},
			failed: "The database refused the row (22P02).",
		},
		{
			name: "an enum as key", create: "CREATE TABLE T (k mood UNIQUE, v text)", columns: []string{"k", "v"},
			rows: []string{"sad,1", "glad,2", "sad,3", "NULL,4"}, outcomes: "CFUC", contents: []string{"<null>|4", "sad|3"},
			failed: "The database refused the row (22P02).",
		},
		{
			name: "json without an equality", create: "CREATE TABLE T (k integer UNIQUE, v json)", columns: []string{"k", "v"},
			rows: []string{"1,[1]", "1,[1.0]", "1,[2]"}, outcomes: "C=U", contents: []string{"1|[2]"},
		},
		{
			name: "a deferred foreign key", create: "CREATE TABLE T (k integer UNIQUE, v integer REFERENCES T(k) DEFERRABLE INITIALLY DEFERRED)", columns: []string{"k", "v"},
			rows: []string{"1,1", "2,3", "3,1"}, outcomes: "CFC", contents: []string{"1|1", "3|1"}, failed: "The selected v is invalid.",
		},
		{
			name: "a deferred unique constraint", create: "CREATE TABLE T (k integer UNIQUE, v integer UNIQUE DEFERRABLE INITIALLY DEFERRED)", columns: []string{"k", "v"},
			rows: []string{"1,1", "2,2", "3,1", "1,2", "2,3", "1,2"}, outcomes: "CCFFUU", contents: []string{"1|2", "2|3"}, failed: "The v has already been taken.",
		},
		{
			name: "a row too long for its index", create: "CREATE TABLE T (k integer UNIQUE, v text)", more: "CREATE INDEX ON T (v)", columns: []string{"k", "v"},
			rows: []string{"1,a", "2,LONG", "3,b"}, outcomes: "CFC", contents: []string{"1|a", "3|b"}, failed: "The database refused the row (54000).",
		},
		{
			name: "an identity that is always generated", create: "CREATE TABLE T (n bigint GENERATED ALWAYS AS IDENTITY, k integer UNIQUE, v text)", columns: []string{"k", "v"},
			rows: []string{"1,a", "1,b"}, outcomes: "CU", contents: []string{"1|1|b"},
		},
	}
	for _, c := range cases {
		for _, size := range []int{1, 2, 100} {
			name := newName()
			for _, statement := range []string{c.create, c.more} {
				if statement != "" {
					execute(t, db, named(statement, name))
				}
			}
			tg := target(t, db, name, importer.Update, []string{"k"}, c.columns)
			rows := cells(t, tg.Columns, c.rows...)
			for _, row := range rows {
				if row[1].Text == "LONG" {
					row[1].Text = incompressible(9000)
				}
			}
			results := write(t, db, tg, rows, size)
			if got := outcomes(results); got != c.outcomes {
				t.Errorf("%s, chunk size %d: outcomes %s, want %s", c.name, size, got, c.outcomes)
			}
			for _, r := range results {
				if r.Outcome == Failed && r.Message != c.failed {
					t.Errorf("%s: message %q, want %q", c.name, r.Message, c.failed)
				}
			}
			if diff := cmp.Diff(c.contents, contents(t, db, tg.Table)); diff != "" {
				t.Errorf("%s, chunk size %d: table (-want +got):\n%s", c.name, size, diff)
			}
		}
	}
}

func incompressible(n int) string {
	text, x := make([]byte, n), uint32(1)
	for i := range text {
		x = x*1664525 + 1013904223
		text[i] = 'a' + byte(x>>24)%26
	}
	return string(text)
}

// COPY does not work with row-level security; a policy judges rows one by one.
func TestRowLevelSecurity(t *testing.T) {
	t.Parallel()
	db := postgresOnly(t)
	execute(t, db, "CREATE TABLE secured (k integer UNIQUE, v text)", "ALTER TABLE secured ENABLE ROW LEVEL SECURITY",
		"CREATE POLICY p ON secured USING (true) WITH CHECK (v <> 'bad')",
		"DO $$ BEGIN CREATE ROLE clerk; EXCEPTION WHEN duplicate_object THEN NULL; END $$", "GRANT ALL ON secured TO clerk")
	tg := target(t, db, "secured", importer.Update, []string{"k"}, []string{"k", "v"})
	w, err := New(db, tg)
	if err != nil {
		t.Fatal(err)
	}
	transact(t, db, func(ctx context.Context, tx *database.Tx) error {
		if _, err := tx.Exec(ctx, "SET LOCAL ROLE clerk"); err != nil {
			return err
		}
		results, err := w.Write(ctx, tx, cells(t, tg.Columns, "1,a", "2,bad", "3,c", "1,b"))
		if got := outcomes(results); err == nil && got != "CFCU" {
			t.Errorf("outcomes %s, want CFCU", got)
		}
		return err
	})
}

// An error that is not about a row is an error of Write.
func TestErrorsThatAreNotAboutRows(t *testing.T) {
	t.Parallel()
	forEach(t, func(t *testing.T, _ features, db *database.DB) {
		execute(t, db, "CREATE TABLE gone (k integer UNIQUE)")
		tg := target(t, db, "gone", importer.Skip, []string{"k"}, []string{"k"})
		w, err := New(db, tg)
		if err != nil {
			t.Fatal(err)
		}
		execute(t, db, "DROP TABLE gone")
		tx, err := db.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		results, err := w.Write(t.Context(), tx, cells(t, tg.Columns, "1", "2"))
		if results != nil || !database.Fatal(err) {
			t.Errorf("results %v, error %v: want a fatal error", results, err)
		}
		if err := tx.Rollback(); err != nil {
			t.Error(err)
		}
	})
}

// bad rows anywhere in a large chunk fail alone.
func TestBadRowsAmongThousand(t *testing.T) {
	t.Parallel()
	forEach(t, func(t *testing.T, f features, db *database.DB) {
		execute(t, db, "CREATE TABLE parents (id integer PRIMARY KEY)", "INSERT INTO parents VALUES (1)")
		for _, every := range []int{1, 2, 11, 100, 999} {
			for _, column := range []string{"b integer CHECK (b = 1)", "b integer REFERENCES parents(id)"} {
				name := newName()
				execute(t, db, fmt.Sprintf("CREATE TABLE %s (%s, k integer UNIQUE, %s)", name, f.id, column))
				tg := target(t, db, name, importer.Update, []string{"k"}, []string{"k", "b"})
				rows, good := thousand(t, tg.Columns, every)
				got := write(t, db, tg, rows, 1000)
				for i, r := range got {
					if want := i%every == every-1; want != (r.Outcome == Failed) {
						t.Fatalf("%s, every %d: row %d: %+v", column, every, i, r)
					}
				}
				if n := len(contents(t, db, tg.Table)); n != good {
					t.Errorf("%s, every %d: %d rows, want %d", column, every, n, good)
				}
			}
		}
	})
}

func thousand(t *testing.T, columns []column.Column, every int) (rows [][]column.Value, good int) {
	t.Helper()
	for i := range 1000 {
		b := "1"
		if i%every == every-1 {
			b = "2"
		} else {
			good++
		}
		rows = append(rows, []column.Value{cell(t, columns[0], fmt.Sprint(i)), cell(t, columns[1], b)})
	}
	return rows, good
}

// A plan that the server keeps from when the table was empty reads all of it for every chunk when it is not any more.
func TestRowsAreFoundByTheIndexHoweverTheTableGrew(t *testing.T) {
	t.Parallel()
	for _, strategy := range []importer.OnDuplicate{importer.Update, importer.Skip, importer.UpdateIfNewer} {
		db := postgresOnly(t)
		table := newName()
		execute(t, db, "CREATE TABLE "+table+" (k text UNIQUE, v integer, at integer, a text, b text, c text, d text, e text)")
		tg := target(t, db, table, strategy, []string{"k"}, []string{"k", "v", "at"})
		if strategy == importer.UpdateIfNewer {
			tg.Compare = 2
		}
		w, err := New(db, tg)
		if err != nil {
			t.Fatal(err)
		}
		transact(t, db, func(ctx context.Context, tx *database.Tx) error {
			put := func(lines ...string) {
				t.Helper()
				if _, err := w.Write(ctx, tx, cells(t, tg.Columns, lines...)); err != nil {
					t.Fatal(strategy, err)
				}
			}
			asked := func(query string) (n int64) {
				t.Helper()
				if err := tx.QueryRow(ctx, query).Scan(&n); err != nil {
					t.Fatal(err)
				}
				return n
			}
			for range 10 {
				put("1,1,1", "2,2,1")
			}
			for value := range 10 {
				put(fmt.Sprintf("1,%d,1", 10+value), fmt.Sprintf("2,%d,1", 10+value))
			}
			if _, err := tx.Exec(ctx, "INSERT INTO "+table+" SELECT n::text, n, 1 FROM generate_series(3, 20000) AS n"); err != nil {
				return err
			}
			read := fmt.Sprintf("SELECT seq_tup_read FROM pg_stat_xact_user_tables WHERE relid = '%s'::regclass", table)
			before := asked(read)
			put("5,6,2", "6,6,2", "7,7,2", "30000,1,2")
			put("5,7,3", "6,8,3", "7,9,3", "8,1,3")
			if rows := asked(read) - before; rows > 0 {
				t.Errorf("%s: %d rows of the table were read one after the other", strategy, rows)
			}
			if asked("SELECT count(*) FROM pg_settings WHERE name IN ('enable_seqscan', 'enable_hashjoin', 'enable_mergejoin') AND setting = 'on'") != 3 {
				t.Errorf("%s: other statements are planned otherwise, too", strategy)
			}
			return nil
		})
	}
}
