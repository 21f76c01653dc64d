// Package split turns the source of a run into chunks on the run's partitions.
//
// Splitting is deterministic and resumable: the same manifest gives the same chunks, so any coordinator that sees the
// source can go on where another was killed. It holds the run's split lease, but nothing depends on it: a chunk that is
// emitted twice is recognised by its number. A source that is missing or changed ends the run with a clear reason.
package split

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"time"

	"go.uber.org/zap"

	"ingest/shared/config"
	"ingest/shared/database"
	"ingest/shared/extend"
	"ingest/shared/failpoint"
	"ingest/shared/ledger"
	"ingest/shared/lifecycle"
	"ingest/shared/redisstore"
	"ingest/shared/registry"
	"ingest/shared/row"
	"ingest/shared/run"
	"ingest/shared/sink"
	"ingest/shared/source"
	"ingest/shared/spool"
)

// Parts are what a Splitter works with.
type Parts struct {
	// Owner is this process, for the split lease.
	Owner     string
	Config    config.Config
	Registry  *registry.Registry
	Redis     *redisstore.Store
	Databases *database.Pool
	// Spool takes what is fetched from sources that are extensions.
	Spool      *spool.Spool
	Extensions extend.Extensions
	Now        func() time.Time
	Log        *zap.Logger
}

// Splitter splits runs. It is safe for concurrent use with different runs.
type Splitter struct {
	owner      string
	settings   config.Config
	registry   *registry.Registry
	redis      *redisstore.Store
	databases  *database.Pool
	spool      *spool.Spool
	extensions extend.Extensions
	sinks      *sink.Pool
	now        func() time.Time
	log        *zap.Logger
	budget     budget
}

// New returns a Splitter.
func New(p Parts) *Splitter {
	return &Splitter{
		owner: p.Owner, sinks: sink.New(p.Config, p.Extensions), settings: p.Config, registry: p.Registry, redis: p.Redis, databases: p.Databases,
		spool: p.Spool, extensions: p.Extensions, now: p.Now, log: p.Log, budget: budget{redis: p.Redis, total: int64(p.Config.InFlightTotal), now: p.Now},
	}
}

// errLetGo says that the run is not this splitter's any more: stopped, sealed, forgotten, or split by another.
var errLetGo = errors.New("the run is not to be split here")

// Split brings a run's split to its end, or as far as it gets: it returns nil when there is nothing left to do here,
// and an error when it should be called again later. It blocks while workers are behind.
func (s *Splitter) Split(ctx context.Context, r run.Run) error {
	ref := redisstore.Ref{ID: r.ID, UID: r.UID}
	code, err := s.redis.TakeSplit(ctx, ref, s.owner, s.lease())
	if err != nil {
		return fmt.Errorf("take the split lease of run %d: %w", r.ID, err)
	}
	if code != redisstore.OK {
		return nil
	}
	failpoint.Hit("split.leased")
	tasks := lifecycle.NewTasks(ctx)
	tasks.Go("keep the split lease", func(ctx context.Context) error { return s.keep(ctx, ref) })
	tasks.Go("split", func(ctx context.Context) error {
		defer tasks.Stop()
		return s.split(ctx, r)
	})
	err = tasks.Wait()
	failpoint.Hit("split.leave")
	if _, leaveErr := s.redis.LeaveSplit(context.WithoutCancel(ctx), ref, s.owner, 0); leaveErr != nil {
		s.log.Warn("the split lease was not given back and will run out", zap.Int64("run", r.ID), zap.Error(leaveErr))
	}
	return s.conclude(ctx, r, err)
}

