package integration

import (
	"errors"
	"math/rand/v2"
	"regexp"
	"testing"
	"time"

	"ingest/integration/reference"
	"ingest/integration/rig"
	"ingest/shared/database"
	"ingest/shared/lifecycle"
)

// big is a run that takes seconds, so that there is something to kill.
func big(rows int) reference.Products {
	return reference.Products{Seed: 7, Rows: rows, Repeated: 0.2, Bad: 0.01}
}

// each runs a test on every database; on MariaDB only among the long ones.
func each(t *testing.T, test func(t *testing.T, to target)) {
	t.Helper()
	targets := []target{toSQLite, toPostgres}
	if fullMatrix() {
		targets = append(targets, toMariaDB)
	}
	on(t, targets, test)
}

func on(t *testing.T, targets []target, test func(t *testing.T, to target)) {
	t.Helper()
	for _, to := range targets {
		t.Run(string(to), func(t *testing.T) {
			t.Parallel()
			test(t, to)
		})
	}
}

// wait lets time pass in which processes work. It is not a wait for something to have happened.
func wait(t *testing.T, d time.Duration) {
	t.Helper()
	if err := lifecycle.Wait(t.Context(), d, nil); err != nil {
		t.Fatal(err)
	}
}

// TestWorkersAreKilled kills workers at random all through an import; each is replaced at once.
func TestWorkersAreKilled(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, to target) {
		in := install(t, to, rig.RedisOptions{}, big(200_000), func(i *reference.Importer) { i.Partitions = 6 })
		in.Coordinator()
		workers := []*rig.Process{in.Worker(), in.Worker()}
		id := in.Begin("products")
		random := rand.New(rand.NewPCG(1, 2))
		kills := 0
		for !in.Status(id).Terminal() {
			wait(t, time.Duration(100+random.IntN(400))*time.Millisecond)
			if kills < 12 {
				victim := random.IntN(len(workers))
				workers[victim].Kill9()
				workers[victim] = in.Worker()
				kills++
			}
		}
		if kills < 3 {
			t.Fatalf("only %d workers were killed: the run was too short to prove anything", kills)
		}
		in.want.check(t, in.System, in.Await(id, patience))
	})
}

// TestCoordinatorIsKilledWhileItSplits kills coordinators in the middle of the split; the next one goes on.
func TestCoordinatorIsKilledWhileItSplits(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, to target) {
		// Little may be in flight, so that the split lasts as long as the writing.
		in := install(t, to, rig.RedisOptions{}, big(200_000), func(i *reference.Importer) { i.Partitions = 6 }, "INGEST_IN_FLIGHT=1MiB")
		coordinator := in.Coordinator()
		in.Worker()
		id := in.Begin("products")
		kills := 0
		for last := int64(0); kills < 4; {
			rig.Until(t, patience, "progress of the split", func() bool {
				r := in.Status(id)
				return r.Progress.Processed > last+10_000 || r.TotalFinal
			})
			r := in.Status(id)
			if r.TotalFinal {
				break
			}
			last = r.Progress.Processed
			coordinator.Kill9()
			coordinator = in.Coordinator()
			kills++
		}
		if kills < 2 {
			t.Fatalf("the coordinator was killed %d times: the split was too short to prove anything", kills)
		}
		in.want.check(t, in.System, in.Await(id, patience))
	})
}

// TestTwoCoordinators split the same runs at once.
func TestTwoCoordinators(t *testing.T) {
	t.Parallel()
	in := install(t, toPostgres, rig.RedisOptions{}, big(50_000), nil)
	in.Coordinator()
	in.Coordinator()
	in.Worker()
	in.want.check(t, in.System, in.Await(in.Begin("products"), patience))
}

