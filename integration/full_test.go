package integration

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"ingest/integration/reference"
	"ingest/integration/rig"
	"ingest/shared/database/dbtest"
)

// survivesAFullDisk has the disk of the destination full in the middle of a run.
func (in installation) survivesAFullDisk(t *testing.T, dir, says string) {
	t.Helper()
	in.Coordinator()
	in.Worker()
	id := in.Begin("products")
	rig.Until(t, patience, "progress", func() bool { return in.Status(id).Progress.Processed > 300 })
	empty := dbtest.Fill(t, dir)
	in.waits(t, id, "Waiting: the database of connection 'warehouse' cannot be used ("+says+") since ")
	empty()
	in.proven(t, id)
}

// crowded is a file whose rows need more room than a block or two.
var crowded = reference.Products{Seed: 7, Rows: 12_000, Repeated: 0.2, Bad: 0.02}

// TestTheDiskOfPostgresIsFull while a run writes: it waits, says why, and goes on when there is room.
func TestTheDiskOfPostgresIsFull(t *testing.T) {
	t.Parallel()
	server := rig.StartPostgres(t)
	url := server.Database("warehouse")
	dir := dbtest.Tablespace(t, "24m")
	server.SQL("warehouse", "CREATE TABLESPACE small LOCATION '"+dir+"'")
	server.SQL("warehouse", "ALTER DATABASE warehouse SET default_tablespace = small")
	in := install(t, toSQLite, rig.RedisOptions{}, crowded, func(i *reference.Importer) { i.Connection = "warehouse"; throttled(i) },
		"INGEST_CONNECTIONS_WAREHOUSE_URL="+url, slow)
	in.want.url = url
	in.survivesAFullDisk(t, filepath.Dir(dir), "The database has no room or no connection left (53100).")
}

// TestTheDiskOfSQLiteIsFull: the same for a file.
func TestTheDiskOfSQLiteIsFull(t *testing.T) {
	t.Parallel()
	dir := dbtest.Small(t, "24m")
	in := install(t, toSQLite, rig.RedisOptions{}, crowded, func(i *reference.Importer) { i.Connection = "warehouse"; throttled(i) },
		"INGEST_CONNECTIONS_WAREHOUSE_URL=sqlite:"+filepath.Join(dir, "warehouse.db"), slow)
	in.want.url = "sqlite:" + filepath.Join(dir, "warehouse.db")
	in.survivesAFullDisk(t, dir, "The database has no room or no connection left (13).")
}

// TestTheDiskOfRedisIsFull: Redis refuses to write until there is room for its append-only file.
func TestTheDiskOfRedisIsFull(t *testing.T) {
	t.Parallel()
	dir := dbtest.Small(t, "16m")
	in := install(t, toSQLite, rig.RedisOptions{AOF: true, Dir: dir}, crowded, throttled, slow, "INGEST_IN_FLIGHT=1MiB")
	in.Coordinator()
	in.Worker()
	id := in.Begin("products")
	rig.Until(t, patience, "progress", func() bool { return in.Status(id).Progress.Processed > 300 })
	empty := dbtest.Fill(t, dir)
	rig.Until(t, patience, "Redis refusing to write", func() bool {
		return strings.Contains(in.redis.Command("INFO", "persistence"), "aof_last_write_status:err")
	})
	if in.Status(id).Terminal() {
		t.Fatal("the run was too short to prove anything")
	}
	empty()
	in.proven(t, id)
}

// TestTheDiskOfTheSpoolIsFull: an upload is refused, leaves nothing, and is taken when there is room.
func TestTheDiskOfTheSpoolIsFull(t *testing.T) {
	t.Parallel()
	dir := dbtest.Small(t, "16m")
	in := install(t, toPostgres, rig.RedisOptions{}, crowded, nil, "INGEST_DATA_DIR="+dir)
	api := in.Coordinator().API()
	in.Worker()
	text := crowded.Text()
	empty := dbtest.Fill(t, dir)
	refused := api.Do(http.MethodPost, rig.Base+"/upload/products?filename=products.csv&replace=true", text, "Content-Type", "text/csv").
		Must(t, http.StatusServiceUnavailable)
	if !strings.Contains(refused.Body, "the spool has no room") {
		t.Errorf("the refusal: %s", refused.Body)
	}
	if left, err := filepath.Glob(filepath.Join(dir, "spool", "*.csv*")); err != nil || len(left) > 0 {
		t.Errorf("the spool holds %v (%v)", left, err)
	}
	empty()
	r := api.Do(http.MethodPost, rig.Base+"/upload/products?filename=products.csv&replace=true", text, "Content-Type", "text/csv").
		Must(t, http.StatusAccepted).Run(t)
	in.proven(t, r.ID)
}
