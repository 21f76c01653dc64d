package split

import (
	"io"
	"strings"
	"testing"

	"ingest/integration/reference"
	"ingest/shared/chunk"
	"ingest/shared/column"
	"ingest/shared/extend"
	"ingest/shared/format"
	"ingest/shared/importer"
	"ingest/shared/pipeline"
	"ingest/shared/row"
	"ingest/shared/run"
)

// BenchmarkSplit is what a split does but for Redis, on products in memory: reading alone (bound: 300 MB/s on one core), with
// the routing of every row, and with cutting and encoding chunks, too.
func BenchmarkSplit(b *testing.B) {
	const rows = 100_000
	text := reference.Products{Seed: 1, Rows: rows}.Text()
	definition, err := importer.Parse("products.yaml", []byte(reference.ProductsImporter("products.csv", "update").YAML()), importer.Checks{})
	if err != nil {
		b.Fatal(err)
	}
	header, _, _ := strings.Cut(text, "\n")
	m := run.Manifest{
		Header: strings.Split(header, ","), Partitions: 16, ChunkRows: 1000, ChunkBytes: 1 << 20,
		Table: column.Table{Name: "products", Columns: []column.Column{
			{Name: "sku", Type: column.Type{Kind: column.Text}},
			{Name: "name", Type: column.Type{Kind: column.Text}},
			{Name: "description", Type: column.Type{Kind: column.Text}},
			{Name: "price", Type: column.Type{Kind: column.Decimal, Precision: 10, Scale: 2}},
			{Name: "category", Type: column.Type{Kind: column.Text}},
			{Name: "stock", Type: column.Type{Kind: column.Integer, Bits: 32}},
		}},
	}
	program, err := pipeline.Compile(definition, pipeline.Met(m, extend.Extensions{}))
	if err != nil {
		b.Fatal(err)
	}
	measure := func(name string, take func(cut *cutter, r row.Row)) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				file, err := format.OpenRows(strings.NewReader(text), "products.csv", definition.Format, extend.Extensions{})
				if err != nil {
					b.Fatal(err)
				}
				cut := newCutter(m, program.Route)
				var r row.Row
				for err = file.Next(&r); err == nil; err = file.Next(&r) {
					take(cut, r)
				}
				if err != io.EOF {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
	measure("read", func(*cutter, row.Row) {})
	measure("read+route", func(cut *cutter, r row.Row) { cut.partition(r) })
	var empty chunk.Builder
	var payload []byte
	measure("read+route+encode", func(cut *cutter, r row.Row) {
		if at, full := cut.add(r); full {
			_, filled := cut.take(at.partition, empty)
			payload = filled.AppendPayload(payload[:0])
			filled.Reset()
			empty = filled
		}
	})
}
