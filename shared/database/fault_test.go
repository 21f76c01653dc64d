package database_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/jackc/pgx/v5"

	"ingest/shared/database"
	"ingest/shared/database/dbtest"
	"ingest/shared/lifecycle"
)

// secret is a value that must appear in no text of an error.
const secret = "987654321"

const faultTables = `CREATE TABLE parent (id INTEGER PRIMARY KEY);
	CREATE TABLE t (
		id INTEGER PRIMARY KEY, email VARCHAR(30), a INTEGER, b INTEGER, required TEXT NOT NULL DEFAULT '',
		price NUMERIC(4,2), parent INTEGER REFERENCES parent (id), positive INTEGER,
		CONSTRAINT email_once UNIQUE (email), CONSTRAINT pair_once UNIQUE (a, b),
		CONSTRAINT price_positive CHECK (positive > 0));
	INSERT INTO t (id, email, a, b) VALUES (1, '987654321', 1, 2)`

func faultDB(t *testing.T, url string) *database.DB {
	t.Helper()
	db := open(t, database.Config{URL: url})
	exec(t, db, strings.Split(faultTables, ";")...)
	return db
}

var ignoreInner = cmpopts.IgnoreUnexported(database.Fault{})

// harmless fails when the text of an error tells what it must not.
func harmless(t *testing.T, err error) {
	t.Helper()
	for _, told := range []string{secret, "INSERT", "SELECT", "/tmp", "@", "5432", "host="} {
		if strings.Contains(err.Error(), told) || strings.Contains(database.Explain(err).Reason(), told) {
			t.Errorf("the error tells %q: %q, %q", told, err, database.Explain(err).Reason())
		}
	}
}

type faultCase struct {
	statement string
	want      database.Fault
	reason    string
}

func (c faultCase) run(t *testing.T, db *database.DB) {
	t.Helper()
	_, err := db.Exec(t.Context(), c.statement)
	if err == nil {
		t.Fatalf("%s: no error", c.statement)
	}
	got := database.Explain(err)
	if diff := cmp.Diff(c.want, got, ignoreInner); diff != "" {
		t.Errorf("%s (-want +got):\n%s", c.statement, diff)
	}
	if got.Reason() != c.reason {
		t.Errorf("%s\nreason %q\nwant   %q", c.statement, got.Reason(), c.reason)
	}
	harmless(t, err)
}

func TestPostgresFaults(t *testing.T) {
	t.Parallel()
	db := faultDB(t, dbtest.Postgres(t))
	exec(t, db, `CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'no %', NEW.a; END$$`,
		"CREATE TABLE guarded (a INTEGER)", "CREATE TRIGGER no BEFORE INSERT ON guarded FOR EACH ROW EXECUTE FUNCTION no()")
	row := database.RowFault
	for name, c := range map[string]faultCase{
		"unique":     {"INSERT INTO t (id, email) VALUES (2, '987654321')", database.Fault{Class: row, Code: "23505", Constraint: "email_once", Table: "t"}, "The row violates 'email_once'."},
		"not null":   {"INSERT INTO t (id, required) VALUES (2, NULL)", database.Fault{Class: row, Code: "23502", Table: "t", Column: "required"}, "The required field is required."},
		"foreign":    {"INSERT INTO t (id, parent) VALUES (2, 987654321)", database.Fault{Class: row, Code: "23503", Constraint: "t_parent_fkey", Table: "t"}, "The row violates 't_parent_fkey'."},
		"check":      {"INSERT INTO t (id, positive) VALUES (2, -987654321)", database.Fault{Class: row, Code: "23514", Constraint: "price_positive", Table: "t"}, "The row violates 'price_positive'."},
		"too long":   {"INSERT INTO t (id, email) VALUES (2, repeat('987654321', 9))", database.Fault{Class: row, Code: "22001"}, "The database refused the row (22001)."},
		"overflow":   {"INSERT INTO t (id, price) VALUES (2, 987654321)", database.Fault{Class: row, Code: "22003"}, "The database refused the row (22003)."},
		"no number":  {"INSERT INTO t (id) VALUES (CAST(CAST('987654321x' AS TEXT) AS INTEGER))", database.Fault{Class: row, Code: "22P02"}, "The database refused the row (22P02)."},
		"trigger":    {"INSERT INTO guarded VALUES (987654321)", database.Fault{Class: row, Code: "P0001"}, "The database refused the row (P0001)."},
		"no table":   {"INSERT INTO nowhere VALUES (987654321)", database.Fault{Class: database.FatalFault, Code: "42P01"}, `The database refused the statement: relation "nowhere" does not exist (42P01).`},
		"no column":  {"INSERT INTO t (absent) VALUES (987654321)", database.Fault{Class: database.FatalFault, Code: "42703"}, `The database refused the statement: column "absent" of relation "t" does not exist (42703).`},
		"terminated": {"SELECT pg_terminate_backend(pg_backend_pid())", database.Fault{Class: database.TransientFault, Code: "57P01"}, "The database ended the session (57P01)."},
	} {
		t.Run(name, func(t *testing.T) { c.run(t, db) })
	}
}

