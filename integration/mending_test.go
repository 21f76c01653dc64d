package integration

import (
	"encoding/csv"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"ingest/integration/reference"
	"ingest/integration/rig"
)

// mending is what a person does to the failed rows of a run in a spreadsheet.
type mending struct {
	// columns of the file, in its order; those of the download that are not among them are dropped.
	columns []string
	// row mends a row by column; false leaves it out.
	row func(number int64, cells map[string]string) bool
	// shuffled puts the rows in any order.
	shuffled bool
}

// mend downloads the failed rows of a run and writes them as fixed.csv. It returns what the twin has to import: the same
// rows in row order, and their numbers.
func (m mending) mend(t *testing.T, sys *rig.System, id int64) (file string, numbers []int64) {
	t.Helper()
	records, err := csv.NewReader(strings.NewReader(sys.Must(0, "failed-rows", fmt.Sprint(id)))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	header := m.columns
	if header == nil {
		header = records[0]
	}
	var rows [][]string
	for _, record := range records[1:] {
		cells := map[string]string{}
		for i, name := range records[0] {
			cells[name] = record[i]
		}
		number, err := strconv.ParseInt(cells["_row_number"], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		if m.row != nil && !m.row(number, cells) {
			continue
		}
		row := make([]string, len(header))
		for i, name := range header {
			row[i] = cells[name]
		}
		rows, numbers = append(rows, row), append(numbers, number)
	}
	file = csvOf(t, header, rows)
	if m.shuffled {
		random := rand.New(rand.NewPCG(5, 6))
		random.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	}
	sys.Write("fixed.csv", csvOf(t, header, rows))
	return file, numbers
}

func csvOf(t *testing.T, header []string, rows [][]string) string {
	t.Helper()
	var text strings.Builder
	if err := csv.NewWriter(&text).WriteAll(append([][]string{header}, rows...)); err != nil {
		t.Fatal(err)
	}
	return text.String()
}

// repaired makes the bad cells of a products file good, but for those rows whose number can be divided by seven.
func repaired(number int64, cells map[string]string) bool {
	if number%5 == 0 {
		return false
	}
	if number%7 == 0 {
		return true
	}
	if cells["Name"] == "" {
		cells["Name"] = "Mended " + cells["SKU"]
	}
	if cells["Price"] == "" || cells["Price"] == "on request" {
		cells["Price"] = "1.50"
	}
	cells["Price"] = strings.TrimPrefix(cells["Price"], "-")
	if cells["Stock"] == "many" {
		cells["Stock"] = "5"
	}
	return true
}

// mendedTwin is what a retry with a file must give: the twin imports the original, then the mended rows in row order.
func mendedTwin(t *testing.T, importer reference.Importer, original reference.Products, file string, numbers []int64) expectation {
	t.Helper()
	table := reference.NewTable(importer)
	if _, err := importer.Import(table, strings.NewReader(original.Text())); err != nil {
		t.Fatal(err)
	}
	want := expectation{importer: importer}
	var err error
	if want.result, err = importer.Import(table, strings.NewReader(file)); err != nil {
		t.Fatal(err)
	}
	want.lines = table.Lines()
	header, _, _ := strings.Cut(file, "\n")
	for i := range want.result.Rows {
		row := &want.result.Rows[i]
		row.Number = numbers[row.Number-1]
		var kept []string
		for c, name := range strings.Split(header, ",") {
			if !strings.HasPrefix(name, "_") {
				kept = append(kept, row.Cells[c])
			}
		}
		row.Cells = kept
	}
	return want
}
