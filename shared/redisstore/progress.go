package redisstore

import (
	"context"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"ingest/shared/run"
)

// Progress is what Redis knows of a run. Each partition is consistent in itself, together they may be a moment apart.
type Progress struct {
	UID    string
	Status run.Status
	// Failure is why a worker says that the run cannot go on.
	Failure string
	// Waiting says what the run waits for, since WaitingSince.
	Waiting      string
	WaitingSince time.Time
	// Counts is the sum over the partitions; of an ended run the final numbers.
	Counts run.Counts
	// Partitions ends before the first one Redis has lost: fewer than the manifest says mean that the run has to be
	// restored. An ended run has none.
	Partitions []PartitionState
	// InFlight is the size of the emitted, not yet acknowledged payloads.
	InFlight                          int64
	SplitRows, SplitBytes, BytesTotal int64
	// Total is final if SplitDone.
	Total               int64
	SplitDone, Stopping bool
	// SplitOwner holds the split lease; empty when nobody does.
	SplitOwner string
	// FirstSeen is when Redis was told of the run.
	FirstSeen time.Time
}

// PartitionState is a partition as Redis knows it.
type PartitionState struct {
	Emitted, Acked int64
	// Sealed is the number of chunks, -1 while it is not known.
	Sealed int64
	// Owner is empty when nobody holds the partition.
	Owner string
	// Lease is how long its owner's lease is; LeaseLeft is negative when it has run out.
	Lease, LeaseLeft  time.Duration
	Attempts, Crashes int64
	Counts            run.Counts
}

// Progress returns what Redis knows of a run, in two round trips; false = nothing.
func (s *Store) Progress(ctx context.Context, id int64) (Progress, bool, error) {
	values, err := s.client.HMGet(ctx, s.keys.run(id), "uid", "status", "failure", "waiting", "waiting_since",
		"in_flight", "split_rows", "split_bytes", "bytes_total", "total", "split_done", "stopping", "split_owner",
		"first_seen", "partitions", "finished", "created", "updated", "unchanged", "skipped", "failed").Result()
	if err != nil {
		return Progress{}, false, fmt.Errorf("read the progress of run %d: %w", id, err)
	}
	f := &fields{values: values}
	if !f.has(0) {
		return Progress{}, false, nil
	}
	progress := Progress{
		UID: f.text(0), Status: run.Status(f.text(1)), Failure: f.text(2), Waiting: f.text(3),
		InFlight: f.number(5), SplitRows: f.number(6), SplitBytes: f.number(7), BytesTotal: f.number(8),
		Total: f.number(9), SplitDone: f.text(10) == "1", Stopping: f.text(11) == "1", SplitOwner: f.text(12),
		FirstSeen: time.UnixMilli(f.number(13)),
	}
	if f.has(4) {
		progress.WaitingSince = time.UnixMilli(f.number(4))
	}
	count := int(f.number(14))
	if f.has(15) {
		count, progress.Counts = 0, countsOf(f, 16)
	}
	if f.err != nil {
		return Progress{}, false, fmt.Errorf("read the progress of run %d: %w", id, f.err)
	}
	lanes, _, err := s.lanes(ctx, id, count)
	if err != nil {
		return Progress{}, false, fmt.Errorf("read the partitions of run %d: %w", id, err)
	}
	for _, lane := range lanes {
		progress.Counts = progress.Counts.Add(lane.Counts)
	}
	progress.Partitions = lanes
	return progress, true, nil
}

// lanes reads the partitions up to the first that is missing, and whose they are ("" = the run is unknown or ended).
func (s *Store) lanes(ctx context.Context, id int64, count int) ([]PartitionState, string, error) {
	var now *redis.TimeCmd
	var owner *redis.SliceCmd
	replies := make([]*redis.SliceCmd, count)
	_, err := s.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		now = p.Time(ctx)
		owner = p.HMGet(ctx, s.keys.run(id), "uid", "finished")
		for i := range replies {
			replies[i] = p.HMGet(ctx, s.keys.partition(id, i), "emitted", "acked", "sealed", "owner", "lease_until",
				"attempts", "crashes", "created", "updated", "unchanged", "skipped", "failed", "lease")
		}
		return nil
	})
	if err != nil {
		return nil, "", err
	}
	whose := fields{values: owner.Val()}
	if whose.has(1) {
		return nil, "", nil
	}
	lanes := make([]PartitionState, 0, count)
	for i, reply := range replies {
		f := fields{values: reply.Val()}
		if !f.has(0) {
			break
		}
		lane := PartitionState{
			Emitted: f.number(0), Acked: f.number(1), Sealed: f.number(2), Owner: f.text(3),
			Attempts: f.number(5), Crashes: f.number(6),
			Counts: countsOf(&f, 7),
		}
		if lane.Owner != "" {
			lane.LeaseLeft = time.UnixMilli(f.number(4)).Sub(now.Val())
			lane.Lease = time.Duration(f.number(12)) * time.Millisecond
		}
		if f.err != nil {
			return nil, "", fmt.Errorf("partition %d: %w", i, f.err)
		}
		lanes = append(lanes, lane)
	}
	return lanes, whose.text(0), nil
}

// countsOf reads five counts in a row.
func countsOf(f *fields, at int) run.Counts {
	return run.Counts{
		Created: f.number(at), Updated: f.number(at + 1), Unchanged: f.number(at + 2), Skipped: f.number(at + 3),
		Failed: f.number(at + 4),
	}
}

// InFlight returns for every active run the size of its emitted, not yet acknowledged payloads.
func (s *Store) InFlight(ctx context.Context) (map[int64]int64, error) {
	ids, err := s.Active(ctx)
	if err != nil {
		return nil, err
	}
	replies := make([]*redis.SliceCmd, len(ids))
	_, err = s.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i, id := range ids {
			replies[i] = p.HMGet(ctx, s.keys.run(id), "in_flight")
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the bytes in flight: %w", err)
	}
	taken := make(map[int64]int64, len(ids))
	for i, id := range ids {
		f := fields{values: replies[i].Val()}
		if taken[id] = f.number(0); f.err != nil {
			return nil, fmt.Errorf("read the bytes in flight of run %d: %w", id, f.err)
		}
	}
	return taken, nil
}
