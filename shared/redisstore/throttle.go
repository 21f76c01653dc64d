package redisstore

import (
	"context"
	"fmt"
	"time"
)

// Limit is how many rows the runs of an importer may begin with, all of them together.
type Limit struct {
	Importer      string
	RowsPerSecond int64
}

// Throttle asks whether a chunk may begin. It answers OK, or Wait when the rows of the importer have been too many; how
// long until another chunk may begin is said with both. A chunk that was let begin may do so again and counts once. A
// bucket that Redis has lost lets one chunk begin too early.
func (s *Store) Throttle(ctx context.Context, ref Ref, partition int, n int64, rows int, l Limit) (Code, time.Duration, error) {
	code, reply, err := s.run(ctx, s.scripts.throttle, s.keys.throttle(l.Importer, ref.UID, partition), n, rows, l.RowsPerSecond)
	var micros []int64
	if err == nil {
		micros, err = numbers(reply, 1)
	}
	if err != nil {
		return Gone, 0, fmt.Errorf("ask whether chunk %d of partition %d of run %d may begin: %w", n, partition, ref.ID, err)
	}
	return code, time.Duration(micros[0]) * time.Microsecond, nil
}
