package consume

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"ingest/shared/chunk"
	"ingest/shared/redisstore"
)

// errEarly says that a chunk may not begin yet: its partition is given back, and the slot is free for other runs.
var errEarly = errors.New("it is too early for the chunk")

// throttles are what this process knows of when importers with max_rows_per_second may begin with another chunk. Redis
// decides; this only saves asking before it is worth it. It is safe for concurrent use.
type throttles struct {
	mu    sync.Mutex
	until map[string]time.Time
}

// note keeps when the next chunk of an importer can begin.
func (t *throttles) note(importer string, until time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.until == nil {
		t.until = map[string]time.Time{}
	}
	t.until[importer] = until
}

// left is how long it is not worth asking for a run. tell says that somebody should be told of it, once for each wait.
func (t *throttles) left(work *job, now time.Time) (left time.Duration, tell bool) {
	if work.RowsPerSecond == 0 {
		return 0, false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	until := t.until[work.Importer]
	if left = until.Sub(now); left <= patience || until.Equal(work.told) {
		return left, false
	}
	work.told = until
	return left, true
}

// throttled says for how long a run has to wait because its importer's rows have been too many.
func (s *slot) throttled(ctx context.Context, work *job) time.Duration {
	left, tell := s.consumer.throttles.left(work, s.consumer.Now())
	if tell {
		s.tellWaiting(ctx, work, fmt.Sprintf("Waiting: the rate of the importer is reached (max_rows_per_second: %d).", work.RowsPerSecond), time.Time{})
	}
	return left
}

// begin lets a chunk begin, errEarly if its importer's rows have been too many. It is asked before the chunk's transaction.
func (s *slot) begin(ctx context.Context, work *job, claim redisstore.Claim, entry redisstore.Entry) error {
	if work.RowsPerSecond == 0 {
		return nil
	}
	rows, err := chunk.Count(entry.Payload)
	if err != nil {
		return nil // whoever decodes it says so
	}
	limit := redisstore.Limit{Importer: work.Importer, RowsPerSecond: work.RowsPerSecond}
	code, wait, err := s.consumer.Redis.Throttle(ctx, work.ref, claim.Partition, entry.Number, rows, limit)
	if err != nil {
		return err
	}
	s.consumer.throttles.note(work.Importer, s.consumer.Now().Add(wait))
	if code == redisstore.Wait {
		return errEarly
	}
	return nil
}
