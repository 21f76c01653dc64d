package destination

import (
	"context"
	"flag"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"

	"ingest/shared/column"
	"ingest/shared/database"
	"ingest/shared/database/dbtest"
	"ingest/shared/importer"
)

// features is what the suite has to know about a database.
type features struct {
	name string
	url  func(testing.TB) string
	// id is a surrogate key; trigger makes a trigger that refuses the text 'bad' in column a and leaves out, without a
	// word, a row with the text 'hush'.
	id      string
	trigger func(table string) []string
	// text is what stands in a refused row's message when only a code is known: for a trigger.
	refused string
	// whole says that a trigger cannot leave out rows.
	whole bool
	// nocase is a type of texts that are equal without their case, bytes one of bytes.
	nocase, bytes string
	// prepare are statements for a new database.
	prepare []string
	// foreign is the message of a foreign key over the column b.
	foreign string
}

func databases() []features {
	return []features{
		{
			name: "sqlite", url: dbtest.SQLite, id: "id INTEGER PRIMARY KEY AUTOINCREMENT",
			trigger: func(table string) []string {
				return []string{
					fmt.Sprintf(`CREATE TRIGGER %[1]s_t BEFORE INSERT ON %[1]s WHEN NEW.a = 'bad' BEGIN SELECT RAISE(ABORT, 'no'); END`, table),
					fmt.Sprintf(`CREATE TRIGGER %[1]s_u BEFORE UPDATE ON %[1]s WHEN NEW.a = 'bad' BEGIN SELECT RAISE(ABORT, 'no'); END`, table),
					fmt.Sprintf(`CREATE TRIGGER %[1]s_i BEFORE INSERT ON %[1]s WHEN NEW.a = 'hush' BEGIN SELECT RAISE(IGNORE); END`, table),
					fmt.Sprintf(`CREATE TRIGGER %[1]s_j BEFORE UPDATE ON %[1]s WHEN NEW.a = 'hush' BEGIN SELECT RAISE(IGNORE); END`, table),
				}
			},
			refused: "The database refused the row (1811).", nocase: "text COLLATE NOCASE", bytes: "blob",
			foreign: "The selected b is invalid.",
		},
		{
			name: "postgres", url: dbtest.Postgres, id: "id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
			trigger: func(table string) []string {
				return []string{
					fmt.Sprintf(`CREATE FUNCTION %s_f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.a = 'bad' THEN RAISE EXCEPTION 'no'; ELSIF NEW.a = 'hush' THEN RETURN NULL; END IF; RETURN NEW; END $$`, table),
					fmt.Sprintf(`CREATE TRIGGER %[1]s_t BEFORE INSERT OR UPDATE ON %[1]s FOR EACH ROW EXECUTE FUNCTION %[1]s_f()`, table),
				}
			},
			refused: "The database refused the row (P0001).", nocase: "text COLLATE nocase", bytes: "bytea",
			prepare: []string{"CREATE EXTENSION citext", `CREATE COLLATION nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false)`},
			foreign: "The selected b is invalid.",
		},
		{
			name: "mariadb", url: dbtest.MariaDB, id: "id bigint AUTO_INCREMENT PRIMARY KEY", whole: true,
			trigger: func(table string) []string {
				refuses := "FOR EACH ROW IF NEW.a = 'bad' THEN SIGNAL SQLSTATE '45000'; END IF"
				return []string{
					fmt.Sprintf(`CREATE TRIGGER %[1]s_t BEFORE INSERT ON %[1]s %[2]s`, table, refuses),
					fmt.Sprintf(`CREATE TRIGGER %[1]s_u BEFORE UPDATE ON %[1]s %[2]s`, table, refuses),
				}
			},
			refused: "The database refused the row (1644).", nocase: "varchar(200) COLLATE utf8mb4_general_ci", bytes: "varbinary(200)",
			prepare: []string{"ALTER DATABASE CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin"},
			foreign: "The selected b is invalid.",
		},
	}
}

// random checks a property; on MariaDB, where tables are slow to make, with fewer cases unless a number is asked for.
func random(t *testing.T, f features, property func(r *rapid.T)) {
	t.Helper()
	const few = 15
	asked := flag.Lookup("rapid.checks")
	all := f.name != "mariadb" || asked.Value.String() != asked.DefValue
	done, failed := 0, false
	rapid.Check(t, func(r *rapid.T) {
		if !all && !failed && done == few {
			return
		}
		done++
		failed = true
		property(r)
		failed = false
	})
}

