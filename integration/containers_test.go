package integration

import (
	"path/filepath"
	"testing"

	"ingest/integration/reference"
	"ingest/integration/rig"
)

// TestTheSystemInContainers brings compose.yaml up, scales workers 1 → 4 → 1 in the middle of an import, kills one, and
// compares what is in the table with the twin.
func TestTheSystemInContainers(t *testing.T) {
	t.Parallel()
	images := rig.BuildImages(t)
	file := reference.Products{Seed: 11, Rows: 100_000, Repeated: 0.2, Bad: 0.01}.Text()
	importer := reference.ProductsImporter("/files/products.csv", "update")
	importer.ChunkSize, importer.Partitions = 20, 8
	compose := rig.StartCompose(t, rig.ComposeOptions{
		Images: images, Importers: map[string]string{"products.yaml": importer.YAML()}, Files: map[string]string{"products.csv": file},
	})
	// The same binary outside looks into the databases of the containers.
	sys := rig.NewSystem(t, rig.SystemOptions{
		RedisURL: "redis://" + compose.Address("redis", 6379) + "/0",
		Database: "postgres://ingest:ingest@" + compose.Address("postgres", 5432) + "/ingest?sslmode=disable",
		Env:      []string{"INGEST_NAMESPACE=ingest"},
	})
	compose.Exec("coordinator", "run", "products", "--detach")
	const id = 1
	processed := func(more int64) {
		t.Helper()
		from := sys.Status(id).Progress.Processed
		rig.Until(t, patience, "progress", func() bool {
			r := sys.Status(id)
			return r.Terminal() || r.Progress.Processed > from+more
		})
		if sys.Status(id).Terminal() {
			t.Fatal("the run was too short to prove anything")
		}
	}
	processed(2_000)
	compose.Scale("worker", 4)
	workers := compose.Containers("worker")
	if len(workers) != 4 {
		t.Fatalf("%d workers, want 4", len(workers))
	}
	processed(5_000)
	compose.Kill(workers[0])
	processed(5_000)
	compose.Scale("worker", 1)
	if workers := compose.Containers("worker"); len(workers) != 1 {
		t.Fatalf("%d workers, want 1", len(workers))
	}
	if sys.Status(id).Terminal() {
		t.Fatal("the run was too short to prove anything")
	}
	want := expect(t, importer, sys.Write(filepath.Join("twin", "products.csv"), file))
	want.check(t, sys, sys.Await(id, 2*patience))
	compose.AwaitHealthy("coordinator")
	compose.AwaitHealthy("worker")
}
