package redisstore

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"

	"github.com/redis/go-redis/v9"
)

const (
	// events is about how many events are kept.
	events = 10000
	// eventsRead is how many are read at once.
	eventsRead = 1000
)

// place is what Redis takes as one: 19 digits always fit.
var place = regexp.MustCompile(`^[0-9]{1,19}-[0-9]{1,19}$`)

// Event appends a lifecycle event with that id to the capped stream of events. It may come more than once: the id
// tells.
func (s *Store) Event(ctx context.Context, id string, fields map[string]string) error {
	values := []any{"id", id}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		values = append(values, name, fields[name])
	}
	err := s.client.XAdd(ctx, &redis.XAddArgs{Stream: s.keys.events(), MaxLen: events, Approx: true, Values: values}).Err()
	if err != nil {
		return fmt.Errorf("tell event %s: %w", id, err)
	}
	return nil
}

// Events returns the fields of up to 1,000 events after a place in their stream, oldest first, and the place of the last
// one. From no place, or one that is none, it returns no event and the place where the stream ends.
func (s *Store) Events(ctx context.Context, after string) (found []map[string]string, at string, err error) {
	if !place.MatchString(after) {
		last, err := s.client.XRevRangeN(ctx, s.keys.events(), "+", "-", 1).Result()
		switch {
		case err != nil:
			return nil, "", fmt.Errorf("find the end of the events: %w", err)
		case len(last) == 0:
			return nil, "0-0", nil
		default:
			return nil, last[0].ID, nil
		}
	}
	entries, err := s.client.XRangeN(ctx, s.keys.events(), "("+after, "+", eventsRead).Result()
	if err != nil {
		return nil, after, fmt.Errorf("read the events: %w", err)
	}
	for _, entry := range entries {
		fields := make(map[string]string, len(entry.Values))
		for name, value := range entry.Values {
			fields[name] = fmt.Sprint(value)
		}
		found, after = append(found, fields), entry.ID
	}
	return found, after, nil
}
