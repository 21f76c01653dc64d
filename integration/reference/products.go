package reference

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
)

// Products describes a generated products file of about 113 bytes a row. The same values give the same bytes.
type Products struct {
	Seed uint64
	Rows int
	// Repeated is the share of rows whose SKU was used before, Bad the share of rows that break a rule.
	Repeated float64
	Bad      float64
}

// Write writes the file: SKU, Name, Description, Price, Category, Stock.
func (p Products) Write(to io.Writer) error {
	out := bufio.NewWriter(to)
	random := rand.New(rand.NewPCG(p.Seed, uint64(p.Rows)))
	fmt.Fprint(out, "SKU,Name,Description,Price,Category,Stock\n")
	next := 1
	for range p.Rows {
		sku := next
		if next > 1 && random.Float64() < p.Repeated {
			sku = 1 + random.IntN(next-1)
		} else {
			next++
		}
		fmt.Fprintln(out, p.row(random, sku))
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write the products: %w", err)
	}
	return nil
}

// Text is the whole file.
func (p Products) Text() string {
	var text strings.Builder
	// A strings.Builder takes everything.
	_ = p.Write(&text)
	return text.String()
}

func (p Products) row(random *rand.Rand, sku int) string {
	adjectives := []string{"Sturdy", "Compact", "Gläserne", "Quiet", "Foldable", "Classic"}
	things := []string{"lamp", "kettle", "chair", "notebook", "backpack", "clock"}
	pick := func(of []string) string { return of[random.IntN(len(of))] }
	name := fmt.Sprintf("%s %s %d", pick(adjectives), pick(things), random.IntN(1000))
	description := fmt.Sprintf(`"A %s %s, made of %s and ""tested"" %d times"`,
		strings.ToLower(pick(adjectives)), pick(things), pick([]string{"oak", "steel", "wool", "glass"}), random.IntN(100000))
	price := fmt.Sprintf("%d.%02d", random.IntN(1000), random.IntN(100))
	category := pick([]string{"Kitchen", "Office & School", "Outdoor", "Living Room"})
	stock := fmt.Sprint(random.IntN(10000))
	if random.Float64() < p.Bad {
		switch random.IntN(4) {
		case 0:
			name = ""
		case 1:
			price = "on request"
		case 2:
			price = "-" + price
		default:
			stock, price = "many", ""
		}
	}
	return fmt.Sprintf("SKU-%08d,%s,%s,%s,%s,%s", sku, name, description, price, category, stock)
}

// ProductsImporter imports such a file: keyed by SKU, with rules that the bad rows break.
func ProductsImporter(path, onDuplicate string) Importer {
	return Importer{
		Slug: "products", Path: path, Table: "products", Key: []string{"SKU"}, OnDuplicate: onDuplicate, CreateTable: true,
		Fields: []Field{
			{From: "SKU", To: "sku"},
			{From: "Name", To: "name", Transform: []string{"trim"}},
			{From: "Description", To: "description"},
			{From: "Price", To: "price", Type: "decimal(10,2)"},
			{From: "Category", To: "category", Transform: []string{"lower", "default:unsorted"}},
			{From: "Stock", To: "stock", Type: "integer"},
		},
		Rules: []Rule{
			{Column: "SKU", Rules: "required|string"},
			{Column: "Name", Rules: "required|string|max:60"},
			{Column: "Price", Rules: "required|numeric|min:0"},
			{Column: "Stock", Rules: "required|integer|min:0"},
		},
	}
}
