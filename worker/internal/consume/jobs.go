package consume

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"ingest/shared/config"
	"ingest/shared/database"
	"ingest/shared/extend"
	"ingest/shared/metrics"
	"ingest/shared/redisstore"
	"ingest/shared/sink"
	"ingest/worker/internal/apply"
)

// job is a run as the slots of this process share it.
type job struct {
	*apply.Job
	ref        redisstore.Ref
	connection string
	// told is the last wait for max_rows_per_second that was told, guarded by throttles.
	told time.Time
}

// jobs keeps the compiled runs of this process. It is safe for concurrent use.
type jobs struct {
	redis      *redisstore.Store
	databases  *database.Pool
	settings   config.Config
	extensions extend.Extensions
	sinks      *sink.Pool
	log        *zap.Logger
	metrics    *metrics.Metrics

	mu    sync.Mutex
	known map[int64]*job
	// foreign are runs whose destination is not configured here, or that need names of the language that this program does
	// not have: other workers do them.
	foreign map[int64]bool
}

// get returns the run compiled; nil for a run Redis does not know, that has no partitions yet, or that this worker
// cannot do because it does not know the connection or a name of the language.
func (j *jobs) get(ctx context.Context, id int64) (*job, error) {
	j.mu.Lock()
	known, foreign := j.known[id], j.foreign[id]
	j.mu.Unlock()
	if known != nil || foreign {
		return known, nil
	}
	state, found, err := j.redis.Definition(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("read run %d: %w", id, err)
	}
	if !found || state.Partitions == 0 {
		return nil, nil
	}
	connection, lacks, err := apply.Needs(state.Definition, j.extensions)
	if err != nil {
		return nil, j.fail(ctx, state.Ref, err.Error())
	}
	if len(lacks) > 0 {
		j.leave(id, fmt.Errorf("this program does not have: %s", strings.Join(lacks, ", ")))
		return nil, nil
	}
	db, err := j.databases.Get(connection)
	if unknown := (*database.NoConnection)(nil); errors.As(err, &unknown) {
		j.leave(id, unknown)
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("open the destination of run %d: %w", id, err)
	}
	parts := apply.Parts{DB: db, FailedLimit: j.settings.MaxFailedRows, Extensions: j.extensions, Metrics: j.metrics, Run: id}
	if j.sinks.Has(connection) {
		if parts.Sink, err = j.sinks.Get(connection); err != nil {
			return nil, j.fail(ctx, state.Ref, "The destination cannot be opened: "+extend.Message(err)+".")
		}
	}
	compiled, err := apply.NewJob(state.UID, state.Definition, state.Manifest, state.DryRun, parts)
	if reason := apply.Reason(err); reason != "" {
		return nil, j.fail(ctx, state.Ref, reason)
	}
	if err != nil {
		return nil, fmt.Errorf("compile run %d: %w", id, err)
	}
	if compiled == nil {
		return nil, nil
	}
	made := &job{Job: compiled, ref: state.Ref, connection: connection}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.known[id] = made
	return made, nil
}

// leave notes, and says once, that a run is for other workers.
func (j *jobs) leave(id int64, why error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if !j.foreign[id] {
		j.log.Warn("the run is left to other workers", zap.Int64("run", id), zap.Error(why))
	}
	j.foreign[id] = true
}

// fail reports that a run cannot be worked on.
func (j *jobs) fail(ctx context.Context, ref redisstore.Ref, reason string) error {
	j.metrics.Fatal()
	return j.redis.Fail(ctx, ref, reason)
}

// drop forgets a run that Redis does not know by this uid: another one may have its id.
func (j *jobs) drop(id int64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	delete(j.known, id)
}

// keep forgets runs that are not active any more. A run that was forgotten by Redis and restored keeps its id and uid.
func (j *jobs) keep(active []int64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	still := make(map[int64]*job, len(active))
	for _, id := range active {
		if known := j.known[id]; known != nil {
			still[id] = known
		}
	}
	j.known = still
	maps.DeleteFunc(j.foreign, func(id int64, _ bool) bool { return !slices.Contains(active, id) })
}
