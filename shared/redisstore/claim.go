package redisstore

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"ingest/shared/run"
)

// Claim is a partition a slot holds. The lease decides who should work, the ledger decides who may write.
type Claim struct {
	Partition int
	Owner     string
	Epoch     int64
	// Taken says that the lease of another owner had run out: its database session has to be ended.
	Taken bool
	// Acked is the last acknowledged chunk.
	Acked int64
}

// Entry is a chunk handed out.
type Entry struct {
	Number  int64
	Payload []byte
	// Attempts is how often the chunk was handed out, lost replies included, this time too.
	Attempts int64
	// Crashes is how often an owner of the partition vanished while this chunk was its next.
	Crashes int64
}

// Acquire gives a slot the partition it holds, else the free one with the most chunks to do, for the length of the
// lease. owner names one slot of one incarnation of a process. It answers OK, Empty, Stopped, Gone.
func (s *Store) Acquire(ctx context.Context, ref Ref, owner string, lease time.Duration) (Claim, Code, error) {
	code, reply, err := s.run(ctx, s.scripts.acquire, s.keys.partitions(ref.ID, ref.Partitions),
		ref.UID, owner, lease.Milliseconds())
	var n []int64
	if err == nil && code == OK {
		n, err = numbers(reply, 4)
	}
	if err != nil {
		return Claim{}, Gone, fmt.Errorf("acquire a partition of run %d: %w", ref.ID, err)
	}
	if code != OK {
		return Claim{}, code, nil
	}
	return Claim{Partition: int(n[0]), Owner: owner, Epoch: n[1], Taken: n[2] == 1, Acked: n[3]}, OK, nil
}

// Fetch hands the claim's owner the next chunk and renews the lease. Until it is acknowledged the same chunk comes
// again. It answers OK, Empty, Lost (an entry that must be there is not: reset the partition), NotOwner, Stopped, Gone.
func (s *Store) Fetch(ctx context.Context, ref Ref, c Claim, lease time.Duration) (Entry, Code, error) {
	code, entry, err := s.hand(ctx, s.scripts.fetch, s.keys.lane(ref.ID, c.Partition), c.Acked+1,
		ref.UID, c.Owner, c.Epoch, lease.Milliseconds())
	if err != nil {
		return Entry{}, Gone, fmt.Errorf("fetch from partition %d of run %d: %w", c.Partition, ref.ID, err)
	}
	if entry == nil {
		if code == OK {
			code = NotOwner
		}
		return Entry{}, code, nil
	}
	return *entry, code, nil
}

// hand runs a script that hands out a chunk, likely the expected one, and gets the payload of that in the same round trip.
// There is no entry when the script gave none, or when the partition was put back to its head right behind it.
func (s *Store) hand(ctx context.Context, script *redis.Script, lane []string, expected int64, args ...any) (Code, *Entry, error) {
	payloads := lane[3]
	var handed *redis.Cmd
	var payload *redis.StringCmd
	_, _ = s.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		handed, payload = script.EvalSha(ctx, p, lane, args...), p.HGet(ctx, payloads, strconv.FormatInt(expected, 10))
		return nil
	}) // its error is one of theirs
	if redis.HasErrorPrefix(handed.Err(), "NOSCRIPT") {
		handed, expected = script.Eval(ctx, s.client, lane, args...), 0
	}
	code, reply, err := replyOf(handed)
	if err != nil || len(reply) == 0 {
		return code, nil, err
	}
	n, err := numbers(reply, 3)
	if err != nil {
		return Gone, nil, err
	}
	if n[0] != expected {
		payload = s.client.HGet(ctx, payloads, reply[0])
	}
	data, err := payload.Bytes()
	switch {
	case errors.Is(err, redis.Nil):
		return code, nil, nil
	case err != nil:
		return Gone, nil, fmt.Errorf("read the payload of chunk %d: %w", n[0], err)
	}
	return code, &Entry{Number: n[0], Payload: data, Attempts: n[1], Crashes: n[2]}, nil
}