// conclude tells the registry of what ends the run.
func (s *Splitter) conclude(ctx context.Context, r run.Run, err error) error {
	if err == nil || errors.Is(err, errLetGo) {
		return s.redis.Wake(context.WithoutCancel(ctx), redisstore.Runs)
	}
	reason, final := reasonOf(err)
	unknown := (*database.NoConnection)(nil)
	switch {
	case errors.As(err, &unknown):
		// That of the retried run: another coordinator may know it.
		return errors.Join(err, s.redis.SetWaiting(ctx, redisstore.Ref{ID: r.ID, UID: r.UID}, fmt.Sprintf(
			"Waiting: the coordinator that reads the source does not know the connection '%s' of the retried run.",
			unknown.Name), s.now()))
	case final || ctx.Err() != nil:
	case database.Fatal(err):
		reason, final = "The destination refused: "+database.Explain(err).Reason(), true
	case errors.Is(err, lifecycle.ErrPanic):
		s.log.Error("the split has a bug", zap.Int64("run", r.ID), zap.Error(err))
		reason, final = "The source could not be split (internal error).", true
	}
	if !final {
		switch {
		case ctx.Err() != nil || redisstore.Unavailable(err):
		case database.Transient(err):
			s.waiting(ctx, r, fmt.Sprintf("Waiting: the database of connection '%s' cannot be used (%s).",
				s.unusable(ctx, r), database.Explain(err).Reason()), s.now())
		default:
			s.waiting(ctx, r, "Waiting: the source could not be split, it is tried again (the coordinator's log says why).", s.now())
		}
		return fmt.Errorf("split run %d: %w", r.ID, err)
	}
	if _, err := s.registry.Fail(ctx, r.ID, reason); err != nil {
		return fmt.Errorf("fail run %d (%s): %w", r.ID, reason, err)
	}
	failpoint.Hit("split.failed")
	return s.redis.Wake(ctx, redisstore.Runs)
}

// unusable is the connection that a split has to wait for: the registry's where that does not answer, else the run's own.
func (s *Splitter) unusable(ctx context.Context, r run.Run) string {
	if s.registry.Ping(ctx) != nil {
		return config.DefaultConnection
	}
	return r.Connection
}

func (s *Splitter) lease() time.Duration { return s.settings.Lease }

// keep renews the split lease until the context ends or the lease is lost.
func (s *Splitter) keep(ctx context.Context, ref redisstore.Ref) error {
	for {
		if err := lifecycle.Wait(ctx, s.lease()/3, nil); err != nil {
			return nil
		}
		code, err := s.redis.KeepSplit(ctx, ref, s.owner, s.lease())
		if err == nil && code != redisstore.OK {
			return errLetGo
		}
	}
}

func (s *Splitter) split(ctx context.Context, r run.Run) error {
	db, err := s.databases.Get(r.Connection)
	if err != nil {
		return err
	}
	if r, err = s.fix(ctx, r, db); err != nil {
		return err
	}
	ref := redisstore.Ref{ID: r.ID, UID: r.UID, Partitions: r.Manifest.Lanes()}
	if err := s.begin(ctx, r, ledger.New(db)); err != nil {
		return err
	}
	out, err := s.emitter(ctx, r, ref)
	if err != nil {
		return err
	}
	chunks, rows, err := s.cut(ctx, r, out)
	if err != nil {
		return err
	}
	if err := s.unchanged(r); err != nil {
		return err
	}
	if r.Manifest.Staged {
		// The one chunk of the merge has rows of other partitions only.
		chunks, rows = append(chunks, 1), append(rows, 0)
	}
	if err := ledger.New(db).Seal(ctx, r.UID, chunks, rows); err != nil {
		return fmt.Errorf("seal the heads: %w", err)
	}
	failpoint.Hit("split.sealed")
	var total int64
	for _, n := range rows {
		total += n
	}
	code, err := s.redis.Seal(ctx, ref, chunks, total, r.Manifest.Staged)
	switch {
	case err != nil:
		return fmt.Errorf("seal the partitions: %w", err)
	case code == redisstore.Gap:
		return errors.New("redis lost chunks before the seal: the split begins again")
	case code != redisstore.OK:
		return errLetGo
	}
	failpoint.Hit("split.done")
	s.log.Info("source split", zap.Int64("run", r.ID), zap.Int64("rows", total), zap.Int("partitions", ref.Partitions))
	return nil
}

