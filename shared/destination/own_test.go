package destination

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ingest/shared/column"
	"ingest/shared/database"
	"ingest/shared/importer"
)

func owns(results []Result) string {
	texts := make([]string, len(results))
	for i, r := range results {
		texts[i] = "-"
		if r.Own.State == column.Set {
			texts[i] = r.Own.Text
		}
	}
	return strings.Join(texts, " ")
}

// own asks for the values of a column.
func own(t fataler, tg Target, name string) Target {
	t.Helper()
	c, ok := tg.Table.Column(name)
	if !ok {
		t.Fatal("no column", name)
	}
	tg.Own = &c
	return tg
}

func set(text string) column.Value { return column.Value{Text: text, State: column.Set} }

func TestOwnValues(t *testing.T) {
	t.Parallel()
	forEach(t, func(t *testing.T, f features, db *database.DB) {
		for _, c := range []struct {
			name, create, own string
			key, columns      []string
			strategy          importer.OnDuplicate
			rows              []string
			outcomes, owns    string
		}{
			{
				name: "by key", create: plain, own: "id", key: []string{"k"}, columns: []string{"k", "a"}, strategy: importer.Update,
				rows: []string{"1,x", "2,x", "1,x", "1,y"}, outcomes: "CC=U", owns: "1 2 1 1",
			},
			{
				name: "skipped rows have none", create: plain, own: "id", key: []string{"k"}, columns: []string{"k", "a"}, strategy: importer.Skip,
				rows: []string{"1,x", "1,y"}, outcomes: "CS", owns: "1 -",
			},
			{
				name: "by key, whatever the collation holds equal", create: "CREATE TABLE T (ID, k " + f.nocase + " UNIQUE, a text)", own: "id",
				key: []string{"k"}, columns: []string{"k", "a"}, strategy: importer.Update,
				rows: []string{"one,x", "ONE,x", "two,x", "One,y"}, outcomes: "C=CU", owns: "1 1 2 1",
			},
			{
				name: "the last one wins, whatever the collation holds equal", create: "CREATE TABLE T (ID, k " + f.nocase + " UNIQUE, a text)", own: "id",
				key: []string{"k"}, columns: []string{"k", "a"}, strategy: importer.Update,
				rows: []string{"one,x", "ONE,y", "One,x", "oNE,y", "one,x"}, outcomes: "CUUUU", owns: "1 1 1 1 1",
			},
			{
				name: "without a key", create: "CREATE TABLE T (ID, a text, b integer, CONSTRAINT low CHECK (b < 5))", own: "id",
				columns: []string{"a", "b"}, rows: []string{"x,1", "x,1", "x,9", "-,-", "x,NULL"}, outcomes: "CCFCC",
			},
			{
				name: "an incomplete key", create: plain, own: "id", key: []string{"k"}, columns: []string{"k", "a"}, strategy: importer.Update,
				rows: []string{"NULL,x", "1,x", "NULL,x", "-,x"}, outcomes: "CCCC",
			},
			{
				name: "a value that the row brings", create: plain, own: "k", key: []string{"k"}, columns: []string{"k", "a"}, strategy: importer.Update,
				rows: []string{"007,x", "7,x", "NULL,x"}, outcomes: "C=C", owns: "7 7 -",
			},
			{
				name: "a default", create: plain, own: "b", columns: []string{"k", "b"}, rows: []string{"1,-", "2,3"}, outcomes: "CC", owns: "7 3",
			},
			{
				name: "rows that a trigger leaves out", create: plain, own: "id", columns: []string{"a"}, rows: []string{"hush", "x", "bad"},
				outcomes: map[bool]string{false: "SCF", true: "CCF"}[f.whole],
			},
		} {
			for _, size := range []int{1, 2, 100} {
				name := newName()
				execute(t, db, named(strings.ReplaceAll(c.create, "ID,", f.id+","), name))
				if strings.Contains(c.name, "trigger") {
					execute(t, db, f.trigger(name)...)
				}
				tg := own(t, target(t, db, name, c.strategy, c.key, c.columns), c.own)
				results := write(t, db, tg, cells(t, tg.Columns, c.rows...), size)
				if got := outcomes(results); got != c.outcomes {
					t.Errorf("%s, chunk size %d: outcomes %s, want %s", c.name, size, got, c.outcomes)
				}
				got := owns(results)
				if c.owns == "" { // numbers that refused rows have used up do not come again
					distinct(t, c.name, results)
				} else if got != c.owns {
					t.Errorf("%s, chunk size %d: own values %s, want %s", c.name, size, got, c.owns)
				}
			}
		}
	})
}

