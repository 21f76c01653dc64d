package integration

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"ingest/integration/reference"
	"ingest/integration/rig"
)

// commits is how the end of a transaction looks on its way to a server.
var commits = map[target]string{toPostgres: "COMMIT\x00", toMariaDB: "\x03COMMIT"}

// servers are the databases that there is a way to; MariaDB only among the long tests.
func servers() []target {
	if fullMatrix() {
		return []target{toPostgres, toMariaDB}
	}
	return []target{toPostgres}
}

// behindProxy makes an installation whose workers reach the database by way of a proxy; everybody else does not.
func behindProxy(t *testing.T, to target) (in installation, proxy *rig.Proxy, worker func() *rig.Process) {
	t.Helper()
	in = install(t, to, rig.RedisOptions{}, reference.Products{Seed: 7, Rows: 3000, Repeated: 0.2, Bad: 0.02},
		func(i *reference.Importer) { i.Partitions = 3 }, slow)
	var url string
	if to == toMariaDB {
		proxy = rig.StartProxy(t, in.mariadb.Addr())
		url = strings.Replace(in.mariadb.URL("ingest"), in.mariadb.Addr(), proxy.Address(), 1)
	} else {
		proxy = rig.StartProxy(t, in.postgres.Addr())
		url = in.postgres.URLAt(proxy.Address(), "ingest")
	}
	return in, proxy, func() *rig.Process {
		return in.StartWith([]string{"INGEST_CONNECTIONS_DEFAULT_URL=" + url}, "worker")
	}
}

// headIsWaitedFor says that a chunk transaction waits for another one's.
func (in installation) headIsWaitedFor() bool {
	if in.mariadb != nil {
		return in.mariadb.SQL("ingest", `SELECT COUNT(*) FROM information_schema.PROCESSLIST
			WHERE INFO LIKE 'UPDATE %ingest_partitions% SET next_chunk%'`)[0] != "0"
	}
	return in.postgres.SQL("ingest", `SELECT count(*) FROM pg_stat_activity
		WHERE application_name LIKE 'ingest %/%' AND wait_event_type = 'Lock'`)[0] != "0"
}

// TestTheReplyOfACommitIsLost: it took effect or it did not, and nobody knows until the head says so. Every third commit of a
// run is lost, its reply or the whole request.
func TestTheReplyOfACommitIsLost(t *testing.T) {
	t.Parallel()
	for name, loss := range map[string]rig.Loss{"the reply": rig.LostReply, "the request": rig.LostRequest} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			on(t, servers(), func(t *testing.T, to target) {
				in, proxy, worker := behindProxy(t, to)
				proxy.Lose(loss, commits[to], 3)
				in.Coordinator()
				worker()
				in.proven(t, in.Begin("products"))
				if proxy.Lost() < 10 {
					t.Errorf("only %d commits were lost", proxy.Lost())
				}
			})
		})
	}
}

// TestALateCommitIsNotRepeated: the connection is cut while a COMMIT is on its way, which arrives while the worker already
// tries the chunk again.
func TestALateCommitIsNotRepeated(t *testing.T) {
	t.Parallel()
	on(t, servers(), func(t *testing.T, to target) {
		in, proxy, worker := behindProxy(t, to)
		in.Coordinator()
		worker()
		id := in.Begin("products")
		for range 3 {
			before := proxy.Lost()
			proxy.Lose(rig.LateRequest, commits[to], 1)
			rig.Until(t, patience, "a commit on its way", func() bool { return proxy.Lost() > before })
			proxy.Heal()
			rig.Until(t, patience, "the next attempt waiting for the first", in.headIsWaitedFor)
			proxy.Deliver()
		}
		in.proven(t, id)
	})
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

// TestAnInterruptedLookIsNoAnswer: who gives up while Redis is silent is not shown a run without rows.
func TestAnInterruptedLookIsNoAnswer(t *testing.T) {
	t.Parallel()
	in := install(t, toSQLite, rig.RedisOptions{}, reference.Products{Seed: 7, Rows: 1500}, nil)
	in.Coordinator()
	id := in.Begin("products")
	proxy := rig.StartProxy(t, in.redis.Addr())
	proxy.Lose(rig.Silence, "hello", 1)
	through := []string{"INGEST_REDIS_URL=redis://" + proxy.Address() + "/0"}
	for _, args := range [][]string{{"status"}, {"status", "--watch"}} {
		before := proxy.Lost()
		looking := in.StartWith(through, append(args, strconv.FormatInt(id, 10))...)
		rig.Until(t, patience, "the look reaching Redis", func() bool { return proxy.Lost() > before })
		looking.Signal(os.Interrupt)
		if code := looking.Wait(patience); code != 130 || strings.Contains(looking.Output(), "Processed") || strings.Contains(looking.Output(), "cannot be read") {
			t.Errorf("%v ended with %d: %s", args, code, looking.Output())
		}
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
