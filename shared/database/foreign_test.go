package database_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"ingest/shared/column"
	"ingest/shared/database"
	"ingest/shared/database/dbtest"
)

func TestPostgresForeignKeys(t *testing.T) {
	t.Parallel()
	db := open(t, database.Config{URL: dbtest.Postgres(t)})
	exec(t, db, "CREATE SCHEMA shop", "CREATE TABLE shop.products (shop int, sku text, id int UNIQUE, PRIMARY KEY (sku, shop))",
		`CREATE TABLE "Tags" (id int PRIMARY KEY, "The Name" text UNIQUE)`,
		"CREATE TABLE parts (id int PRIMARY KEY) PARTITION BY RANGE (id)", "CREATE TABLE part PARTITION OF parts FOR VALUES FROM (0) TO (10)",
		`CREATE TABLE pivot (c text, a int, b text CONSTRAINT z REFERENCES "Tags" ("The Name"), p int CONSTRAINT p REFERENCES parts,
			d int CONSTRAINT d REFERENCES shop.products (id), CONSTRAINT m FOREIGN KEY (c, a) REFERENCES shop.products)`)
	want := []column.ForeignKey{
		{Columns: []string{"d"}, Schema: "shop", Table: "products", References: []string{"id"}},
		{Columns: []string{"c", "a"}, Schema: "shop", Table: "products", References: []string{"sku", "shop"}},
		{Columns: []string{"p"}, Schema: "public", Table: "parts", References: []string{"id"}},
		{Columns: []string{"b"}, Schema: "public", Table: "Tags", References: []string{"The Name"}},
	}
	if diff := cmp.Diff(want, describe(t, db, "pivot").Foreign); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestSQLiteForeignKeys(t *testing.T) {
	t.Parallel()
	db := open(t, database.Config{URL: dbtest.SQLite(t)})
	exec(t, db, "CREATE TABLE products (shop int, sku text, id int UNIQUE, PRIMARY KEY (sku, shop))",
		`CREATE TABLE "Tags" (id INTEGER PRIMARY KEY, "The Name" text UNIQUE)`,
		`CREATE TABLE pivot (c text, a int, b text REFERENCES tags ("the name"), d int REFERENCES PRODUCTS (ID), n int REFERENCES nowhere, m int REFERENCES nowhere (x),
			t int REFERENCES "Tags", FOREIGN KEY (c, a) REFERENCES products)`)
	want := []column.ForeignKey{
		{Columns: []string{"b"}, Table: "Tags", References: []string{"The Name"}},
		{Columns: []string{"d"}, Table: "products", References: []string{"id"}},
		{Columns: []string{"n"}, Table: "nowhere"},
		{Columns: []string{"m"}, Table: "nowhere", References: []string{"x"}},
		{Columns: []string{"t"}, Table: "Tags", References: []string{"id"}},
		{Columns: []string{"c", "a"}, Table: "products", References: []string{"sku", "shop"}},
	}
	if diff := cmp.Diff(want, describe(t, db, "pivot").Foreign); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
