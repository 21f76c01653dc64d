package pipeline_test

import (
	"testing"

	"ingest/shared/column"
	"ingest/shared/importer"
	"ingest/shared/row"
)

func wide() importer.Definition {
	return importer.Definition{
		Format: importer.Format{Nulls: []string{""}},
		Key:    []string{"SKU"},
		Fields: []importer.Field{
			field("sku", "SKU"), with(field("email", "Email"), named("trim"), named("lower")), field("stock", "Stock"),
			field("name", "Name"), with(field("note", "Note"), named("trim")), field("price", "Price"),
			field("active", "Active"), field("changed", "Changed"),
		},
		Rules: []importer.Rules{
			rules("SKU", rule("required")), rules("Email", rule("email")), rules("Stock", rule("integer")),
			rules("Price", rule("numeric"), rule("min", "0")),
		},
	}
}

func wideHeader() []string {
	return []string{"SKU", "Email", "Stock", "Name", "Note", "Price", "Active", "Changed"}
}

func wideTable() column.Table {
	return column.Table{Name: "products", Columns: []column.Column{
		{Name: "sku", Type: column.Type{Kind: column.Text, Length: 64}, NotNull: true},
		{Name: "email", Type: column.Type{Kind: column.Text, Length: 255}},
		{Name: "stock", Type: column.Type{Kind: column.Integer, Bits: 32}},
		{Name: "name", Type: column.Type{Kind: column.Text}},
		{Name: "note", Type: column.Type{Kind: column.Text}},
		{Name: "price", Type: column.Type{Kind: column.Decimal, Precision: 10, Scale: 2}},
		{Name: "active", Type: column.Type{Kind: column.Boolean}},
		{Name: "changed", Type: column.Type{Kind: column.Datetime, Native: "timestamp without time zone"}},
	}}
}

func wideRow() row.Row {
	return row.Row{Number: 1, Line: 2, Cells: []string{
		"SKU-0001234", "jane.doe@example.com", "42", "A product with a name", " a short note ", "19.99", "true", "2024-01-02T03:04:05Z",
	}}
}

func TestGoodRowsHardlyAllocate(t *testing.T) {
	p := compile(t, wide(), wideHeader(), wideTable())
	r, into := wideRow(), room(p)
	if n := testing.AllocsPerRun(100, func() {
		if failure := p.Apply(r, nil, into); failure != nil {
			t.Fatal(failure.Message)
		}
	}); n >= 2 {
		t.Errorf("a good row allocates %v times", n)
	}
	buffer := make([]byte, 0, 64)
	if n := testing.AllocsPerRun(100, func() { p.Route(r, buffer) }); n != 0 {
		t.Errorf("routing allocates %v times", n)
	}
}

// BenchmarkTypicalImporter: 8 fields, 5 rules, 3 transforms. Bound: 1,000,000 rows a second on one core, less than two
// allocations a row.
func BenchmarkTypicalImporter(b *testing.B) { benchmark(b, wide(), wideRow()) }

// BenchmarkTransforms is the same importer with the transforms that read numbers, dates and booleans.
func BenchmarkTransforms(b *testing.B) {
	d, r := wide(), wideRow()
	d.Fields[5] = with(d.Fields[5], configured("numeric", options{"decimals": "2"}))
	d.Fields[6] = with(d.Fields[6], named("boolean"))
	d.Fields[7] = with(d.Fields[7], short("date", "d.m.Y H:i"))
	r.Cells[7] = "02.01.2024 03:04"
	benchmark(b, d, r)
}

func benchmark(b *testing.B, d importer.Definition, r row.Row) {
	p := compile(b, d, wideHeader(), wideTable())
	into := room(p)
	b.ReportAllocs()
	for b.Loop() {
		if failure := p.Apply(r, nil, into); failure != nil {
			b.Fatal(failure.Message)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

func BenchmarkRoute(b *testing.B) {
	p := compile(b, wide(), wideHeader(), wideTable())
	r, buffer := wideRow(), make([]byte, 0, 64)
	b.ReportAllocs()
	for b.Loop() {
		p.Route(r, buffer)
	}
}
