package integration

import (
	"fmt"
	"strings"
	"testing"

	"ingest/integration/reference"
	"ingest/integration/rig"
	"ingest/shared/database"
	"ingest/shared/ledger"
)

// The places between two stores where a process can die, in the order in which a run comes by them. Those of coordinators
// are two lists: a run is split, then it ends.
var (
	splitPoints = []string{
		"supervise.created", "supervise.restored", "split.leased", "split.fixed", "split.created", "split.restored",
		"split.begun", "split.emitted", "split.sealed", "split.leave",
	}
	workerPoints = []string{
		"worker.acquired", "worker.fetched", "worker.advanced", "worker.written", "worker.recorded", "worker.committed",
		"worker.acked", "worker.release",
	}
	finishPoints = []string{"finish.reconciled", "finish.merged", "finish.registered", "finish.published"}
	stopPoints   = []string{"stop.marked", "stop.closed", "finish.merged", "finish.registered", "finish.published"}
)

// crashing makes an installation of the binary whose processes die where they are told to.
func crashing(t *testing.T, to target, rows int, env ...string) installation {
	t.Helper()
	in := install(t, to, rig.RedisOptions{}, reference.Products{Seed: 7, Rows: rows, Repeated: 0.2, Bad: 0.02},
		func(i *reference.Importer) { i.Partitions = 3 }, append(env, "INGEST_SLOTS=1", "INGEST_LEASE=500ms", slow)...)
	in.System = in.With(rig.Failing(t))
	return in
}

// at starts a role that does something the k-th time that it comes by a place.
func (in installation) at(role, point string, k int, action string) *rig.Process {
	return in.StartWith([]string{fmt.Sprintf("FAILPOINT=%s:%d:%s", point, k, action)}, role)
}

// dies starts a role that dies at a place, and waits until it is dead.
func (in installation) dies(t *testing.T, role, point string, k int) {
	t.Helper()
	p := in.at(role, point, k, "sigkill")
	if code := p.Wait(patience); code != -1 || !strings.Contains(p.Output(), "failpoint "+point) {
		t.Fatalf("%s ended with %d instead of being killed at %s:\n%s", role, code, point, p.Output())
	}
}

// proven checks a run that completed against the twin, the ledger's proof and the invariants.
func (in installation) proven(t *testing.T, id int64) {
	t.Helper()
	in.want.check(t, in.System, in.Await(id, patience))
	url := in.want.url
	if url == "" {
		url = in.Database()
	}
	in.CheckLedger(id, url)
	rig.Until(t, patience, "Redis letting go of the run", in.released)
}

// TestProcessesDieBetweenTwoStores: at every place where one store has been written and the next one not yet, a process
// dies in the course of one run, and another one goes on.
func TestProcessesDieBetweenTwoStores(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, to target) {
		in := crashing(t, to, 3000)
		accepting := in.Coordinator()
		accepting.Stop() // it keeps its announcement, so that a run can be begun which nobody looks after yet
		begun := in.StartWith([]string{"FAILPOINT=start.registered:1:sigkill"}, "run", "products", "--detach")
		if code := begun.Wait(patience); code != -1 {
			t.Fatalf("run ended with %d instead of being killed: %s", code, begun.Output())
		}
		accepting.Kill9()
		const id = 1
		for _, point := range splitPoints {
			in.dies(t, "coordinator", point, 1)
		}
		for _, point := range workerPoints {
			// The second time, so that each of them also does a chunk.
			k := 2
			if point == "worker.acquired" || point == "worker.release" {
				k = 1
			}
			in.dies(t, "worker", point, k)
		}
		in.Worker()
		for _, point := range finishPoints {
			in.dies(t, "coordinator", point, 1)
		}
		in.Coordinator()
		in.proven(t, id)
	})
}

