package redisstore

import (
	"fmt"
	"maps"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ingest/shared/run"
)

func testAcquire(t *testing.T, s *site) {
	ref := s.begin(t, 3)
	_, code, err := s.Acquire(t.Context(), ref, "a", hour)
	want(t, Empty)(code, err)
	s.emit(t, ref, 1, 1)
	s.emit(t, ref, 2, 1)
	s.emit(t, ref, 2, 2)
	for range 2 {
		claim := s.acquire(t, ref, "a")
		if diff := cmp.Diff(Claim{Partition: 2, Owner: "a", Epoch: 1}, claim); diff != "" {
			t.Error("the fullest partition, and the same again:", diff)
		}
	}
	if claim := s.acquire(t, ref, "b"); claim.Partition != 1 {
		t.Error(claim)
	}
	_, code, err = s.Acquire(t.Context(), ref, "c", hour)
	want(t, Empty)(code, err)
	must(t, s.Stop(t.Context(), ref, run.Cancelling))
	_, code, err = s.Acquire(t.Context(), ref, "a", hour)
	want(t, Stopped)(code, err)
}

func testTakeover(t *testing.T, s *site) {
	ref := s.begin(t, 1)
	s.emit(t, ref, 0, 1)
	first := s.acquire(t, ref, "a")
	entry, _ := s.fetch(t, ref, first)
	if entry.Attempts != 1 || entry.Crashes != 0 {
		t.Error(entry)
	}
	s.expire(t, ref, 0)
	// Nobody took it yet: the owner goes on.
	_, code := s.fetch(t, ref, first)
	want(t, OK)(code, nil)
	if left := s.progress(t, ref).Partitions[0].LeaseLeft; left < hour/2 {
		t.Errorf("a fetch renews the lease, but it is %v", left)
	}
	s.expire(t, ref, 0)
	for range 2 {
		second := s.acquire(t, ref, "b")
		if diff := cmp.Diff(Claim{Owner: "b", Epoch: 2, Taken: true}, second); diff != "" {
			t.Error(diff)
		}
	}
	second := s.acquire(t, ref, "b")
	_, code = s.fetch(t, ref, first)
	want(t, NotOwner)(code, nil)
	want(t, NotOwner)(s.Renew(t.Context(), ref, first, hour))
	want(t, NotOwner)(s.Release(t.Context(), ref, first))
	entry, code = s.fetch(t, ref, second)
	if want(t, OK)(code, nil); entry.Number != 1 || entry.Attempts != 3 || entry.Crashes != 1 {
		t.Errorf("%+v", entry)
	}
	// The former owner's ack counts, but brings it nothing.
	s.emit(t, ref, 0, 2)
	code, next, err := s.Ack(t.Context(), ref, Ack{Number: 1, Claim: &first, Lease: hour})
	if want(t, OK)(code, err); next != nil {
		t.Error("a next chunk for the former owner")
	}
	want(t, OK)(s.Release(t.Context(), ref, second))
	if third := s.acquire(t, ref, "c"); third.Taken || third.Epoch != 3 || third.Acked != 1 {
		t.Errorf("%+v", third)
	}
	if got := s.progress(t, ref).Partitions[0]; got.Crashes != 0 || got.Attempts != 0 {
		t.Errorf("%+v", got)
	}
}

