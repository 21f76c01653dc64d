package redisstore

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"ingest/shared/run"
)

// testModel makes random calls, each at times twice, and compares answers and state with the model.
func testModel(t *testing.T, s *site) {
	rapid.Check(t, func(r *rapid.T) {
		ctx := t.Context()
		st := s.state(3)
		m := &model{ref: st.Ref}
		claims := []Claim{{Owner: "a", Epoch: 1}}
		owner := rapid.SampledFrom([]string{"a", "b", "c"})
		partition := rapid.IntRange(0, 2)
		same := func(what string, wanted, got any, err error) {
			if err != nil {
				r.Fatalf("%s: %v", what, err)
			}
			if diff := cmp.Diff(wanted, got); diff != "" {
				r.Fatalf("%s: %s", what, diff)
			}
		}
		claim := func() Claim { return rapid.SampledFrom(claims).Draw(r, "claim") }
		head := func() Head {
			return Head{
				Acked: rapid.Int64Range(0, 3).Draw(r, "acked"), Sealed: rapid.Int64Range(-1, 6).Draw(r, "sealed"),
				Counts: run.Counts{Failed: rapid.Int64Range(0, 3).Draw(r, "failed")},
			}
		}
		near := func(p int) int64 {
			base := int64(1)
			if m.known && !m.finished {
				base = rapid.SampledFrom([]int64{m.parts[p].emitted, m.parts[p].acked}).Draw(r, "base")
			}
			return max(1, base+rapid.Int64Range(-1, 2).Draw(r, "offset"))
		}
		actions := map[string]func(*rapid.T){
			"restore": func(*rapid.T) {
				st.Heads = []Head{head(), head(), head()}
				created, err := s.Restore(ctx, st)
				same("restore", m.restore(st.Heads), created, err)
			},
			"take": func(*rapid.T) {
				o := owner.Draw(r, "owner")
				got, err := s.TakeSplit(ctx, st.Ref, o, hour)
				same("take", m.lease("take", o), got, err)
			},
			"keep": func(*rapid.T) {
				o := owner.Draw(r, "owner")
				got, err := s.KeepSplit(ctx, st.Ref, o, hour)
				same("keep", m.lease("keep", o), got, err)
			},
			"leave": func(*rapid.T) {
				o := owner.Draw(r, "owner")
				got, err := s.LeaveSplit(ctx, st.Ref, o, hour)
				same("leave", m.lease("leave", o), got, err)
			},
			"seal": func(*rapid.T) {
				chunks := []int64{0, 0, 0}
				for p, l := range m.parts {
					chunks[p] = max(0, l.emitted+rapid.SampledFrom([]int64{0, 0, 0, 1}).Draw(r, "off"))
				}
				later := rapid.Bool().Draw(r, "later")
				got, err := s.Seal(ctx, st.Ref, chunks, 7, later)
				same("seal", m.seal(chunks, later), got, err)
			},

			"renew": func(*rapid.T) {
				c := claim()
				got, err := s.Renew(ctx, st.Ref, c, hour)
				same("renew", m.renew(c), got, err)
			},
			"release": func(*rapid.T) {
				c := claim()
				got, err := s.Release(ctx, st.Ref, c)
				same("release", m.release(c), got, err)
			},
			"reset": func(*rapid.T) {
				if rapid.IntRange(0, 3).Draw(r, "seldom") > 0 {
					return
				}
				p, h := partition.Draw(r, "partition"), head()
				got, err := s.Reset(ctx, st.Ref, p, h)
				same("reset", m.reset(p, h), got, err)
			},
			"expire": func(*rapid.T) {
				p := partition.Draw(r, "partition")
				if m.gone() || m.parts[p].owner == "" {
					return
				}
				s.expire(t, st.Ref, p)
				m.parts[p].expired = true
			},
			"expire split": func(*rapid.T) {
				if m.gone() || m.splitOwner == "" {
					return
				}
				must(t, s.client.HSet(ctx, s.keys.run(st.ID), "split_until", "1").Err())
				m.splitExpired = true
			},
			"lose the stream": func(*rapid.T) {
				p := partition.Draw(r, "partition")
				if m.gone() || len(m.parts[p].entries) > 0 {
					return // bytes in flight of a vanished stream are counted until a reset; the model does not know
				}
				must(t, s.client.Del(ctx, s.keys.chunks(st.ID, p)).Err())
			},
			"end": func(*rapid.T) {
				switch rapid.IntRange(0, 9).Draw(r, "how") {
				case 0:
					must(t, s.Fail(ctx, st.Ref, "x"))
					if !m.gone() {
						m.failure = "x"
					}
				case 1:
					must(t, s.Stop(ctx, st.Ref, run.Cancelling))
					m.stopping = m.stopping || !m.gone()
				case 2:
					must(t, s.Finish(ctx, st.Ref, run.Completed, run.Final{}))
					m.finished = m.known
				case 3:
					must(t, s.Forget(ctx, st.ID))
					*m = model{ref: m.ref}
				}
			},
			"": func(*rapid.T) { compare(ctx, r, s, m) },
		}
		emit := func(*rapid.T) {
			p := partition.Draw(r, "partition")
			n, limit := near(p), rapid.SampledFrom([]int64{1000, 1000, 40}).Draw(r, "limit")
			got, _, err := s.Emit(ctx, st.Ref, Emission{Partition: p, Number: n, Payload: payload(p, n), Limit: limit})
			same(fmt.Sprintf("emit %d/%d", p, n), m.emit(p, n, limit), got, err)
		}
		acquire := func(*rapid.T) {
			o := owner.Draw(r, "owner")
			wanted, entry, code := m.acquire(o)
			got, gotEntry, gotCode, err := s.Acquire(ctx, st.Ref, o, hour)
			same("acquire", code, gotCode, err)
			same("acquired", wanted, got, nil)
			same("handed out", entry, gotEntry, nil)
			if code == OK || code == Lost {
				claims = append(claims, got)
			}
		}
		ack := func(*rapid.T) {
			p := partition.Draw(r, "partition")
			a := Ack{
				Partition: p, Number: near(p), Totals: run.Counts{Created: 1, Failed: rapid.Int64Range(0, 9).Draw(r, "failed")},
				Errors: map[string]int64{rapid.SampledFrom([]string{"e", "f"}).Draw(r, "message"): 1}, Lease: hour,
				More: rapid.Bool().Draw(r, "more"),
			}

			if c := claim(); c.Partition == p {
				a.Claim = &c
			}
			code, next := m.ack(a)
			got, gotNext, err := s.Ack(ctx, st.Ref, a)
			same(fmt.Sprintf("ack %d/%d", p, a.Number), code, got, err)
			same("acked", next, gotNext, nil)
		}
		for _, n := range []string{"1", "2", "3"} {
			actions["emit"+n], actions["acquire"+n], actions["ack"+n] = emit, acquire, ack
		}
		actions["restore"](r)
		r.Repeat(actions)
	})
}