func TestMariaDBFaults(t *testing.T) {
	t.Parallel()
	db := faultDB(t, dbtest.MariaDB(t))
	exec(t, db, "CREATE TABLE guarded (a INTEGER)", "CREATE TABLE other (j JSON, k ENUM ('a', 'b'), d DATE, u VARCHAR(9), CHECK (u <> 'x'))",
		"CREATE TRIGGER no BEFORE INSERT ON guarded FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'no 987654321'")
	row := database.RowFault
	for name, c := range map[string]faultCase{
		"unique":      {"INSERT INTO t (id, email) VALUES (2, '987654321')", database.Fault{Class: row, Code: "1062", Constraint: "email_once"}, "The row violates 'email_once'."},
		"primary key": {"INSERT INTO t (id) VALUES (1)", database.Fault{Class: row, Code: "1062", Constraint: "PRIMARY"}, "The row violates 'PRIMARY'."},
		"not null":    {"INSERT INTO t (id, required) VALUES (2, NULL)", database.Fault{Class: row, Code: "1048", Column: "required"}, "The required field is required."},
		"foreign":     {"INSERT INTO t (id, parent) VALUES (2, 987654321)", database.Fault{Class: row, Code: "1452", Constraint: "t_ibfk_1", Table: "t", Column: "parent", Columns: []string{"parent"}}, "The selected parent is invalid."},
		"check":       {"INSERT INTO t (id, positive) VALUES (2, -987654321)", database.Fault{Class: row, Code: "4025", Constraint: "price_positive"}, "The row violates 'price_positive'."},
		"too long":    {"INSERT INTO t (id, email) VALUES (2, repeat('987654321', 9))", database.Fault{Class: row, Code: "1406", Column: "email", Line: 1}, "The database refused the row (1406)."},
		"overflow":    {"INSERT INTO t (id, price) VALUES (2, 987654321)", database.Fault{Class: row, Code: "1264", Column: "price", Line: 1}, "The database refused the row (1264)."},
		"no number":   {"INSERT INTO t (id) VALUES (3), ('for column `a` at row 7987654321x')", database.Fault{Class: row, Code: "1366", Column: "id", Line: 2}, "The database refused the row (1366)."},
		"no member":   {"INSERT INTO other (k) VALUES ('987654321')", database.Fault{Class: row, Code: "1265", Column: "k", Line: 1}, "The database refused the row (1265)."},
		"own file":    {"SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 6, MESSAGE_TEXT = '987654321'", database.Fault{Class: database.TransientFault, Code: "6"}, "The database reported an internal error (6)."},
		"no date":     {"INSERT INTO other (d) VALUES ('2024-02-30')", database.Fault{Class: row, Code: "1292", Column: "d", Line: 1}, "The database refused the row (1292)."},
		"json":        {"INSERT INTO other (j) VALUES ('{987654321')", database.Fault{Class: row, Code: "4025", Constraint: "other.j"}, "The row violates 'other.j'."},
		"trigger":     {"INSERT INTO guarded VALUES (987654321)", database.Fault{Class: row, Code: "1644"}, "The database refused the row (1644)."},
		"no table":    {"INSERT INTO nowhere VALUES (987654321)", database.Fault{Class: database.FatalFault, Code: "1146"}, "The database refused the statement: Table '%.nowhere' doesn't exist (1146)."},
		"no column":   {"INSERT INTO t (absent) VALUES (987654321)", database.Fault{Class: database.FatalFault, Code: "1054"}, "The database refused the statement: Unknown column 'absent' (1054)."},
		"no sense":    {"INSERT 987654321", database.Fault{Class: database.FatalFault, Code: "1064"}, "The database refused the statement (1064)."},
	} {
		t.Run(name, func(t *testing.T) {
			var schema string
			if err := db.QueryRow(t.Context(), "SELECT DATABASE()").Scan(&schema); err != nil {
				t.Fatal(err)
			}
			c.reason = strings.ReplaceAll(c.reason, "%", schema)
			c.run(t, db)
		})
	}
	// A transaction drops the connection that was killed under it.
	_, err := begin(t, db).Exec(t.Context(), "KILL CONNECTION_ID()")
	if got := database.Explain(err); got.Class != database.TransientFault || got.Reason() != "The database ended the session (1927)." {
		t.Errorf("a killed session is %+v: %v", got, err)
	}
}