func distinct(t *testing.T, name string, results []Result) {
	t.Helper()
	seen := map[string]bool{}
	for _, r := range results {
		if (r.Outcome == Created) != (r.Own.State == column.Set) || seen[r.Own.Text] && r.Own.State == column.Set {
			t.Errorf("%s: own values %s of %s", name, owns(results), outcomes(results))
			return
		}
		seen[r.Own.Text] = true
	}
}

// A value that is the same for every row makes none differ, and is overwritten only where it says so.
func TestFixedValues(t *testing.T) {
	t.Parallel()
	forEach(t, func(t *testing.T, f features, db *database.DB) {
		for _, size := range []int{1, 100} {
			name := newName()
			execute(t, db, "CREATE TABLE "+name+" ("+f.id+", k integer UNIQUE, a text, created_at timestamp, updated_at timestamp)")
			stamped := func(moment string) Target {
				tg := target(t, db, name, importer.Update, []string{"k"}, []string{"k", "a"})
				for _, n := range []string{"created_at", "updated_at"} {
					c, _ := tg.Table.Column(n)
					tg.Fixed = append(tg.Fixed, Fixed{Column: c, Value: cell(t, c, moment), Update: n == "updated_at"})
				}
				return tg
			}
			first, second := stamped("2024-01-01 00:00:00"), stamped("2025-01-01 00:00:00")
			if got := outcomes(write(t, db, first, cells(t, first.Columns, "1,x", "2,x", "2,x", "NULL,n"), size)); got != "CC=C" {
				t.Errorf("outcomes %s", got)
			}
			if got := outcomes(write(t, db, second, cells(t, second.Columns, "1,x", "2,y", "3,z", "3,q", "2,y"), size)); got != "=UCU=" {
				t.Errorf("outcomes %s", got)
			}
			want := []string{
				"1|x|2024-01-01 00:00:00|2024-01-01 00:00:00", "2|y|2024-01-01 00:00:00|2025-01-01 00:00:00",
				"3|q|2025-01-01 00:00:00|2025-01-01 00:00:00", "<null>|n|2024-01-01 00:00:00|2024-01-01 00:00:00",
			}
			if diff := cmp.Diff(want, contents(t, db, first.Table)); diff != "" {
				t.Errorf("chunk size %d (-want +got):\n%s", size, diff)
			}
		}
	})
}

