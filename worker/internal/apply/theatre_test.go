package apply_test

import (
	"context"
	"database/sql"
	"flag"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"ingest/shared/chunk"
	"ingest/shared/column"
	"ingest/shared/database"
	"ingest/shared/database/dbtest"
	"ingest/shared/importer"
	"ingest/shared/ledger"
	"ingest/shared/row"
	"ingest/shared/run"
	"ingest/worker/internal/apply"
)

// theatre is a database in which scripts are played, each in fresh tables.
type theatre struct {
	db   *database.DB
	book *ledger.Ledger
	runs int
}

// ending is what is left of a run.
type ending struct {
	counts   run.Counts
	messages map[int64]string
	tables   string
}

func (e ending) String() string {
	lines := []string{fmt.Sprintf("%+v", e.counts)}
	for _, number := range slices.Sorted(maps.Keys(e.messages)) {
		lines = append(lines, fmt.Sprintf("row %d: %s", number, e.messages[number]))
	}
	return strings.Join(lines, "\n") + "\n" + e.tables
}

func openTheatre(t *testing.T, url string) *theatre {
	t.Helper()
	db, err := database.Open(database.Config{Name: "default", URL: url})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	prepare(t, db)
	return &theatre{db: db, book: ledger.New(db)}
}

// prepare makes the engine's tables. Texts are compared as in the other databases.
func prepare(t *testing.T, db *database.DB) {
	t.Helper()
	if db.Dialect() == database.MySQL {
		if _, err := db.Exec(t.Context(), "ALTER DATABASE CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin"); err != nil {
			t.Fatal(err)
		}
	}
	if err := database.Migrate(t.Context(), db); err != nil {
		t.Fatal(err)
	}
}

// urls are of an empty database of every kind.
func urls(t *testing.T) map[string]string {
	t.Helper()
	return map[string]string{"sqlite": dbtest.SQLite(t), "postgres": dbtest.Postgres(t), "mariadb": dbtest.MariaDB(t)}
}

// asked says that a number of random cases was asked for: nothing is spared.
func asked() bool {
	checks := flag.Lookup("rapid.checks")
	return checks.Value.String() != checks.DefValue
}

// thorough says that MariaDB, where tables are slow to make, is not spared.
func thorough(name string) bool { return name != "mariadb" || asked() }

// random checks a property, with fewer cases when no number was asked for: each makes tables.
func random(t *testing.T, name string, property func(t *rapid.T)) {
	t.Helper()
	few := 40
	if !thorough(name) {
		few = 6
	}
	done, failed := 0, false
	rapid.Check(t, func(t *rapid.T) {
		if !asked() && !failed && done == few {
			return
		}
		done++
		failed = true
		property(t)
		failed = false
	})
}

// tester is of a test and of a property.
type tester interface {
	Context() context.Context
	Fatal(args ...any)
	Fatalf(format string, args ...any)
	Helper()
}

func (th *theatre) dialect() database.Dialect { return th.db.Dialect() }

// prepare makes the tables of a script and compiles its importer for a run.
func (th *theatre) prepare(t tester, s *script, dry bool, partitions int, staged bool) (job *apply.Job, uid string) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%v\n%s\n%s", err, strings.Join(s.ddl(th.dialect()), ";\n"), s.yaml())
		}
	}
	ctx := t.Context()
	for _, table := range slices.Backward(s.tables) {
		statement := map[database.Dialect]string{
			database.SQLite: "DROP TABLE IF EXISTS %s", database.Postgres: "DROP TABLE IF EXISTS %s CASCADE",
			database.MySQL: "SET STATEMENT foreign_key_checks = 0 FOR DROP TABLE IF EXISTS %s",
		}[th.dialect()]
		_, err := th.db.Exec(ctx, fmt.Sprintf(statement, table.name))
		must(err)
	}
	for _, statement := range s.ddl(th.dialect()) {
		_, err := th.db.Exec(ctx, statement)
		must(err)
	}
	d, err := importer.Parse("x.yaml", []byte(s.yaml()), importer.Checks{})
	must(err)
	tables := map[string]column.Table{}
	for _, name := range append(d.Tables(), s.table) {
		tables[name], err = th.db.Table(ctx, name)
		must(err)
	}
	m := run.Manifest{
		Splitter: run.SplitterVersion, Delimiter: ",", Header: s.header, Partitions: partitions, Staged: staged, ChunkRows: s.size, ChunkBytes: 1 << 20,
		Table: tables[s.table], Tables: tables, LogRows: run.LogFailed, Started: time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	manifest, err := m.Encode()
	must(err)
	th.runs++
	uid = fmt.Sprintf("%032d", th.runs)
	must(th.book.Create(ctx, uid, m.Lanes()))
	snapshot, _ := d.Snapshot()
	job, err = apply.NewJob(uid, snapshot, manifest, dry, apply.Parts{DB: th.db, FailedLimit: 1000})
	must(err)
	return job, uid
}

