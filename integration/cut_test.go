package integration

import (
	"fmt"
	"testing"

	"ingest/integration/reference"
	"ingest/integration/rig"
)

// commit is how the end of a transaction looks on its way to PostgreSQL.
const commit = "COMMIT\x00"

// behindProxy makes an installation whose workers reach PostgreSQL by way of a proxy; everybody else does not.
func behindProxy(t *testing.T) (in installation, proxy *rig.Proxy, worker func() *rig.Process) {
	t.Helper()
	in = install(t, toPostgres, rig.RedisOptions{}, reference.Products{Seed: 7, Rows: 3000, Repeated: 0.2, Bad: 0.02},
		func(i *reference.Importer) { i.Partitions = 3 }, slow)
	proxy = rig.StartProxy(t, in.postgres.Addr())
	return in, proxy, func() *rig.Process {
		return in.StartWith([]string{"INGEST_CONNECTIONS_DEFAULT_URL=" + in.postgres.URLAt(proxy.Address(), "ingest")}, "worker")
	}
}

// TestTheReplyOfACommitIsLost: it took effect or it did not, and nobody knows until the head says so. Every third commit of a
// run is lost, its reply or the whole request.
func TestTheReplyOfACommitIsLost(t *testing.T) {
	t.Parallel()
	for name, loss := range map[string]rig.Loss{"the reply": rig.LostReply, "the request": rig.LostRequest} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in, proxy, worker := behindProxy(t)
			proxy.Lose(loss, commit, 3)
			in.Coordinator()
			worker()
			in.proven(t, in.Begin("products"))
			if proxy.Lost() < 10 {
				t.Errorf("only %d commits were lost", proxy.Lost())
			}
		})
	}
}

// TestALateCommitIsNotRepeated: the connection is cut while a COMMIT is on its way, which arrives while the worker already
// tries the chunk again.
func TestALateCommitIsNotRepeated(t *testing.T) {
	t.Parallel()
	in, proxy, worker := behindProxy(t)
	in.Coordinator()
	worker()
	id := in.Begin("products")
	for range 3 {
		before := proxy.Lost()
		proxy.Lose(rig.LateRequest, commit, 1)
		rig.Until(t, patience, "a commit on its way", func() bool { return proxy.Lost() > before })
		proxy.Heal()
		rig.Until(t, patience, "the next attempt waiting for the first", func() bool {
			return in.postgres.SQL("ingest", `SELECT count(*) FROM pg_stat_activity
				WHERE application_name LIKE 'ingest %/%' AND wait_event_type = 'Lock'`)[0] != "0"
		})
		proxy.Deliver()
	}
	in.proven(t, id)
}

// TestRepliesOfRedisAreLost: what a script did is not done again when its reply is lost and it is asked once more. The n-th
// reply of every n is lost, for several n, so that each kind of script meets it.
func TestRepliesOfRedisAreLost(t *testing.T) {
	t.Parallel()
	every := []int{3, 7}
	if fullMatrix() {
		every = []int{2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 17, 19, 23}
	}
	for _, n := range every {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			in := install(t, toSQLite, rig.RedisOptions{}, reference.Products{Seed: 7, Rows: 3000, Repeated: 0.2, Bad: 0.02},
				func(i *reference.Importer) { i.Partitions = 3 }, slow)
			proxy := rig.StartProxy(t, in.redis.Addr())
			through := []string{"INGEST_REDIS_URL=redis://" + proxy.Address() + "/0"}
			in.CoordinatorWith(through)
			in.StartWith(through, "worker")
			proxy.Lose(rig.LostReply, "evalsha", n)
			in.proven(t, in.Begin("products"))
			if proxy.Lost() < 20 {
				t.Errorf("only %d replies were lost", proxy.Lost())
			}
		})
	}
}

// TestRedisFallsSilent: replies do not come, and nobody says so.
func TestRedisFallsSilent(t *testing.T) {
	t.Parallel()
	in := install(t, toSQLite, rig.RedisOptions{}, reference.Products{Seed: 7, Rows: 1500, Repeated: 0.2, Bad: 0.02},
		func(i *reference.Importer) { i.Partitions = 3 }, slow)
	proxy := rig.StartProxy(t, in.redis.Addr())
	through := []string{"INGEST_REDIS_URL=redis://" + proxy.Address() + "/0"}
	in.CoordinatorWith(through)
	in.StartWith(through, "worker")
	proxy.Lose(rig.Silence, "evalsha", 60)
	in.proven(t, in.Begin("products"))
	if proxy.Lost() == 0 {
		t.Error("no reply was lost")
	}
}
