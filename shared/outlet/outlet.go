// Package outlet has the destinations that are built in beside SQL databases: files of CSV and NDJSON, webhooks, hashes of Redis,
// and one that throws rows away. They are the same kind of value as those that a program adds, and promise what the page
// docs/destinations.md says of each.
package outlet

import (
	"context"
	"errors"
	"strings"
	"time"

	"ingest/shared/extend"
)

// Destinations are those that are built in. now is the clock.
func Destinations(now func() time.Time) []extend.Destination {
	all := []extend.Destination{files(kind{"csv", encodeCSV}, now), files(kind{"ndjson", encodeLines}, now)}
	for _, scheme := range []string{"https", "http"} {
		all = append(all, webhooks(scheme, now))
	}
	for _, scheme := range []string{"redis", "rediss", "redis+sentinel", "rediss+sentinel", "redis+cluster", "rediss+cluster"} {
		all = append(all, hashes(scheme))
	}
	return append(all, discard())
}

// discard takes every row and does nothing with it: `discard:`.
func discard() extend.Destination {
	judge := func(url string) error {
		if _, rest, _ := strings.Cut(url, ":"); rest != "" {
			return errors.New("is just discard: with nothing behind it")
		}
		return nil
	}
	return extend.Destination{
		Name: "discard", Strategies: []string{"skip", "update", "upsert", "fail"}, Judge: judge,
		Open: func(url string) (extend.Sink, error) { return nothing{}, judge(url) },
	}
}

type nothing struct{}

func (nothing) Write(context.Context, extend.Chunk) ([]string, error) { return nil, nil }

func (nothing) Close() error { return nil }
