package redisstore

import (
	"context"
	"fmt"
	"time"
)

// Emission is a chunk on its way to its partition.
type Emission struct {
	Partition int
	Number    int64
	Payload   []byte
	// Limit is how many bytes the run may have in flight; a chunk of any size is admitted when it has none.
	Limit int64
}

// Emit appends a chunk to its partition and wakes workers if the partition was empty. last is the last chunk the
// partition has or had, where it is known. It answers OK, Dup, Gap, Full, Sealed, Stopped, Gone, and fails – see
// Unavailable – when Redis is out of memory.
func (s *Store) Emit(ctx context.Context, ref Ref, e Emission) (code Code, last int64, err error) {
	code, reply, err := s.run(ctx, s.scripts.emit, s.keys.lane(ref.ID, e.Partition),
		ref.UID, e.Number, e.Payload, len(e.Payload), e.Limit, s.keys.wake(Work))
	if err == nil && len(reply) > 0 && reply[0] != "" {
		var n []int64
		if n, err = numbers(reply, 1); err == nil {
			last = n[0]
		}
	}
	if err != nil {
		return Gone, 0, fmt.Errorf("emit chunk %d of partition %d of run %d: %w", e.Number, e.Partition, ref.ID, err)
	}
	return code, last, nil
}

// Position returns for every partition the last chunk it has or had: max(emitted, acked). Fewer than ref.Partitions
// values, or none, mean that Redis does not know the run or its partitions (any more): restore it.
func (s *Store) Position(ctx context.Context, ref Ref) ([]int64, error) {
	lanes, uid, err := s.lanes(ctx, ref.ID, ref.Partitions)
	if err != nil {
		return nil, fmt.Errorf("read the positions of run %d: %w", ref.ID, err)
	}
	if uid != ref.UID {
		return nil, nil
	}
	positions := make([]int64, len(lanes))
	for p, lane := range lanes {
		positions[p] = max(lane.Emitted, lane.Acked)
	}
	return positions, nil
}

// Seal says how many chunks every partition has: the split is done, total is final. It wakes coordinators. Gap means
// that a partition does not have exactly these chunks, because it was reset meanwhile: split again. Other answers: OK,
// Stopped, Gone. With later the chunks of the last partition are emitted after the seal.
func (s *Store) Seal(ctx context.Context, ref Ref, chunks []int64, total int64, later bool) (Code, error) {
	args := []any{ref.UID, total, s.keys.wake(Runs), flag(later)}
	for _, n := range chunks {
		args = append(args, n)
	}
	code, _, err := s.run(ctx, s.scripts.seal, s.keys.partitions(ref.ID, len(chunks)), args...)
	if err != nil {
		return Gone, fmt.Errorf("seal run %d: %w", ref.ID, err)
	}
	return code, nil
}

// SplitProgress is how far the source has been read.
type SplitProgress struct {
	Rows, Bytes, BytesTotal int64
}

// Split notes the split's progress, for reports. Unknown runs are left alone.
func (s *Store) Split(ctx context.Context, ref Ref, p SplitProgress) error {
	return s.note(ctx, ref, "split_rows", p.Rows, "split_bytes", p.Bytes, "bytes_total", p.BytesTotal)
}

// TakeSplit takes the split lease, or keeps it when the owner has it: OK, Held, Done, Stopped, Gone.
func (s *Store) TakeSplit(ctx context.Context, ref Ref, owner string, lease time.Duration) (Code, error) {
	return s.lease(ctx, ref, "take", owner, lease)
}

// KeepSplit extends the split lease: OK, Held (it is another's, or nobody's), Stopped, Gone. It goes on answering OK
// when the split is done.
func (s *Store) KeepSplit(ctx context.Context, ref Ref, owner string, lease time.Duration) (Code, error) {
	return s.lease(ctx, ref, "keep", owner, lease)
}

// LeaveSplit gives the split lease back: OK – also when the owner does not have it –, Gone. The duration is not used.
func (s *Store) LeaveSplit(ctx context.Context, ref Ref, owner string, lease time.Duration) (Code, error) {
	return s.lease(ctx, ref, "leave", owner, lease)
}

func (s *Store) lease(ctx context.Context, ref Ref, verb, owner string, lease time.Duration) (Code, error) {
	code, _, err := s.run(ctx, s.scripts.lease, []string{s.keys.run(ref.ID)},
		ref.UID, verb, owner, lease.Milliseconds())
	if err != nil {
		return Gone, fmt.Errorf("%s the split lease of run %d: %w", verb, ref.ID, err)
	}
	return code, nil
}
