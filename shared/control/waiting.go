package control

import (
	"context"
	"fmt"
	"slices"
	"time"

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
		return textOf(progress.Waiting)
	}
	coordinators, workers := live(processes, coordinator), live(processes, worker)
	text := ""
	switch {
	case len(coordinators) == 0:
		text = noCoordinator
	case !knows(coordinators, r.Connection):
		text = unconnected(coordinator, r.Connection)
	case progress.Waiting != "":
		text = progress.Waiting
	case !progress.SplitDone && r.Origin.Spool != "" && !sees(coordinators, r.Origin.Spool):
		text = "Waiting: no running coordinator reads the spool that holds the source."
	case len(workers) == 0:
		text = "Waiting: no worker is running (start `ingest worker`)."
	case !knows(workers, r.Connection):
		text = unconnected(worker, r.Connection)
	}
	return textOf(text)
}

// The roles of processes.
const (
	coordinator = "coordinator"
	worker      = "worker"
)

const noCoordinator = "Waiting: no coordinator is running (start `ingest coordinator`)."

func unconnected(role, connection string) string {
	return fmt.Sprintf("Waiting: no running %s knows the connection '%s' (configure it there, too).", role, connection)
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
