package reference_test

import (
	"encoding/csv"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ingest/integration/reference"
)

// The twin is judged by numbers that were counted by other means or worked out by hand.

func importText(t *testing.T, i reference.Importer, table *reference.Table, text string) reference.Result {
	t.Helper()
	result, err := i.Import(table, strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func TestDuplicateStrategies(t *testing.T) {
	t.Parallel()
	const file = "key,n\na,1\nb,2\na,3\nb,2\n,4\n,4\na,1\n"
	cases := map[string]struct {
		numbers [5]int64 // created, updated, unchanged, skipped, failed
		lines   []string
	}{
		"skip":   {[5]int64{4, 0, 0, 3, 0}, []string{`key=\N	n=4`, `key=\N	n=4`, "key=a\tn=1", "key=b\tn=2"}},
		"update": {[5]int64{4, 2, 1, 0, 0}, []string{`key=\N	n=4`, `key=\N	n=4`, "key=a\tn=1", "key=b\tn=2"}},
		"upsert": {[5]int64{4, 2, 1, 0, 0}, []string{`key=\N	n=4`, `key=\N	n=4`, "key=a\tn=1", "key=b\tn=2"}},
		"fail":   {[5]int64{4, 0, 0, 0, 3}, []string{`key=\N	n=4`, `key=\N	n=4`, "key=a\tn=1", "key=b\tn=2"}},
	}
	for strategy, want := range cases {
		t.Run(strategy, func(t *testing.T) {
			t.Parallel()
			i := reference.Importer{
				Key: []string{"key"}, OnDuplicate: strategy,
				Fields: []reference.Field{{From: "key", To: "key"}, {From: "n", To: "n", Type: "integer"}},
			}
			table := reference.NewTable(i)
			result := importText(t, i, table, file)
			numbers := [5]int64{result.Created, result.Updated, result.Unchanged, result.Skipped, result.Failed}
			if diff := cmp.Diff(want.numbers, numbers); diff != "" {
				t.Errorf("numbers (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(want.lines, table.Lines()); diff != "" {
				t.Errorf("table (-want +got):\n%s", diff)
			}
			if strategy == "fail" && result.Errors["Duplicate entry found for key 'key'."] != 3 {
				t.Errorf("errors = %v", result.Errors)
			}
		})
	}
}

func TestRulesAndConversions(t *testing.T) {
	t.Parallel()
	i := reference.Importer{
		Fields: []reference.Field{
			{From: "user_name", To: "name", Transform: []string{"trim", "upper"}},
			{From: "unitPrice", To: "price", Type: "decimal(8,2)"},
			{From: "kind", To: "kind", Transform: []string{"default:none"}},
		},
		Rules: []reference.Rule{
			{Column: "user_name", Rules: "required|min:2|max:4"},
			{Column: "unitPrice", Rules: "required|numeric|between:0,10"},
			{Column: "kind", Rules: "in:x,y"},
		},
	}
	table := reference.NewTable(i)
	result := importText(t, i, table,
		"user_name,unitPrice,kind\n äé ,2.005,\nabcde,x,z\na,11,\n,,\n ab,1,y,,\nab,1\nabc,-1,x\n")
	if diff := cmp.Diff([]string{"name=AB\tprice=1\tkind=y", "name=ÄÉ\tprice=2.01\tkind=none"}, table.Lines()); diff != "" {
		t.Errorf("table (-want +got):\n%s", diff)
	}
	rows := []reference.FailedRow{
		{Number: 2, Line: 3, Message: "The user name field must not be greater than 4 characters. (and 2 more errors)", Cells: []string{"abcde", "x", "z"}},
		{Number: 3, Line: 4, Message: "The user name field must be at least 2 characters. (and 1 more error)", Cells: []string{"a", "11", ""}},
		{Number: 5, Line: 7, Message: "The row has 2 columns, the header has 3.", Cells: []string{"ab", "1", ""}},
		{Number: 6, Line: 8, Message: "The unit price field must be between 0 and 10.", Cells: []string{"abc", "-1", "x"}},
	}
	if diff := cmp.Diff(rows, result.Rows); diff != "" {
		t.Errorf("failed rows (-want +got):\n%s", diff)
	}
	validation := map[string]int64{
		"user_name: The user name field must not be greater than 4 characters.": 1,
		"user_name: The user name field must be at least 2 characters.":         1,
		"unitPrice: The unit price field must be a number.":                     1,
		"unitPrice: The unit price field must be between 0 and 10.":             2,
		"kind: The selected kind is invalid.":                                   1,
	}
	if diff := cmp.Diff(validation, result.Validation); diff != "" {
		t.Errorf("validation (-want +got):\n%s", diff)
	}
}

func TestNumber(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"1.50": "1.5", "2.00": "2", "-0.0": "0", "+7": "7", "007": "7", "-0.50": "-0.5", ".5": "0.5", "100": "100", "-1e2": "-100", "1e3": "1000", "1e-05": "0.00001",
		"52.55889892578125": "52.55889892578125", "x": "x", "": "",
	} {
		if got := reference.Number(text); got != want {
			t.Errorf("Number(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestWords(t *testing.T) {
	t.Parallel()
	for column, want := range map[string]string{
		"user_email": "user email", "Full Name": "full name", "E-Mail": "e-mail", "usageType": "usage type", "SKU": "sku",
	} {
		if got := reference.Words(column); got != want {
			t.Errorf("Words(%q) = %q, want %q", column, got, want)
		}
	}
}

func TestProductsAreDeterministicAndAsBadAsAsked(t *testing.T) {
	t.Parallel()
	p := reference.Products{Seed: 7, Rows: 5000, Repeated: 0.2, Bad: 0.1}
	text := p.Text()
	if text != p.Text() {
		t.Error("the same seed gave another file")
	}
	if other := (reference.Products{Seed: 8, Rows: p.Rows, Repeated: 0.2, Bad: 0.1}).Text(); other == text {
		t.Error("another seed gave the same file")
	}
	records, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil || len(records) != p.Rows+1 {
		t.Fatalf("%d records, %v", len(records), err)
	}
	if size := len(text) / p.Rows; size < 95 || size > 125 {
		t.Errorf("a row has %d bytes", size)
	}
	i := reference.ProductsImporter("products.csv", "update")
	table := reference.NewTable(i)
	result := importText(t, i, table, text)
	within := func(what string, got int64, share float64) {
		if want := share * float64(p.Rows); float64(got) < 0.85*want || float64(got) > 1.15*want {
			t.Errorf("%d %s of %d rows", got, what, p.Rows)
		}
	}
	within("failed", result.Failed, 0.1)
	within("repeated", result.Updated+result.Unchanged, 0.9*0.2)
	if sum := result.Created + result.Updated + result.Unchanged + result.Skipped + result.Failed; sum != result.Total || result.Total != int64(p.Rows) {
		t.Errorf("numbers do not balance: %+v", fmt.Sprint(result.Total, sum))
	}
	if int64(table.Len()) != result.Created {
		t.Errorf("%d rows in the table, %d created", table.Len(), result.Created)
	}
	again := importText(t, i, table, text)
	if again.Created != 0 || again.Failed != result.Failed {
		t.Errorf("the second import created %d and failed %d", again.Created, again.Failed)
	}
}

func TestYAML(t *testing.T) {
	t.Parallel()
	i := reference.ProductsImporter("products.csv", "skip")
	i.ChunkSize, i.Partitions, i.Connection = 100, 3, "warehouse"
	want := `importer: products
source: {type: filesystem, path: "products.csv"}
format: {type: csv}
destination: {connection: warehouse, table: products, create_table: true}
key: ["SKU"]
on_duplicate: skip
chunk_size: 100
partitions: 3
fields:
  - {from: "SKU", to: sku, type: "text"}
  - {from: "Name", to: name, type: "text", transform: [trim]}
  - {from: "Description", to: description, type: "text"}
  - {from: "Price", to: price, type: "decimal(10,2)"}
  - {from: "Category", to: category, type: "text", transform: [lower, {default: {value: "unsorted"}}]}
  - {from: "Stock", to: stock, type: "integer"}
rules:
  "SKU": "required|string"
  "Name": "required|string|max:60"
  "Price": "required|numeric|min:0"
  "Stock": "required|integer|min:0"
`
	if diff := cmp.Diff(want, i.YAML()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
