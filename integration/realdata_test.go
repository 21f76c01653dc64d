package integration

import (
	"fmt"
	"path/filepath"
	"testing"

	"ingest/integration/reference"
	"ingest/integration/rig"
)

// airports are the three shipped importers, as the twin knows them.
func airports(t *testing.T) []reference.Importer {
	t.Helper()
	return []reference.Importer{
		reference.Countries(demoFile(t, "countries.csv")),
		reference.Regions(demoFile(t, "regions.csv")),
		reference.Navaids(demoFile(t, "navaids.csv")),
	}
}

// TestResultDoesNotDependOnTheMachinery imports the real data on Redis and PostgreSQL with every number of workers,
// chunk size and partition count at least once, each pair of them, too; INGEST_TEST_MATRIX=full runs all combinations.
func TestResultDoesNotDependOnTheMachinery(t *testing.T) {
	t.Parallel()
	server := rig.StartPostgres(t)
	redis := rig.StartRedis(t, rig.RedisOptions{})
	workers, sizes, lanes := []int{1, 2, 4}, []int{1, 7, 1000}, []int{1, 3, 16}
	for w, worker := range workers {
		for s, size := range sizes {
			for l, partitions := range lanes {
				// A Latin square: every pair of values once.
				if !fullMatrix() && (w+s+l)%3 != 0 {
					continue
				}
				name := fmt.Sprintf("%d workers, chunks of %d, %d partitions", worker, size, partitions)
				t.Run(name, func(t *testing.T) {
					settings := rig.SystemOptions{
						RedisURL: redis.URL(), Database: server.Database(fmt.Sprintf("m%d_%d_%d", worker, size, partitions)),
						Importers: map[string]string{}, Env: []string{"INGEST_ROOTS=" + filepath.Dir(demoFile(t, "x"))},
					}
					importers := airports(t)
					if size == 1 && !fullMatrix() {
						// The small ones have thousands of rows, and every row costs a transaction.
						importers = importers[:2]
					}
					for i := range importers {
						importers[i].ChunkSize, importers[i].Partitions = size, partitions
						settings.Importers[importers[i].Slug+".yaml"] = importers[i].YAML()
					}
					sys := rig.NewSystem(t, settings)
					sys.Migrate()
					sys.Coordinator()
					for range worker {
						sys.Worker()
					}
					var ids []int64
					for _, importer := range importers {
						ids = append(ids, sys.Begin(importer.Slug))
					}
					for i, importer := range importers {
						expect(t, importer, importer.Path).check(t, sys, sys.Await(ids[i], patience))
					}
				})
			}
		}
	}
}

// TestSecondImportChangesNothing: the same file again is unchanged, row by row.
func TestSecondImportChangesNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, to target) {
		in := install(t, to, rig.RedisOptions{}, reference.Products{Seed: 5, Rows: 20_000, Bad: 0.01}, nil)
		in.Coordinator()
		in.Worker()
		in.want.check(t, in.System, in.Await(in.Begin("products"), patience))
		again := expect(t, in.want.importer, in.want.importer.Path, in.want.importer.Path)
		if again.result.Unchanged == 0 || again.result.Created != 0 {
			t.Fatalf("the twin says %+v", again.result)
		}
		again.check(t, in.System, in.Await(in.Begin("products"), patience))
	})
}

// TestDuplicateStrategies imports a file with repeated keys with each strategy.
func TestDuplicateStrategies(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, to target) {
		for _, strategy := range []string{"skip", "update", "upsert", "fail"} {
			t.Run(strategy, func(t *testing.T) {
				t.Parallel()
				in := install(t, to, rig.RedisOptions{}, reference.Products{Seed: 5, Rows: 5000, Repeated: 0.3, Bad: 0.02},
					func(i *reference.Importer) { i.OnDuplicate, i.ChunkSize, i.Partitions = strategy, 100, 3 })
				in.Coordinator()
				in.Worker()
				in.want.check(t, in.System, in.Await(in.Begin("products"), patience))
			})
		}
	})
}
