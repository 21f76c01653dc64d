package ledger_test

import (
	"testing"

	"ingest/shared/database"
	"ingest/shared/database/dbtest"
	"ingest/shared/ledger"
)

// BenchmarkEmptyChunk is what the ledger costs a chunk: begin, advance, record, commit.
func BenchmarkEmptyChunk(b *testing.B) {
	for name, url := range map[string]func(testing.TB) string{"sqlite": dbtest.SQLite, "postgres": dbtest.Postgres, "mariadb": dbtest.MariaDB} {
		b.Run(name, func(b *testing.B) {
			db, err := database.Open(database.Config{Name: "warehouse", URL: url(b)})
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(func() { _ = db.Close() })
			book := ledger.New(db)
			if err := database.Migrate(b.Context(), db); err != nil {
				b.Fatal(err)
			}
			if err := book.Create(b.Context(), uid, 1); err != nil {
				b.Fatal(err)
			}
			o := outcome(1, 1, 1000, 0)
			for n := int64(1); b.Loop(); n++ {
				if won, _, err := write(b.Context(), db, book, 0, n, o); err != nil || !won {
					b.Fatal(won, err)
				}
			}
		})
	}
}