// play imports a script's file in chunks of a size.
func (th *theatre) play(t tester, s *script, size int, dry bool) ending {
	t.Helper()
	job, _ := th.prepare(t, s, dry, 1, false)
	e := ending{messages: map[int64]string{}}
	number, n := int64(0), int64(0)
	for part := range slices.Chunk(s.rows, size) {
		var b chunk.Builder
		for _, cells := range part {
			number++
			b.Append(row.Row{Number: number, Line: number + 1, Cells: cells})
		}
		n++
		result, err := job.Apply(t.Context(), 0, n, b.Payload(), nil)
		if err != nil {
			t.Fatalf("chunk %d: %v\n%s", n, err, s.text(th.dialect()))
		}
		e.counts = e.counts.Add(result.Outcome.Counts)
		for _, logged := range result.Outcome.Logged {
			e.messages[logged.Row.Number] = logged.Message
		}
	}
	e.tables = th.dump(t, s)
	return e
}

func (s *script) text(dialect database.Dialect) string {
	lines := append(s.ddl(dialect), s.yaml(), fmt.Sprintf("in chunks of %d:", s.size), strings.Join(s.header, ";"))
	for i, cells := range s.rows {
		lines = append(lines, fmt.Sprintf("%2d: %s", i+1, strings.Join(cells, ";")))
	}
	return strings.Join(lines, "\n")
}

// dump are all rows of all tables, with the natural keys of rows in place of those that the database makes up.
func (th *theatre) dump(t tester, s *script) string {
	t.Helper()
	w := world{}
	text := "TEXT"
	if th.dialect() == database.MySQL {
		text = "CHAR"
	}
	for _, table := range s.tables {
		names := make([]string, len(table.columns))
		for i, c := range table.columns {
			names[i] = "CAST(" + c.name + " AS " + text + ")"
		}
		rows, err := th.db.Query(t.Context(), "SELECT "+strings.Join(names, ", ")+" FROM "+table.name)
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			texts := make([]sql.NullString, len(names))
			into := make([]any, len(names))
			for i := range texts {
				into[i] = &texts[i]
			}
			if err := rows.Scan(into...); err != nil {
				t.Fatal(err)
			}
			record := record{}
			for i, c := range table.columns {
				if texts[i].Valid {
					record[c.name] = texts[i].String
				}
			}
			w[table.name] = append(w[table.name], record)
		}
		if err := rows.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return w.dump(s)
}

// record is a row of a table: its columns that are not NULL.
type record map[string]string

// world is what is in the tables.
type world map[string][]record

func (w world) dump(s *script) string {
	natural := func(table, id string) string {
		tables := []string{table}
		if table == "products" {
			tables = append(tables, "admins") // their keys are others
		}
		for _, name := range tables {
			for _, r := range w[name] {
				if r["id"] == id {
					return fmt.Sprintf("(%s %s %s %s)", r["sku"], r["name"], r["code"], r["label"])
				}
			}
		}
		return "?" + id
	}
	var lines []string
	for _, table := range s.tables {
		for _, r := range w[table.name] {
			line := table.name + ":"
			for _, c := range table.columns {
				text, set := r[c.name]
				switch {
				case c.name == "id" || !set:
					continue
				case c.kind == "time":
					text = "set"
				case s.spec(c.kind).name != "":
					text = natural(c.kind, text)
				}
				line += " " + c.name + "=" + text
			}
			lines = append(lines, line)
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// TestTheTwinSaysTheSame: rows that are applied one by one, by other means and without a database, leave the same tables,
// counts and messages, whatever the chunks; and a dry run says beforehand exactly what the run then does.
func TestTheTwinSaysTheSame(t *testing.T) {
	t.Parallel()
	for name, url := range urls(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			th := openTheatre(t, url)
			random(t, name, func(t *rapid.T) { th.compare(t, drawScript(t, name == "sqlite")) })
		})
	}
}

// compare plays a script in chunks of its size, in earnest and as a dry run.
func (th *theatre) compare(t tester, s *script) {
	t.Helper()
	text := s.text(th.dialect())
	twin := s.twin()
	untouched := twin.w.dump(s)
	counts, messages, tables := twin.play()
	real := th.play(t, s, s.size, false)
	if counts != real.counts || tables != real.tables {
		t.Fatalf("%s\n\nthe twin has %+v\n%v\n%s\n\nthe engine\n%s", text, counts, messages, tables, real)
	}
	for number, choice := range messages {
		if said := real.messages[number]; choice != nil && !slices.Contains(choice, said) {
			t.Fatalf("%s\n\nrow %d: the twin says %q, the engine %q", text, number, choice, said)
		}
	}
	dry := th.play(t, s, s.size, true)
	if dry.tables != untouched {
		t.Fatalf("%s\n\nthe dry run leaves\n%s\n\nbefore it there was\n%s", text, dry.tables, untouched)
	}
	if dry.tables = real.tables; dry.String() != real.String() {
		t.Fatalf("%s\n\nthe dry run says\n%s\n\nthe real run\n%s", text, dry, real)
	}
}
