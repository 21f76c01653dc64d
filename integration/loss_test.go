package integration

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"ingest/integration/reference"
	"ingest/integration/rig"
)

// TestRedisIsEmptied loses everything in Redis in the middle of a run, and again a second later.
func TestRedisIsEmptied(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, to target) {
		in := install(t, to, rig.RedisOptions{}, big(80_000), func(i *reference.Importer) { i.Partitions = 3 }, slow)
		in.Coordinator()
		in.Worker()
		in.Worker()
		id := in.Begin("products")
		rig.Until(t, patience, "progress", func() bool { return in.Status(id).Progress.Processed > 10_000 })
		in.redis.Command("FLUSHALL")
		wait(t, time.Second)
		if in.Status(id).Terminal() {
			t.Fatal("the run was too short to prove anything")
		}
		in.redis.Command("FLUSHALL")
		in.want.check(t, in.System, in.Await(id, patience))
	})
}

// TestRedisComesBackOlder kills Redis and starts it with a copy of its append-only file from a while before.
func TestRedisComesBackOlder(t *testing.T) {
	t.Parallel()
	in := install(t, toPostgres, rig.RedisOptions{AOF: true}, big(120_000), nil, slow)
	in.Coordinator()
	in.Worker()
	in.Worker()
	id := in.Begin("products")
	rig.Until(t, patience, "progress", func() bool { return in.Status(id).Progress.Processed > 5_000 })
	saved := in.redis.Save()
	before := in.Status(id).Progress.Processed
	rig.Until(t, patience, "more progress", func() bool { return in.Status(id).Progress.Processed > before+15_000 })
	in.redis.RestartFrom(saved)
	in.want.check(t, in.System, in.Await(id, patience))
}

// TestRedisIsRestarted kills Redis and starts it again with what it had on disk.
func TestRedisIsRestarted(t *testing.T) {
	t.Parallel()
	in := install(t, toPostgres, rig.RedisOptions{AOF: true}, big(60_000), nil, slow)
	in.Coordinator()
	in.Worker()
	id := in.Begin("products")
	rig.Until(t, patience, "progress", func() bool { return in.Status(id).Progress.Processed > 5_000 })
	in.redis.Restart()
	in.want.check(t, in.System, in.Await(id, patience))
}

// TestRegistryIsStopped stops the PostgreSQL that holds registry and destination: while it is gone the run is answered
// from Redis and says what it waits for; when it is back, the run goes on.
func TestRegistryIsStopped(t *testing.T) {
	t.Parallel()
	in := install(t, toPostgres, rig.RedisOptions{}, big(60_000), nil, slow)
	in.Coordinator()
	in.Worker()
	id := in.Begin("products")
	rig.Until(t, patience, "progress", func() bool {
		r := in.Status(id)
		return r.Progress.Processed > 5_000 && r.Progress.Failed > 0
	})
	in.postgres.Kill9()
	r := in.Status(id)
	if !strings.HasPrefix(text(r.WaitingFor), "Waiting: the database of connection 'default' cannot be used (The database ") {
		t.Errorf("the run waits for %q", text(r.WaitingFor))
	}
	if r.Status != "processing" || r.Importer != "products" || r.Progress.Processed <= 5_000 || r.StartedAt == nil || r.BytesTotal == 0 {
		t.Errorf("the run is answered as %+v", r)
	}
	if out := in.Must(0, "errors", fmt.Sprint(id)); !strings.Contains(out, "field") {
		t.Errorf("errors says\n%s", out)
	}
	if result := in.CLI("status", "999"); result.Code != 1 || !strings.Contains(result.Stderr, "cannot be reached") {
		t.Errorf("an unknown run: exit code %d, %s", result.Code, result.Stderr)
	}
	wait(t, lookBack)
	in.postgres.Start()
	in.want.check(t, in.System, in.Await(id, patience))
}

// TestDatabaseIsStopped stops PostgreSQL for ten seconds: the run waits, says so, goes on, and no row fails by it.
func TestDatabaseIsStopped(t *testing.T) {
	t.Parallel()
	server := rig.StartPostgres(t)
	url := server.Database("warehouse")
	// The registry is in SQLite, so that `status` answers while the destination is gone.
	in := install(t, toSQLite, rig.RedisOptions{}, big(60_000),
		func(i *reference.Importer) { i.Connection = "warehouse" }, "INGEST_CONNECTIONS_WAREHOUSE_URL="+url, slow)
	in.want.url = url
	in.Coordinator()
	in.Worker()
	id := in.Begin("products")
	rig.Until(t, patience, "progress", func() bool { return in.Status(id).Progress.Processed > 5_000 })
	server.Kill9()
	stopped := time.Now()
	rig.Until(t, 10*time.Second, "the status saying what the run waits for", func() bool {
		waiting := in.Status(id).WaitingFor
		return waiting != nil && strings.Contains(*waiting, "warehouse")
	})
	wait(t, 10*time.Second-time.Since(stopped))
	if status := in.Status(id).Status; status != "processing" {
		t.Fatalf("the run is %s while its database is stopped", status)
	}
	server.Start()
	in.want.check(t, in.System, in.Await(id, patience))
}
