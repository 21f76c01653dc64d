package destination

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"ingest/shared/column"
	"ingest/shared/database"
)

// missingOf describes what is missing of a table by the columns of its key, and what is set: column=text.
func missingOf(t *testing.T, db *database.DB, table string, key []string, sets ...string) *Missing {
	t.Helper()
	described, err := db.Table(t.Context(), table)
	if err != nil {
		t.Fatal(err)
	}
	to := MissingTarget{Table: described}
	for _, name := range key {
		c, _ := described.Column(name)
		to.Key = append(to.Key, c)
	}
	for _, s := range sets {
		name, text, _ := strings.Cut(s, "=")
		c, _ := described.Column(name)
		to.Set = append(to.Set, Fixed{Column: c, Value: texts(text)[0]})
	}
	m, err := NewMissing(db, to)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// take notes keys in several calls and takes what is missing, in a transaction that ends as it did.
func (m *Missing) take(t *testing.T, db *database.DB, keys ...[]string) (int64, error) {
	t.Helper()
	tx, err := db.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	err = m.Begin(t.Context(), tx)
	for part := range slices.Chunk(keys, 2) {
		values := make([][]column.Value, len(part))
		for i, key := range part {
			values[i] = texts(key...)
		}
		_, noted := m.Note(t.Context(), tx, values)
		err = errors.Join(err, noted)
	}
	if err != nil {
		t.Fatal(err)
	}
	n, err := m.Take(t.Context(), tx)
	if err != nil {
		return n, err
	}
	if err := errors.Join(m.End(t.Context(), tx), tx.Commit(t.Context())); err != nil {
		t.Fatal(err)
	}
	return n, nil
}

// left is what a column of a table holds, sorted; NULL is left out.
func left(t *testing.T, db *database.DB, table, name string) string {
	t.Helper()
	rows, err := db.Query(t.Context(), "SELECT "+name+" FROM "+table+" WHERE "+name+" IS NOT NULL")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var all []string
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			t.Fatal(err)
		}
		all = append(all, text)
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

func TestMissingRowsAreComparedAsTheTableCompares(t *testing.T) {
	t.Parallel()
	forEach(t, func(t *testing.T, f features, db *database.DB) {
		execute(t, db, "CREATE TABLE a (name "+f.nocase+", price decimal(8,2), at timestamp, UNIQUE (name, price, at))",
			"INSERT INTO a VALUES ('Ä', 1, '2024-01-01 10:00:00'), ('b', 1.50, '2024-01-01 10:00:00'), ('B', 2, '2024-01-01 10:00:00'),"+
				"('c', 1, '2024-01-02 10:00:00'), ('c', NULL, '2024-01-02 10:00:00'), ('d', 7, NULL)")
		n, err := missingOf(t, db, "a", []string{"name", "price", "at"}).take(t, db,
			[]string{"Ä", "1", "2024-01-01 10:00:00"}, []string{"B", "1.5", "2024-01-01 10:00:00"}, []string{"c", "NULL", "2024-01-02 10:00:00"},
			[]string{"Ä", "1", "2024-01-01 10:00:00"}, []string{"e", "1", "2024-01-01 10:00:00"})
		if err != nil || n != 2 {
			t.Errorf("%d rows were deleted: %v", n, err)
		}
		if left := left(t, db, "a", "name"); left != "b c d Ä" {
			t.Errorf("left are %s", left)
		}
	})
}

func TestMissingRowsAreSetWhereTheyDiffer(t *testing.T) {
	t.Parallel()
	forEach(t, func(t *testing.T, _ features, db *database.DB) {
		execute(t, db, "CREATE TABLE a (id integer PRIMARY KEY, state text, n integer, more varchar(3))",
			"INSERT INTO a VALUES (1, 'on', 1, 'x'), (2, 'on', 1, 'x'), (3, 'off', 0, 'x'), (4, 'OFF', 0, 'x'), (5, NULL, 0, 'x')")
		m := missingOf(t, db, "a", []string{"id"}, "state=off", "n=0")
		for _, want := range []int64{3, 0} {
			if n, err := m.take(t, db, []string{"1"}); err != nil || n != want {
				t.Errorf("%d rows were set, want %d: %v", n, want, err)
			}
		}
		if left := left(t, db, "a", "state"); left != "off off off off on" {
			t.Errorf("left are %s", left)
		}
		if n, err := missingOf(t, db, "a", []string{"id"}, "state=NULL").take(t, db, []string{"1"}); err != nil || n != 4 {
			t.Errorf("%d rows were set to NULL: %v", n, err)
		}
	})
}

// TestMissingRowsThatAreRefused: the reason is for people and names no value, and the transaction can be rolled back.
func TestMissingRowsThatAreRefused(t *testing.T) {
	t.Parallel()
	forEach(t, func(t *testing.T, f features, db *database.DB) {
		execute(t, db, "CREATE TABLE a (id integer PRIMARY KEY, state text, CONSTRAINT known CHECK (state <> 'secret'))",
			"CREATE TABLE b (a integer, CONSTRAINT owner FOREIGN KEY (a) REFERENCES a (id))",
			"INSERT INTO a VALUES (1, 'x'), (2, 'y')", "INSERT INTO b VALUES (2)")
		owner := map[string]string{"postgres": " ('owner')", "mariadb": " ('owner')"}[f.name]
		for _, test := range []struct {
			missing *Missing
			want    string
		}{
			{missingOf(t, db, "a", []string{"id"}), "Rows that the file no longer has cannot be deleted: other rows refer to them" + owner + "."},
			{missingOf(t, db, "a", []string{"id"}, "state=secret"), "Rows that the file no longer has cannot be set: "},
		} {
			_, err := test.missing.take(t, db, []string{"1"})
			refused := (*Refused)(nil)
			if !errors.As(err, &refused) || !strings.HasPrefix(refused.Reason, test.want) || strings.Contains(refused.Reason, "secret") {
				t.Errorf("%v, want %q", err, test.want)
			}
		}
		if left := left(t, db, "a", "state"); left != "x y" {
			t.Errorf("left are %s", left)
		}
	})
}

// TestManyKeysAreNoted: more than fit into a statement.
func TestManyKeysAreNoted(t *testing.T) {
	t.Parallel()
	forEach(t, func(t *testing.T, _ features, db *database.DB) {
		execute(t, db, "CREATE TABLE a (id integer PRIMARY KEY)", "INSERT INTO a VALUES (-1), (5), (70000)")
		m := missingOf(t, db, "a", []string{"id"})
		transact(t, db, func(ctx context.Context, tx *database.Tx) error {
			if err := m.Begin(ctx, tx); err != nil {
				return err
			}
			var keys [][]column.Value
			for i := range 40_000 {
				keys = append(keys, []column.Value{set(fmt.Sprint(i))})
			}
			if n, err := m.Note(ctx, tx, keys); err != nil || n != len(keys) {
				return fmt.Errorf("noted %d: %w", n, err)
			}
			n, err := m.Take(ctx, tx)
			if n != 2 {
				t.Errorf("%d rows were deleted", n)
			}
			return errors.Join(err, m.End(ctx, tx))
		})
	})
}
