package destination

import (
	"context"
	"fmt"
	"testing"

	"ingest/shared/column"
	"ingest/shared/database"
	"ingest/shared/importer"
)

// chunkOf is n rows over so many keys; the value a tells chunks apart.
func chunkOf(t fataler, tg Target, n, keys int, a string) [][]column.Value {
	t.Helper()
	rows := make([][]column.Value, n)
	for i := range rows {
		rows[i] = make([]column.Value, len(tg.Columns))
		for c := range rows[i] {
			text := fmt.Sprint(i)
			switch tg.Columns[c].Name {
			case "k":
				text = fmt.Sprint(i % keys)
			case "a":
				text = a
			}
			rows[i][c] = cell(t, tg.Columns[c], text)
		}
	}
	return rows
}

// Chunks of 1,000 rows of 8 columns, each in a transaction that is committed.
func BenchmarkWrite(b *testing.B) {
	for _, f := range databases() {
		db := open(b, f)
		for _, refuses := range []string{"", " CHECK (f >= 0)"} {
			for _, kind := range []string{"insert", "new", "changed", "unchanged", "skip"} {
				label := "plain"
				if refuses != "" {
					label = "check"
				}
				b.Run(f.name+"/"+label+"/"+kind, func(b *testing.B) { benchmark(b, f, db, kind, refuses) })
			}
		}
	}
}

func benchmark(b *testing.B, f features, db *database.DB, kind, refuses string) {
	name := newName()
	execute(b, db, fmt.Sprintf("CREATE TABLE %s (%s, k integer UNIQUE, a text, b text, c text, d integer, e decimal(10,2), f integer%s, g text)", name, f.id, refuses))
	strategy, key := importer.Update, []string{"k"}
	switch kind {
	case "insert":
		key = nil
	case "skip":
		strategy = importer.Skip
	}
	tg := target(b, db, name, strategy, key, []string{"k", "a", "b", "c", "d", "e", "f", "g"})
	w, err := New(db, tg)
	if err != nil {
		b.Fatal(err)
	}
	const size = 1000
	chunks := [][][]column.Value{chunkOf(b, tg, size, size, "x"), chunkOf(b, tg, size, size, "y")}
	put := func(rows [][]column.Value) {
		transact(b, db, func(ctx context.Context, tx *database.Tx) error {
			_, err := w.Write(ctx, tx, rows)
			return err
		})
	}
	if kind != "insert" && kind != "new" {
		put(chunks[1])
	}
	n := 0
	for b.Loop() {
		rows := chunks[1]
		switch kind {
		case "changed":
			rows = chunks[n%2]
			if n%10 == 9 && db.Dialect() == database.Postgres { // as autovacuum would
				b.StopTimer()
				execute(b, db, "VACUUM "+name)
				b.StartTimer()
			}
		case "insert", "new":
			for i := range rows {
				rows[i][0].Text = fmt.Sprint(n*size + i)
			}
		}
		put(rows)
		n++
	}
	b.ReportMetric(float64(n*size)/b.Elapsed().Seconds(), "rows/s")
}
