package destination

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"ingest/shared/database"
	"ingest/shared/importer"
)

// BenchmarkBadRows writes chunks of 1,000 new rows of which the database refuses a share, spread over the chunk, and reports
// the speed in proportion to that of chunks without bad rows, in the same run. A CHECK is refused at its row, a foreign key
// only at the end of the statement, which does not say where.
func BenchmarkBadRows(b *testing.B) {
	for _, f := range databases() {
		db := open(b, f)
		for kind, column := range map[string]string{"check": "f integer CHECK (f >= 0)", "foreign": "f integer REFERENCES parents (id)"} {
			b.Run(f.name+"/"+kind, func(b *testing.B) { badRows(b, f, db, column) })
		}
	}
}

func badRows(b *testing.B, f features, db *database.DB, constrained string) {
	name := newName()
	constrained = strings.ReplaceAll(constrained, "parents", name+"_parents")
	execute(b, db, "CREATE TABLE "+name+"_parents (id integer PRIMARY KEY)", "INSERT INTO "+name+"_parents VALUES (1)")
	execute(b, db, fmt.Sprintf("CREATE TABLE %s (%s, k integer UNIQUE, a text, b text, c text, d integer, e decimal(10,2), g text, %s)", name, f.id, constrained))
	tg := target(b, db, name, importer.Update, []string{"k"}, []string{"k", "a", "b", "c", "d", "e", "g", "f"})
	w, err := New(db, tg)
	if err != nil {
		b.Fatal(err)
	}
	const size = 1000
	rows := chunkOf(b, tg, size, size, "x")
	written := 0
	// put writes a chunk of which every n-th row is bad, 0 = none, and returns how long it took.
	put := func(every int) time.Duration {
		for i := range rows {
			rows[i][0].Text = fmt.Sprint(written)
			rows[i][7].Text = "1"
			if every > 0 && i%every == every/2 {
				rows[i][7].Text = "-1"
			}
			written++
		}
		began := time.Now()
		transact(b, db, func(ctx context.Context, tx *database.Tx) error {
			_, err := w.Write(ctx, tx, rows)
			return err
		})
		return time.Since(began)
	}
	shares := []struct {
		name  string
		every int
	}{{"0.1%", 1000}, {"1%", 100}, {"10%", 10}, {"50%", 2}}
	var clean time.Duration
	took := make([]time.Duration, len(shares))
	n := 0
	for b.Loop() {
		for range 10 {
			clean += put(0)
			n += size
		}
		for i, share := range shares {
			for range 10 {
				took[i] += put(share.every)
			}
		}
	}
	b.ReportMetric(float64(n)/clean.Seconds(), "rows/s")
	for i, share := range shares {
		b.ReportMetric(clean.Seconds()/took[i].Seconds(), "×clean@"+share.name)
	}
}
