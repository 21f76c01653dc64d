package redisstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"

	"ingest/shared/run"
)

// Describe notes what reports say of a run besides its progress, for when the registry cannot be read. It only informs:
// unknown runs are left alone.
func (s *Store) Describe(ctx context.Context, r run.Run) error {
	r.Definition, r.Manifest, r.Final = nil, nil, nil
	text, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("describe run %d: %w", r.ID, err)
	}
	return s.note(ctx, Ref{ID: r.ID, UID: r.UID}, "described", text)
}

// Described returns the run as it was described last, without definition, manifest and final numbers; false when Redis
// has no description of it.
func (s *Store) Described(ctx context.Context, id int64) (run.Run, bool, error) {
	var r run.Run
	text, err := s.client.HGet(ctx, s.keys.run(id), "described").Bytes()
	if errors.Is(err, redis.Nil) {
		return r, false, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &r)
	}
	if err != nil {
		return r, false, fmt.Errorf("read the description of run %d: %w", id, err)
	}
	r.Definition = nil // it was written as null
	return r, true, nil
}
