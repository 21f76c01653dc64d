package bench

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	"ingest/integration/rig"
	"ingest/shared/lifecycle"
)

// The contenders, as results and targets name them.
const (
	direct    = `psql \copy into the table`
	staged    = `psql staged upsert`
	twoStaged = `psql staged upsert, two connections`
	again     = `psql staged upsert, every row updated`
	pgloader  = `pgloader`
	created   = `ingest`
	unchanged = `ingest, every row unchanged`
	updated   = `ingest, every row updated`
	skipping  = `ingest, on_duplicate skip`
	failing   = `ingest, on_duplicate fail`
)

// postgres starts a PostgreSQL server that forces what it commits onto the disk.
func (b *Bench) postgres(args ...string) store {
	b.Helper()
	server := rig.StartPostgres(b, append([]string{"-c", "fsync=on", "-c", "max_wal_size=4GB", "-c", "shared_buffers=512MB"}, args...)...)
	to := server.Database("bench")
	return store{
		b: b, name: "postgres", url: to, pid: server.PID(), flush: "CHECKPOINT",
		table: `id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, sku text NOT NULL, name text, description text,
			price numeric(10,2), category text, stock integer`,
		do: func(statements ...string) error {
			args := []string{"--no-psqlrc", "-q", "-v", "ON_ERROR_STOP=1", to}
			for _, statement := range statements {
				args = append(args, "-c", statement)
			}
			_, err := run(b, "", "psql", args...)
			return err
		},
		ask: func(query string) string { return server.SQL("bench", query)[0] },
	}
}

// copyIn is \copy of a whole file.
func copyIn(table, path string) string {
	return fmt.Sprintf(`\copy %s FROM '%s' CSV HEADER`, table, path)
}

// stageProducts is what people write by hand: \copy into a temporary table and INSERT … ON CONFLICT.
func stageProducts(path string) []string {
	return []string{
		`CREATE TEMP TABLE staged (sku text, name text, description text, price numeric(10,2), category text, stock integer)`,
		copyIn("staged", path),
		`INSERT INTO products (` + columns + `) SELECT * FROM staged ON CONFLICT (sku) DO UPDATE SET ` + overwrite(overwrote, "%s = excluded.%s"),
	}
}

// stageTwo is the same with one half of the file in each of two connections.
func (s store) stageTwo(path string) func() {
	one, two := s.b.halves(path)
	return func() {
		half := func(path string) func(context.Context) error {
			return func(context.Context) error { return s.do(stageProducts(path)...) }
		}
		if err := lifecycle.Parallel(s.b.Context(), half(one), half(two)); err != nil {
			s.b.Fatal(err)
		}
	}
}

// pgloader reads what it has to do from a file.
func (s store) pgloader(path string) func() {
	s.b.Helper()
	to, err := url.Parse(s.url)
	if err != nil {
		s.b.Fatal(err)
	}
	load := filepath.Join(s.b.TempDir(), "products.load")
	text := fmt.Sprintf(`LOAD CSV FROM '%s' HAVING FIELDS (%s)
INTO postgresql://%s@%s%s?sslmode=disable TARGET TABLE public.products (%s)
WITH skip header = 1, fields optionally enclosed by '"', fields escaped by double-quote, fields terminated by ',';
`, path, columns, to.User.Username(), to.Host, to.Path, columns)
	if err := os.WriteFile(load, []byte(text), 0o600); err != nil {
		s.b.Fatal(err)
	}
	return func() {
		if _, err := run(s.b, "", "pgloader", "--quiet", load); err != nil {
			s.b.Fatal(err)
		}
	}
}

// productsPostgres is the main scene.
func productsPostgres(b *Bench) {
	db := b.postgres()
	s := b.stand(setup{store: db, importers: map[string]string{
		"update": productsImporter("", "update"), "skip": productsImporter("", "skip"), "fail": productsImporter("", "fail"),
	}})
	for _, rows := range b.options.Sizes {
		one, other := b.products(rows), b.changed(min(rows, enough))
		// Whoever updates rows finds the same ones: new, in a table that nobody has updated yet.
		there := func() {
			db.empty()
			db.must(copyIn("products ("+columns+")", one), db.flush)
		}
		contenders := []contender{
			{name: direct, before: db.empty, run: db.does(copyIn("products ("+columns+")", one))},
			{name: skipping, before: db.empty, run: s.imports("skip", one), most: enough},
			{name: failing, before: db.empty, run: s.imports("fail", one), most: enough},
			{name: twoStaged, before: db.empty, run: db.stageTwo(one), most: enough},
			{name: staged, before: db.empty, run: db.does(stageProducts(one)...)},
			{name: created, before: db.empty, run: s.imports("update", one)},
			{name: unchanged, run: s.imports("update", one)},
			{name: updated, before: there, run: s.imports("update", other), most: enough},
			{name: again, before: there, run: db.does(stageProducts(other)...), most: enough},
		}
		if installed("pgloader") {
			contenders = append(contenders, contender{name: pgloader, before: db.empty, run: db.pgloader(one), most: enough})
		}
		b.race("products/postgres", rows, s.watched, db.count("products"), contenders...)
	}
}