// Ack says that a chunk has taken effect.
type Ack struct {
	Partition int
	Number    int64
	// Totals are the head's running totals after the chunk.
	Totals run.Counts
	// Errors and Validation are what the chunk adds to the histograms.
	Errors, Validation map[string]int64
	// Claim is the caller's; nil when it is not the owner.
	Claim *Claim
	// Lease is how long the owner's lease is extended.
	Lease time.Duration
	// FailedLimit wakes coordinators when the run's failed rows pass it; 0 = no limit.
	FailedLimit int64
}

// Ack notes that a chunk has taken effect, whoever says so: the ledger has it. The answers are OK, Dup, Gap (chunks
// before it are not acknowledged), Gone. With OK and Dup the current owner gets its next chunk, if there is one. The
// last chunk of a sealed partition wakes coordinators when at most one partition is left.
func (s *Store) Ack(ctx context.Context, ref Ref, a Ack) (code Code, next *Entry, err error) {
	broken, validation := capped(a.Errors), capped(a.Validation)
	var claim Claim
	if a.Claim != nil {
		claim = *a.Claim
	}
	args := append([]any{ref.UID, a.Number}, countArgs(a.Totals)...)
	args = append(args, claim.Owner, claim.Epoch, a.Lease.Milliseconds(), a.FailedLimit, s.keys.wake(Runs), distinct,
		len(broken), len(validation))
	args = append(append(args, messageArgs(broken)...), messageArgs(validation)...)
	keys := append(s.keys.lane(ref.ID, a.Partition), s.keys.errors(ref.ID), s.keys.validation(ref.ID))
	if a.Claim == nil {
		code, _, err = s.run(ctx, s.scripts.ack, keys, args...)
	} else {
		code, next, err = s.hand(ctx, s.scripts.ack, keys, a.Number+1, args...)
	}
	if err != nil {
		return Gone, nil, fmt.Errorf("acknowledge chunk %d of partition %d of run %d: %w", a.Number, a.Partition, ref.ID, err)
	}
	return code, next, nil
}

// Renew extends the lease; it never creates one. It answers OK, Stopped – extended, but the run is being stopped –, NotOwner,
// Gone.
func (s *Store) Renew(ctx context.Context, ref Ref, c Claim, lease time.Duration) (Code, error) {
	code, _, err := s.run(ctx, s.scripts.renew, s.keys.lane(ref.ID, c.Partition)[:2],
		ref.UID, c.Owner, c.Epoch, lease.Milliseconds())
	if err != nil {
		return Gone, fmt.Errorf("renew the lease of partition %d of run %d: %w", c.Partition, ref.ID, err)
	}
	return code, nil
}

// Release gives the partition back. It answers OK, NotOwner, Gone.
func (s *Store) Release(ctx context.Context, ref Ref, c Claim) (Code, error) {
	return s.release(ctx, ref, c, false)
}

// Postpone is Release when the chunk that was handed out was not tried: its attempt does not count.
func (s *Store) Postpone(ctx context.Context, ref Ref, c Claim) (Code, error) {
	return s.release(ctx, ref, c, true)
}

func (s *Store) release(ctx context.Context, ref Ref, c Claim, untried bool) (Code, error) {
	code, _, err := s.run(ctx, s.scripts.release, s.keys.lane(ref.ID, c.Partition)[:2], ref.UID, c.Owner, c.Epoch, flag(untried))
	if err != nil {
		return Gone, fmt.Errorf("release partition %d of run %d: %w", c.Partition, ref.ID, err)
	}
	return code, nil
}

// Reset puts a partition back to its head: its chunks are dropped, its owner loses it, the split is unfinished.
// Coordinators are woken to emit the rest again. It answers OK, Stopped, Gone.
func (s *Store) Reset(ctx context.Context, ref Ref, partition int, h Head) (Code, error) {
	args := append([]any{ref.UID, h.Acked, h.Sealed}, countArgs(h.Counts)...)
	code, _, err := s.run(ctx, s.scripts.reset, s.keys.lane(ref.ID, partition), append(args, s.keys.wake(Runs))...)
	if err != nil {
		return Gone, fmt.Errorf("reset partition %d of run %d: %w", partition, ref.ID, err)
	}
	return code, nil
}
