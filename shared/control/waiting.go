package control

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"ingest/shared/database"
	"ingest/shared/importer"
	"ingest/shared/pipeline"
	"ingest/shared/redisstore"
	"ingest/shared/run"
)

// taken is how long a new run may take to be taken up before that is worth a word.
const taken = 3 * time.Second

// unknown says why Redis does not know a run; "" when it just has to be told.
func (c *Control) unknown(ctx context.Context, r run.Run) string {
	embedded := c.settings.Embedded()
	if c.redis == nil {
		return "Waiting: nothing executes it (`ingest up` continues it)."
	}
	processes, err := c.redis.Processes(ctx)
	coordinators := live(processes, coordinator)
	switch {
	case embedded && len(coordinators) == 0:
		return "Waiting: nothing executes it (`ingest up` continues it)."
	case err != nil:
		return "Waiting: Redis cannot be reached (see redis.url in `ingest config`)."
	case len(coordinators) == 0:
		return noCoordinator
	case !knows(coordinators, r.Connection):
		return unconnected(coordinator, r.Connection)
	case unequipped(coordinators, coordinator, r) != "":
		return unequipped(coordinators, coordinator, r)
	case c.now().Sub(r.CreatedAt) < taken:
		return ""
	default:
		return "Waiting: a coordinator has to take it up."
	}
}

// waitingFor says what a run cannot go on without; nil while it goes on.
func (c *Control) waitingFor(ctx context.Context, r run.Run, progress redisstore.Progress) *string {
	processes, err := c.redis.Processes(ctx)
	if err != nil {
		return textOf(since(progress))
	}
	coordinators, workers := live(processes, coordinator), live(processes, worker)
	text := ""
	switch {
	case len(coordinators) == 0:
		text = noCoordinator
	case !knows(coordinators, r.Connection):
		text = unconnected(coordinator, r.Connection)
	case !progress.SplitDone && unequipped(coordinators, coordinator, r) != "":
		text = unequipped(coordinators, coordinator, r)
	case progress.Waiting != "":
		text = since(progress)
	case !progress.SplitDone && r.Origin.Spool != "" && !sees(coordinators, r.Origin.Spool):
		text = "Waiting: no running coordinator reads the spool that holds the source."
	case len(workers) == 0:
		text = noWorker
	case !knows(workers, r.Connection):
		text = unconnected(worker, r.Connection)
	case unequipped(workers, worker, r) != "":
		text = unequipped(workers, worker, r)
	case !progress.Stopping && progress.Failure == "":
		text = silent(progress, workers)
	}
	return textOf(text)
}

// silent says whose lease a run waits for: all that is left to do is held by workers that should have renewed theirs; "" while
// one of them is heard, a partition can be taken, or the split may bring something to do for others.
func silent(p redisstore.Progress, workers []redisstore.Process) string {
	next := -1
	for n, part := range p.Partitions {
		switch {
		case part.Emitted <= part.Acked && p.SplitDone:
			continue
		case part.Emitted <= part.Acked || part.LeaseLeft <= 0 || part.LeaseLeft > part.Lease/2: // it is renewed after a third
			return ""
		case next < 0 || part.LeaseLeft < p.Partitions[next].LeaseLeft:
			next = n
		}
		process, _, _ := strings.Cut(part.Owner, "/")
		workers = slices.DeleteFunc(slices.Clone(workers), func(w redisstore.Process) bool { return w.ID == process })
	}
	switch {
	case next < 0:
		return ""
	case len(workers) == 0:
		return noWorker
	default:
		return fmt.Sprintf("Waiting: the worker that holds partition %d is silent; its lease runs out in %d s, then another one goes on.",
			next, int(math.Ceil(p.Partitions[next].LeaseLeft.Seconds())))
	}
}

// since is what a run waits for by its processes, and since when; "" for nothing.
func since(p redisstore.Progress) string {
	if p.Waiting == "" || p.WaitingSince.IsZero() {
		return p.Waiting
	}
	return strings.TrimSuffix(p.Waiting, ".") + " since " + p.WaitingSince.UTC().Format("2006-01-02 15:04:05") + " UTC."
}

// cutOff says that the database of a connection cannot be asked.
func cutOff(connection string, err error) string {
	return fmt.Sprintf("Waiting: the database of connection '%s' cannot be used (%s).", connection, database.Explain(err).Reason())
}

// The roles of processes.
const (
	coordinator = "coordinator"
	worker      = "worker"
)

const (
	noCoordinator = "Waiting: no coordinator is running (start `ingest coordinator`)."
	noWorker      = "Waiting: no worker is running (start `ingest worker`)."
)

func unconnected(role, connection string) string {
	return fmt.Sprintf("Waiting: no running %s knows the connection '%s' (configure it there, too).", role, connection)
}

// unequipped says which names of the language a run needs that no running process of a role has; "" for none. A run that
// was read without its definition needs none.
func unequipped(processes []redisstore.Process, role string, r run.Run) string {
	if len(r.Definition) == 0 {
		return ""
	}
	definition, err := importer.FromSnapshot(r.Definition)
	if err != nil {
		return ""
	}
	needs := definition.Uses().Without(pipeline.Names())
	if role == worker {
		needs = needs.Rows()
	}
	for _, p := range processes {
		if !slices.ContainsFunc(needs.List(), func(name string) bool { return !slices.Contains(p.Extensions, name) }) {
			return ""
		}
	}
	return fmt.Sprintf("Waiting: no running %s has all that the importer names (%s): start the program that has.",
		role, strings.Join(needs.List(), ", "))
}

func live(processes []redisstore.Process, role string) []redisstore.Process {
	return slices.DeleteFunc(slices.Clone(processes), func(p redisstore.Process) bool { return p.Role != role })
}

func knows(processes []redisstore.Process, connection string) bool {
	return slices.ContainsFunc(processes, func(p redisstore.Process) bool { return slices.Contains(p.Connections, connection) })
}

func sees(processes []redisstore.Process, spool string) bool {
	return slices.ContainsFunc(processes, func(p redisstore.Process) bool { return slices.Contains(p.Spools, spool) })
}
