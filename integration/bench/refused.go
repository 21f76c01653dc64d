package bench

import (
	"fmt"
	"strings"

	"ingest/integration/reference"
)

// The contenders of files with bad rows. The stocks of a products file are even over 0 to 9,999, so that a bound of
// 9,900 refuses one row of a hundred.
const (
	clean       = `ingest, no bad rows`
	badHundred  = `ingest, 1 % of the rows break a rule`
	badTen      = `ingest, 10 % of the rows break a rule`
	checked     = `ingest, a CHECK that refuses nothing`
	checkFails  = `ingest, a CHECK refuses 1 %`
	referenced  = `ingest, a foreign key that refuses nothing`
	foreignFail = `ingest, a foreign key refuses 1 %`

	stocks, accepted = 10_000, 9_900
)

func refusedPostgres(b *Bench) { refused(b, b.postgres()) }
func refusedMariaDB(b *Bench)  { refused(b, b.mariadb()) }
func refusedSQLite(b *Bench)   { refused(b, b.sqlite()) }

// refused races files with bad rows and tables that refuse rows beside the same without.
func refused(b *Bench, db store) {
	s := b.stand(setup{store: db, importers: map[string]string{"update": productsImporter("", "update")}})
	rows := b.usual()
	good := b.products(rows)
	bad := func(share float64) string {
		return b.productsFile(reference.Products{Seed: seed, Rows: rows, Bad: share})
	}
	check := func(below int) func() {
		return func() { db.emptyWith(fmt.Sprintf(", CONSTRAINT bounded CHECK (stock < %d)", below)) }
	}
	shelves := func(below int) func() {
		return func() {
			var values []string
			for n := range below {
				values = append(values, fmt.Sprintf("(%d)", n))
			}
			db.must("DROP TABLE IF EXISTS products", "DROP TABLE IF EXISTS shelves", "CREATE TABLE shelves (id integer NOT NULL PRIMARY KEY)",
				"INSERT INTO shelves VALUES "+strings.Join(values, ","))
			db.emptyWith(", CONSTRAINT shelved FOREIGN KEY (stock) REFERENCES shelves (id)")
		}
	}
	b.race("refused/"+db.name, rows, s.watched, nil,
		contender{name: clean, before: db.empty, run: s.imports("update", good)},
		contender{name: badHundred, before: db.empty, run: s.importsWith(completedWithErrors, "update", bad(0.01))},
		contender{name: badTen, before: db.empty, run: s.importsWith(completedWithErrors, "update", bad(0.1))},
		contender{name: checked, before: check(stocks), run: s.imports("update", good)},
		contender{name: checkFails, before: check(accepted), run: s.importsWith(completedWithErrors, "update", good)},
		contender{name: referenced, before: shelves(stocks), run: s.imports("update", good)},
		contender{name: foreignFail, before: shelves(accepted), run: s.importsWith(completedWithErrors, "update", good)},
	)
}

// costs is by how many percent the second contender is slower than the first.
func costs(scene, without, with string) func(*Report) (float64, bool) {
	return func(r *Report) (float64, bool) {
		ratio, measured := r.times(scene, without, with)
		return (ratio - 1) * 100, measured
	}
}

// refusedTargets are the bounds for files with bad rows, for each database.
func refusedTargets() (all []target) {
	for _, db := range []struct{ name, title string }{{"postgres", "PostgreSQL"}, {"mariadb", "MariaDB"}, {"sqlite", "SQLite"}} {
		for _, of := range []struct {
			what, without, with string
			most                float64
		}{
			{"1 % of the rows break a rule", clean, badHundred, 15},
			{"10 % of the rows break a rule", clean, badTen, 15},
			{"a CHECK refuses 1 %", checked, checkFails, 50},
			{"a foreign key refuses 1 %", referenced, foreignFail, 50},
		} {
			all = append(all, target{
				what: db.title + ", " + of.what + ": more time than the same import where none is bad", atMost: of.most, unit: "%",
				measured: costs("refused/"+db.name, of.without, of.with),
			})
		}
	}
	return all
}
