package consume

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"ingest/shared/database"
	"ingest/shared/lifecycle"
	"ingest/shared/redisstore"
	"ingest/worker/internal/apply"
)

// apply applies a chunk, again and again while its database cannot be reached or a lock is in the way; such an error
// is never a row's. It gives up when no more chunks are to be taken, or with a fatal error, which ends the run.
func (s *slot) apply(intake, held context.Context, work *job, claim redisstore.Claim, entry redisstore.Entry) (apply.Result, error) {
	pause := 50 * time.Millisecond
	told, slow := "", 0
	began := s.consumer.Now()
	apart, err := s.apart(held, work, claim, entry)
	if err != nil {
		return apply.Result{}, err
	}
	for {
		result, err := work.Apply(held, claim.Partition, entry.Number, entry.Payload, apart)
		if err == nil {
			if told != "" {
				s.tellWaiting(held, work, "", began)
			}
			if result.Bug != "" {
				s.consumer.Log.Error("the pipeline has a bug: rows of the chunk failed by it", zap.Int64("run", work.ref.ID),
					zap.Int("partition", claim.Partition), zap.Int64("chunk", entry.Number), zap.String("panic", result.Bug))
			}
			return result, nil
		}
		if held.Err() != nil {
			return apply.Result{}, fmt.Errorf("chunk %d of partition %d was dropped: %w", entry.Number, claim.Partition, err)
		}
		if errors.Is(err, errNotMine) {
			return apply.Result{Verdict: apply.LetGo}, nil
		}
		if !apply.Again(err) && !redisstore.Unavailable(err) {
			return apply.Result{Verdict: apply.LetGo}, s.fail(held, work, err)
		}
		if database.Explain(err).Slow() {
			if slow++; slow == sluggish {
				apart = s.slowly(work, claim, entry, apart)
			}
		}
		s.consumer.Metrics.Retry(apply.Cause(err))
		s.consumer.Log.Warn("chunk is tried again", zap.Int64("run", work.ref.ID),
			zap.Int("partition", claim.Partition), zap.Int64("chunk", entry.Number), zap.Error(err))
		asked := min(apply.Pause(err), longestAsked)
		if s.consumer.Now().Sub(began)+asked > worth {
			what, why := "the database of connection", database.Explain(err).Reason()
			if said := apply.Undelivered(err); said != "" {
				what, why = "the connection", said
			}
			if text := fmt.Sprintf("Waiting: %s '%s' cannot be used (%s).", what, work.connection, why); text != told {
				told = text
				s.tellWaiting(held, work, text, began)
			}
		}
		if err := lifecycle.Wait(intake, max(pause, asked), held.Done()); err != nil {
			return apply.Result{}, err
		}
		pause = min(2*pause, patience)
	}
}

// fail reports what ends the run. The reason names no value, statement or address.
func (s *slot) fail(ctx context.Context, work *job, err error) error {
	reason := apply.Reason(err)
	if reason == "" {
		reason = database.Explain(err).Reason()
	}
	s.consumer.Metrics.Fatal()
	fields := []zap.Field{zap.Int64("run", work.ref.ID), zap.Error(err)}
	if bug := apply.Bug(err); bug != "" {
		fields = append(fields, zap.String("panic", bug))
	}
	s.consumer.Log.Error("the run cannot go on", fields...)
	if err := s.consumer.Redis.Fail(ctx, work.ref, reason); err != nil {
		return fmt.Errorf("report why run %d cannot go on (%s): %w", work.ref.ID, reason, err)
	}
	return nil
}

func (s *slot) tellWaiting(ctx context.Context, work *job, text string, since time.Time) {
	if err := s.consumer.Redis.SetWaiting(ctx, work.ref, text, since); err != nil {
		s.consumer.Log.Warn("what the run waits for could not be told", zap.Int64("run", work.ref.ID), zap.Error(err))
	}
}

// state is what a slot does, readable from other goroutines.
type state struct{ text atomic.Pointer[string] }

func (s *state) set(text string) { s.text.Store(&text) }

func (s *state) get() string {
	if text := s.text.Load(); text != nil && *text != "" {
		return *text
	}
	return "idle"
}