// TestCoordinatorsDieWhileTheyStopARun at every place between two stores; the run that fails keeps its reason.
func TestCoordinatorsDieWhileTheyStopARun(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, to target) {
		in := crashing(t, to, 3000, "INGEST_MAX_FAILED_ROWS=10")
		in.Coordinator().Term()
		coordinator := in.Coordinator()
		id := in.Begin("products")
		rig.Until(t, patience, "the split", func() bool { return in.Status(id).TotalFinal })
		coordinator.Kill9()
		in.Worker()
		for _, point := range append([]string{"supervise.failed"}, stopPoints...) {
			in.dies(t, "coordinator", point, 1)
		}
		in.Coordinator()
		r := in.Await(id, patience)
		if r.Status != "failed" || text(r.Reason) != "More than 10 rows failed (max_failed_rows)." {
			t.Errorf("the run is %s: %s", r.Status, text(r.Reason))
		}
		in.Check(id)
		verify(t, in.System, id)
	})
}

// zombies are the places where a worker may freeze without keeping the others from writing: SQLite has one writer, and no
// way to end the transaction of a process that lives.
func zombies(to target) []string {
	if to == toSQLite {
		return []string{"worker.fetched", "worker.committed", "worker.acked"}
	}
	return []string{"worker.fetched", "worker.advanced", "worker.written", "worker.recorded", "worker.committed", "worker.acked"}
}

// TestZombiesWakeUp: workers freeze at every place; others take over. When the run is over the zombies wake up, some after
// its ledger was pruned, and change nothing.
func TestZombiesWakeUp(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, to target) {
		in := crashing(t, to, 3000)
		in.Coordinator()
		id := in.Begin("products")
		var frozen []*rig.Process
		for _, point := range zombies(to) {
			zombie := in.at("worker", point, 2, "sigstop")
			zombie.AwaitOutput("failpoint "+point, patience)
			frozen = append(frozen, zombie)
		}
		in.Worker()
		in.proven(t, id)
		// One half wakes up after the end, the other when the ledger does not know the run any more.
		for i, zombie := range frozen {
			if i == len(frozen)/2 {
				prune(t, in, id)
			}
			zombie.Cont()
			if code := zombie.Term(); code != 0 {
				t.Errorf("the zombie ended with %d", code)
			}
		}
		in.want.checkTable(t, in.System)
		if left := rig.Query(t, in.Database(), "SELECT COUNT(*) AS n FROM ingest_chunks UNION ALL SELECT COUNT(*) AS n FROM ingest_partitions"); strings.Join(left, " ") != "0 0" {
			t.Errorf("the pruned ledger has %v rows", left)
		}
	})
}

// TestAHeartThatStops: the worker goes on and its heartbeat does not, so that its lease runs out in the middle of a chunk.
// Both workers want the chunk, and it takes effect once.
func TestAHeartThatStops(t *testing.T) {
	t.Parallel()
	in := crashing(t, toPostgres, 1000)
	in.Coordinator()
	first := in.Worker()
	in.proven(t, in.Begin("products"))
	first.Term()
	in.Exec("UPDATE products SET name = 'other'")
	release := lockTable(t, in, "products")
	id := in.Begin("products")
	stopping := in.at("worker", "worker.renew", 1, "hang")
	stopping.AwaitOutput("failpoint worker.renew", patience)
	other := in.StartWith([]string{"INGEST_SLOTS=4"}, "worker")
	other.AwaitOutput("partition taken over", patience)
	release()
	r := in.Await(id, patience)
	if r.Progress.Processed != in.want.result.Total || r.Created != 0 {
		t.Errorf("%+v", r)
	}
	in.Check(id)
	verify(t, in.System, id)
	in.want.checkTable(t, in.System)
	// What hangs cannot be asked to end.
	stopping.Kill9()
}

// prune takes a run from the ledger.
func prune(t *testing.T, in installation, id int64) {
	t.Helper()
	uid := rig.Query(t, in.Database(), fmt.Sprintf("SELECT uid FROM ingest_runs WHERE id = %d", id))[0]
	db, err := database.Open(database.Config{Name: "prune", URL: in.Database()})
	if err != nil {
		t.Fatal(err)
	}
	if err := ledger.New(db).Prune(t.Context(), uid); err != nil {
		t.Error(err)
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
}