// TestWorkerIsAskedToStop ends workers politely in a loop, as a rolling restart does.
func TestWorkerIsAskedToStop(t *testing.T) {
	t.Parallel()
	in := install(t, toPostgres, rig.RedisOptions{}, big(60_000), nil)
	in.Coordinator()
	worker := in.Worker()
	id := in.Begin("products")
	for !in.Status(id).Terminal() {
		wait(t, 300*time.Millisecond)
		if code := worker.Term(); code != 0 {
			t.Fatalf("the worker ended with %d", code)
		}
		worker = in.Worker()
	}
	in.want.check(t, in.System, in.Await(id, patience))
}

// TestASilentWorkerIsWaitedFor: while what is left is held by a worker that was killed, the run says so and for how long.
func TestASilentWorkerIsWaitedFor(t *testing.T) {
	t.Parallel()
	in := install(t, toPostgres, rig.RedisOptions{}, reference.Products{Seed: 7, Rows: 3000, Bad: 0.01},
		func(i *reference.Importer) { i.Partitions = 1 }, slow, "INGEST_LEASE=10s", "INGEST_SLOTS=1")
	in.System = in.With(rig.Failing(t))
	in.Coordinator()
	id := in.Begin("products")
	rig.Until(t, patience, "the split", func() bool { return in.Status(id).TotalFinal })
	in.dies(t, "worker", "worker.fetched", 1)
	in.Worker()
	said := regexp.MustCompile(`^Waiting: the worker that holds partition 0 is silent; its lease runs out in [1-5] s, then another one goes on\.$`)
	rig.Until(t, patience, "the run saying that it waits for the lease", func() bool { return said.MatchString(text(in.Status(id).WaitingFor)) })
	in.want.check(t, in.System, in.Await(id, patience))
}

// TestZombieWritesNothing freezes a worker in the middle of its COPY: the server waits for the rest and holds the head.
// Another worker takes over after the lease, and when the first wakes up it changes nothing.
func TestZombieWritesNothing(t *testing.T) {
	t.Parallel()
	in := install(t, toPostgres, rig.RedisOptions{}, reference.Products{Seed: 7, Rows: 80_000, Bad: 0.01},
		func(i *reference.Importer) { i.Partitions, i.ChunkSize = 1, 20_000 }, "INGEST_SLOTS=1")
	in.Coordinator()
	zombie := in.Worker()
	id := in.Begin("products")
	rig.Until(t, patience, "progress", func() bool { return in.Status(id).Progress.Processed > 1000 })
	release := lockTable(t, in, "products")
	rig.Until(t, patience, "a COPY in flight", func() bool {
		return in.postgres.SQL("ingest", `SELECT count(*) FROM pg_stat_activity
			WHERE application_name LIKE 'ingest %/%' AND query ILIKE '%COPY %STDIN%' AND wait_event_type = 'Lock'`)[0] != "0"
	})
	zombie.Stop()
	release()
	stopped := in.Status(id)
	began := time.Now()
	in.Worker()
	rig.Until(t, patience, "the other worker taking over", func() bool {
		return in.Status(id).Progress.Processed > stopped.Progress.Processed
	})
	t.Logf("the other worker was started and had its first chunk committed after %s (lease 1s)", time.Since(began))
	zombie.Cont()
	in.want.check(t, in.System, in.Await(id, patience))
	frozen(t, in, in.Status(id))
}

// lockTable keeps everybody from writing a table, of SQLite all of them, until release is called; reading goes on.
func lockTable(t *testing.T, in installation, table string) (release func()) {
	t.Helper()
	db, err := database.Open(database.Config{Name: "lock", URL: in.Database()})
	if err != nil {
		t.Fatal(err)
	}
	tx, err := db.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if db.Dialect() == database.Postgres {
		if _, err := tx.Exec(t.Context(), "LOCK TABLE "+db.Quote(table)+" IN SHARE MODE"); err != nil {
			t.Fatal(err)
		}
	}
	return func() {
		if err := errors.Join(tx.Rollback(), db.Close()); err != nil {
			t.Error(err)
		}
	}
}
