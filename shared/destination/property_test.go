package destination

import (
	"context"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"ingest/shared/column"
	"ingest/shared/database"
	"ingest/shared/importer"
)

// Whatever the table, the rows, the strategy and the chunks: same rows in the table, same result for every row, as
// if every row had been written by a statement of its own.
func TestWriteEqualsRowByRow(t *testing.T) {
	t.Parallel()
	forEach(t, func(t *testing.T, f features, db *database.DB) {
		execute(t, db, "CREATE TABLE parents (id integer PRIMARY KEY)", "INSERT INTO parents VALUES (0), (1), (2), (3), (4), (5)")
		random(t, f, func(r *rapid.T) { equalsRowByRow(t, r, f, db) })
	})
}

func equalsRowByRow(t *testing.T, r *rapid.T, f features, db *database.DB) {
	layout := drawLayout(r)
	strategy := rapid.SampledFrom([]importer.OnDuplicate{importer.Skip, importer.Update, importer.Upsert, importer.Fail, importer.UpdateIfNewer}).Draw(r, "strategy")
	extra := drawExtra(r, strategy, layout)
	ours, theirs := newName(), newName()
	execute(r, db, layout.statements(f, ours)...)
	execute(r, db, layout.statements(f, theirs)...)
	tg := extra.on(r, target(r, db, ours, strategy, layout.key, layout.columns))
	tg.NoUniqueIndex = layout.loose
	rows := extra.rows(r, tg, layout.rows(r, tg.Columns[:len(layout.columns)]))
	size := rapid.IntRange(1, len(rows)+1).Draw(r, "chunk size")

	if layout.loose { // several rows with one key are there already
		stored := layout.rows(r, tg.Columns[:len(layout.columns)])
		for _, name := range []string{ours, theirs} {
			write(r, db, target(r, db, name, importer.Skip, nil, layout.columns), stored, len(stored))
		}
	}
	got := writeHinted(r, db, tg, rows, size, func(p *plan) {
		p.hopeful.Store(rapid.Bool().Draw(r, "hopeful"))
		p.suspicious.Store(rapid.Bool().Draw(r, "suspicious"))
		p.changing.Store(rapid.Bool().Draw(r, "changing"))
		p.mostlyNew.Store(rapid.Bool().Draw(r, "mostly new"))
	})
	reference := extra.on(r, target(r, db, theirs, strategy, layout.key, layout.columns))
	p, err := newPlan(db, reference)
	if err != nil {
		r.Fatal(err)
	}
	var want []Result
	transact(r, db, func(ctx context.Context, tx *database.Tx) (err error) {
		want, err = twin{plan: p, db: db, tx: tx}.write(ctx, rows)
		return err
	})
	for i := range want {
		extra.told(r, db, tg, got[i], rows[i])
		got[i].Own = column.Value{}
	}
	for i := range want { // the names of constraints hold the names of the tables
		if got[i].Outcome == want[i].Outcome && got[i].Outcome == Failed && len(got[i].Message) == len(want[i].Message) {
			want[i] = got[i]
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		r.Fatalf("results differ in %+v (-row by row +written):\n%s", layout, diff)
	}
	if diff := cmp.Diff(contents(t, db, reference.Table), contents(t, db, tg.Table)); diff != "" {
		r.Fatalf("tables differ in %+v (-row by row +written):\n%s", layout, diff)
	}
	execute(r, db, "DROP TABLE "+ours, "DROP TABLE "+theirs)
}

// layout is a random table: a key k (or k and g, or none), a text a, numbers b and c.
type layout struct {
	key, columns []string
	keyType      string
	unique       string // columns of a second unique index
	partial      bool   // a unique index with a predicate
	check        bool
	foreign      bool
	self         bool
	trigger      bool
	required     bool
	loose        bool // no unique index over the key
}

func drawLayout(r *rapid.T) layout {
	l := layout{
		key:     rapid.SampledFrom([][]string{{"k"}, {"k"}, {"k"}, {"k", "g"}, nil}).Draw(r, "key"),
		keyType: rapid.SampledFrom([]string{"integer", "text", "decimal(10,2)"}).Draw(r, "key type"),
		columns: []string{"k", "a", "b", "c", "g"},
	}
	sometimes := func(label string) bool { return rapid.IntRange(0, 4).Draw(r, label) == 0 }
	if sometimes("second unique") {
		l.unique = rapid.SampledFrom([]string{"a", "a, b", "b"}).Draw(r, "unique")
	}
	l.partial, l.check, l.foreign = sometimes("partial"), sometimes("check"), sometimes("foreign")
	l.trigger, l.required = sometimes("trigger"), sometimes("required")
	l.loose = len(l.key) > 0 && sometimes("loose")
	l.self = !l.loose && l.keyType == "integer" && len(l.key) == 1 && sometimes("self")
	return l
}

func (l layout) statements(f features, table string) []string {
	tail := ""
	b, k, c := "integer", l.keyType, "decimal(8,2) DEFAULT 7.5"
	if l.check {
		tail = fmt.Sprintf(", CONSTRAINT %s_low CHECK (b < 5)", table)
	}
	if l.foreign {
		b += " REFERENCES parents(id)"
	}
	if l.required {
		c = "decimal(8,2) NOT NULL"
	}
	g := "integer"
	if l.self {
		k, g = "integer UNIQUE", fmt.Sprintf("integer REFERENCES %s(k)", table)
	}
	all := []string{fmt.Sprintf("CREATE TABLE %s (%s, k %s, a text, b %s, c %s, g %s, n decimal(8,2), s text, e text%s)", table, f.id, k, b, c, g, tail)}
	switch {
	case l.loose:
	case len(l.key) == 1:
		all = append(all, fmt.Sprintf("CREATE UNIQUE INDEX %[1]s_k ON %[1]s (k)", table))
	case len(l.key) == 2:
		all = append(all, fmt.Sprintf("CREATE UNIQUE INDEX %[1]s_k ON %[1]s (k, g)", table))
	}
	if l.unique != "" {
		all = append(all, fmt.Sprintf("CREATE UNIQUE INDEX %[1]s_2 ON %[1]s (%[2]s)", table, l.unique))
	}
	switch {
	case l.partial && f.name == "mariadb":
		all = append(all, fmt.Sprintf("CREATE UNIQUE INDEX %[1]s_3 ON %[1]s (b, a(1))", table))
	case l.partial:
		all = append(all, fmt.Sprintf("CREATE UNIQUE INDEX %[1]s_3 ON %[1]s (b) WHERE a = 'x'", table))
	}
	if l.trigger {
		all = append(all, f.trigger(table)...)
	}
	return all
}

func (l layout) rows(r *rapid.T, columns []column.Column) [][]column.Value {
	texts := [][]string{
		{"1", "2", "3", "4", "5", "6", "7", "8", "NULL"},
		{"x", "y", "z", "X", "bad", "hush", "p", "q", "tab\tnew\nline\\\"{},'", "NULL", "-"},
		{"1", "2", "3", "4", "6", "NULL", "-"},
		{"1", "1.50", "2", "-", "NULL"},
		{"1", "2", "3", "NULL"},
	}
	if rapid.Bool().Draw(r, "wide") {
		for range 20 {
			texts[0] = append(texts[0], fmt.Sprint(len(texts[0])+10))
			texts[1] = append(texts[1], fmt.Sprint("w", len(texts[1])))
		}
	}
	row := rapid.Custom(func(r *rapid.T) []column.Value {
		var values []column.Value
		for i, c := range columns {
			values = append(values, cell(r, c, rapid.SampledFrom(texts[i]).Draw(r, c.Name)))
		}
		return values
	})
	return rapid.SliceOfN(row, 1, 40).Draw(r, "rows")
}
