// Package supervise looks after every run that is not terminal: it makes runs known to Redis, has them split, heals
// what a lost Redis left behind, and is the only one that ends runs – the registry first, Redis second.
//
// Everything is derived anew in each sweep from registry, ledger and Redis, so a supervisor can die at any point and
// any other goes on. Two at once are harmless: every change of a status is a compare-and-set in the registry.
package supervise

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"ingest/coordinator/internal/split"
	"ingest/shared/config"
	"ingest/shared/database"
	"ingest/shared/extend"
	"ingest/shared/failpoint"
	"ingest/shared/importer"
	"ingest/shared/ledger"
	"ingest/shared/lifecycle"
	"ingest/shared/metrics"
	"ingest/shared/pipeline"
	"ingest/shared/redisstore"
	"ingest/shared/registry"
	"ingest/shared/run"
	"ingest/shared/spool"
)

// Parts are what a Supervisor works with.
type Parts struct {
	Config     config.Config
	Registry   *registry.Registry
	Redis      *redisstore.Store
	Databases  *database.Pool
	Spool      *spool.Spool
	Splitter   *split.Splitter
	Extensions extend.Extensions
	Metrics    *metrics.Metrics
	Now        func() time.Time
	Log        *zap.Logger
}

// Supervisor sweeps. Make it with New, start it with Run.
type Supervisor struct {
	Parts

	mu        sync.Mutex
	splitting map[int64]bool
	// stopping says since when this supervisor has been stopping a run.
	stopping map[int64]time.Time
	// foreign are runs whose destination is not configured here, or that need names of the language that this program does
	// not have: other coordinators look after them.
	foreign map[int64]bool
}

// New returns a Supervisor.
func New(p Parts) *Supervisor {
	return &Supervisor{Parts: p, splitting: map[int64]bool{}, stopping: map[int64]time.Time{}, foreign: map[int64]bool{}}
}

// Run sweeps whenever a wake-up comes and every few seconds, until ctx ends; it then waits for its splits to let go.
func (s *Supervisor) Run(ctx context.Context) error {
	wake, closeWake := s.Redis.Listen(ctx, redisstore.Runs)
	defer closeWake()
	tasks := lifecycle.NewTasks(ctx)
	tasks.Go("sweep", func(ctx context.Context) error {
		return lifecycle.Loop(ctx, s.Config.Sweep, wake, func(ctx context.Context) error {
			s.sweep(ctx, tasks)
			return nil
		})
	})
	tasks.Go("clean the spool", func(ctx context.Context) error {
		return lifecycle.Loop(ctx, cleanEvery, nil, func(ctx context.Context) error {
			if err := s.clean(ctx); err != nil {
				s.warn(ctx, "the spool was not cleaned", 0, err)
			}
			return nil
		})
	})
	return tasks.Wait()
}

// sweep tends every active run. What fails is logged and tried again in the next sweep.
func (s *Supervisor) sweep(ctx context.Context, splits *lifecycle.Tasks) {
	active, err := s.Registry.Active(ctx)
	if err != nil {
		s.warn(ctx, "the registry cannot be read", 0, err)
		return
	}
	known := make(map[int64]bool, len(active))
	var seen backlog
	for _, r := range active {
		known[r.ID] = true
		if err := s.tend(ctx, r, splits, &seen); err != nil {
			s.warn(ctx, "the run has to wait", r.ID, err)
		}
	}
	if seen.Runs = len(active); seen.asked == seen.Runs {
		seen.At = s.Now()
		s.Metrics.Backlog(seen.Backlog)
	}
	s.forget(known)
	if err := s.retire(ctx, known); err != nil {
		s.warn(ctx, "ended runs could not be taken from Redis", 0, err)
	}
}

// backlog is summed up while the sweep asks Redis for every run anyway: a scrape costs no server anything. With a run
// that could not be asked for, the last sum stays.
type backlog struct {
	metrics.Backlog
	asked int
}

func (b *backlog) add(p redisstore.Progress) {
	b.asked++
	b.Bytes += p.InFlight
	for _, lane := range p.Partitions {
		b.Chunks += max(0, lane.Emitted-lane.Acked)
	}
}

