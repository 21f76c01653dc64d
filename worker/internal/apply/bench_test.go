package apply_test

import (
	"fmt"
	"testing"
	"time"

	"ingest/shared/chunk"
	"ingest/shared/database"
	"ingest/shared/database/dbtest"
	"ingest/shared/extend"
	"ingest/shared/importer"
	"ingest/shared/ledger"
	"ingest/shared/outlet"
	"ingest/shared/row"
	"ingest/shared/run"
	"ingest/shared/sink"
	"ingest/worker/internal/apply"
)

// BenchmarkDiscard takes chunks of 1,000 products to their commit whose rows go nowhere: what a worker costs but for its
// destination and Redis. Three columns have rules.
func BenchmarkDiscard(b *testing.B) {
	const definition = `importer: products
key: SKU
on_duplicate: update
destination: {table: products}
rules: {SKU: required|string, Price: "required|numeric|min:0", Stock: "required|integer|min:0"}
fields:
  - {from: SKU, to: sku}
  - {from: Name, to: name}
  - {from: Description, to: description}
  - {from: Price, to: price, type: "decimal(10,2)"}
  - {from: Category, to: category}
  - {from: Stock, to: stock, type: integer}
`
	d, err := importer.Parse("products.yaml", []byte(definition), importer.Checks{})
	if err != nil {
		b.Fatal(err)
	}
	table, err := sink.Table(d, "products")
	if err != nil {
		b.Fatal(err)
	}
	manifest, err := run.Manifest{
		Splitter: run.SplitterVersion, Delimiter: ",", Header: []string{"SKU", "Name", "Description", "Price", "Category", "Stock"},
		Partitions: 1, ChunkRows: 1000, ChunkBytes: 1 << 20, Table: table, LogRows: run.LogFailed,
	}.Encode()
	if err != nil {
		b.Fatal(err)
	}
	db, err := database.Open(database.Config{Name: "default", URL: dbtest.SQLite(b)})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close() })
	if err := database.Migrate(b.Context(), db); err != nil {
		b.Fatal(err)
	}
	if err := ledger.New(db).Create(b.Context(), uid, 1); err != nil {
		b.Fatal(err)
	}
	discard, _ := extend.Extensions{Destinations: outlet.Destinations(time.Now)}.Destination("discard")
	nowhere, err := discard.Open("discard:")
	if err != nil {
		b.Fatal(err)
	}
	snapshot, _ := d.Snapshot()
	job, err := apply.NewJob(uid, snapshot, manifest, false, apply.Parts{DB: db, Sink: nowhere})
	if err != nil {
		b.Fatal(err)
	}
	var rows chunk.Builder
	for i := range int64(1000) {
		rows.Append(row.Row{Number: i + 1, Line: i + 2, Cells: []string{
			fmt.Sprintf("SKU-%08d", i), "Gläserne clock 890", fmt.Sprintf(`A gläserne chair, made of glass and "tested" %d times`, i*7919),
			fmt.Sprintf("%d.%02d", i, i%100), "Office & School", fmt.Sprint(i * 17),
		}})
	}
	payload := rows.Payload()
	b.ReportAllocs()
	n := int64(0)
	for b.Loop() {
		n++
		if result, err := job.Apply(b.Context(), 0, n, payload, nil); err != nil || result.Outcome.Counts.Created != 1000 {
			b.Fatal(result, err)
		}
	}
	b.ReportMetric(float64(n)*1000/b.Elapsed().Seconds(), "rows/s")
}
