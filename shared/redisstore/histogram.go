package redisstore

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/redis/go-redis/v9"

	"ingest/shared/run"
)

const (
	// distinct is how many messages a histogram tells apart; the rest is counted as other.
	distinct = 1000
	other    = "(other)"
)

// arrange orders a histogram by count descending, message ascending.
func arrange(messages []run.MessageCount) {
	slices.SortFunc(messages, func(a, b run.MessageCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Message, b.Message))
	})
}

// capped keeps the most frequent messages and counts the rest as other, which comes last. The sum stays exact.
func capped(counts map[string]int64) []run.MessageCount {
	messages := make([]run.MessageCount, 0, len(counts))
	rest := counts[other]
	for message, count := range counts {
		if message != other {
			messages = append(messages, run.MessageCount{Message: message, Count: count})
		}
	}
	if arrange(messages); len(messages) > distinct {
		for _, m := range messages[distinct:] {
			rest += m.Count
		}
		messages = messages[:distinct]
	}
	if rest > 0 {
		messages = append(messages, run.MessageCount{Message: other, Count: rest})
	}
	return messages
}

func messageArgs(messages []run.MessageCount) []any {
	args := make([]any, 0, 2*len(messages))
	for _, m := range messages {
		args = append(args, m.Message, m.Count)
	}
	return args
}

// Histograms returns both histograms of a run, by count descending, ties by message; empty for an unknown run. At most
// 1,000 messages are told apart, the rest is counted as "(other)".
func (s *Store) Histograms(ctx context.Context, id int64) (errors, validation []run.MessageCount, err error) {
	var replies [2]*redis.ZSliceCmd
	_, err = s.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		replies[0] = p.ZRangeWithScores(ctx, s.keys.errors(id), 0, -1)
		replies[1] = p.ZRangeWithScores(ctx, s.keys.validation(id), 0, -1)
		return nil
	})
	if err != nil {
		return nil, nil, fmt.Errorf("read the histograms of run %d: %w", id, err)
	}
	var both [2][]run.MessageCount
	for i, reply := range replies {
		for _, z := range reply.Val() {
			message, _ := z.Member.(string)
			both[i] = append(both[i], run.MessageCount{Message: message, Count: int64(z.Score)})
		}
		arrange(both[i])
	}
	return both[0], both[1], nil
}
