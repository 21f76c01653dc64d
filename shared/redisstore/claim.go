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
	// Others says that more partitions of the run were free and had chunks to do.
	Others bool
}

// Entry is a chunk handed out.
type Entry struct {
	Number  int64
	Payload []byte
	// Attempts is how often the chunk was handed out, lost replies included, this time too.
	Attempts int64
	// Crashes is how often an owner of the partition vanished while this chunk was its next.
	Crashes int64
	// More says that the chunk behind it was there, too.
	More bool
}

// Acquire gives a slot the partition it holds, else the free one with the most chunks to do, for the length of the
// lease, and hands it the next chunk, which comes again until it is acknowledged. owner names one slot of one incarnation
// of a process. It answers OK, Lost (the partition is the slot's, but an entry that must be there is not: reset it),
// NotOwner (it was put back to its head right behind), Empty, Stopped, Gone.
func (s *Store) Acquire(ctx context.Context, ref Ref, owner string, lease time.Duration) (Claim, Entry, Code, error) {
	claim, entry, code, err := s.acquire(ctx, ref, owner, lease)
	if err != nil {
		return Claim{}, Entry{}, Gone, fmt.Errorf("acquire a partition of run %d: %w", ref.ID, err)
	}
	return claim, entry, code, nil
}

func (s *Store) acquire(ctx context.Context, ref Ref, owner string, lease time.Duration) (Claim, Entry, Code, error) {
	code, reply, err := s.run(ctx, s.scripts.acquire, s.keys.lanes(ref.ID, ref.Partitions), ref.UID, owner, lease.Milliseconds())
	if err != nil || code != OK && code != Lost {
		return Claim{}, Entry{}, code, err
	}
	n, err := numbers(reply, 5)
	if err != nil {
		return Claim{}, Entry{}, Gone, err
	}
	claim := Claim{Partition: int(n[0]), Owner: owner, Epoch: n[1], Taken: n[2] == 1, Acked: n[3], Others: n[4] == 1}
	if code == Lost {
		return claim, Entry{}, Lost, nil
	}
	handed := reply[5:]
	entry, err := entryOf(handed, s.client.HGet(ctx, s.keys.payloads(ref.ID, claim.Partition), handed[0]))
	if entry == nil {
		return Claim{}, Entry{}, NotOwner, err
	}
	return claim, *entry, OK, nil
}

// entryOf is the chunk that a script handed out; nil when the partition was put back to its head right behind the script,
// which saw the payload.
func entryOf(handed []string, payload *redis.StringCmd) (*Entry, error) {
	n, err := numbers(handed, 4)
	if err != nil {
		return nil, err
	}
	data, err := payload.Bytes()
	switch {
	case errors.Is(err, redis.Nil):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("read the payload of chunk %d: %w", n[0], err)
	}
	return &Entry{Number: n[0], Payload: data, Attempts: n[1], Crashes: n[2], More: n[3] == 1}, nil
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
	// More is that of the chunk: the payload of the next one is then asked for in the same round trip.
	More bool
	// Lease is how long the owner's lease is extended.
	Lease time.Duration
	// FailedLimit wakes coordinators when the run's failed rows pass it; 0 = no limit.
	FailedLimit int64
}

// Ack notes that a chunk has taken effect, whoever says so: the ledger has it. The answers are OK, Dup, Gap (chunks
// before it are not acknowledged), Gone. With OK and Dup the current owner gets its next chunk; without one the partition is
// not its own any more. The last chunk of a sealed partition wakes coordinators when at most one partition is left.
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
	if code, next, err = s.ack(ctx, keys, a, args); err != nil {
		return Gone, nil, fmt.Errorf("acknowledge chunk %d of partition %d of run %d: %w", a.Number, a.Partition, ref.ID, err)
	}
	return code, next, nil
}

func (s *Store) ack(ctx context.Context, keys []string, a Ack, args []any) (Code, *Entry, error) {
	payloads, script := keys[3], s.scripts.ack
	var acked *redis.Cmd
	var payload *redis.StringCmd
	if a.More {
		_, _ = s.client.Pipelined(ctx, func(p redis.Pipeliner) error {
			acked, payload = script.EvalSha(ctx, p, keys, args...), p.HGet(ctx, payloads, strconv.FormatInt(a.Number+1, 10))
			return nil
		}) // its error is one of theirs
	}
	if !a.More || redis.HasErrorPrefix(acked.Err(), "NOSCRIPT") {
		acked, payload = script.Run(ctx, s.client, keys, args...), nil
	}
	code, handed, err := replyOf(acked)
	if err != nil || len(handed) == 0 {
		return code, nil, err
	}
	if payload == nil || handed[0] != strconv.FormatInt(a.Number+1, 10) {
		payload = s.client.HGet(ctx, payloads, handed[0])
	}
	next, err := entryOf(handed, payload)
	return code, next, err
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
