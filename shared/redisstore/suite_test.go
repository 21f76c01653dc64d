package redisstore

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ingest/shared/run"
)

// TestConformance runs the suite against the embedded server, a redis-server and a Redis Cluster.
func TestConformance(t *testing.T) {
	t.Parallel()
	suite := []struct {
		name string
		test func(t *testing.T, s *site)
	}{
		{"restore", testRestore},
		{"restore again after loss", testLoss},
		{"restore mends", testMend},
		{"emit", testEmit},
		{"emit is bounded", testFull},
		{"position", testPosition},
		{"seal", testSeal},
		{"seal before the last chunk", testSealBeforeTheLast},
		{"split lease", testSplitLease},
		{"acquire", testAcquire},
		{"takeover", testTakeover},
		{"try", testTry},
		{"lost entries", testLost},
		{"ack", testAck},
		{"ack brings the next", testAckNext},
		{"ack from the ledger", testReplay},
		{"leftovers", testLeftovers},
		{"reasons to wake", testReasons},
		{"renew and release", testRenew},
		{"throttle", testThrottle},
		{"throttle by example", testThrottled},
		{"reset", testReset},
		{"histograms", testHistograms},
		{"fail", testFail},
		{"stop", testStop},
		{"finish", testFinish},
		{"describe", testDescribe},
		{"forget", testForget},
		{"strangers write nothing", testStrangers},
		{"reports", testReports},
		{"processes", testProcesses},
		{"events", testEvents},
		{"wake-ups", testWake},
		{"scripts flushed", testFlush},
		{"big numbers", testBig},
		{"model", testModel},
	}
	for _, b := range backends() {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			options := b.start(t)
			for i, c := range suite {
				t.Run(c.name, func(t *testing.T) {
					t.Parallel()
					s := &site{Store: open(t, options, fmt.Sprintf("test%d", i)), name: b.name}
					s.alone = func(t testing.TB) *Store { return open(t, b.start(t), "alone") }
					c.test(t, s)
				})
			}
		})
	}
}

func tagOf(key string) string {
	_, rest, found := strings.Cut(key, "{")
	tag, _, closed := strings.Cut(rest, "}")
	if !found || !closed || tag == "" {
		return key
	}
	return tag
}

