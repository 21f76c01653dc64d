package apply_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"ingest/shared/chunk"
	"ingest/shared/database"
	"ingest/shared/importer"
	"ingest/shared/ledger"
	"ingest/shared/row"
	"ingest/shared/run"
	"ingest/worker/internal/apply"
)

// stage is a table that a file is imported into, once in earnest and once as a dry run.
type stage struct {
	db    *database.DB
	book  *ledger.Ledger
	table int
}

// rehearsed imports rows in chunks of size into a fresh table and returns counts and messages by row number.
func (s *stage) rehearsed(t *rapid.T, file stagedFile, dry bool) (counts run.Counts, messages map[int64]string, left string) {
	ctx := t.Context()
	s.table++
	name, uid := fmt.Sprintf("x%d", s.table), fmt.Sprintf("%032d", s.table)
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	exec := func(statement string) {
		_, err := s.db.Exec(ctx, statement)
		must(err)
	}
	exec("CREATE TABLE " + name + file.table)
	for _, values := range file.before {
		exec("INSERT INTO " + name + " (a, b, c) VALUES " + values)
	}
	d, err := importer.Parse("x.yaml", []byte(fmt.Sprintf(`importer: x
destination: {table: %s}
%s
format: {short_rows: pad}
fields:
  - {from: a, to: a}
  - {from: b, to: b}
  - {from: c, to: c}
`, name, file.more)), importer.Checks{})
	must(err)
	table, err := s.db.Table(ctx, name)
	must(err)
	manifest, err := run.Manifest{
		Splitter: run.SplitterVersion, Delimiter: ",", Header: []string{"a", "b", "c"}, Partitions: 1, ChunkRows: file.size,
		ChunkBytes: 1 << 20, Table: table, LogRows: run.LogFailed,
	}.Encode()
	must(err)
	must(s.book.Create(ctx, uid, 1))
	snapshot, _ := d.Snapshot()
	job, err := apply.NewJob(uid, snapshot, manifest, dry, apply.Parts{DB: s.db, FailedLimit: 1000})
	must(err)
	messages = map[int64]string{}
	number := int64(0)
	for part := range slices.Chunk(file.rows, file.size) {
		var b chunk.Builder
		for _, cells := range part {
			number++
			b.Append(row.Row{Number: number, Line: number + 1, Cells: cells})
		}
		result, err := job.Apply(ctx, 0, number/int64(file.size)+min(1, number%int64(file.size)), b.Payload(), nil)
		must(err)
		counts = counts.Add(result.Outcome.Counts)
		for _, logged := range result.Outcome.Logged {
			messages[logged.Row.Number] = logged.Message
		}
	}
	list := "string_agg(line, ' ')"
	if s.db.Dialect() == database.MySQL {
		list = "GROUP_CONCAT(line SEPARATOR ' ')"
	}
	must(s.db.QueryRow(ctx, "SELECT COALESCE("+list+", '') FROM (SELECT concat_ws(',', a, b, c) AS line FROM "+name+" ORDER BY 1) AS sorted").Scan(&left))
	return counts, messages, left
}

// stagedFile is a file with a table of its own.
type stagedFile struct {
	table  string
	before []string
	more   string
	size   int
	rows   [][]string
}

func drawFile(t *rapid.T) stagedFile {
	// Few values, so that rows meet all the time, in the key and in other indexes; NULL and refused ones among them.
	cell := rapid.SampledFrom([]string{"1", "2", "3", "4", "", "bad"})
	key := rapid.SampledFrom([]string{"k", "l", "m", "n", ""})
	file := stagedFile{
		table: rapid.SampledFrom([]string{
			" (id INTEGER PRIMARY KEY, a TEXT UNIQUE, b TEXT, c TEXT DEFAULT 'd')",
			" (id INTEGER PRIMARY KEY, a TEXT UNIQUE, b TEXT UNIQUE, c TEXT DEFAULT 'd')",
			" (id INTEGER PRIMARY KEY, a TEXT UNIQUE, b TEXT, c TEXT, UNIQUE (b, c), CONSTRAINT good CHECK (c <> 'bad'))",
			" (id INTEGER PRIMARY KEY, a TEXT NOT NULL UNIQUE, b TEXT UNIQUE, c TEXT UNIQUE, CONSTRAINT good CHECK (c <> 'bad'))",
		}).Draw(t, "table"),
		more: rapid.SampledFrom([]string{
			"key: a\non_duplicate: skip", "key: a\non_duplicate: update", "key: a\non_duplicate: upsert", "key: a\non_duplicate: fail", "",
		}).Draw(t, "more"),
		size: rapid.IntRange(1, 4).Draw(t, "size"),
	}
	if rapid.Bool().Draw(t, "whole") {
		file.more += "\ntransaction: chunk"
	}
	for i, a := range []string{"k", "l"}[:rapid.IntRange(0, 2).Draw(t, "before")] {
		file.before = append(file.before, fmt.Sprintf("('%s', '%d', '%d')", a, i+1, i+1))
	}
	for range rapid.IntRange(1, 12).Draw(t, "rows") {
		cells := []string{key.Draw(t, "a"), cell.Draw(t, "b"), cell.Draw(t, "c")}
		if rapid.IntRange(0, 5).Draw(t, "short") == 0 {
			cells = cells[:2]
		}
		file.rows = append(file.rows, cells)
	}
	return file
}

// TestADryRunIsTheRealRun: counts and every message, whatever meets whatever, in any cut; and it leaves the table alone.
func TestADryRunIsTheRealRun(t *testing.T) {
	t.Parallel()
	for name, url := range urls(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, err := database.Open(database.Config{Name: "default", URL: url})
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := db.Close(); err != nil {
					t.Error(err)
				}
			}()
			prepare(t, db)
			s := &stage{db: db, book: ledger.New(db)}
			random(t, name, func(t *rapid.T) {
				file := drawFile(t)
				switch name {
				case "mariadb":
					file.table = strings.NewReplacer("PRIMARY KEY", "AUTO_INCREMENT PRIMARY KEY", "TEXT", "VARCHAR(100)").Replace(file.table)
				case "postgres":
					file.table = strings.Replace(file.table, "id INTEGER PRIMARY KEY", "id INTEGER GENERATED ALWAYS AS IDENTITY PRIMARY KEY", 1)
				}
				counts, messages, _ := s.rehearsed(t, file, false)
				dryCounts, dryMessages, left := s.rehearsed(t, file, true)
				if dryCounts != counts || !maps.Equal(dryMessages, messages) {
					t.Fatalf("the dry run says %+v %v,\nthe real run %+v %v", dryCounts, dryMessages, counts, messages)
				}
				if n := strings.Count(left, ","); n != 2*len(file.before) {
					t.Fatalf("the dry run left %q", left)
				}
			})
		})
	}
}