func TestMariaDBLockTimeoutIsTransient(t *testing.T) {
	t.Parallel()
	db := open(t, database.Config{URL: dbtest.MariaDB(t)})
	exec(t, db, "CREATE TABLE t (id INTEGER PRIMARY KEY)", "INSERT INTO t VALUES (1)")
	holder, waiter := begin(t, db), begin(t, db)
	if _, err := holder.Exec(t.Context(), "UPDATE t SET id = 2"); err != nil {
		t.Fatal(err)
	}
	if _, err := waiter.Exec(t.Context(), "SET innodb_lock_wait_timeout = 1"); err != nil {
		t.Fatal(err)
	}
	_, err := waiter.Exec(t.Context(), "UPDATE t SET id = 3")
	if f := database.Explain(err); f.Code != "1205" || !database.Transient(err) {
		t.Errorf("a lock timeout is %+v: %v", f, err)
	}
	// Only the statement was undone: to go on and to commit would lose it.
	if _, err := waiter.Exec(t.Context(), "SELECT 1"); !errors.Is(err, database.ErrDoomed) {
		t.Errorf("the transaction goes on: %v", err)
	}
}

func TestSQLiteFaults(t *testing.T) {
	t.Parallel()
	db := faultDB(t, dbtest.SQLite(t))
	exec(t, db, "CREATE TABLE strict (a INTEGER) STRICT", "CREATE TABLE unnamed (a INTEGER CHECK (a > 0))", "CREATE TABLE other (j TEXT, v TEXT AS (json_extract(j, '$.a')) STORED)",
		"CREATE UNIQUE INDEX lower_email ON t (lower(email))",
		"CREATE TABLE guarded (a INTEGER)", "CREATE TRIGGER no BEFORE INSERT ON guarded BEGIN SELECT RAISE(ABORT, 'no'); END")
	row := database.RowFault
	for name, c := range map[string]faultCase{
		"unique":      {"INSERT INTO t (id, a, b) VALUES (2, 1, 2)", database.Fault{Class: row, Code: "2067", Table: "t", Columns: []string{"a", "b"}}, "The database refused the row (2067)."},
		"primary key": {"INSERT INTO t (id) VALUES (1)", database.Fault{Class: row, Code: "1555", Table: "t", Column: "id", Columns: []string{"id"}}, "The id has already been taken."},
		"expression":  {"INSERT INTO t (id, email) VALUES (2, '987654321')", database.Fault{Class: row, Code: "2067", Constraint: "lower_email"}, "The row violates 'lower_email'."},
		"not null":    {"INSERT INTO t (id, required) VALUES (2, NULL)", database.Fault{Class: row, Code: "1299", Table: "t", Column: "required", Columns: []string{"required"}}, "The required field is required."},
		"foreign":     {"INSERT INTO t (id, parent) VALUES (2, 987654321)", database.Fault{Class: row, Code: "787"}, "The database refused the row (787)."},
		"check":       {"INSERT INTO t (id, positive) VALUES (2, -987654321)", database.Fault{Class: row, Code: "275", Constraint: "price_positive"}, "The row violates 'price_positive'."},
		"no name":     {"INSERT INTO unnamed VALUES (-987654321)", database.Fault{Class: row, Code: "275", Constraint: "a > 0"}, "The database refused the row (275)."},
		"strict":      {"INSERT INTO strict VALUES ('987654321x')", database.Fault{Class: row, Code: "3091", Table: "strict", Column: "a", Columns: []string{"a"}}, "The database refused the row (3091)."},
		"rowid":       {"INSERT INTO t (id) VALUES ('987654321x')", database.Fault{Class: row, Code: "20"}, "The database refused the row (20)."},
		"json":        {"INSERT INTO other (j) VALUES ('{987654321')", database.Fault{Class: row, Code: "1"}, "The database refused the row (1)."},
		"trigger":     {"INSERT INTO guarded VALUES (1)", database.Fault{Class: row, Code: "1811"}, "The database refused the row (1811)."},
		"no table":    {"INSERT INTO nowhere VALUES (987654321)", database.Fault{Class: database.FatalFault, Code: "1"}, "The database refused the statement: no such table: nowhere (1)."},
		"no column":   {"INSERT INTO t (absent) VALUES (987654321)", database.Fault{Class: database.FatalFault, Code: "1"}, "The database refused the statement: table t has no column named absent (1)."},
	} {
		t.Run(name, func(t *testing.T) { c.run(t, db) })
	}
}

