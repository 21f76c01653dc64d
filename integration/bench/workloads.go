package bench

import (
	"encoding/csv"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"ingest/integration/rig"
)

const (
	categories = 200
	tags       = 1000
)

// related is a products file whose category and tags are rows of other tables.
func (b *Bench) related(rows int) string {
	return b.files.write(b, fmt.Sprintf("related-%d.csv", rows), func(path string) error {
		return fill(path, func(to io.Writer) error {
			random := rand.New(rand.NewPCG(seed, uint64(rows)))
			fmt.Fprint(to, "SKU,Name,Price,Category,Tags,Stock\n")
			for n := range rows {
				var of []string
				for range 1 + random.IntN(3) {
					of = append(of, fmt.Sprintf("tag-%04d", random.IntN(tags)))
				}
				fmt.Fprintf(to, "SKU-%08d,Product %d,%d.%02d,Category %03d,\"%s\",%d\n", n+1, random.IntN(100000), random.IntN(1000), random.IntN(100),
					random.IntN(categories), strings.Join(of, ", "), random.IntN(10000))
			}
			return nil
		})
	})
}

const relatedImporter = `source: {path: related.csv}
destination: {table: goods}
key: SKU
on_duplicate: update
fields:
  - {from: SKU, to: sku}
  - {from: Name, to: name}
  - {from: Price, to: price, type: "decimal(10,2)"}
  - {from: Stock, to: stock, type: integer}
relations:
  - {from: Category, to: category_id, table: categories, match: name, create_if_missing: true}
  - {from: Tags, many: {table: tags, match: name, pivot: good_tag, own: good_id, other: tag_id}, create_if_missing: true}
rules: {SKU: required, Price: required|numeric|min:0, Stock: required|integer|min:0}
`

// relational is products whose category is looked up and whose tags are rows of a pivot table.
func relational(b *Bench) {
	db := b.postgres()
	empty := func() {
		db.must(`DROP TABLE IF EXISTS good_tag, goods, categories, tags`,
			`CREATE TABLE categories (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL UNIQUE)`,
			`CREATE TABLE tags (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL UNIQUE)`,
			`CREATE TABLE goods (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, sku text NOT NULL UNIQUE, name text, price numeric(10,2),
				category_id bigint REFERENCES categories, stock integer)`,
			`CREATE TABLE good_tag (good_id bigint NOT NULL REFERENCES goods, tag_id bigint NOT NULL REFERENCES tags, PRIMARY KEY (good_id, tag_id))`, `CHECKPOINT`)
	}
	s := b.stand(setup{store: db, importers: map[string]string{"related": relatedImporter}})
	rows := b.usual()
	path := b.related(rows)
	byHand := []string{
		`CREATE TEMP TABLE staged (sku text, name text, price numeric(10,2), category text, tags text, stock integer)`,
		copyIn("staged", path),
		`INSERT INTO categories (name) SELECT DISTINCT category FROM staged ON CONFLICT DO NOTHING`,
		`INSERT INTO tags (name) SELECT DISTINCT btrim(t) FROM staged, string_to_table(tags, ',') AS t ON CONFLICT DO NOTHING`,
		`INSERT INTO goods (sku, name, price, category_id, stock) SELECT s.sku, s.name, s.price, c.id, s.stock FROM staged s
			JOIN categories c ON c.name = s.category ON CONFLICT (sku) DO UPDATE SET ` + overwrite("name, price, category_id, stock", "%s = excluded.%s"),
		`INSERT INTO good_tag SELECT g.id, t.id FROM staged s JOIN goods g USING (sku) CROSS JOIN string_to_table(s.tags, ',') AS one
			JOIN tags t ON t.name = btrim(one) ON CONFLICT DO NOTHING`,
	}
	b.race("relational/postgres", rows, s.watched, db.count("goods"),
		contender{name: staged, before: empty, run: db.does(byHand...)},
		contender{name: created, before: empty, run: s.imports("related", path)},
		contender{name: unchanged, run: s.imports("related", path)},
		contender{name: again, run: db.does(byHand...)},
	)
}

// wideColumns is how many there are besides the key: texts, integers and decimals in turn.
const wideColumns = 59

