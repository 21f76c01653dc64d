package destination

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"ingest/shared/column"
	"ingest/shared/database"
)

func linkTarget(t fataler, db *database.DB, table, own, other string) LinkTarget {
	t.Helper()
	described, err := db.Table(t.Context(), table)
	if err != nil {
		t.Fatal(err)
	}
	l := LinkTarget{Table: described}
	l.Own, _ = described.Column(own)
	l.Other, _ = described.Column(other)
	return l
}

// linkSets reads "1+a,b": join 1 with a and b; "1=a,b": and with nothing else.
func linkSets(lines ...string) []LinkSet {
	sets := make([]LinkSet, len(lines))
	for i, line := range lines {
		at := strings.IndexAny(line, "+=")
		sets[i] = LinkSet{Own: texts(line[:at])[0], Replace: line[at] == '='}
		if rest := line[at+1:]; rest != "" {
			sets[i].Others = texts(strings.Split(rest, ",")...)
		}
	}
	return sets
}

func sync(t fataler, db *database.DB, l LinkTarget, sets []LinkSet, size int) (changes string, failed []string) {
	t.Helper()
	links, err := NewLinks(db, l)
	if err != nil {
		t.Fatal(err)
	}
	for part := range slices.Chunk(sets, size) {
		transact(t, db, func(ctx context.Context, tx *database.Tx) error {
			results, err := links.Sync(ctx, tx, part)
			for _, r := range results {
				switch {
				case r.Failed != nil:
					changes += "F"
					failed = append(failed, r.Failed.Message)
				case r.Changed:
					changes += "C"
				default:
					changes += "="
				}
			}
			return err
		})
	}
	return changes, failed
}

func TestLinks(t *testing.T) {
	t.Parallel()
	forEach(t, func(t *testing.T, f features, db *database.DB) {
		folded := f.nocase
		if f.name == "postgres" {
			folded = "citext"
		}
		pivot := "CREATE TABLE T (own integer, other " + folded + ", mark text DEFAULT 'old', UNIQUE (other, own))"
		for _, c := range []struct {
			name             string
			create           []string
			sets             []string
			changes          string
			contents, failed []string
		}{
			{
				name: "attach", create: []string{pivot, "INSERT INTO T (own, other) VALUES (1, 'a'), (9, 'z')"},
				sets: []string{"1+a,b", "2+a", "1+B,b", "2+", "NULL+a", "3+NULL,-", "2+A,c,C"}, changes: "CC====C",
				contents: []string{"1|a|old", "1|b|run", "2|a|run", "2|c|run", "9|z|old"},
			},
			{
				name: "replace", create: []string{pivot, "INSERT INTO T (own, other) VALUES (1, 'a'), (1, 'b'), (2, 'a'), (3, NULL), (4, 'a'), (9, 'z')"},
				sets: []string{"1=B,c", "2=a", "3=", "4=NULL", "5=x,X", "6="}, changes: "C=CCC=",
				contents: []string{"1|b|old", "1|c|run", "2|a|old", "5|x|run", "9|z|old"},
			},
			{
				name: "one after the other", create: []string{pivot, "INSERT INTO T (own, other) VALUES (1, 'a')"},
				sets: []string{"1=b", "1+c", "1=b,c", "1=a", "2+a", "2=a", "2=", "2+a"}, changes: "CC=CC=CC",
				contents: []string{"1|a|run", "2|a|run"},
			},
			{
				name: "what is refused has no effect", create: []string{
					"CREATE TABLE T_o (id integer PRIMARY KEY)", "INSERT INTO T_o VALUES (1), (2)", "CREATE TABLE T_p (id " + folded + " PRIMARY KEY)",
					"INSERT INTO T_p VALUES ('a'), ('b'), ('c')",
					"CREATE TABLE T (own integer REFERENCES T_o(id), other " + folded + " REFERENCES T_p(id), mark text, UNIQUE (own, other))",
					"INSERT INTO T VALUES (1, 'a', 'old'), (2, 'a', 'old')",
				},
				sets: []string{"1=b,x", "2=b", "3+a", "1+c", "2+c,y", "1+B"}, changes: "FCFCFC",
				contents: []string{"1|B|run", "1|a|old", "1|c|run", "2|b|run"},
				failed:   []string{"The selected other is invalid.", "The selected own is invalid.", "The selected other is invalid."},
			},
			{
				name: "what may not be removed", create: []string{
					"CREATE TABLE T (own integer, other " + folded + ", mark text, UNIQUE (own, other))",
					"CREATE TABLE T_c (own integer, other " + folded + ", FOREIGN KEY (own, other) REFERENCES T (own, other))",
					"INSERT INTO T VALUES (1, 'a', 'old'), (2, 'a', 'old'), (3, 'a', 'old')", "INSERT INTO T_c VALUES (2, 'a')",
				},
				sets: []string{"1=b", "2=b", "3=b", "2+c"}, changes: "CFCC",
				contents: []string{"1|b|run", "2|a|old", "2|c|run", "3|b|run"},
			},
		} {
			for _, size := range []int{1, 2, 100} {
				name := newName()
				for _, statement := range c.create {
					execute(t, db, named(statement, name))
				}
				l := linkTarget(t, db, name, "own", "other")
				mark, _ := l.Table.Column("mark")
				l.Fixed = []Fixed{{Column: mark, Value: set("run")}}
				changes, failed := sync(t, db, l, linkSets(c.sets...), size)
				if changes != c.changes {
					t.Errorf("%s, chunk size %d: %s, want %s", c.name, size, changes, c.changes)
				}
				if diff := cmp.Diff(c.failed, failed); diff != "" && c.failed != nil {
					t.Errorf("%s, chunk size %d: failed (-want +got):\n%s", c.name, size, diff)
				}
				if diff := cmp.Diff(c.contents, contents(t, db, l.Table)); diff != "" {
					t.Errorf("%s, chunk size %d: table (-want +got):\n%s", c.name, size, diff)
				}
			}
		}
	})
}

