package rig_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ingest/integration/reference"
	"ingest/integration/rig"
)

// TestSystem proves the rig's own parts on a small import: commands, roles, books, dump, twin.
func TestSystem(t *testing.T) {
	t.Parallel()
	installations := map[string]func(t *testing.T) rig.SystemOptions{
		"embedded": func(*testing.T) rig.SystemOptions { return rig.SystemOptions{} },
		"redis and postgres": func(t *testing.T) rig.SystemOptions {
			return rig.SystemOptions{
				RedisURL: rig.StartRedis(t, rig.RedisOptions{}).URL(), Database: rig.StartPostgres(t).Database("app"),
			}
		},
	}
	for name, options := range installations {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := reference.Products{Seed: 1, Rows: 500, Repeated: 0.2, Bad: 0.1}.Text()
			importer := reference.ProductsImporter("products.csv", "update")
			importer.ChunkSize, importer.Partitions = 20, 3
			installation := options(t)
			installation.Importers = map[string]string{"products.yaml": importer.YAML()}
			s := rig.NewSystem(t, installation)
			s.Write("products.csv", file)
			table := reference.NewTable(importer)
			want, err := importer.Import(table, strings.NewReader(file))
			if err != nil {
				t.Fatal(err)
			}

			s.Migrate()
			id := int64(1)
			if installation.RedisURL == "" {
				s.Must(3, "run", "products")
			} else {
				s.Coordinator()
				s.Worker()
				s.Worker()
				id = s.Begin("products")
			}
			run := s.Await(id, time.Minute)
			if run.Status != "completed_with_errors" || run.Progress.Failed != want.Failed || run.Created != want.Created {
				t.Errorf("run = %+v, want %d failed and %d created", run, want.Failed, want.Created)
			}
			s.Check(id)
			if diff := cmp.Diff(table.Lines(), s.Dump("products", table.Columns...)); diff != "" {
				t.Errorf("table (-twin +engine):\n%s", diff)
			}
		})
	}
}
