package destination

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ingest/shared/column"
	"ingest/shared/database"
	"ingest/shared/lifecycle"
)

func lookupTarget(t fataler, db *database.DB, table, match, key string) LookupTarget {
	t.Helper()
	described, err := db.Table(t.Context(), table)
	if err != nil {
		t.Fatal(err)
	}
	l := LookupTarget{Table: described}
	l.Match, _ = described.Column(match)
	l.Key, _ = described.Column(key)
	return l
}

func newLookup(t fataler, db *database.DB, l LookupTarget) *Lookup {
	t.Helper()
	lookup, err := NewLookup(db, l)
	if err != nil {
		t.Fatal(err)
	}
	return lookup
}

// texts makes values of texts: "NULL" is null, "-" is absent.
func texts(all ...string) []column.Value {
	values := make([]column.Value, len(all))
	for i, text := range all {
		switch text {
		case "-":
		case "NULL":
			values[i].State = column.Null
		default:
			values[i] = set(text)
		}
	}
	return values
}

func find(t fataler, db *database.DB, l *Lookup, values ...string) string {
	t.Helper()
	found := make([]string, len(values))
	transact(t, db, func(ctx context.Context, tx *database.Tx) error {
		keys, err := l.Find(ctx, tx, texts(values...))
		for i, key := range keys {
			found[i] = key.Text
			if key.State != column.Set {
				found[i] = "-"
			}
		}
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, "SELECT 1") // the transaction is usable
		return err
	})
	return strings.Join(found, " ")
}

func TestFind(t *testing.T) {
	t.Parallel()
	forEach(t, func(t *testing.T, f features, db *database.DB) {
		execute(t, db, "CREATE TABLE tags (id integer PRIMARY KEY, name text, folded "+f.nocase+`, price decimal(8,2), short varchar(3), fixed char(4), owner integer, code text)`,
			`INSERT INTO tags VALUES (7, 'red', 'Red', 1.5, 'abc', 'ab', 1, 'x'), (3, 'red', 'BLUE', 20, 'abd', 'cd', 2, 'y'), (9, 'RED', 'blue', 3, NULL, NULL, 1, NULL), (4, '', NULL, NULL, 'a', NULL, NULL, '')`)
		for _, c := range []struct {
			match, key, values, want string
		}{
			{match: "name", key: "id", values: "red|RED|blue|red|NULL|-|", want: "3 9 - 3 - - 4"},
			{match: "folded", key: "id", values: "red|rEd|Blue|BLUE|green", want: "7 7 3 3 -"},
			{match: "price", key: "id", values: "1.5|3|20|21", want: "7 9 3 -"},
			{match: "short", key: "id", values: "abc|abcd|abd|a", want: "7 - 3 4"},
			{match: "name", key: "code", values: "red|RED", want: "x -"},
			{match: "id", key: "name", values: "7|9|12", want: "red RED -"},
		} {
			if got := find(t, db, newLookup(t, db, lookupTarget(t, db, "tags", c.match, c.key)), strings.Split(c.values, "|")...); got != c.want {
				t.Errorf("%s → %s of %q: got %q, want %q", c.match, c.key, c.values, got, c.want)
			}
		}
		l := lookupTarget(t, db, "tags", "name", "id")
		owner, _ := l.Table.Column("owner")
		l.Except = &Except{Column: owner, Value: set("2")}
		if got := find(t, db, newLookup(t, db, l), "red", "RED", ""); got != "7 9 4" {
			t.Errorf("except: %q", got)
		}
		if got := find(t, db, newLookup(t, db, lookupTarget(t, db, "tags", "name", "id"))); got != "" {
			t.Errorf("nothing: %q", got)
		}
	})
}

// Values that PostgreSQL cannot read as the type find nothing, and cost the others nothing.
func TestFindOfUnreadableValues(t *testing.T) {
	t.Parallel()
	db := postgresOnly(t)
	execute(t, db, "CREATE EXTENSION citext", "CREATE TABLE hosts (id uuid PRIMARY KEY, ip inet, name citext, n smallint, fixed char(4))",
		"INSERT INTO hosts VALUES ('00000000-0000-0000-0000-000000000002', '10.0.0.1', 'Web', 5, 'ab'), ('00000000-0000-0000-0000-000000000001', '10.0.0.1', 'db', 6, 'cd')")
	one, two := "00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000002"
	for match, values := range map[string][2]string{
		"ip":    {"nonsense 10.0.0.1 also,not 10.0.0.2 999.1.1.1", "- " + one + " - - -"},
		"name":  {"WEB dB x", two + " " + one + " -"},
		"n":     {"5 70000 6", two + " - " + one},
		"fixed": {"ab abcde cd", two + " - " + one},
	} {
		if got := find(t, db, newLookup(t, db, lookupTarget(t, db, "hosts", match, "id")), strings.Fields(values[0])...); got != values[1] {
			t.Errorf("%s: got %q, want %q", match, got, values[1])
		}
	}
}

