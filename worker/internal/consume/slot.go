// Package consume moves chunks from partitions to their commit.
//
// A worker has slots; a slot holds one partition at a time and works it in order: acquire, which brings a chunk, apply, and
// ack, which brings the next one, or takes the partition back when it is empty. The lease only says who should work; that
// nothing is written twice is the ledger's promise, so a slot may lose its lease, be paused or killed anywhere.
//
// A wake-up stands for "there may be chunks that nobody works on". It wakes one slot, which passes it on unless it has seen
// everything else taken: each chunk wakes one slot, not all, and a slot whose partition became empty waits for the next.
package consume

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"ingest/shared/config"
	"ingest/shared/database"
	"ingest/shared/extend"
	"ingest/shared/failpoint"
	"ingest/shared/ledger"
	"ingest/shared/lifecycle"
	"ingest/shared/metrics"
	"ingest/shared/redisstore"
	"ingest/shared/sink"
	"ingest/worker/internal/apply"
)

const (
	// slice is how long a slot keeps a partition while other runs wait.
	slice = 500 * time.Millisecond
	// idle is how long a slot without work sleeps when no wake-up comes.
	idle = 500 * time.Millisecond
	// Drain is how long chunks in hand may take to end after the worker was asked to stop.
	Drain = 20 * time.Second
	// patience is the longest pause between two attempts at a chunk whose database cannot be reached.
	patience = 2 * time.Second
	// longestAsked bounds the pause that a destination may ask for.
	longestAsked = 5 * time.Minute
	// worth is how long a chunk has to be tried in vain before that is worth a word.
	worth = time.Second
)

// Parts are what slots work with.
type Parts struct {
	// Process is this incarnation of the worker: part of every owner.
	Process    string
	Config     config.Config
	Redis      *redisstore.Store
	Databases  *database.Pool
	Extensions extend.Extensions
	Metrics    *metrics.Metrics
	Now        func() time.Time
	Log        *zap.Logger
}

// Consumer runs slots. Make it with New.
type Consumer struct {
	Parts
	jobs      *jobs
	slots     []*slot
	throttles throttles
	// wake holds the wake-up that no slot has taken yet.
	wake chan struct{}
}

// New returns a consumer with that many slots.
func New(p Parts, slots int) *Consumer {
	c := &Consumer{Parts: p, wake: make(chan struct{}, 1), jobs: &jobs{
		redis: p.Redis, databases: p.Databases, settings: p.Config, extensions: p.Extensions, log: p.Log, metrics: p.Metrics,
		sinks: sink.New(p.Config, p.Extensions), known: map[int64]*job{}, foreign: map[int64]bool{},
	}}
	for i := range slots {
		c.slots = append(c.slots, &slot{consumer: c, owner: fmt.Sprintf("%s/%d", p.Process, i)})
	}
	return c
}

// Run works until ctx ends, then lets the chunks in hand end.
func (c *Consumer) Run(ctx context.Context) (err error) {
	defer func() { err = errors.Join(err, c.jobs.sinks.Close()) }()
	heard, closeHeard := c.Redis.Listen(ctx, redisstore.Work)
	defer closeHeard()
	tasks := lifecycle.NewTasks(ctx)
	tasks.Go("wake slots", func(ctx context.Context) error {
		for {
			select {
			case <-ctx.Done():
				return nil
			case <-heard:
				c.rouse()
			}
		}
	})
	for _, s := range c.slots {
		tasks.Go("slot "+s.owner, s.run)
	}
	return tasks.Wait()
}

// rouse has a slot look for work.
func (c *Consumer) rouse() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// Doing says for every slot what it works on.
func (c *Consumer) Doing() []string {
	doing := make([]string, len(c.slots))
	for i, s := range c.slots {
		doing[i] = s.state.get()
	}
	return doing
}

// slot works one partition at a time.
type slot struct {
	consumer *Consumer
	owner    string
	last     int64
	state    state
}

