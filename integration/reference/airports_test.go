package reference_test

import (
	"os"
	"path/filepath"
	"testing"

	"ingest/integration/reference"
)

// The numbers were counted with a script of another language.
func TestAirports(t *testing.T) {
	t.Parallel()
	cases := []struct {
		importer func(path string) reference.Importer
		file     string
		total    int64
		failed   int64
		rows     int
	}{
		{reference.Countries, "countries.csv", 249, 0, 249},
		{reference.Regions, "regions.csv", 3987, 0, 3987},
		{reference.Navaids, "navaids.csv", 11008, 3843, 5171},
	}
	for _, c := range cases {
		t.Run(c.file, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join("..", "..", "configs", "demo", "data", c.file)
			file, err := os.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer file.Close()
			importer := c.importer(path)
			table := reference.NewTable(importer)
			result, err := importer.Import(table, file)
			if err != nil {
				t.Fatal(err)
			}
			if result.Total != c.total || result.Failed != c.failed || table.Len() != c.rows {
				t.Errorf("%d rows, %d failed, %d in the table; want %d, %d, %d",
					result.Total, result.Failed, table.Len(), c.total, c.failed, c.rows)
			}
			if sum := result.Created + result.Updated + result.Unchanged + result.Failed; sum != result.Total || int64(table.Len()) != result.Created {
				t.Errorf("the numbers do not balance: %+v", result)
			}
		})
	}
}