func TestCreateOfLookups(t *testing.T) {
	t.Parallel()
	forEach(t, func(t *testing.T, f features, db *database.DB) {
		execute(t, db, "CREATE TABLE tags ("+f.id+", name text UNIQUE, CONSTRAINT short CHECK (length(name) < 6))", "CREATE TABLE loose (id integer PRIMARY KEY, name text)",
			"CREATE TABLE stamped ("+f.id+", name text UNIQUE, created_at text, updated_at text)", "INSERT INTO tags (name) VALUES ('red')")
		if _, err := NewLookup(db, func() LookupTarget { l := lookupTarget(t, db, "loose", "name", "id"); l.Create = true; return l }()); err == nil || !strings.Contains(err.Error(), "CREATE UNIQUE INDEX") {
			t.Errorf("without an index: %v", err)
		}
		l := lookupTarget(t, db, "tags", "name", "id")
		l.Create, l.Label = true, func(int) (string, string) { return "Tags", "tags" }
		var results []Result
		transact(t, db, func(ctx context.Context, tx *database.Tx) (err error) {
			results, err = newLookup(t, db, l).Create(ctx, tx, texts("white", "red", "much too long", "black", "white"))
			return err
		})
		if got := outcomes(results); got != "CSFCS" {
			t.Errorf("outcomes %s", got)
		}
		if diff := cmp.Diff(failure("The row violates 'short'."), results[2]); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]string{"black", "red", "white"}, contents(t, db, l.Table)); diff != "" {
			t.Error(diff)
		}
		stamped := lookupTarget(t, db, "stamped", "name", "id")
		stamped.Create = true
		for _, name := range []string{"created_at", "updated_at"} {
			c, _ := stamped.Table.Column(name)
			stamped.Fixed = append(stamped.Fixed, Fixed{Column: c, Value: set("now"), Update: true})
		}
		transact(t, db, func(ctx context.Context, tx *database.Tx) error {
			_, err := newLookup(t, db, stamped).Create(ctx, tx, texts("a"))
			return err
		})
		if diff := cmp.Diff([]string{"a|now|now"}, contents(t, db, stamped.Table)); diff != "" {
			t.Error(diff)
		}
	})
}

// Two that create the same values at the same time: one does, the other one waits and finds them.
func TestParallelCreate(t *testing.T) {
	t.Parallel()
	for _, f := range databases()[1:] { // SQLite has one writer
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			createsInParallel(t, f, open(t, f))
		})
	}
}

func createsInParallel(t *testing.T, f features, db *database.DB) {
	t.Helper()
	execute(t, db, "CREATE TABLE tags ("+f.id+", name text UNIQUE)")
	l := lookupTarget(t, db, "tags", "name", "id")
	l.Create = true
	lookup := newLookup(t, db, l)
	first, err := db.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if results, err := lookup.Create(t.Context(), first, texts("b", "a")); err != nil || outcomes(results) != "CC" {
		t.Fatal(outcomes(results), err, errors.Join(first.Rollback()))
	}
	var results []Result
	var found []column.Value
	err = lifecycle.Parallel(t.Context(),
		func(ctx context.Context) error { return commitWhenWaitedFor(ctx, db, first, "tags") },
		func(context.Context) error {
			transact(t, db, func(ctx context.Context, tx *database.Tx) (err error) {
				if results, err = lookup.Create(ctx, tx, texts("c", "b", "a")); err != nil {
					return err
				}
				found, err = lookup.Find(ctx, tx, texts("a", "b", "c"))
				return err
			})
			return nil
		})
	if err != nil {
		t.Fatal(err)
	}
	if got := outcomes(results); got != "CSS" {
		t.Errorf("outcomes %s", got)
	}
	for i, key := range found {
		if key.State != column.Set {
			t.Errorf("value %d was not found", i)
		}
	}
	if diff := cmp.Diff([]string{"a", "b", "c"}, contents(t, db, l.Table)); diff != "" {
		t.Error(diff)
	}
}

func TestRemove(t *testing.T) {
	t.Parallel()
	forEach(t, func(t *testing.T, _ features, db *database.DB) {
		execute(t, db, "CREATE TABLE tags (id integer PRIMARY KEY, name text)", "CREATE TABLE used (tag integer REFERENCES tags(id))",
			"INSERT INTO tags VALUES (1, 'a'), (2, 'b'), (3, 'c'), (4, 'd'), (5, 'e')", "INSERT INTO used VALUES (2), (4)")
		l := newLookup(t, db, lookupTarget(t, db, "tags", "name", "id"))
		transact(t, db, func(ctx context.Context, tx *database.Tx) error {
			return l.Remove(ctx, tx, texts("1", "2", "NULL", "3", "4", "9"))
		})
		if got := find(t, db, l, "a", "b", "c", "d", "e"); got != "- 2 - 4 5" {
			t.Errorf("left: %s", got)
		}
	})
}
