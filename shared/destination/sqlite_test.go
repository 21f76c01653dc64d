package destination

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ingest/shared/database"
	"ingest/shared/importer"
)

// Tables whose peculiarities a set-based write into SQLite could trip over.
func TestPeculiarSQLiteTables(t *testing.T) {
	t.Parallel()
	db := open(t, databases()[0])
	cases := []struct {
		name, create, seed string
		rows               []string
		outcomes           string
		contents           []string
	}{
		{
			name: "a key without case", create: "CREATE TABLE T (k text COLLATE NOCASE UNIQUE, v text)",
			rows: []string{"A,1", "b,2", "a,3", "B,2"}, outcomes: "CCU=", contents: []string{"A|3", "b|2"},
		},
		{
			name: "a clause that would hide a refused row", create: "CREATE TABLE T (k integer UNIQUE ON CONFLICT REPLACE, v text NOT NULL ON CONFLICT IGNORE)",
			rows: []string{"1,a", "1,b", "2,NULL", "1,NULL"}, outcomes: "CUFF", contents: []string{"1|b"},
		},
		{
			name:   "a deferred foreign key",
			create: "CREATE TABLE T (k integer UNIQUE, v integer REFERENCES T(k) DEFERRABLE INITIALLY DEFERRED)",
			rows:   []string{"1,1", "2,3", "3,1", "3,4", "2,3"}, outcomes: "CFCFC", contents: []string{"1|1", "2|3", "3|1"},
		},
		{
			name: "a generated column of a wrong type, behind which SQLite keeps rows", create: "CREATE TABLE T (k integer UNIQUE, v text, g integer AS (v) STORED) STRICT",
			rows: []string{"1,1", "2,x", "3,3"}, outcomes: "CFC", contents: []string{"1|1|1", "3|3|3"},
		},
		{
			name: "no rowid", create: "CREATE TABLE T (k text PRIMARY KEY, v integer) WITHOUT ROWID",
			rows: []string{"a,1", "a,01", "a,2"}, outcomes: "C=U", contents: []string{"a|2"},
		},
		{
			name: "a key that is the rowid", create: "CREATE TABLE T (k integer PRIMARY KEY, v integer)",
			rows: []string{"7,1", "7,2", "NULL,3"}, outcomes: "CUC", contents: []string{"7|2", "8|3"},
		},
		{
			name: "values that are stored in another way", create: "CREATE TABLE T (k integer UNIQUE, v boolean)",
			seed: "INSERT INTO T VALUES (1, 'yes'), (2, 0), (3, 1)", rows: []string{"1,true", "2,false", "3,no"}, outcomes: "==U",
			contents: []string{"1|yes", "2|0", "3|0"},
		},
		{
			name: "a moment in another zone", create: "CREATE TABLE T (k integer UNIQUE, v datetime)",
			seed: "INSERT INTO T VALUES (1, '2024-01-01T01:00:00+01:00')", rows: []string{"1,2024-01-01 00:00:00"}, outcomes: "=",
			contents: []string{"1|2024-01-01T01:00:00+01:00"},
		},
		{
			name: "a blob", create: "CREATE TABLE T (k integer UNIQUE, v blob)",
			seed: "INSERT INTO T VALUES (1, x'6162')", rows: []string{`1,\x6162`, `1,\x6163`}, outcomes: "=U", contents: []string{"1|ac"},
		},
	}
	for _, c := range cases {
		for _, size := range []int{1, 100} {
			name := newName()
			execute(t, db, named(c.create, name))
			if c.seed != "" {
				execute(t, db, named(c.seed, name))
			}
			tg := target(t, db, name, importer.Update, []string{"k"}, []string{"k", "v"})
			if got := outcomes(write(t, db, tg, cells(t, tg.Columns, c.rows...), size)); got != c.outcomes {
				t.Errorf("%s, chunk size %d: outcomes %s, want %s", c.name, size, got, c.outcomes)
			}
			if diff := cmp.Diff(c.contents, contents(t, db, tg.Table)); diff != "" {
				t.Errorf("%s, chunk size %d: table (-want +got):\n%s", c.name, size, diff)
			}
		}
	}
}

// counting counts what goes through to a store.
type counting struct {
	store
	calls int
}

func (c *counting) look(ctx context.Context, items []*item) error {
	c.calls++
	return c.store.look(ctx, items)
}

func (c *counting) insert(ctx context.Context, items []*item) error {
	c.calls++
	return c.store.insert(ctx, items)
}

func (c *counting) update(ctx context.Context, items []*item) error {
	c.calls++
	return c.store.update(ctx, items)
}

// The number of statements depends on what can refuse a row, not on how often a key is repeated.
func TestStatementsOfAChunk(t *testing.T) {
	t.Parallel()
	forEach(t, func(t *testing.T, f features, db *database.DB) {
		for name, c := range map[string]struct {
			create   string
			strategy importer.OnDuplicate
			keys     int
			most     int
		}{
			"one key, updated":              {plain, importer.Update, 1, 2},
			"a thousand keys, updated":      {plain, importer.Update, 1000, 2},
			"one key, skipped":              {plain, importer.Skip, 1, 2},
			"a hundred keys, skipped":       {plain, importer.Skip, 100, 2},
			"one key, skipped, with CHECK":  {"CREATE TABLE T (ID, k integer UNIQUE, a text, b integer CHECK (b < 10000))", importer.Skip, 1, 2},
			"one key, skipped, two indexes": {"CREATE TABLE T (ID, k integer UNIQUE, a text, b integer UNIQUE)", importer.Skip, 1, 2},
			"200 keys five times, CHECK":    {"CREATE TABLE T (ID, k integer UNIQUE, a text, b integer CHECK (b < 10000))", importer.Update, 200, 10},
		} {
			table := newName()
			execute(t, db, named(strings.ReplaceAll(c.create, "ID,", f.id+","), table))
			tg := target(t, db, table, c.strategy, []string{"k"}, []string{"k", "a", "b"})
			p, err := newPlan(db, tg)
			if err != nil {
				t.Fatal(err)
			}
			transact(t, db, func(ctx context.Context, tx *database.Tx) error {
				s, err := newSession(ctx, p, tx, chunkOf(t, tg, 1000, c.keys, "x"))
				if err != nil {
					return err
				}
				counted := &counting{store: s.store}
				s.store = counted
				if err := s.run(ctx); err != nil {
					return err
				}
				most := c.most
				if p.most > 0 { // the rows go in parts
					most *= 1 + 1000/p.most
				}
				if counted.calls > most {
					t.Errorf("%s: %d statements, want at most %d", name, counted.calls, most)
				}
				return nil
			})
		}
	})
}