func testRestore(t *testing.T, s *site) {
	st := s.state(2)
	st.Heads[0] = Head{Acked: 3, Sealed: 4, Counts: run.Counts{Created: 10, Failed: 2}}
	st.Heads[1] = Head{Acked: 0, Sealed: -1, Counts: run.Counts{Failed: 5}}
	st.Errors, st.Validation = map[string]int64{"e": 7}, map[string]int64{"a: b": 2, "a: a": 2}
	st.Total, st.DryRun = 99, true
	for i := range 3 {
		created, err := s.Restore(t.Context(), st)
		if must(t, err); created != (i == 0) {
			t.Fatalf("restore %d: created = %v", i, created)
		}
	}
	got := s.progress(t, st.Ref)
	if got.FirstSeen.IsZero() || time.Since(got.FirstSeen) > hour {
		t.Errorf("first seen at %v", got.FirstSeen)
	}
	got.FirstSeen = time.Time{}
	wanted := Progress{
		UID: st.UID, Status: run.Processing, Counts: run.Counts{Created: 10, Failed: 7}, Total: 99,
		Partitions: []PartitionState{
			{Emitted: 3, Acked: 3, Sealed: 4, Counts: st.Heads[0].Counts}, {Sealed: -1, Counts: st.Heads[1].Counts},
		},
	}
	if diff := cmp.Diff(wanted, got); diff != "" {
		t.Error(diff)
	}
	errors, validation, err := s.Histograms(t.Context(), st.ID)
	must(t, err)
	if diff := cmp.Diff([]run.MessageCount{{Message: "e", Count: 7}}, errors); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]run.MessageCount{{Message: "a: a", Count: 2}, {Message: "a: b", Count: 2}}, validation); diff != "" {
		t.Error(diff)
	}
	definition, found, err := s.Definition(t.Context(), st.ID)
	must(t, err)
	known := State{Ref: st.Ref, Status: st.Status, Definition: st.Definition, Manifest: st.Manifest, DryRun: true}
	if diff := cmp.Diff(known, definition); !found || diff != "" {
		t.Error(found, diff)
	}
	active, err := s.Active(t.Context())
	if must(t, err); !slices.Equal(active, []int64{st.ID}) {
		t.Errorf("active: %v", active)
	}

	// A run without a manifest has no partitions; they come with it, and stay when a late caller does not know them.
	bare := s.state(0)
	bare.Manifest, bare.Status = nil, run.Pending
	if created, err := s.Restore(t.Context(), bare); err != nil || !created {
		t.Fatal(created, err)
	}
	if definition, _, err = s.Definition(t.Context(), bare.ID); err != nil || definition.Manifest != nil {
		t.Fatal(definition, err)
	}
	full := bare
	full.Manifest, full.Partitions, full.Heads = []byte("{}"), 3, make([]Head, 3)
	for i, st := range []State{full, full, bare} {
		if created, err := s.Restore(t.Context(), st); err != nil || created != (i == 0) {
			t.Fatal(i, created, err)
		}
	}
	if got := s.progress(t, bare.Ref); len(got.Partitions) != 3 {
		t.Errorf("%d partitions", len(got.Partitions))
	}

	// Keys of another uid under the same id go.
	foreign := st
	foreign.UID, foreign.Partitions, foreign.Heads = "other", 1, make([]Head, 1)
	if created, err := s.Restore(t.Context(), foreign); err != nil || !created {
		t.Fatal(created, err)
	}
	if got := s.progress(t, foreign.Ref); got.UID != "other" || len(got.Partitions) != 1 {
		t.Error(got)
	}
	if n := s.client.Exists(t.Context(), s.keys.partition(st.ID, 1)).Val(); n != 0 {
		t.Error("a partition of the other run is left")
	}
}

func testLoss(t *testing.T, shared *site) {
	s := &site{Store: shared.alone(t), name: shared.name}
	ref := s.begin(t, 1)
	s.emit(t, ref, 0, 1)
	s.emit(t, ref, 0, 2)
	claim, _ := s.acquire(t, ref, "a")
	must(t, s.client.FlushAll(t.Context()).Err())

	want(t, Gone)(s.offer(t, ref, 0, 3))
	want(t, Gone)(s.refused(t, ref, "a"))
	code, _, err := s.Ack(t.Context(), ref, Ack{Number: 1, Claim: &claim, Errors: map[string]int64{"x": 1}})
	want(t, Gone)(code, err)
	want(t, Gone)(s.Renew(t.Context(), ref, claim, hour))
	want(t, Gone)(s.Release(t.Context(), ref, claim))
	want(t, Gone)(s.Reset(t.Context(), ref, 0, Head{}))
	if got := s.dump(t, ref); len(got) != 0 {
		t.Fatalf("keys of a run that is not there: %v", got)
	}

	st := s.state(1)
	st.Ref, st.Heads = ref, []Head{{Acked: 1, Sealed: -1, Counts: run.Counts{Created: 5}}}
	if created, err := s.Restore(t.Context(), st); err != nil || !created {
		t.Fatal(created, err)
	}
	want(t, Dup)(s.offer(t, ref, 0, 1))
	want(t, Gap)(s.offer(t, ref, 0, 3))
	s.emit(t, ref, 0, 2)
	want(t, NotOwner)(s.Renew(t.Context(), ref, claim, hour))
	if _, entry := s.acquire(t, ref, "a"); entry.Number != 2 {
		t.Errorf("got chunk %d", entry.Number)
	}
}

