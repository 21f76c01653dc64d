package destination

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ingest/shared/column"
	"ingest/shared/database"
	"ingest/shared/importer"
	"ingest/shared/lifecycle"
)

func TestCreate(t *testing.T) {
	t.Parallel()
	forEach(t, func(t *testing.T, _ features, db *database.DB) {
		yes := true
		d := importer.Definition{
			Key: []string{"E-Mail", "Shop"}, Destination: importer.Destination{Table: "created", CreateTable: &yes},
			Fields: []importer.Field{
				{From: []string{"Mail", "E-Mail"}, To: "email"},
				{From: []string{"Shop"}, To: "shop no", Type: "integer"},
				{From: []string{"P"}, To: "price", Type: "decimal(10,2)"},
			},
		}
		create := func(ctx context.Context) error { return Create(ctx, db, d) }
		more := slices.Repeat([]func(context.Context) error{create}, 5*connections) // than the pool has
		if err := lifecycle.Parallel(t.Context(), more...); err != nil {
			t.Fatal(err)
		}
		if err := create(t.Context()); err != nil {
			t.Fatalf("again: %v", err)
		}
		table, err := db.Table(t.Context(), "created")
		if err != nil {
			t.Fatal(err)
		}
		kinds := map[string]column.Kind{}
		for _, c := range table.Columns {
			kinds[c.Name] = c.Type.Kind
		}
		want := map[string]column.Kind{"id": column.Integer, "email": column.Text, "shop no": column.Integer, "price": column.Decimal}
		if diff := cmp.Diff(want, kinds); diff != "" {
			t.Errorf("columns (-want +got):\n%s", diff)
		}
		if index, ok := table.UniqueOn([]string{"email", "shop no"}); !ok || index.Name != "created_email_shop no_key" {
			t.Errorf("unique indexes: %+v", table.Unique)
		}
	})
}

func TestCreateLeavesAloneWhatIsThereOrNotWanted(t *testing.T) {
	t.Parallel()
	forEach(t, func(t *testing.T, _ features, db *database.DB) {
		no, yes := false, true
		d := importer.Definition{Destination: importer.Destination{Table: "x", CreateTable: &no}, Fields: []importer.Field{{From: []string{"ID"}, To: "ID"}}}
		if err := Create(t.Context(), db, d); err != nil {
			t.Fatal(err)
		}
		if _, err := db.Table(t.Context(), "x"); !errors.Is(err, database.ErrNoTable) {
			t.Fatalf("exists: %v", err)
		}
		execute(t, db, "CREATE TABLE x (other text)")
		d.Destination.CreateTable = &yes
		d.Key = []string{"ID"}
		if err := Create(t.Context(), db, d); err != nil {
			t.Fatal(err)
		}
		table, err := db.Table(t.Context(), "x")
		if err != nil || len(table.Columns) != 1 || len(table.Unique) != 0 {
			t.Fatalf("%+v, %v", table, err)
		}
	})
}

func TestCreateRefusesTypesItDoesNotKnow(t *testing.T) {
	t.Parallel()
	forEach(t, func(t *testing.T, _ features, db *database.DB) {
		yes := true
		for _, name := range []string{"varchar", "text(5)", "decimal(10,2); DROP TABLE x", "integer)"} {
			d := importer.Definition{Destination: importer.Destination{Table: "y", CreateTable: &yes}, Fields: []importer.Field{{From: []string{"a"}, To: "a", Type: name}}}
			if err := Create(t.Context(), db, d); err == nil || !strings.Contains(err.Error(), "unknown type") {
				t.Errorf("type %q: %v", name, err)
			}
		}
	})
}

func TestAKeyNeedsAUniqueIndex(t *testing.T) {
	t.Parallel()
	forEach(t, func(t *testing.T, _ features, db *database.DB) {
		execute(t, db, `CREATE TABLE products (sku text, "shop no" integer)`)
		tg := target(t, db, "products", importer.Update, []string{"sku", "shop no"}, []string{"sku", "shop no"})
		_, err := New(db, tg)
		if err == nil {
			t.Fatal("no error")
		}
		_, statement, found := strings.Cut(err.Error(), ": ")
		if !found || !strings.HasPrefix(statement, "CREATE UNIQUE INDEX") {
			t.Fatal(err)
		}
		execute(t, db, statement) // the statement that the message offers helps
		if _, err := New(db, target(t, db, "products", importer.Update, []string{"sku", "shop no"}, []string{"sku", "shop no"})); err != nil {
			t.Fatal(err)
		}
	})
}