// forEach runs a test against every database, each with a database of its own.
func forEach(t *testing.T, test func(t *testing.T, f features, db *database.DB)) {
	t.Helper()
	for _, f := range databases() {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			db := open(t, f)
			execute(t, db, f.prepare...)
			test(t, f, db)
		})
	}
}

// connections are those of writers; the pool has a few more for readers.
const connections = 4

func open(t testing.TB, f features) *database.DB {
	t.Helper()
	db, err := database.Open(database.Config{Name: "test", URL: f.url(t), Connections: connections})
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

var tables atomic.Int64

func newName() string { return fmt.Sprintf("t%06d", tables.Add(1)) }

// fataler is what *testing.T and *rapid.T have in common.
type fataler interface {
	Helper()
	Fatal(args ...any)
	Context() context.Context
}

func execute(t fataler, db *database.DB, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		if db.Dialect() == database.MySQL {
			statement = translated(statement)
		}
		if _, err := db.Exec(t.Context(), statement); err != nil {
			t.Fatal(statement, err)
		}
	}
}

// translated writes a table's types as MariaDB knows them: an index needs texts with a length.
func translated(statement string) string {
	if !strings.HasPrefix(statement, "CREATE TABLE") {
		return statement
	}
	return strings.NewReplacer(" text", " varchar(200)", " timestamptz", " timestamp(6) NULL", " timestamp", " datetime").Replace(statement)
}

// target describes a table that exists, for these columns.
func target(t fataler, db *database.DB, table string, strategy importer.OnDuplicate, key, columns []string) Target {
	t.Helper()
	described, err := db.Table(t.Context(), table)
	if err != nil {
		t.Fatal(err)
	}
	tg := Target{Table: described, OnDuplicate: strategy, Duplicate: "Duplicate entry found for key 'k'."}
	for i, name := range columns {
		c, ok := described.Column(name)
		if !ok {
			t.Fatal("no column", name)
		}
		tg.Columns = append(tg.Columns, c)
		for _, k := range key {
			if k == name {
				tg.Key = append(tg.Key, i)
			}
		}
	}
	tg.Label = func(i int) (string, string) {
		return strings.ToUpper(tg.Columns[i].Name), strings.ReplaceAll(tg.Columns[i].Name, "_", " ")
	}
	return tg
}

// write writes rows in chunks of a size, each in a transaction of its own.
func write(t fataler, db *database.DB, tg Target, rows [][]column.Value, size int) []Result {
	t.Helper()
	return writeHinted(t, db, tg, rows, size, func(*plan) {})
}

// writeHinted writes with what hints says before each chunk: it must not change the result.
func writeHinted(t fataler, db *database.DB, tg Target, rows [][]column.Value, size int, hints func(*plan)) []Result {
	t.Helper()
	w, err := New(db, tg)
	if err != nil {
		t.Fatal(err)
	}
	var all []Result
	for len(rows) > 0 {
		n := min(size, len(rows))
		hints(w.(*writer).plan)
		transact(t, db, func(ctx context.Context, tx *database.Tx) error {
			results, err := w.Write(ctx, tx, rows[:n])
			all = append(all, results...)
			return err
		})
		rows = rows[n:]
	}
	return all
}

func transact(t fataler, db *database.DB, do func(ctx context.Context, tx *database.Tx) error) {
	t.Helper()
	tx, err := db.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }() // also when do panics: rapid goes on, and SQLite has one connection that writes
	if err := do(t.Context(), tx); err != nil {
		t.Fatal(err)
	}
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// cells converts texts: "NULL" is null, "-" is absent.
func cells(t fataler, columns []column.Column, lines ...string) [][]column.Value {
	t.Helper()
	rows := make([][]column.Value, len(lines))
	for i, line := range lines {
		texts := strings.Split(line, ",")
		if len(texts) != len(columns) {
			t.Fatal("cells", line)
		}
		for c, text := range texts {
			rows[i] = append(rows[i], cell(t, columns[c], text))
		}
	}
	return rows
}

func cell(t fataler, c column.Column, text string) column.Value {
	t.Helper()
	switch text {
	case "-":
		return column.Value{}
	case "NULL":
		return column.Value{State: column.Null}
	}
	value, problem := column.Convert(text, c)
	if problem != "" {
		t.Fatal(text, problem)
	}
	return value
}

func outcomes(results []Result) string {
	letters := map[Outcome]string{Created: "C", Updated: "U", Unchanged: "=", Skipped: "S", Failed: "F"}
	var b strings.Builder
	for _, r := range results {
		b.WriteString(letters[r.Outcome])
	}
	return b.String()
}