// testTry: the row at which an owner vanished is known to the next ones until the chunk is acknowledged.
func testTry(t *testing.T, s *site) {
	ref := s.begin(t, 1)
	s.emit(t, ref, 0, 1)
	vanished := func(want map[int64]int) {
		t.Helper()
		got, err := s.Vanished(t.Context(), ref, 0)
		if must(t, err); !maps.Equal(got, want) {
			t.Errorf("owners vanished at %v, want %v", got, want)
		}
	}
	vanished(nil)
	var claim Claim
	for i, rows := range [][]int64{{7, 8}, {9}, {9, 0}, {8}} {
		claim = s.acquire(t, ref, fmt.Sprint("owner ", i))
		for _, row := range rows {
			want(t, OK)(s.Try(t.Context(), ref, claim, row))
		}
		s.expire(t, ref, 0)
	}
	stale := claim
	claim = s.acquire(t, ref, "last")
	want(t, NotOwner)(s.Try(t.Context(), ref, stale, 5))
	vanished(map[int64]int{8: 2, 9: 1})
	// Who gives the partition back did not vanish.
	want(t, OK)(s.Try(t.Context(), ref, claim, 6))
	want(t, OK)(s.Release(t.Context(), ref, claim))
	claim = s.acquire(t, ref, "another")
	vanished(map[int64]int{8: 2, 9: 1})
	code, _, err := s.Ack(t.Context(), ref, Ack{Number: 1, Claim: &claim, Lease: hour})
	want(t, OK)(code, err)
	vanished(nil)
	must(t, s.Finish(t.Context(), ref, run.Cancelled, run.Final{}))
	want(t, Gone)(s.Try(t.Context(), ref, claim, 5)) // it has ended
}

func testFetch(t *testing.T, s *site) {
	ref := s.begin(t, 1)
	for n := int64(1); n <= 3; n++ {
		s.emit(t, ref, 0, n)
	}
	claim := s.acquire(t, ref, "a")
	for attempt := int64(1); attempt <= 3; attempt++ {
		entry, code := s.fetch(t, ref, claim)
		want(t, OK)(code, nil)
		if diff := cmp.Diff(Entry{Number: 1, Payload: payload(0, 1), Attempts: attempt}, entry); diff != "" {
			t.Error(diff)
		}
	}
	stale := claim
	stale.Epoch--
	_, code := s.fetch(t, ref, stale)
	want(t, NotOwner)(code, nil)
	for n := int64(1); n <= 3; n++ {
		code, _, err := s.Ack(t.Context(), ref, Ack{Number: n})
		want(t, OK)(code, err)
	}
	_, code = s.fetch(t, ref, claim)
	want(t, Empty)(code, nil)
	must(t, s.Stop(t.Context(), ref, run.Cancelling))
	_, code = s.fetch(t, ref, claim)
	want(t, Stopped)(code, nil)
}

func testLost(t *testing.T, s *site) {
	for name, lose := range map[string]func(s *site, ref Ref, claim Claim) error{
		"before it was delivered": func(s *site, ref Ref, claim Claim) error {
			return s.client.XDel(t.Context(), s.keys.chunks(ref.ID, 0), "1-0").Err()
		},
		"after it was delivered": func(s *site, ref Ref, claim Claim) error {
			s.fetch(t, ref, claim)
			return s.client.XDel(t.Context(), s.keys.chunks(ref.ID, 0), "1-0").Err()
		},
		"with its payload": func(s *site, ref Ref, claim Claim) error {
			return s.client.HDel(t.Context(), s.keys.payloads(ref.ID, 0), "1").Err()
		},
		"with its stream": func(s *site, ref Ref, claim Claim) error {
			return s.client.Del(t.Context(), s.keys.chunks(ref.ID, 0)).Err()
		},
		"with its stream, which was made again": func(s *site, ref Ref, claim Claim) error {
			err := s.client.Del(t.Context(), s.keys.chunks(ref.ID, 0)).Err()
			s.emit(t, ref, 0, 3)
			return err
		},
	} {
		ref := s.begin(t, 1)
		s.emit(t, ref, 0, 1)
		s.emit(t, ref, 0, 2)
		claim := s.acquire(t, ref, "a")
		if err := lose(s, ref, claim); err != nil {
			t.Fatal(name, err)
		}
		for range 3 {
			if _, code := s.fetch(t, ref, claim); code != Lost {
				t.Fatalf("lost %s: got %v", name, code)
			}
		}
		want(t, OK)(s.Reset(t.Context(), ref, 0, Head{Sealed: -1}))
		s.emit(t, ref, 0, 1)
		claim = s.acquire(t, ref, "a")
		if entry, code := s.fetch(t, ref, claim); code != OK || entry.Number != 1 || entry.Attempts != 1 {
			t.Errorf("lost %s, after a reset: %v %+v", name, code, entry)
		}
	}
}