// compare compares the state in Redis with the model.
func compare(ctx context.Context, r *rapid.T, s *site, m *model) {
	progress, found, err := s.Progress(ctx, m.ref.ID)
	if err != nil || found != m.known {
		r.Fatalf("progress: %v %v", found, err)
	}
	if m.gone() {
		return
	}
	wanted := Progress{
		UID: m.ref.UID, Status: progress.Status, Failure: m.failure, Total: progress.Total, FirstSeen: progress.FirstSeen,
		InFlight: m.inFlight(), SplitDone: m.splitDone, Stopping: m.stopping, SplitOwner: m.splitOwner,
	}
	for p, l := range m.parts {
		lease := time.Duration(0)
		if l.owner != "" {
			lease = hour
		}
		wanted.Counts = wanted.Counts.Add(l.counts)
		wanted.Partitions = append(wanted.Partitions, PartitionState{
			Emitted: l.emitted, Acked: l.acked, Sealed: l.sealed, Owner: l.owner, Attempts: l.attempts, Crashes: l.crashes,
			Counts: l.counts, Lease: lease, LeaseLeft: progress.Partitions[p].LeaseLeft,
		})
		if left := progress.Partitions[p].LeaseLeft; l.owner != "" && (left > 0) == l.expired {
			r.Fatalf("partition %d: lease %v", p, left)
		}
	}
	if diff := cmp.Diff(wanted, progress); diff != "" {
		r.Fatal(diff)
	}
	errors, _, err := s.Histograms(ctx, m.ref.ID)
	if err != nil {
		r.Fatal(err)
	}
	got := map[string]int64{}
	for _, e := range errors {
		got[e.Message] = e.Count
	}
	if diff := cmp.Diff(m.errors, got); diff != "" {
		r.Fatal(diff)
	}
	failed := s.client.HGet(ctx, s.keys.run(m.ref.ID), "failed").Val()
	if failed != fmt.Sprint(wanted.Counts.Failed) {
		r.Fatalf("failed rows of the run: %s, want %d", failed, wanted.Counts.Failed)
	}
}
