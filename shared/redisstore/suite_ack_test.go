package redisstore

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ingest/shared/run"
)

func testAck(t *testing.T, s *site) {
	ref := s.begin(t, 1)
	for n := int64(1); n <= 2; n++ {
		s.emit(t, ref, 0, n)
	}
	ack := func(n int64, totals run.Counts, code Code) {
		t.Helper()
		got, next, err := s.Ack(t.Context(), ref, Ack{
			Number: n, Totals: totals, Errors: map[string]int64{"e": 2, "f": 1}, Validation: map[string]int64{"c: v": 1},
		})
		if want(t, code)(got, err); next != nil {
			t.Error("a chunk for somebody who is no owner")
		}
	}
	one, two := run.Counts{Created: 1, Updated: 2, Unchanged: 3, Skipped: 4, Failed: 3}, run.Counts{Created: 5, Failed: 6}
	must(t, s.SetWaiting(t.Context(), ref, "Waiting: the database", time.Now()))
	ack(2, two, Gap)
	if got := s.progress(t, ref); got.Waiting == "" {
		t.Error("a refused ack says that the run does not wait")
	}
	if got := s.progress(t, ref); got.Counts != (run.Counts{}) {
		t.Error(got.Counts)
	}
	ack(1, one, OK)
	if got := s.progress(t, ref); got.Waiting != "" {
		t.Errorf("a run whose chunks take effect waits for %q", got.Waiting)
	}
	ack(1, run.Counts{Failed: 99}, Dup)
	if got := s.progress(t, ref); got.Counts != one || got.Partitions[0].Acked != 1 {
		t.Errorf("%+v", got)
	}
	ack(2, two, OK)
	ack(1, one, Dup)
	ack(2, one, Dup)
	got := s.progress(t, ref)
	if got.Counts != two || got.InFlight != 0 {
		t.Errorf("%+v", got)
	}
	if failed := s.client.HGet(t.Context(), s.keys.run(ref.ID), "failed").Val(); failed != "6" {
		t.Errorf("failed rows of the run: %s", failed)
	}
	errors, validation, err := s.Histograms(t.Context(), ref.ID)
	must(t, err)
	if diff := cmp.Diff([]run.MessageCount{{Message: "e", Count: 4}, {Message: "f", Count: 2}}, errors); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]run.MessageCount{{Message: "c: v", Count: 2}}, validation); diff != "" {
		t.Error(diff)
	}
	if n := s.client.XLen(t.Context(), s.keys.chunks(ref.ID, 0)).Val(); n != 0 {
		t.Errorf("%d entries are left", n)
	}
	if n := s.client.HLen(t.Context(), s.keys.payloads(ref.ID, 0)).Val(); n != 0 {
		t.Errorf("%d payloads are left", n)
	}
	pending := s.client.XPending(t.Context(), s.keys.chunks(ref.ID, 0), "workers").Val()
	if pending.Count != 0 {
		t.Errorf("%d entries are pending", pending.Count)
	}
}

func testAckNext(t *testing.T, s *site) {
	ref := s.begin(t, 1)
	for n := int64(1); n <= 3; n++ {
		s.emit(t, ref, 0, n)
	}
	claim, entry := s.acquire(t, ref, "a")
	more := entry.More
	ack := func(n int64, code Code, wanted *Entry) {
		t.Helper()
		got, next, err := s.Ack(t.Context(), ref, Ack{Number: n, Claim: &claim, More: more, Lease: hour})
		want(t, code)(got, err)
		if diff := cmp.Diff(wanted, next); diff != "" {
			t.Fatal(diff)
		}
		more = next != nil && next.More
	}
	owner := func(wanted string) {
		t.Helper()
		if got := s.progress(t, ref).Partitions[0]; got.Owner != wanted {
			t.Errorf("%+v", got)
		}
	}
	second := &Entry{Number: 2, Payload: payload(0, 2), Attempts: 1, More: true}
	ack(1, OK, second)
	ack(1, Dup, second)
	if _, entry := s.acquire(t, ref, "a"); entry.Number != 2 || entry.Attempts != 2 {
		t.Errorf("%+v", entry)
	}
	stale := claim
	stale.Epoch--
	if _, next, err := s.Ack(t.Context(), ref, Ack{Number: 1, Claim: &stale, Lease: hour}); err != nil || next != nil {
		t.Errorf("a claim of an earlier epoch got %v, %v", next, err)
	}
	third := &Entry{Number: 3, Payload: payload(0, 3), Attempts: 1}
	ack(2, OK, third)
	// The next one comes although it was not there when the last was handed out.
	s.emit(t, ref, 0, 4)
	ack(3, OK, &Entry{Number: 4, Payload: payload(0, 4), Attempts: 1})
	owner("a")
	ack(4, OK, nil)
	owner("")
	ack(4, Dup, nil)

	s.emit(t, ref, 0, 5)
	s.emit(t, ref, 0, 6)
	ack(5, OK, nil) // it is nobody's
	claim, _ = s.acquire(t, ref, "a")
	must(t, s.Stop(t.Context(), ref, run.Cancelling))
	ack(6, OK, nil)
	owner("")
}