func TestUpdateIfNewer(t *testing.T) {
	t.Parallel()
	forEach(t, func(t *testing.T, f features, db *database.DB) {
		for _, c := range []struct {
			name, kind string
			seed       string
			only       bool
			rows       []string
			outcomes   string
			contents   []string
		}{
			{
				name: "later, equal, earlier, NULL", kind: "timestamp", seed: "(1, 'a', '2024-01-01 10:00:00'), (2, 'a', '2024-01-01 10:00:00'), (3, 'a', '2024-01-01 10:00:00'), (4, 'a', NULL)",
				rows:     []string{"1,b,2024-01-01T10:00:01", "2,b,2024-01-01T10:00:00", "3,b,2024-01-01T09:59:59", "4,b,2001-01-01T00:00:00", "5,b,2001-01-01T00:00:00"},
				outcomes: "USSUC",
				contents: []string{"1|b|2024-01-01 10:00:01", "2|a|2024-01-01 10:00:00", "3|a|2024-01-01 10:00:00", "4|b|2001-01-01 00:00:00", "5|b|2001-01-01 00:00:00"},
			},
			{
				name: "a key that comes again", kind: "timestamp", seed: "(1, 'a', '2024-01-01 10:00:00')",
				rows:     []string{"1,b,2024-01-02T00:00:00", "1,c,2024-01-02T00:00:00", "1,d,2024-01-01T12:00:00", "1,e,2024-01-03T00:00:00", "2,b,2024-01-01T00:00:00", "2,c,2024-01-02T00:00:00", "2,d,2024-01-01T00:00:00"},
				outcomes: "USSUCUS", contents: []string{"1|e|2024-01-03 00:00:00", "2|c|2024-01-02 00:00:00"},
			},
			{
				name: "only compared", kind: "timestamp", only: true, seed: "(1, 'a', '2024-01-01 10:00:00'), (2, 'a', '2024-01-01 10:00:00'), (3, 'a', NULL)",
				rows:     []string{"1,a,2025-01-01T00:00:00", "1,b,2025-01-01T00:00:00", "1,c,2024-01-01T10:00:00", "2,b,2023-01-01T00:00:00", "3,b,2001-01-01T00:00:00", "4,b,2001-01-01T00:00:00"},
				outcomes: "=USSUC",
				contents: []string{"1|b|2024-01-01 10:00:00", "2|a|2024-01-01 10:00:00", "3|b|<null>", "4|b|<null>"},
			},
			{
				name: "numbers", kind: "decimal(10,2)", seed: "(1, 'a', 9), (2, 'a', 9.5), (3, 'a', -3)", rows: []string{"1,b,10", "2,b,9.50", "3,b,-2.75"}, outcomes: "USU",
				contents: []string{"1|b|10", "2|a|9.5", "3|b|-2.75"},
			},
			{
				name: "dates", kind: "date", seed: "(1, 'a', '2024-02-29'), (2, 'a', '2024-02-29')", rows: []string{"1,b,2024-03-01", "2,b,2024-02-29"}, outcomes: "US",
				contents: []string{"1|b|2024-03-01", "2|a|2024-02-29"},
			},
			{
				name: "zones", kind: "timestamptz", only: true, seed: "(1, 'a', '2024-01-01 10:00:00+02:00'), (2, 'a', '2024-01-01 10:00:00+02:00'), (3, 'a', '2024-01-01 10:00:00+02:00')",
				rows: []string{"1,b,2024-01-01T08:00:00.000001Z", "2,b,2024-01-01T09:00:00+01:00", "3,b,2024-01-01T08:30:00+01:00"}, outcomes: "USS",
			},
		} {
			for _, size := range []int{1, 2, 100} {
				name, seed := newName(), c.seed
				if f.name == "mariadb" {
					seed = strings.ReplaceAll(seed, "10:00:00+02:00", "08:00:00")
				}
				execute(t, db, "CREATE TABLE "+name+" (k integer UNIQUE, a text, m "+c.kind+")", "INSERT INTO "+name+" VALUES "+seed)
				tg := target(t, db, name, importer.UpdateIfNewer, []string{"k"}, []string{"k", "a", "m"})
				tg.Compare, tg.CompareOnly = 2, c.only
				if got := outcomes(write(t, db, tg, cells(t, tg.Columns, c.rows...), size)); got != c.outcomes {
					t.Errorf("%s, chunk size %d: outcomes %s, want %s", c.name, size, got, c.outcomes)
				}
				found := contents(t, db, tg.Table)
				for i := range found { // PostgreSQL writes the scale
					found[i] = strings.TrimSuffix(strings.TrimSuffix(found[i], ".00"), "0")
				}
				want := append([]string{}, c.contents...)
				for i := range want {
					want[i] = strings.TrimSuffix(want[i], "0")
				}
				if diff := cmp.Diff(want, found); diff != "" && c.contents != nil {
					t.Errorf("%s, chunk size %d (-want +got):\n%s", c.name, size, diff)
				}
			}
		}
	})
}

// Somebody else's later row is not overwritten by an update that was planned before it was there.
func TestUpdateIfNewerMeetsAnotherWriter(t *testing.T) {
	t.Parallel()
	for _, f := range databases()[1:] { // SQLite has one writer
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			meetsAnotherWriter(t, open(t, f))
		})
	}
}

func meetsAnotherWriter(t *testing.T, db *database.DB) {
	t.Helper()
	execute(t, db, "CREATE TABLE met (k integer UNIQUE, a text, m integer)", "INSERT INTO met VALUES (1, 'old', 1), (2, 'old', 1)")
	tg := target(t, db, "met", importer.UpdateIfNewer, []string{"k"}, []string{"k", "a", "m"})
	tg.Compare = 2
	p, err := newPlan(db, tg)
	if err != nil {
		t.Fatal(err)
	}
	transact(t, db, func(ctx context.Context, tx *database.Tx) error {
		s, err := newSession(ctx, p, tx, cells(t, tg.Columns, "1,ours,5", "2,ours,5"))
		if err != nil {
			return err
		}
		s.store = &meddling{store: s.store, do: func() { execute(t, db, "UPDATE met SET a = 'theirs', m = 9 WHERE k = 1") }}
		if err := s.run(ctx); err != nil {
			return err
		}
		if got := outcomes(s.results); got != "SU" {
			t.Errorf("outcomes %s", got)
		}
		return nil
	})
	if diff := cmp.Diff([]string{"1|theirs|9", "2|ours|5"}, contents(t, db, tg.Table)); diff != "" {
		t.Error(diff)
	}
}

// meddling does something once, before the first update.
type meddling struct {
	store
	do func()
}

func (m *meddling) update(ctx context.Context, items []*item) error {
	if do := m.do; do != nil {
		m.do = nil
		do()
	}
	return m.store.update(ctx, items)
}
