package bench

import (
	"fmt"
	"path/filepath"
	"strings"
)

// The contenders of SQLite.
const (
	imported       = `sqlite3 .import into the table`
	importStaged   = `sqlite3 staged upsert`
	importsUpdated = importStaged + `, every row updated`
)

// sqlite is a database file, used with the write-ahead log that the engine switches on.
func (b *Bench) sqlite() store {
	b.Helper()
	if !installed("sqlite3") {
		b.Skip("sqlite3 is not installed")
	}
	path := filepath.Join(b.TempDir(), "bench.db")
	sqlite := func(script string) (string, error) {
		return run(b, ".bail on\n.timeout 60000\n"+script, "sqlite3", path)
	}
	return store{
		b: b, name: "sqlite", url: "sqlite:" + path, flush: "PRAGMA wal_checkpoint(TRUNCATE)",
		table: "sku text NOT NULL, name text, description text, price decimal(10,2), category text, stock integer",
		do: func(statements ...string) error {
			var script strings.Builder
			for _, statement := range statements {
				if !strings.HasPrefix(statement, ".") {
					statement += ";"
				}
				script.WriteString(statement + "\n")
			}
			_, err := sqlite(script.String())
			return err
		},
		ask: func(query string) string {
			answer, err := sqlite(query + ";\n")
			if err != nil {
				b.Fatal(err)
			}
			return answer
		},
	}
}

func importProducts(path string) []string {
	return []string{
		"CREATE TEMP TABLE staged (sku text, name text, description text, price decimal(10,2), category text, stock integer)",
		fmt.Sprintf(".import --csv --skip 1 --schema temp %s staged", path),
		"INSERT INTO products (" + columns + ") SELECT * FROM staged WHERE true ON CONFLICT (sku) DO UPDATE SET " + overwrite(overwrote, "%s = excluded.%s"),
	}
}

func productsSQLite(b *Bench) {
	db := b.sqlite()
	s := b.stand(setup{store: db, importers: map[string]string{"update": productsImporter("", "update")}})
	for _, rows := range b.options.Sizes {
		one, other := b.products(rows), b.changed(min(rows, enough))
		b.race("products/sqlite", rows, s.watched, db.count("products"),
			contender{name: imported, before: db.empty, run: db.does(fmt.Sprintf(".import --csv --skip 1 %s products", one))},
			contender{name: importStaged, before: db.empty, run: db.does(importProducts(one)...), most: enough},
			contender{name: created, before: db.empty, run: s.imports("update", one)},
			contender{name: unchanged, run: s.imports("update", one), most: enough},
			contender{name: updated, run: s.imports("update", other), most: enough},
			contender{name: importsUpdated, run: db.does(importProducts(one)...), most: enough},
		)
	}
}