func testReplay(t *testing.T, s *site) {
	ref := s.begin(t, 1)
	s.emit(t, ref, 0, 1)
	// The ledger has chunks Redis never had, or has lost.
	for n := int64(1); n <= 3; n++ {
		code, _, err := s.Ack(t.Context(), ref, Ack{Number: n, Totals: run.Counts{Created: n}})
		want(t, OK)(code, err)
	}
	want(t, Dup)(s.offer(t, ref, 0, 2))
	s.emit(t, ref, 0, 4)
	if _, entry := s.acquire(t, ref, "a"); entry.Number != 4 {
		t.Error(entry)
	}
}

// testLeftovers sees that entries that are acknowledged already, as a failover may leave them, go away.
func testLeftovers(t *testing.T, s *site) {
	ref := s.begin(t, 1)
	for n := int64(1); n <= 4; n++ {
		s.emit(t, ref, 0, n)
	}
	must(t, s.client.HSet(t.Context(), s.keys.partition(ref.ID, 0), "acked", "2").Err())
	code, _, err := s.Ack(t.Context(), ref, Ack{Number: 1})
	want(t, Dup)(code, err)
	if got := s.progress(t, ref); got.InFlight != int64(3*len(payload(0, 1))) {
		t.Errorf("in flight: %d", got.InFlight)
	}
	if _, entry := s.acquire(t, ref, "a"); entry.Number != 3 {
		t.Error(entry)
	}
	if got := s.progress(t, ref); got.InFlight != int64(2*len(payload(0, 1))) {
		t.Errorf("in flight: %d", got.InFlight)
	}
}

func testRenew(t *testing.T, s *site) {
	ref := s.begin(t, 1)
	s.emit(t, ref, 0, 1)
	claim, _ := s.acquire(t, ref, "a")
	left := func() time.Duration { return s.progress(t, ref).Partitions[0].LeaseLeft }
	want(t, OK)(s.Renew(t.Context(), ref, claim, time.Second))
	if left() < hour/2 {
		t.Error("a renewal made the lease shorter")
	}
	want(t, OK)(s.Renew(t.Context(), ref, claim, 3*hour))
	if left() < 2*hour {
		t.Errorf("lease: %v", left())
	}
	for range 2 {
		want(t, OK)(s.Release(t.Context(), ref, claim))
	}
	// A renewal that arrives late does not bring the lease back.
	want(t, NotOwner)(s.Renew(t.Context(), ref, claim, hour))
	if got := s.progress(t, ref).Partitions[0]; got.Owner != "" || got.LeaseLeft != 0 {
		t.Errorf("%+v", got)
	}
	again, _ := s.acquire(t, ref, "a")
	want(t, NotOwner)(s.Release(t.Context(), ref, claim))
	want(t, NotOwner)(s.Renew(t.Context(), ref, claim, hour))
	want(t, OK)(s.Renew(t.Context(), ref, again, hour))
	// What was handed out and not tried is no attempt.
	for range 3 {
		for range 2 {
			want(t, OK)(s.Postpone(t.Context(), ref, again))
		}
		var entry Entry
		if again, entry = s.acquire(t, ref, "a"); entry.Attempts != 2 {
			t.Errorf("attempt %d", entry.Attempts)
		}
	}
}

