package consume

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"ingest/shared/redisstore"
	"ingest/worker/internal/apply"
)

const (
	// suspicious is how many owners vanished at a chunk before its rows are tried one by one: a worker may be killed at
	// any chunk, and that is hardly ever the chunk's fault.
	suspicious = 3
	// condemning is how many of them vanished at one row before it fails.
	condemning = 2
	// sluggish is how often the database has to end a chunk's statement for its length before its rows are tried one by
	// one, and a row fails that takes so long alone: locks have a shorter limit, so it is one slow row.
	sluggish = 2
)

var errNotMine = errors.New("the partition is another's now")

// apart says whether a chunk has to be applied row by row; nil for one that has not.
func (s *slot) apart(ctx context.Context, work *job, claim redisstore.Claim, entry redisstore.Entry) (*apply.Apart, error) {
	if entry.Crashes < suspicious {
		return nil, nil
	}
	vanished, err := s.consumer.Redis.Vanished(ctx, work.ref, claim.Partition)
	if err != nil {
		return nil, fmt.Errorf("look for rows that end workers: %w", err)
	}
	condemned := map[int64]bool{}
	for row, times := range vanished {
		condemned[row] = times >= condemning
	}
	s.consumer.Log.Warn("a chunk ended its worker again and again: its rows are tried one by one",
		zap.Int64("run", work.ref.ID), zap.Int("partition", claim.Partition), zap.Int64("chunk", entry.Number),
		zap.Int64("times", entry.Crashes))
	s.tellWaiting(ctx, work, fmt.Sprintf(
		"Waiting: chunk %d of partition %d ended its worker %d times, its rows are tried one by one.",
		entry.Number, claim.Partition, entry.Crashes), time.Time{})
	return &apply.Apart{Condemned: condemned, Trying: func(ctx context.Context, number int64) error {
		code, err := s.consumer.Redis.Try(ctx, work.ref, claim, number)
		if err == nil && code != redisstore.OK {
			err = errNotMine
		}
		return err
	}}, nil
}

// slowly has the rows of a chunk tried one by one because the database does not finish it in time.
func (s *slot) slowly(work *job, claim redisstore.Claim, entry redisstore.Entry, apart *apply.Apart) *apply.Apart {
	s.consumer.Log.Warn("the database does not finish a chunk in time: its rows are tried one by one",
		zap.Int64("run", work.ref.ID), zap.Int("partition", claim.Partition), zap.Int64("chunk", entry.Number))
	if apart == nil {
		return &apply.Apart{Slow: true}
	}
	slow := *apart
	slow.Slow = true
	return &slow
}