func testMend(t *testing.T, s *site) {
	st := s.state(2)
	if _, err := s.Restore(t.Context(), st); err != nil {
		t.Fatal(err)
	}
	s.emit(t, st.Ref, 0, 1)
	s.emit(t, st.Ref, 1, 1)
	must(t, s.client.Del(t.Context(), s.keys.partition(st.ID, 1)).Err())
	if got := s.progress(t, st.Ref); len(got.Partitions) != 1 {
		t.Fatalf("%d partitions, one is lost", len(got.Partitions))
	}
	want(t, Gone)(s.offer(t, st.Ref, 1, 2))
	if created, err := s.Restore(t.Context(), st); err != nil || !created {
		t.Fatal(created, err)
	}
	got := s.progress(t, st.Ref)
	if len(got.Partitions) != 2 || got.Partitions[0].Emitted != 1 || got.Partitions[1].Emitted != 0 ||
		got.InFlight != int64(len(payload(0, 1))) || got.SplitDone {
		t.Errorf("%+v", got)
	}
	s.emit(t, st.Ref, 1, 1)
}

func testEmit(t *testing.T, s *site) {
	ref := s.begin(t, 1)
	position := func(n, wanted int64, code Code) {
		t.Helper()
		for range 2 {
			got, last, err := s.Emit(t.Context(), ref, Emission{Number: n, Payload: payload(0, n), Limit: 1000})
			want(t, code)(got, err)
			if last != wanted {
				t.Fatalf("last = %d, want %d", last, wanted)
			}
			if code == OK {
				code = Dup
			}
		}
	}
	position(2, 0, Gap)
	position(1, 1, OK)
	position(2, 2, OK)
	position(4, 2, Gap)
	position(1, 2, Dup)
	want(t, OK)(s.Seal(t.Context(), ref, []int64{2}, 20, false))
	position(3, 2, Sealed)
	position(2, 2, Dup)
	must(t, s.Fail(t.Context(), ref, "x"))
	want(t, Stopped)(s.offer(t, ref, 0, 3))
}

func testFull(t *testing.T, s *site) {
	ref := s.begin(t, 2)
	offer := func(p int, n int64, size int, limit int64) (Code, error) {
		code, _, err := s.Emit(t.Context(), ref, Emission{Partition: p, Number: n, Payload: make([]byte, size), Limit: limit})
		return code, err
	}
	want(t, OK)(offer(0, 1, 500, 100))
	want(t, Full)(offer(0, 2, 1, 500))
	want(t, OK)(offer(1, 1, 100, 600))
	want(t, Dup)(offer(0, 1, 500, 100))
	if got := s.progress(t, ref); got.InFlight != 600 {
		t.Errorf("in flight: %d", got.InFlight)
	}
	taken, err := s.InFlight(t.Context())
	if must(t, err); taken[ref.ID] != 600 {
		t.Errorf("in flight: %v", taken)
	}
	for range 2 {
		code, _, err := s.Ack(t.Context(), ref, Ack{Number: 1})
		must(t, err)
		if got := s.progress(t, ref); got.InFlight != 100 {
			t.Errorf("in flight after %v: %d", code, got.InFlight)
		}
	}
	want(t, OK)(s.Reset(t.Context(), ref, 1, Head{Sealed: -1}))
	if got := s.progress(t, ref); got.InFlight != 0 {
		t.Errorf("in flight after a reset: %d", got.InFlight)
	}
}

func testPosition(t *testing.T, s *site) {
	st := s.state(2)
	st.Heads[1].Acked = 7
	if _, err := s.Restore(t.Context(), st); err != nil {
		t.Fatal(err)
	}
	s.emit(t, st.Ref, 0, 1)
	got, err := s.Position(t.Context(), st.Ref)
	if must(t, err); !slices.Equal(got, []int64{1, 7}) {
		t.Error(got)
	}
	got, err = s.Position(t.Context(), Ref{ID: st.ID, UID: "other", Partitions: 2})
	if must(t, err); len(got) != 0 {
		t.Error(got)
	}
}