func TestPostgresCopyTellsTheLineAndTheColumn(t *testing.T) {
	t.Parallel()
	db := faultDB(t, dbtest.Postgres(t))
	for name, c := range map[string]struct {
		text string
		want database.Fault
	}{
		"conversion": {"5\t1\n6\t" + secret + "x\n", database.Fault{Class: database.RowFault, Code: "22P02", Column: "a", Line: 2}},
		"unique":     {"7\t1\n8\t2\n1\t3\n", database.Fault{Class: database.RowFault, Code: "23505", Constraint: "t_pkey", Table: "t", Line: 3}},
	} {
		tx := begin(t, db)
		err := tx.Pgx(func(conn *pgx.Conn) error {
			_, err := conn.PgConn().CopyFrom(t.Context(), strings.NewReader(c.text), "COPY t (id, a) FROM STDIN")
			return err
		})
		if diff := cmp.Diff(c.want, database.Explain(err), ignoreInner); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		harmless(t, err)
	}
}

func TestDeadlockIsTransient(t *testing.T) {
	t.Parallel()
	for url, code := range map[string]string{dbtest.Postgres(t): "40P01", dbtest.MariaDB(t): "1213"} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			deadlock(t, open(t, database.Config{URL: url}), code)
		})
	}
}

func deadlock(t *testing.T, db *database.DB, code string) {
	t.Helper()
	exec(t, db, "CREATE TABLE t (id INTEGER PRIMARY KEY)", "INSERT INTO t VALUES (1), (2)")
	met := make(chan struct{}, 2)
	cross := func(first, second int) func(context.Context) error {
		return func(ctx context.Context) error {
			tx, err := db.Begin(ctx)
			if err != nil {
				return err
			}
			defer func() { _ = tx.Rollback() }()
			if _, err := tx.Exec(ctx, "UPDATE t SET id = id WHERE id = ?", first); err != nil {
				return err
			}
			met <- struct{}{}
			for len(met) < 2 {
				if err := lifecycle.Wait(ctx, 1, nil); err != nil {
					return err
				}
			}
			_, err = tx.Exec(ctx, "UPDATE t SET id = id WHERE id = ?", second)
			return err
		}
	}
	err := lifecycle.Parallel(t.Context(), cross(1, 2), cross(2, 1))
	if f := database.Explain(err); f.Code != code || !database.Transient(err) {
		t.Errorf("a deadlock is %+v: %v", f, err)
	}
}

func TestRefusedLoginIsFatal(t *testing.T) {
	t.Parallel()
	for url, code := range map[string]string{
		strings.Replace(dbtest.Postgres(t), "postgres@", dbtest.Locked+":"+secret+"@", 1): "28P01",
		strings.Replace(dbtest.MariaDB(t), "root@", dbtest.Locked+":"+secret+"@", 1):      "1045",
	} {
		db := open(t, database.Config{URL: url})
		err := db.Ping(t.Context())
		if f := database.Explain(err); f.Class != database.FatalFault || f.Code != code {
			t.Fatalf("a wrong password is %+v: %v", f, err)
		}
		if got, want := err.Error(), "The database refused the login ("+code+")."; got != want {
			t.Errorf("text %q, want %q", got, want)
		}
		harmless(t, err)
	}
}

func TestServerThatStopsIsTransient(t *testing.T) {
	t.Parallel()
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		server := dbtest.StartPostgres(t)
		stopped(t, server, open(t, database.Config{URL: server.Database(t)}))
	})
	t.Run("mariadb", func(t *testing.T) {
		t.Parallel()
		server := dbtest.StartMariaDB(t)
		stopped(t, server, open(t, database.Config{URL: server.Database(t)}))
	})
}

func stopped(t *testing.T, server *dbtest.Server, db *database.DB) {
	t.Helper()
	tx := begin(t, db)
	server.Stop()
	_, err := tx.Exec(t.Context(), "SELECT 1")
	if !database.Transient(err) {
		t.Errorf("in a transaction: %+v: %v", database.Explain(err), errors.Unwrap(err))
	}
	harmless(t, err)
	if err := tx.Rollback(); err != nil {
		t.Errorf("rollback: %v", err)
	}
	err = db.Ping(t.Context())
	if !database.Transient(err) {
		t.Errorf("a new connection: %+v: %v", database.Explain(err), errors.Unwrap(err))
	}
	harmless(t, err)
}

func TestErrorsOfNobodyAreUnknown(t *testing.T) {
	t.Parallel()
	for _, err := range []error{nil, errors.New("something"), context.Canceled, pgx.ErrNoRows} {
		if f := database.Explain(err); f.Class != database.UnknownFault {
			t.Errorf("%v is %+v", err, f)
		}
	}
	if !database.Transient(context.DeadlineExceeded) {
		t.Error("a timeout is not transient")
	}
}