// begin makes the run's partitions in Redis and its status processing.
func (s *Splitter) begin(ctx context.Context, r run.Run, book *ledger.Ledger) error {
	state, err := StateOf(ctx, r, book)
	if err != nil {
		return err
	}
	if _, err := s.redis.Restore(ctx, state); err != nil {
		return fmt.Errorf("make the partitions in Redis: %w", err)
	}
	failpoint.Hit("split.restored")
	// What expressions call the beginning is what the run shows as its own.
	if _, err := s.registry.Begin(ctx, r.ID, cmp.Or(r.Manifest.Started, s.now())); err != nil {
		return fmt.Errorf("begin the run: %w", err)
	}
	failpoint.Hit("split.begun")
	s.waiting(ctx, r, "", time.Time{}) // what an earlier attempt had to wait for
	if err := s.redis.SetStatus(ctx, state.Ref, run.Processing); err != nil {
		return fmt.Errorf("tell Redis that the run has begun: %w", err)
	}
	if r, err = s.registry.Get(ctx, r.ID); err != nil {
		return fmt.Errorf("read when the run began: %w", err)
	}
	return s.redis.Describe(ctx, r)
}

// cut reads all rows and emits the chunks Redis does not have.
func (s *Splitter) cut(ctx context.Context, r run.Run, out *emitter) (chunks, rows []int64, err error) {
	if r.Manifest.Header == nil {
		return make([]int64, r.Manifest.Partitions), make([]int64, r.Manifest.Partitions), nil
	}
	by, err := s.router(r)
	if err != nil {
		return nil, nil, err
	}
	cut := newCutter(*r.Manifest, by)
	q := newQueue(out, r.Manifest.Partitions)
	// How many rows were read counts also when the split ends early.
	defer func() { err = errors.Join(err, q.tell(context.WithoutCancel(ctx))) }()
	err = q.fill(ctx, func(ctx context.Context) error {
		for record, err := range s.counted(ctx, r, &q.progress) {
			if err != nil {
				return err
			}
			if at, full := cut.add(record); full {
				if err := q.put(ctx, cut, at.partition); err != nil {
					return err
				}
			}
		}
		for _, p := range cut.rest() {
			if err := q.put(ctx, cut, p); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	chunks, rows = cut.seals()
	return chunks, rows, nil
}

const (
	// lookEvery is how many rows are read between two looks at the context, lookPause is at least between two at the source.
	lookEvery = 2000
	lookPause = 100 * time.Millisecond
	// yieldEvery is how many rows are read before others have their turn: who asks the API for a run would else wait until the runtime
	// takes the processor from the reading by force, which is after 10 ms.
	yieldEvery = 100
)

// counted yields the rows of the run, counting them for the progress, and looks now and then whether the source is
// still what it was.
func (s *Splitter) counted(ctx context.Context, r run.Run, progress *redisstore.SplitProgress) iter.Seq2[row.Row, error] {
	return func(yield func(row.Row, error) bool) {
		progress.BytesTotal = r.Manifest.Fingerprint.Size
		looked := s.now()
		for record, err := range s.rowsOf(ctx, r, func(bytes int64) { progress.Bytes = bytes }) {
			if err == nil {
				progress.Rows++
				if progress.Rows%yieldEvery == 0 {
					runtime.Gosched()
				}
				if progress.Rows%lookEvery == 0 {
					err = ctx.Err()
					if now := s.now(); now.Sub(looked) >= lookPause {
						err, looked = errors.Join(err, s.unchanged(r)), now
					}
				}
			}
			if !yield(record, err) {
				return
			}
		}
	}
}

// unchanged fails the run when its source is not what the manifest pinned.
func (s *Splitter) unchanged(r run.Run) error {
	if r.Origin.Path == "" || r.Manifest == nil {
		return nil
	}
	err := source.Same(r.Origin.Path, r.Manifest.Fingerprint)
	var changed *source.Changed
	if errors.As(err, &changed) {
		return &failure{reason: changed.Message}
	}
	return err
}