func (s *slot) run(ctx context.Context) error {
	for ctx.Err() == nil {
		pause, err := s.turn(ctx)
		if err != nil && ctx.Err() == nil {
			s.consumer.Log.Warn("the slot has to wait", zap.String("slot", s.owner), zap.Error(err))
		}
		if pause > 0 && lifecycle.Wait(ctx, pause, s.consumer.wake) != nil {
			return nil
		}
	}
	return nil
}

// turn serves one partition of one run. It says how long to wait for a wake-up before the next turn.
func (s *slot) turn(ctx context.Context) (pause time.Duration, err error) {
	active, err := s.consumer.Redis.Active(ctx)
	if err != nil {
		return idle, fmt.Errorf("list the active runs: %w", err)
	}
	pause = idle
	s.consumer.jobs.keep(active)
	var failed error
	for _, id := range rotate(active, s.last) {
		work, err := s.consumer.jobs.get(ctx, id)
		if err != nil {
			failed = errors.Join(failed, err)
			continue
		}
		if work == nil {
			continue
		}
		if left := s.throttled(ctx, work); left > 0 {
			pause = min(pause, left)
			continue
		}
		claim, entry, code, err := s.consumer.Redis.Acquire(ctx, work.ref, s.owner, s.lease())
		if err != nil {
			return idle, err
		}
		if code == redisstore.Gone {
			s.consumer.jobs.drop(id)
		}
		if code != redisstore.OK && code != redisstore.Lost {
			continue
		}
		failpoint.Hit("worker.acquired")
		if claim.Others || len(active) > 1 {
			s.consumer.rouse()
		}
		s.last = id
		given, err := s.serve(ctx, work, claim, entry)
		if given || err != nil {
			return idle, err
		}
		return 0, nil
	}
	return pause, failed
}

func (s *slot) lease() time.Duration { return s.consumer.Config.Lease }

// serve works a partition, beginning with a chunk of it, until it is empty, its slice is over, or it is lost; an entry
// without a number is one that is not there although it must be. given: Redis has taken the empty partition back.
func (s *slot) serve(ctx context.Context, work *job, claim redisstore.Claim, entry redisstore.Entry) (given bool, err error) {
	s.state.set(fmt.Sprintf("run %d partition %d", work.ref.ID, claim.Partition))
	defer s.state.set("")
	hold, drop := lifecycle.Outlive(ctx, Drain)
	defer drop()
	tasks := lifecycle.NewTasks(hold)
	lost, stopped := errors.New("the partition was lost"), errors.New("the run is being stopped")
	tasks.Go("renew", func(ctx context.Context) error {
		for {
			if lifecycle.Wait(ctx, s.lease()/3, nil) != nil {
				return nil
			}
			failpoint.Hit("worker.renew")
			code, err := s.consumer.Redis.Renew(ctx, work.ref, claim, s.lease())
			switch {
			case err != nil || code == redisstore.OK:
			case code == redisstore.Stopped && work.Merges(claim.Partition):
				return stopped // all of the run would take effect by it
			case code != redisstore.Stopped:
				return lost
			}
		}
	})
	tasks.Go("work", func(held context.Context) (err error) {
		defer tasks.Stop()
		given, err = s.work(ctx, held, work, claim, entry)
		return err
	})
	err = tasks.Wait()
	failpoint.Hit("worker.release")
	if given {
		return true, nil // a renewal that came later has found it lost
	}
	release := s.consumer.Redis.Release
	if errors.Is(err, errEarly) {
		release, err = s.consumer.Redis.Postpone, nil
	}
	if _, releaseErr := release(context.WithoutCancel(ctx), work.ref, claim); releaseErr != nil {
		err = errors.Join(err, fmt.Errorf("release partition %d: %w", claim.Partition, releaseErr))
	}
	if errors.Is(err, stopped) {
		s.consumer.Log.Info("the merge is given up, the run is being stopped", zap.Int64("run", work.ref.ID))
		return false, nil
	}
	if errors.Is(err, lost) {
		s.consumer.Log.Info("partition lost to another worker",
			zap.Int64("run", work.ref.ID), zap.Int("partition", claim.Partition))
		return false, nil
	}
	return false, err
}

