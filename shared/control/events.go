package control

import (
	"context"
	"strconv"
)

// Active lists the runs that are not over, as far as Redis knows.
func (c *Control) Active(ctx context.Context) ([]int64, error) {
	ids, err := c.redis.Active(ctx)
	if err != nil {
		return nil, refuse(Unavailable, err, "Redis cannot be reached.")
	}
	return ids, nil
}

// Ended lists runs that ended after a place in the log of ended runs, oldest first, and how far it read. From no place
// it lists none and returns where the log ends.
func (c *Control) Ended(ctx context.Context, after string) (ids []int64, place string, err error) {
	events, place, err := c.redis.Events(ctx, after)
	if err != nil {
		return nil, after, refuse(Unavailable, err, "Redis cannot be reached.")
	}
	for _, fields := range events {
		if id, err := strconv.ParseInt(fields["run"], 10, 64); err == nil {
			ids = append(ids, id)
		}
	}
	return ids, place, nil
}