// forget drops what is remembered of runs that are not active any more, whoever ended them.
func (s *Supervisor) forget(active map[int64]bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(s.stopping, func(id int64, _ time.Time) bool { return !active[id] })
	maps.DeleteFunc(s.foreign, func(id int64, _ bool) bool { return !active[id] })
}

func (s *Supervisor) warn(ctx context.Context, text string, id int64, err error) {
	if ctx.Err() == nil {
		s.Log.Warn(text, zap.Int64("run", id), zap.Error(err))
	}
}

// tend does for one run what its state asks for.
func (s *Supervisor) tend(ctx context.Context, r run.Run, splits *lifecycle.Tasks, seen *backlog) error {
	progress, known, err := s.Redis.Progress(ctx, r.ID)
	if err != nil {
		return fmt.Errorf("read the state in Redis: %w", err)
	}
	seen.add(progress)
	db, err := s.Databases.Get(r.Connection)
	if unknown := (*database.NoConnection)(nil); errors.As(err, &unknown) {
		return s.leave(ctx, r, unknown)
	}
	if err != nil {
		return fmt.Errorf("open the destination: %w", err)
	}
	book := ledger.New(db)
	if known && progress.UID == r.UID && progress.Status.Terminal() {
		return s.endedInRedis(ctx, r)
	}
	if !known || progress.UID != r.UID || (r.Manifest != nil && len(progress.Partitions) < r.Manifest.Lanes()) {
		return s.restore(ctx, r, book, splits)
	}
	if !stopping(r) {
		if reason := s.failing(r, progress); reason != "" {
			return s.fail(ctx, r, reason)
		}
	}
	if stopping(r) {
		return s.waiting(ctx, r, s.stop(ctx, r, db, progress))
	}
	if r.Manifest == nil || !progress.SplitDone {
		if err := s.split(ctx, r, progress.Waiting, splits); err != nil {
			return err
		}
	}
	if r.Manifest == nil {
		return nil
	}
	return s.waiting(ctx, r, s.finish(ctx, r, db, progress))
}

// stopping says that a run is to end before its source does.
func stopping(r run.Run) bool { return r.Status == run.Cancelling || r.Reason != "" }

