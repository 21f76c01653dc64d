package redisstore

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
)

// Try notes which row of its next chunk the claim's owner tries now, 0 = none any more. If the owner vanishes, Vanished
// names that row. It answers OK, NotOwner, Gone.
func (s *Store) Try(ctx context.Context, ref Ref, c Claim, row int64) (Code, error) {
	text := ""
	if row != 0 {
		text = strconv.FormatInt(row, 10)
	}
	code, _, err := s.run(ctx, s.scripts.try, s.keys.lane(ref.ID, c.Partition)[:2], ref.UID, c.Owner, c.Epoch, text)
	if err != nil {
		return Gone, fmt.Errorf("note the row that is tried in partition %d of run %d: %w", c.Partition, ref.ID, err)
	}
	return code, nil
}

// Vanished says how often an owner of the partition vanished at which row of the chunk that is next.
func (s *Store) Vanished(ctx context.Context, ref Ref, partition int) (map[int64]int, error) {
	text, err := s.client.HGet(ctx, s.keys.partition(ref.ID, partition), "vanished").Result()
	if errors.Is(err, redis.Nil) {
		return nil, nil
	}
	var rows []int64
	if err == nil {
		all := strings.Fields(text)
		rows, err = numbers(all, len(all))
	}
	if err != nil {
		return nil, fmt.Errorf("read where partition %d of run %d lost its owners: %w", partition, ref.ID, err)
	}
	times := make(map[int64]int, len(rows))
	for _, row := range rows {
		times[row]++
	}
	return times, nil
}
