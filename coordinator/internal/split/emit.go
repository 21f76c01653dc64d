package split

import (
	"context"
	"fmt"
	"sync"
	"time"

	"ingest/shared/failpoint"
	"ingest/shared/ledger"
	"ingest/shared/lifecycle"
	"ingest/shared/redisstore"
	"ingest/shared/run"
)

const (
	// fullWait is how long to wait before a chunk is offered again that did not fit. The wait doubles up to fullWaits: it is
	// noticed late by no more than the time that it took, in which less is worked off than there was.
	fullWait  = 10 * time.Millisecond
	fullWaits = 320 * time.Millisecond
	// outageWait is between two attempts while Redis cannot be used.
	outageWait = 200 * time.Millisecond
)

// emitter puts chunks on their partitions and waits while there is no room. It skips what Redis already has.
type emitter struct {
	splitter *Splitter
	ref      redisstore.Ref
	// have is the last chunk of each partition that is in Redis or acknowledged.
	have     []int64
	progress redisstore.SplitProgress
	told     time.Time
}

func (s *Splitter) emitter(ctx context.Context, r run.Run, ref redisstore.Ref) (*emitter, error) {
	have, err := s.redis.Position(ctx, ref)
	if err != nil {
		return nil, fmt.Errorf("ask the partitions what they have: %w", err)
	}
	if len(have) != ref.Partitions {
		return nil, fmt.Errorf("redis has %d of %d partitions of run %d", len(have), ref.Partitions, r.ID)
	}
	return &emitter{splitter: s, ref: ref, have: have}, nil
}

// emit puts a chunk on its partition, unless that has it. It blocks until there is room or ctx ends.
func (e *emitter) emit(ctx context.Context, p int, number int64, encode func() []byte) error {
	if err := e.tell(ctx); err != nil {
		return err
	}
	if number <= e.have[p] {
		return nil
	}
	payload := encode()
	wait := fullWait
	for {
		limit, err := e.splitter.budget.limit(ctx, e.ref.ID, int64(e.splitter.settings.InFlight))
		if err != nil {
			return err
		}
		code, last, err := e.splitter.redis.Emit(ctx, e.ref, redisstore.Emission{
			Partition: p, Number: number, Payload: payload, Limit: limit,
		})
		switch {
		case err != nil && redisstore.Unavailable(err):
			// Out of memory, failing over: nothing was written, or it was and the repetition is recognised.
			if err := lifecycle.Wait(ctx, outageWait, nil); err != nil {
				return err
			}
		case err != nil:
			return fmt.Errorf("emit chunk %d of partition %d: %w", number, p, err)
		case code == redisstore.OK, code == redisstore.Dup:
			failpoint.Hit("split.emitted")
			e.have[p] = number
			return nil
		case code == redisstore.Full:
			if err := lifecycle.Wait(ctx, wait, nil); err != nil {
				return err
			}
			wait = min(2*wait, fullWaits)
		case code == redisstore.Gap:
			return fmt.Errorf("redis lost chunks of partition %d after %d: the split begins again", p, last)
		default:
			return errLetGo
		}
	}
}

// tell puts the progress into Redis, a few times a second at most.
func (e *emitter) tell(ctx context.Context) error {
	now := e.splitter.now()
	if now.Sub(e.told) < 200*time.Millisecond {
		return nil
	}
	e.told = now
	return e.tellAll(ctx)
}

// tellAll puts the progress into Redis now.
func (e *emitter) tellAll(ctx context.Context) error {
	if err := e.splitter.redis.Split(ctx, e.ref, e.progress); err != nil && !redisstore.Unavailable(err) {
		return fmt.Errorf("tell the split's progress: %w", err)
	}
	return nil
}

// budget keeps the bytes in flight over all runs below their limit. Runs live in different slots of a cluster, so the
// sum is taken a few times a second instead of with every chunk.
type budget struct {
	redis *redisstore.Store
	total int64
	now   func() time.Time

	mu    sync.Mutex
	taken map[int64]int64
	at    time.Time
}

// limit is how many bytes the run may have in flight now.
func (b *budget) limit(ctx context.Context, id, own int64) (int64, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.now().Sub(b.at) > 500*time.Millisecond {
		taken, err := b.redis.InFlight(ctx)
		if err != nil && !redisstore.Unavailable(err) {
			return 0, fmt.Errorf("sum the bytes in flight: %w", err)
		}
		b.taken, b.at = taken, b.now()
	}
	room := b.total
	for other, bytes := range b.taken {
		if other != id {
			room -= bytes
		}
	}
	return max(0, min(own, room)), nil
}

// StateOf is what Redis has to know of a run: registry and ledger put together. A run without a manifest has no
// partitions yet.
func StateOf(ctx context.Context, r run.Run, book *ledger.Ledger) (redisstore.State, error) {
	state := redisstore.State{
		Ref: redisstore.Ref{ID: r.ID, UID: r.UID}, Status: r.Status, Definition: r.Definition, DryRun: r.DryRun,
	}
	if r.Manifest == nil {
		return state, nil
	}
	manifest, err := r.Manifest.Encode()
	if err != nil {
		return state, err
	}
	state.Manifest, state.Partitions = manifest, r.Manifest.Lanes()
	heads, err := book.Heads(ctx, r.UID)
	if err != nil {
		return state, fmt.Errorf("read the heads of run %d: %w", r.ID, err)
	}
	state.Total = r.Manifest.Expected
	state.Heads = make([]redisstore.Head, state.Partitions)
	for p := range state.Heads {
		state.Heads[p].Sealed = -1
	}
	state.SplitDone = len(heads) == state.Partitions
	var sealed int64
	for _, head := range heads {
		state.Heads[head.Partition] = redisstore.Head{Acked: head.Next - 1, Sealed: head.SealedChunks, Counts: head.Counts}
		sealed += max(0, head.SealedRows)
		// A sealed partition whose chunks have not all taken effect has lost entries: they must be emitted again. The chunk of
		// the merge is nothing that a split emits.
		state.SplitDone = state.SplitDone && (head.SealedChunks == head.Next-1 || head.Partition == r.Manifest.Merge() && head.SealedChunks >= 0)
	}
	if state.SplitDone {
		state.Total = sealed
	} else {
		for p := range state.Heads {
			state.Heads[p].Sealed = -1
		}
	}
	if state.Errors, state.Validation, err = book.Histograms(ctx, r.UID); err != nil {
		return state, fmt.Errorf("read the histograms of run %d: %w", r.ID, err)
	}
	return state, nil
}
