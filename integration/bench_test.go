package integration

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"ingest/integration/reference"
	"ingest/integration/rig"
)

// benchRows is the size of the products file of BenchmarkProducts.
const benchRows = 1_000_000

// productsTable is the destination of BenchmarkProducts: six columns, a unique SKU.
const productsTable = `DROP TABLE IF EXISTS products;
CREATE TABLE products (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, sku text NOT NULL, name text,
	description text, price numeric(10,2), category text, stock integer);
CREATE UNIQUE INDEX products_sku_key ON products (sku);
CHECKPOINT;`

// BenchmarkProducts imports 1,000,000 products into PostgreSQL beside psql's \copy into a temporary table and
// INSERT … ON CONFLICT, on the same server in the same run: ratios hold on any machine, seconds do not.
func BenchmarkProducts(b *testing.B) {
	server := rig.StartPostgres(b, "-c", "fsync=on", "-c", "max_wal_size=4GB", "-c", "shared_buffers=512MB")
	redis := rig.StartRedis(b, rig.RedisOptions{AOF: true})
	url := server.Database("bench")
	path := filepath.Join(b.TempDir(), "products.csv")
	file, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	if err := (reference.Products{Seed: 1, Rows: benchRows}).Write(file); err != nil {
		b.Fatal(err)
	}
	if err := file.Close(); err != nil {
		b.Fatal(err)
	}
	importer := reference.ProductsImporter(path, "update")
	importer.CreateTable = false
	for i := range importer.Fields {
		importer.Fields[i].Transform = nil
	}
	importer.Rules = []reference.Rule{
		{Column: "SKU", Rules: "required|string"},
		{Column: "Price", Rules: "required|numeric|min:0"},
		{Column: "Stock", Rules: "required|integer|min:0"},
	}
	sys := rig.NewSystem(b, rig.SystemOptions{
		RedisURL: redis.URL(), Database: url, Importers: map[string]string{"products.yaml": importer.YAML()},
		Env: []string{"INGEST_LEASE=15s", "INGEST_SWEEP=2s"},
	})
	sys.Migrate()
	sys.Coordinator()
	sys.Worker()
	engine := func() time.Duration {
		began := time.Now()
		sys.Must(0, "run", "products", "--file", path, "--quiet")
		return time.Since(began)
	}
	for b.Loop() {
		server.SQL("bench", productsTable)
		staged := psql(b, url, path)
		server.SQL("bench", productsTable)
		created := engine()
		unchanged := engine()
		b.ReportMetric(benchRows/created.Seconds(), "rows/s")
		b.ReportMetric(staged.Seconds()/created.Seconds(), "×psql-new")
		b.ReportMetric(staged.Seconds()/unchanged.Seconds(), "×psql-unchanged")
	}
}

// psql runs the staged upsert by hand and returns how long it took.
func psql(b *testing.B, url, path string) time.Duration {
	b.Helper()
	command := exec.CommandContext(b.Context(), "psql", "-q", "-v", "ON_ERROR_STOP=1", url,
		"-c", `CREATE TEMP TABLE staged (sku text, name text, description text, price numeric(10,2), category text, stock integer)`,
		"-c", fmt.Sprintf(`\copy staged FROM '%s' CSV HEADER`, path),
		"-c", `INSERT INTO products (sku, name, description, price, category, stock) SELECT * FROM staged
			ON CONFLICT (sku) DO UPDATE SET name = excluded.name, description = excluded.description,
			price = excluded.price, category = excluded.category, stock = excluded.stock`)
	began := time.Now()
	if out, err := command.CombinedOutput(); err != nil {
		b.Fatalf("psql: %v\n%s", err, out)
	}
	return time.Since(began)
}

// BenchmarkDiscard runs 1,000,000 rows through everything but a destination: read, routed, handed out, checked, recorded. What a
// destination costs is the difference.
func BenchmarkDiscard(b *testing.B) {
	redis := rig.StartRedis(b, rig.RedisOptions{})
	path := filepath.Join(b.TempDir(), "products.csv")
	file, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	if err := (reference.Products{Seed: 1, Rows: benchRows}).Write(file); err != nil {
		b.Fatal(err)
	}
	if err := file.Close(); err != nil {
		b.Fatal(err)
	}
	sys := rig.NewSystem(b, rig.SystemOptions{
		RedisURL: redis.URL(), Env: []string{"INGEST_LEASE=15s", "INGEST_SWEEP=2s", "INGEST_CONNECTIONS_NONE_URL=discard:"},
		Importers: map[string]string{"products.yaml": "importer: products\nsource: {path: " + path + "}\nkey: SKU\non_duplicate: update\n" +
			"destination: {connection: none, table: products}\nrules: {Price: required|numeric, Stock: required|integer}\nfields:\n" +
			"  - {from: SKU, to: sku}\n  - {from: Name, to: name}\n  - {from: Price, to: price, type: \"decimal(10,2)\"}\n" +
			"  - {from: Category, to: category}\n  - {from: Stock, to: stock, type: integer}\n"},
	})
	sys.Coordinator()
	sys.Worker()
	for b.Loop() {
		began := time.Now()
		sys.Must(0, "run", "products", "--file", path, "--quiet")
		b.ReportMetric(benchRows/time.Since(began).Seconds(), "rows/s")
	}
}