func TestLinksNeedAUniqueIndex(t *testing.T) {
	t.Parallel()
	forEach(t, func(t *testing.T, _ features, db *database.DB) {
		execute(t, db, "CREATE TABLE pivot (own integer, other integer UNIQUE, more integer, UNIQUE (own, other, more))")
		_, err := NewLinks(db, linkTarget(t, db, "pivot", "own", "other"))
		if err == nil {
			t.Fatal("no error")
		}
		_, statement, _ := strings.Cut(err.Error(), ": ")
		execute(t, db, statement)
		if _, err := NewLinks(db, linkTarget(t, db, "pivot", "own", "other")); err != nil {
			t.Error(err)
		}
	})
}

// More values than a statement takes parameters, and kinds of keys.
func TestManyLinks(t *testing.T) {
	t.Parallel()
	forEach(t, func(t *testing.T, f features, db *database.DB) {
		execute(t, db, "CREATE TABLE many (own integer, other integer, UNIQUE (own, other))", "INSERT INTO many VALUES (1, -1), (1, 5), (2, -1)",
			"CREATE TABLE raw (own "+f.bytes+", other "+f.bytes+", UNIQUE (own, other))")
		others := make([]column.Value, 40000)
		for i := range others {
			others[i] = set(fmt.Sprint(i))
		}
		changes, _ := sync(t, db, linkTarget(t, db, "many", "own", "other"), []LinkSet{{Own: set("1"), Others: others, Replace: true}}, 1)
		left := 0
		if err := db.QueryRow(t.Context(), "SELECT count(*) FROM many").Scan(&left); err != nil || left != len(others)+1 || changes != "C" {
			t.Errorf("%d rows, %s, %v", left, changes, err)
		}
		if changes, _ := sync(t, db, linkTarget(t, db, "raw", "own", "other"), linkSets(`\x01+\xab,\xcd`, `\x01=\xab`, `\x01=\xab`), 1); changes != "CC=" {
			t.Errorf("bytes: %s", changes)
		}
	})
}

// Whatever the sets and the chunks: as if a set in Go had been changed by one after the other.
func TestLinksEqualOneAfterTheOther(t *testing.T) {
	t.Parallel()
	forEach(t, func(t *testing.T, f features, db *database.DB) {
		execute(t, db, "CREATE TABLE others (id integer PRIMARY KEY)", "INSERT INTO others VALUES (1), (2), (3), (4)")
		random(t, f, func(r *rapid.T) {
			name := newName()
			execute(r, db, "CREATE TABLE "+name+" (own integer, other integer REFERENCES others(id), UNIQUE (own, other))")
			set := rapid.Custom(func(r *rapid.T) LinkSet {
				own := rapid.SampledFrom([]string{"1", "2", "3"}).Draw(r, "own")
				others := rapid.SliceOfN(rapid.SampledFrom([]string{"1", "2", "3", "4", "9"}), 0, 3).Draw(r, "others")
				return LinkSet{Own: texts(own)[0], Others: texts(others...), Replace: rapid.Bool().Draw(r, "replace")}
			})
			sets := rapid.SliceOfN(set, 1, 12).Draw(r, "sets")
			got, _ := sync(r, db, linkTarget(r, db, name, "own", "other"), sets, rapid.IntRange(1, 13).Draw(r, "size"))
			held := map[string]bool{}
			want := ""
			for _, s := range sets {
				want += follow(held, s)
			}
			rows := []string{}
			for pair := range held {
				rows = append(rows, pair)
			}
			slices.Sort(rows)
			if diff := cmp.Diff(want, got); diff != "" {
				r.Fatalf("(-one by one +synced):\n%s", diff)
			}
			if diff := cmp.Diff(rows, contents(t, db, linkTarget(r, db, name, "own", "other").Table)); diff != "" {
				r.Fatalf("(-one by one +synced):\n%s", diff)
			}
			execute(r, db, "DROP TABLE "+name)
		})
	})
}

// follow applies a set to pairs; there is no other one called 9.
func follow(held map[string]bool, s LinkSet) string {
	wanted := map[string]bool{}
	for _, other := range s.Others {
		if other.Text == "9" {
			return "F"
		}
		wanted[s.Own.Text+"|"+other.Text] = true
	}
	changed := "="
	for pair := range held {
		if s.Replace && strings.HasPrefix(pair, s.Own.Text+"|") && !wanted[pair] {
			delete(held, pair)
			changed = "C"
		}
	}
	for pair := range wanted {
		if !held[pair] {
			held[pair], changed = true, "C"
		}
	}
	return changed
}
