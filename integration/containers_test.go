package integration

import (
	"os/exec"
	"strings"
	"testing"

	"ingest/integration/reference"
	"ingest/integration/rig"
)

// TestTheSystemInContainers brings compose.yaml up, uploads a file with curl, scales workers 1 → 4 → 1 in the middle of
// the import, kills one, and compares what is in the table with the twin.
func TestTheSystemInContainers(t *testing.T) {
	t.Parallel()
	images := rig.BuildImages(t)
	file := reference.Products{Seed: 11, Rows: 100_000, Repeated: 0.2, Bad: 0.01}.Text()
	importer := reference.ProductsImporter("products.csv", "update")
	importer.ChunkSize, importer.Partitions = 20, 8
	var ops struct{ Data struct{ Token, Line string } }
	decode(t, images.Run(t, "token", "ops", "--role", "operator", "--output", "json"), &ops)
	compose := rig.StartCompose(t, rig.ComposeOptions{
		Images: images, Tokens: ops.Data.Line + "\n",
		Importers: map[string]string{"products.yaml": strings.Replace(importer.YAML(), `{type: filesystem, path: "products.csv"}`, "{type: upload}", 1)},
	})
	// The same binary outside looks into the databases of the containers.
	sys := rig.NewSystem(t, rig.SystemOptions{
		RedisURL: "redis://" + compose.Address("redis", 6379) + "/0",
		Database: "postgres://ingest:ingest@" + compose.Address("postgres", 5432) + "/ingest?sslmode=disable",
		Env:      []string{"INGEST_NAMESPACE=ingest"},
	})
	path := sys.Write("products.csv", file)
	upload := func(token string) (run rig.Run, status string) {
		t.Helper()
		output, err := exec.CommandContext(t.Context(), "curl", "-sS", "-w", "%{http_code}", "-H", "Authorization: Bearer "+token,
			"-F", "file=@"+path, "http://"+compose.Published("coordinator", 8080)+"/api/v1/ingest/upload/products").CombinedOutput()
		if err != nil {
			t.Fatalf("curl: %v\n%s", err, output)
		}
		end := len(output) - len("200")
		var body struct{ Data rig.Run }
		decode(t, string(output[:end]), &body)
		return body.Data, string(output[end:])
	}
	if _, status := upload("nobody's"); status != "401" {
		t.Errorf("without a token of the file: %s", status)
	}
	run, status := upload(ops.Data.Token)
	if status != "202" || run.ID != 1 {
		t.Fatalf("the upload: %s, run %d", status, run.ID)
	}
	id := run.ID
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
	want := expect(t, importer, path)
	want.check(t, sys, sys.Await(id, 2*patience))
	compose.AwaitHealthy("coordinator")
	compose.AwaitHealthy("worker")
}
