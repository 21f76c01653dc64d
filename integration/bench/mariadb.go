package bench

import (
	"fmt"
	"net"
	"strings"

	"ingest/integration/rig"
)

// The contenders of MariaDB.
const (
	loaded      = `LOAD DATA LOCAL INFILE into the table`
	loadStaged  = `LOAD DATA and INSERT … ON DUPLICATE KEY UPDATE`
	loadUpdated = loadStaged + `, every row updated`
)

// mariadb starts a MariaDB server that forces what it commits onto the disk.
func (b *Bench) mariadb() store {
	b.Helper()
	server := rig.StartMariaDB(b, "--innodb-flush-method=fsync", "--innodb-flush-log-at-trx-commit=1", "--innodb-doublewrite=1",
		"--innodb-buffer-pool-size=512M", "--innodb-log-file-size=1G", "--local-infile=1")
	to := server.Database("bench")
	host, port, err := net.SplitHostPort(server.Addr())
	if err != nil {
		b.Fatal(err)
	}
	return store{
		b: b, name: "mariadb", url: to, pid: server.PID(),
		table: `id bigint AUTO_INCREMENT PRIMARY KEY, sku varchar(64) NOT NULL, name varchar(255), description text, price decimal(10,2),
			category varchar(64), stock int`,
		do: func(statements ...string) error {
			_, err := run(b, strings.Join(statements, ";\n"), "mariadb", "--no-defaults", "--protocol=tcp", "--host="+host, "--port="+port, "--user=root",
				"--default-character-set=utf8mb4", "--local-infile=1", "bench")
			return err
		},
		ask: func(query string) string { return server.SQL("bench", query)[0] },
	}
}

// loadData reads a whole CSV file into columns of a table.
func loadData(table, path string) string {
	return fmt.Sprintf(`LOAD DATA LOCAL INFILE '%s' INTO TABLE %s CHARACTER SET utf8mb4
		FIELDS TERMINATED BY ',' OPTIONALLY ENCLOSED BY '"' ESCAPED BY '' LINES TERMINATED BY '\n' IGNORE 1 LINES (%s)`, path, table, columns)
}

func loadProducts(path string) []string {
	return []string{
		`CREATE TEMPORARY TABLE staged (sku varchar(64), name varchar(255), description text, price decimal(10,2), category varchar(64), stock int)`,
		loadData("staged", path),
		`INSERT INTO products (` + columns + `) SELECT * FROM staged ON DUPLICATE KEY UPDATE ` + overwrite(overwrote, "%s = VALUES(%s)"),
	}
}

func productsMariaDB(b *Bench) {
	db := b.mariadb()
	s := b.stand(setup{store: db, importers: map[string]string{"update": productsImporter("", "update")}})
	for _, rows := range b.options.Sizes {
		one, other := b.products(rows), b.changed(min(rows, enough))
		b.race("products/mariadb", rows, s.watched, db.count("products"),
			contender{name: loaded, before: db.empty, run: db.does(loadData("products", one))},
			contender{name: loadStaged, before: db.empty, run: db.does(loadProducts(one)...), most: enough},
			contender{name: created, before: db.empty, run: s.imports("update", one)},
			contender{name: unchanged, run: s.imports("update", one), most: enough},
			contender{name: updated, run: s.imports("update", other), most: enough},
			contender{name: loadUpdated, run: db.does(loadProducts(one)...), most: enough},
		)
	}
}