func testReset(t *testing.T, s *site) {
	ref := s.begin(t, 2)
	for n := int64(1); n <= 3; n++ {
		s.emit(t, ref, 0, n)
		code, _, err := s.Ack(t.Context(), ref, Ack{Number: n, Totals: run.Counts{Failed: 10 * n}})
		want(t, OK)(code, err)
	}
	s.emit(t, ref, 0, 4)
	s.emit(t, ref, 1, 1)
	want(t, OK)(s.Seal(t.Context(), ref, []int64{4, 1}, 50, false))
	claim, _ := s.acquire(t, ref, "a")
	heard, end := s.Listen(t.Context(), Runs)
	defer end()
	await(t, heard)
	for range 2 {
		want(t, OK)(s.Reset(t.Context(), ref, 0, Head{Acked: 1, Sealed: -1, Counts: run.Counts{Failed: 10}}))
		await(t, heard)
	}
	got := s.progress(t, ref)
	if diff := cmp.Diff(PartitionState{Emitted: 1, Acked: 1, Sealed: -1, Counts: run.Counts{Failed: 10}}, got.Partitions[0]); diff != "" {
		t.Error(diff)
	}
	if got.SplitDone || got.InFlight != int64(len(payload(1, 1))) {
		t.Errorf("%+v", got)
	}
	if failed := s.client.HGet(t.Context(), s.keys.run(ref.ID), "failed").Val(); failed != "10" {
		t.Errorf("failed rows of the run: %s", failed)
	}
	want(t, NotOwner)(s.Renew(t.Context(), ref, claim, hour))
	want(t, Gap)(s.Seal(t.Context(), ref, []int64{4, 1}, 50, false))
	for n := int64(2); n <= 4; n++ {
		s.emit(t, ref, 0, n)
	}
	want(t, Dup)(s.offer(t, ref, 1, 1))
	want(t, OK)(s.Seal(t.Context(), ref, []int64{4, 1}, 50, false))
	must(t, s.Stop(t.Context(), ref, run.Cancelling))
	want(t, Stopped)(s.Reset(t.Context(), ref, 0, Head{Sealed: -1}))
}

func testHistograms(t *testing.T, s *site) {
	ref := s.begin(t, 1)
	many := map[string]int64{other: 1}
	for i := range distinct - 1 {
		many[fmt.Sprintf("m%04d", i)] = 2
	}
	ack := func(n int64, errors map[string]int64) {
		t.Helper()
		code, _, err := s.Ack(t.Context(), ref, Ack{Number: n, Errors: errors})
		want(t, OK)(code, err)
	}
	ack(1, many)
	ack(2, map[string]int64{"n1": 9, "n2": 5, "m0000": 1})
	ack(3, map[string]int64{"n2": 1, "n1": 1, "n3": 1})
	errors, validation, err := s.Histograms(t.Context(), ref.ID)
	must(t, err)
	if len(errors) != distinct+1 || len(validation) != 0 {
		t.Fatalf("%d errors, %d validation messages", len(errors), len(validation))
	}
	wanted := []run.MessageCount{
		{Message: "n1", Count: 10}, {Message: "(other)", Count: 8}, {Message: "m0000", Count: 3}, {Message: "m0001", Count: 2},
	}
	if diff := cmp.Diff(wanted, errors[:4]); diff != "" {
		t.Error(diff)
	}

	// A ledger may have more messages than are told apart.
	st := s.state(1)
	st.Errors = map[string]int64{"(other)": 1}
	for i := range distinct + 2 {
		st.Errors[fmt.Sprintf("m%04d", i)] = int64(1 + i)
	}
	if _, err := s.Restore(t.Context(), st); err != nil {
		t.Fatal(err)
	}
	errors, _, err = s.Histograms(t.Context(), st.ID)
	must(t, err)
	if len(errors) != distinct+1 || errors[0] != (run.MessageCount{Message: "m1001", Count: 1002}) {
		t.Fatal(len(errors), errors[0])
	}
	var sum int64
	for _, m := range errors {
		if sum += m.Count; m.Message == other && m.Count != 1+1+2 {
			t.Error(m)
		}
	}
	if sum != 1+1002*1003/2 {
		t.Errorf("sum %d", sum)
	}
}

// testBig sees that counts beyond what Lua numbers hold stay exact.
func testBig(t *testing.T, s *site) {
	ref := s.begin(t, 2)
	big := int64(1)<<53 + 1
	for p, totals := range []run.Counts{{Created: big, Failed: big}, {Failed: 3}} {
		code, _, err := s.Ack(t.Context(), ref, Ack{Partition: p, Number: 1, Totals: totals})
		want(t, OK)(code, err)
	}
	if got := s.progress(t, ref).Counts; got.Created != big || got.Failed != big+3 {
		t.Error(got)
	}
	if failed := s.client.HGet(t.Context(), s.keys.run(ref.ID), "failed").Val(); failed != fmt.Sprint(big+3) {
		t.Error(failed)
	}
}