// wide is a table of 60 columns.
func wide(b *Bench) {
	rows := max(b.usual()/5, 1)
	kinds := []struct{ yaml, sql string }{{"text", "text"}, {"integer", "integer"}, {"decimal(10,2)", "numeric(10,2)"}}
	importer := "source: {path: wide.csv}\ndestination: {table: wide}\nkey: sku\non_duplicate: update\nrules: {sku: required, c1: required|integer, c2: required|numeric}\nfields:\n  - {from: sku, to: sku}\n"
	header, typed, named := "sku", "sku text NOT NULL UNIQUE", "sku"
	for n := range wideColumns {
		kind := kinds[n%len(kinds)]
		importer += fmt.Sprintf("  - {from: c%d, to: c%d, type: %q}\n", n, n, kind.yaml)
		header += fmt.Sprintf(",c%d", n)
		typed += fmt.Sprintf(", c%d %s", n, kind.sql)
		named += fmt.Sprintf(", c%d", n)
	}
	path := b.files.write(b, fmt.Sprintf("wide-%d.csv", rows), func(path string) error {
		return fill(path, func(to io.Writer) error {
			random := rand.New(rand.NewPCG(seed, uint64(rows)))
			fmt.Fprintln(to, header)
			for n := range rows {
				fmt.Fprintf(to, "SKU-%08d", n+1)
				for c := range wideColumns {
					fmt.Fprintf(to, []string{",some text %d", ",%d", ",%d.25"}[c%len(kinds)], random.IntN(100000))
				}
				fmt.Fprintln(to)
			}
			return nil
		})
	})
	db := b.postgres()
	s := b.stand(setup{store: db, importers: map[string]string{"wide": importer}})
	empty := func() { db.must("DROP TABLE IF EXISTS wide", "CREATE TABLE wide ("+typed+")", "CHECKPOINT") }
	byHand := []string{
		"CREATE TEMP TABLE staged (" + strings.Replace(typed, " NOT NULL UNIQUE", "", 1) + ")", copyIn("staged", path),
		"INSERT INTO wide SELECT * FROM staged ON CONFLICT (sku) DO UPDATE SET " + overwrite(strings.TrimPrefix(named, "sku, "), "%s = excluded.%s"),
	}
	b.race("wide/postgres", rows, s.watched, db.count("wide"), beside(s, "wide", path, empty, db.does(byHand...))...)
}

// beside is the short race of a workload: an upsert by hand and an import, into an empty table and again.
func beside(s *stand, slug, path string, empty, byHand func()) []contender {
	return []contender{
		{name: staged, before: empty, run: byHand},
		{name: created, before: empty, run: s.imports(slug, path)},
		{name: unchanged, run: s.imports(slug, path)},
		{name: again, run: byHand},
	}
}

// navaids is a real file, a hundred times: every repetition has ids of its own.
func navaids(b *Bench) {
	root, err := rig.Root()
	if err != nil {
		b.Fatal(err)
	}
	file, err := os.Open(filepath.Join(root, "configs/demo/data/navaids.csv"))
	if err != nil {
		b.Fatal(err)
	}
	defer file.Close()
	records, err := csv.NewReader(file).ReadAll()
	if err != nil {
		b.Fatal(err)
	}
	header, records := records[0], records[1:]
	times := min(100, max(1, b.usual()/len(records)))
	rows := times * len(records)
	path := b.files.write(b, fmt.Sprintf("navaids-%d.csv", rows), func(path string) error {
		return fill(path, func(to io.Writer) error {
			out := csv.NewWriter(to)
			if err := out.Write(header); err != nil {
				return err
			}
			for n := range times {
				for _, record := range records {
					id, err := strconv.Atoi(record[0])
					if err != nil {
						return err
					}
					if err := out.Write(append([]string{strconv.Itoa(id + n*1_000_000)}, record[1:]...)); err != nil {
						return err
					}
				}
			}
			out.Flush()
			return out.Error()
		})
	})
	integers := []string{"id", "frequency_khz", "elevation_ft", "dme_frequency_khz", "dme_elevation_ft"}
	importer, typed := "source: {path: navaids.csv}\ndestination: {table: navaids}\nkey: id\non_duplicate: update\nrules: {id: required|integer, ident: required}\nfields:\n", ""
	for n, name := range header {
		yaml, sql := "text", "text"
		switch {
		case strings.Contains(strings.Join(integers, " "), name):
			yaml, sql = "integer", "integer"
		case strings.HasSuffix(name, "_deg"):
			yaml, sql = "float", "double precision"
		}
		if n > 0 {
			typed += ", "
		}
		importer += fmt.Sprintf("  - {from: %s, to: %s, type: %s}\n", name, strings.ToLower(name), yaml)
		typed += strings.ToLower(name) + " " + sql
	}
	db := b.postgres()
	s := b.stand(setup{store: db, importers: map[string]string{"navaids": importer}})
	empty := func() {
		db.must("DROP TABLE IF EXISTS navaids", "CREATE TABLE navaids ("+typed+", PRIMARY KEY (id))", "CHECKPOINT")
	}
	byHand := []string{
		"CREATE TEMP TABLE staged (" + typed + ")", copyIn("staged", path),
		"INSERT INTO navaids SELECT * FROM staged ON CONFLICT (id) DO UPDATE SET " + overwrite(strings.ToLower(strings.Join(header[1:], ", ")), "%s = excluded.%s"),
	}
	b.race("navaids/postgres", rows, s.watched, db.count("navaids"), beside(s, "navaids", path, empty, db.does(byHand...))...)
}