// work takes chunk after chunk. intake ends when no more chunks are to be taken, held when the one in hand is to be
// dropped.
func (s *slot) work(intake, held context.Context, work *job, claim redisstore.Claim, entry redisstore.Entry) (given bool, err error) {
	if claim.Taken {
		s.consumer.Metrics.Takeover()
		s.consumer.Log.Info("partition taken over from a worker that has been silent for its lease",
			zap.Int64("run", work.ref.ID), zap.Int("partition", claim.Partition))
		if _, err := work.Ledger().EndSession(held, work.ref.UID, claim.Partition); err != nil && !database.Transient(err) {
			return false, fmt.Errorf("end the session of the former owner: %w", err)
		}
	}
	if entry.Number == 0 {
		return false, s.reset(held, work, claim.Partition)
	}
	failpoint.Hit("worker.fetched")
	began := s.consumer.Now()
	for next := &entry; ; {
		if err := s.begin(held, work, claim, *next); err != nil {
			return false, err
		}
		if next.Attempts > 1 {
			s.consumer.Metrics.Redelivery()
		}
		result, err := s.apply(intake, held, work, claim, *next)
		if err != nil {
			return false, err
		}
		if result.Verdict != apply.Applied {
			return false, s.leave(held, work, claim.Partition, result)
		}
		next, given, err = s.ack(held, work, claim, *next, result)
		if err != nil {
			return false, err
		}
		failpoint.Hit("worker.acked")
		if next == nil || intake.Err() != nil {
			return given, nil
		}
		if now := s.consumer.Now(); now.Sub(began) > slice {
			// Others may have come since.
			active, err := s.consumer.Redis.Active(held)
			if err != nil || len(active) > 1 {
				return false, err
			}
			began = now
		}
	}
}

// leave gives a partition up that cannot be worked: it was stopped, or its ledger is behind Redis.
func (s *slot) leave(ctx context.Context, work *job, partition int, result apply.Result) error {
	if result.Verdict != apply.Behind {
		return nil
	}
	s.consumer.Log.Warn("the ledger is behind Redis: the partition is emitted again",
		zap.Int64("run", work.ref.ID), zap.Int("partition", partition))
	return s.reset(ctx, work, partition)
}

// reset puts the partition back to its head, so that its chunks are emitted again.
func (s *slot) reset(ctx context.Context, work *job, partition int) error {
	head, err := work.Ledger().Head(ctx, work.ref.UID, partition)
	switch {
	case errors.Is(err, ledger.ErrNoHead):
		return nil
	case err != nil:
		return err
	}
	back := redisstore.Head{Acked: head.Next - 1, Sealed: -1, Counts: head.Counts}
	if _, err := s.consumer.Redis.Reset(ctx, work.ref, partition, back); err != nil {
		return fmt.Errorf("reset partition %d: %w", partition, err)
	}
	return nil
}

// ack tells Redis what the ledger has and brings the next chunk; without one, given says that the partition is not the
// slot's any more. It is repeated until Redis answers: nothing else could be done with the partition before that.
func (s *slot) ack(ctx context.Context, work *job, claim redisstore.Claim, done redisstore.Entry, result apply.Result) (
	next *redisstore.Entry, given bool, err error,
) {
	watch := s.consumer.Metrics.Watch()
	for {
		code, next, err := s.consumer.Redis.Ack(ctx, work.ref, redisstore.Ack{
			Partition: claim.Partition, Number: done.Number, More: done.More, Totals: result.Totals,
			Errors: result.Outcome.Errors, Validation: result.Outcome.Validation,
			Claim: &claim, Lease: s.lease(), FailedLimit: work.FailedLimit,
		})
		switch {
		case err == nil && (code == redisstore.OK || code == redisstore.Dup):
			watch.Lap(metrics.Ack)
			return next, next == nil, nil
		case err == nil:
			return nil, false, nil
		case !redisstore.Unavailable(err):
			return nil, false, err
		}
		if err := lifecycle.Wait(ctx, idle, nil); err != nil {
			return nil, false, err
		}

	}
}