func testSeal(t *testing.T, s *site) {
	ref := s.begin(t, 2)
	s.emit(t, ref, 0, 1)
	want(t, Gap)(s.Seal(t.Context(), ref, []int64{2, 0}, 9, false))
	want(t, Gap)(s.Seal(t.Context(), ref, []int64{0, 0}, 9, false))
	want(t, Gap)(s.Seal(t.Context(), ref, []int64{1}, 9, false))
	if got := s.progress(t, ref); got.SplitDone || got.Partitions[0].Sealed != -1 {
		t.Fatalf("%+v", got)
	}
	for range 2 {
		want(t, OK)(s.Seal(t.Context(), ref, []int64{1, 0}, 9, false))
	}
	if got := s.progress(t, ref); !got.SplitDone || got.Total != 9 || got.Partitions[0].Sealed != 1 || got.Partitions[1].Sealed != 0 {
		t.Fatalf("%+v", got)
	}
	must(t, s.Stop(t.Context(), ref, run.Cancelling))
	want(t, Stopped)(s.Seal(t.Context(), ref, []int64{1, 0}, 9, false))
}

// testSealBeforeTheLast: the last partition is sealed before its chunk is emitted, and coordinators hear when the others
// are complete, and when it is.
func testSealBeforeTheLast(t *testing.T, s *site) {
	ref := s.begin(t, 2)
	s.emit(t, ref, 0, 1)
	want(t, Gap)(s.Seal(t.Context(), ref, []int64{2, 1}, 9, true))
	want(t, OK)(s.Seal(t.Context(), ref, []int64{1, 1}, 9, true))
	if got := s.progress(t, ref); !got.SplitDone || got.Partitions[1].Sealed != 1 || got.Partitions[1].Emitted != 0 {
		t.Fatalf("%+v", got)
	}
	heard, end := s.Listen(t.Context(), Runs)
	defer end()
	await(t, heard)
	for p := range 2 {
		if p == 1 {
			s.emit(t, ref, 1, 1)
		}
		code, _, err := s.Ack(t.Context(), ref, Ack{Partition: p, Number: 1})
		want(t, OK)(code, err)
		await(t, heard)
	}
	want(t, Sealed)(s.offer(t, ref, 1, 2))
}

func testSplitLease(t *testing.T, s *site) {
	ref := s.begin(t, 1)
	ctx := t.Context()
	want(t, Held)(s.KeepSplit(ctx, ref, "a", hour))
	for range 2 {
		want(t, OK)(s.TakeSplit(ctx, ref, "a", hour))
		want(t, OK)(s.KeepSplit(ctx, ref, "a", hour))
	}
	want(t, Held)(s.TakeSplit(ctx, ref, "b", hour))
	want(t, Held)(s.KeepSplit(ctx, ref, "b", hour))
	want(t, OK)(s.LeaveSplit(ctx, ref, "b", hour))
	want(t, Held)(s.TakeSplit(ctx, ref, "b", hour))
	want(t, OK)(s.KeepSplit(ctx, ref, "a", 0))
	want(t, OK)(s.TakeSplit(ctx, ref, "b", hour))
	want(t, Held)(s.KeepSplit(ctx, ref, "a", hour))
	for range 2 {
		want(t, OK)(s.LeaveSplit(ctx, ref, "b", hour))
	}
	want(t, OK)(s.TakeSplit(ctx, ref, "c", hour))
	want(t, OK)(s.Seal(ctx, ref, []int64{0}, 0, false))
	want(t, Done)(s.TakeSplit(ctx, ref, "c", hour))
	want(t, OK)(s.KeepSplit(ctx, ref, "c", hour))
	must(t, s.Stop(ctx, ref, run.Cancelling))
	want(t, Stopped)(s.TakeSplit(ctx, ref, "c", hour))
	want(t, Stopped)(s.KeepSplit(ctx, ref, "c", hour))
	want(t, OK)(s.LeaveSplit(ctx, ref, "c", hour))
	want(t, Gone)(s.TakeSplit(ctx, Ref{ID: ref.ID, UID: "other"}, "c", hour))
}