// leave leaves a run to a coordinator that knows its connection; what it waits for is told by whoever reports it, from
// what the processes say of themselves. One that is to end before anything was written needs no destination.
func (s *Supervisor) leave(ctx context.Context, r run.Run, unknown *database.NoConnection) error {
	if stopping(r) && r.Manifest == nil {
		return s.stop(ctx, r, nil, redisstore.Progress{})
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.left(r, unknown)
	return nil
}

// left notes, and says once, that others have to look after a run. The caller holds mu.
func (s *Supervisor) left(r run.Run, why error) {
	if !s.foreign[r.ID] {
		s.Log.Warn("the run is left to other coordinators", zap.Int64("run", r.ID), zap.Error(why))
	}
	s.foreign[r.ID] = true
}

// lacks are the names that the run's definition needs and this program does not have. One that cannot be read is the
// splitter's to tell.
func (s *Supervisor) lacks(r run.Run) []string {
	definition, err := importer.FromSnapshot(r.Definition)
	if err != nil {
		return nil
	}
	return pipeline.Lacks(definition, s.Extensions).List()
}

// endedInRedis looks at a run that Redis holds for ended: another coordinator ended it since the sweep began, or the
// registry has lost its last commits. Then Redis gives way and the run is ended once more.
func (s *Supervisor) endedInRedis(ctx context.Context, r run.Run) error {
	now, err := s.Registry.Get(ctx, r.ID)
	if err != nil {
		return fmt.Errorf("read the run: %w", err)
	}
	if now.Status.Terminal() {
		return nil
	}
	if err := s.Redis.Forget(ctx, r.ID); err != nil {
		return fmt.Errorf("forget a run that ended in Redis only: %w", err)
	}
	return s.Redis.Wake(ctx, redisstore.Runs)
}

// restore makes a run known to Redis, from registry and ledger.
func (s *Supervisor) restore(ctx context.Context, r run.Run, book *ledger.Ledger, splits *lifecycle.Tasks) error {
	if r.Manifest != nil {
		if err := book.Create(ctx, r.UID, r.Manifest.Lanes()); err != nil {
			return fmt.Errorf("create the heads: %w", err)
		}
	}
	failpoint.Hit("supervise.created")
	state, err := split.StateOf(ctx, r, book)
	if err != nil {
		return err
	}
	created, err := s.Redis.Restore(ctx, state)
	if err != nil {
		return fmt.Errorf("restore the run in Redis: %w", err)
	}
	if !created {
		return nil // another coordinator was first
	}
	failpoint.Hit("supervise.restored")
	s.Log.Info("run made known to Redis", zap.Int64("run", r.ID), zap.String("status", string(r.Status)))
	if err := s.Redis.Describe(ctx, r); err != nil {
		return err
	}
	if err := s.Redis.Wake(ctx, redisstore.Work); err != nil {
		return fmt.Errorf("wake the workers: %w", err)
	}
	if !stopping(r) && !state.SplitDone {
		if err := s.split(ctx, r, "", splits); err != nil {
			return err
		}
	}
	return s.Redis.Wake(ctx, redisstore.Runs)
}

// split starts splitting a run here, if its turn has come, this coordinator sees its source and is not at it already. told
// is what the run says it waits for.
func (s *Supervisor) split(ctx context.Context, r run.Run, told string, splits *lifecycle.Tasks) error {
	if its, err := s.turn(ctx, r, told); err != nil || !its {
		return err
	}
	if r.Origin.Spool != "" && r.Origin.Spool != s.Spool.ID() {
		return nil
	}
	lacks := s.lacks(r)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.splitting[r.ID] {
		return nil
	}
	if len(lacks) > 0 {
		s.left(r, fmt.Errorf("this program does not have: %s", strings.Join(lacks, ", ")))
		return nil
	}
	s.splitting[r.ID] = true
	splits.Go(fmt.Sprintf("split run %d", r.ID), func(ctx context.Context) error {
		err := s.Splitter.Split(ctx, r)
		s.mu.Lock()
		delete(s.splitting, r.ID)
		s.mu.Unlock()
		if err != nil {
			s.warn(ctx, "the split has to be tried again", r.ID, err)
			return nil
		}
		return nil
	})
	return nil
}

// waiting notes in Redis that the run waits for its database, or that it does not any more.
func (s *Supervisor) waiting(ctx context.Context, r run.Run, err error) error {
	if err == nil || ctx.Err() != nil || !database.Transient(err) {
		return err
	}
	ref := redisstore.Ref{ID: r.ID, UID: r.UID}
	text := fmt.Sprintf("Waiting: the database of connection '%s' cannot be used (%s).",
		r.Connection, database.Explain(err).Reason())
	if setErr := s.Redis.SetWaiting(ctx, ref, text, s.Now()); setErr != nil {
		return fmt.Errorf("%w (and Redis: %w)", err, setErr)
	}
	return err
}

// fail gives the run its reason; the next sweep stops it.
func (s *Supervisor) fail(ctx context.Context, r run.Run, reason string) error {
	won, err := s.Registry.Fail(ctx, r.ID, reason)
	if err != nil {
		return fmt.Errorf("fail the run (%s): %w", reason, err)
	}
	if !won {
		return fmt.Errorf("the run cannot be ended yet: %s", reason)
	}
	failpoint.Hit("supervise.failed")
	s.Log.Warn("run fails", zap.Int64("run", r.ID), zap.String("reason", reason))
	return s.Redis.Wake(ctx, redisstore.Runs)
}

// failing says why a run has to fail, as far as Redis knows: a worker's fatal error, or too many failed rows.
func (s *Supervisor) failing(r run.Run, progress redisstore.Progress) string {
	if progress.Failure != "" {
		return progress.Failure
	}
	return s.limits(r).atOnce(progress.Counts.Failed)
}

// retire tells Redis of runs that the registry has ended: a supervisor died between the two.
func (s *Supervisor) retire(ctx context.Context, active map[int64]bool) error {
	ids, err := s.Redis.Active(ctx)
	if err != nil {
		return fmt.Errorf("list the runs in Redis: %w", err)
	}
	for _, id := range ids {
		if active[id] {
			continue
		}
		r, err := s.Registry.Get(ctx, id)
		if err != nil {
			return fmt.Errorf("read run %d: %w", id, err)
		}
		if !r.Status.Terminal() {
			continue // it was created after the sweep began
		}
		if err := s.tell(ctx, r, r.Status); err != nil {
			return err
		}
	}
	return nil
}
