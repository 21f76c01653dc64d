package integration

import (
	"testing"

	"ingest/integration/reference"
	"ingest/integration/rig"
)

// TestASmallRunDoesNotWaitBehindABigOne: with one slot, a small import started in the middle of a big one ends first.
func TestASmallRunDoesNotWaitBehindABigOne(t *testing.T) {
	t.Parallel()
	in := install(t, toPostgres, rig.RedisOptions{}, reference.Products{Seed: 1, Rows: 80_000}, nil, "INGEST_SLOTS=1", slow)
	small := reference.ProductsImporter(products(t, t.TempDir(), reference.Products{Seed: 2, Rows: 100}), "update")
	small.Slug, small.Table = "small", "small"
	in.Write("importers/small.yaml", small.YAML())
	in.Coordinator()
	in.Worker()
	big := in.Begin("products")
	rig.Until(t, patience, "progress", func() bool { return in.Status(big).Progress.Processed > 1000 })
	id := in.Begin("small", "--file", small.Path)
	if r := in.Await(id, patience); r.Status != "completed" {
		t.Fatalf("the small run is %s", r.Status)
	}
	if in.Status(big).Terminal() {
		t.Error("the small run ended after the big one")
	}
	in.want.check(t, in.System, in.Await(big, patience))
}
