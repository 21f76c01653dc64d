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
	want(t, Empty)(s.refused(t, ref, "a"))
	s.emit(t, ref, 1, 1)
	s.emit(t, ref, 2, 1)
	s.emit(t, ref, 2, 2)
	for attempt := int64(1); attempt <= 3; attempt++ {
		claim, entry := s.acquire(t, ref, "a")
		if diff := cmp.Diff(Claim{Partition: 2, Owner: "a", Epoch: 1, Others: true}, claim); diff != "" {
			t.Error("the fullest partition, and the same again:", diff)
		}
		if diff := cmp.Diff(Entry{Number: 1, Payload: payload(2, 1), Attempts: attempt, More: true}, entry); diff != "" {
			t.Error(diff)
		}
	}
	claim, entry := s.acquire(t, ref, "b")
	if diff := cmp.Diff(Claim{Partition: 1, Owner: "b", Epoch: 1}, claim); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(Entry{Number: 1, Payload: payload(1, 1), Attempts: 1}, entry); diff != "" {
		t.Error(diff)
	}
	want(t, Empty)(s.refused(t, ref, "c"))
	// What b holds was done by another: it is given back.
	code, _, err := s.Ack(t.Context(), ref, Ack{Partition: 1, Number: 1})
	want(t, OK)(code, err)
	want(t, Empty)(s.refused(t, ref, "b"))
	if got := s.progress(t, ref).Partitions[1]; got.Owner != "" {
		t.Errorf("%+v", got)
	}
	must(t, s.Stop(t.Context(), ref, run.Cancelling))
	want(t, Stopped)(s.refused(t, ref, "a"))
}

func testTakeover(t *testing.T, s *site) {
	ref := s.begin(t, 1)
	s.emit(t, ref, 0, 1)
	first, entry := s.acquire(t, ref, "a")
	if entry.Attempts != 1 || entry.Crashes != 0 {
		t.Error(entry)
	}
	s.expire(t, ref, 0)
	// Nobody took it yet: the owner goes on.
	s.acquire(t, ref, "a")
	if left := s.progress(t, ref).Partitions[0].LeaseLeft; left < hour/2 {
		t.Errorf("acquiring renews the lease, but it is %v", left)
	}
	s.expire(t, ref, 0)
	var second Claim
	for range 2 {
		second, entry = s.acquire(t, ref, "b")
		if diff := cmp.Diff(Claim{Owner: "b", Epoch: 2, Taken: true}, second); diff != "" {
			t.Error(diff)
		}
	}
	want(t, Empty)(s.refused(t, ref, "a"))
	want(t, NotOwner)(s.Renew(t.Context(), ref, first, hour))
	want(t, NotOwner)(s.Release(t.Context(), ref, first))
	if entry.Number != 1 || entry.Attempts != 4 || entry.Crashes != 1 {
		t.Errorf("%+v", entry)
	}
	// The former owner's ack counts, but brings it nothing.
	s.emit(t, ref, 0, 2)
	code, next, err := s.Ack(t.Context(), ref, Ack{Number: 1, Claim: &first, Lease: hour})
	if want(t, OK)(code, err); next != nil {
		t.Error("a next chunk for the former owner")
	}
	want(t, OK)(s.Release(t.Context(), ref, second))
	if third, entry := s.acquire(t, ref, "c"); third.Taken || third.Epoch != 3 || third.Acked != 1 || entry.Crashes != 0 || entry.Attempts != 1 {
		t.Errorf("%+v %+v", third, entry)
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
		claim, _ = s.acquire(t, ref, fmt.Sprint("owner ", i))
		for _, row := range rows {
			want(t, OK)(s.Try(t.Context(), ref, claim, row))
		}
		s.expire(t, ref, 0)
	}
	stale := claim
	claim, _ = s.acquire(t, ref, "last")
	want(t, NotOwner)(s.Try(t.Context(), ref, stale, 5))
	vanished(map[int64]int{8: 2, 9: 1})
	// Who gives the partition back did not vanish.
	want(t, OK)(s.Try(t.Context(), ref, claim, 6))
	want(t, OK)(s.Release(t.Context(), ref, claim))
	claim, _ = s.acquire(t, ref, "another")
	vanished(map[int64]int{8: 2, 9: 1})
	code, _, err := s.Ack(t.Context(), ref, Ack{Number: 1, Claim: &claim, Lease: hour})
	want(t, OK)(code, err)
	vanished(nil)
	must(t, s.Finish(t.Context(), ref, run.Cancelled, run.Final{}))
	want(t, Gone)(s.Try(t.Context(), ref, claim, 5)) // it has ended
}

func testLost(t *testing.T, s *site) {
	for name, lose := range map[string]func(s *site, ref Ref) error{
		"before it was delivered": func(s *site, ref Ref) error {
			return s.client.XDel(t.Context(), s.keys.chunks(ref.ID, 0), "1-0").Err()
		},
		"after it was delivered": func(s *site, ref Ref) error {
			s.acquire(t, ref, "a")
			return s.client.XDel(t.Context(), s.keys.chunks(ref.ID, 0), "1-0").Err()
		},
		"with its payload": func(s *site, ref Ref) error {
			return s.client.HDel(t.Context(), s.keys.payloads(ref.ID, 0), "1").Err()
		},
		"with its stream": func(s *site, ref Ref) error {
			return s.client.Del(t.Context(), s.keys.chunks(ref.ID, 0)).Err()
		},
		"with its stream, which was made again": func(s *site, ref Ref) error {
			err := s.client.Del(t.Context(), s.keys.chunks(ref.ID, 0)).Err()
			s.emit(t, ref, 0, 3)
			return err
		},
	} {
		ref := s.begin(t, 1)
		s.emit(t, ref, 0, 1)
		s.emit(t, ref, 0, 2)
		if err := lose(s, ref); err != nil {
			t.Fatal(name, err)
		}
		for range 3 {
			claim, entry, code, err := s.Acquire(t.Context(), ref, "a", hour)
			if want(t, Lost)(code, err); claim.Owner != "a" || claim.Epoch != 1 || entry.Number != 0 {
				t.Fatalf("lost %s: got %+v %+v", name, claim, entry)
			}
		}
		want(t, OK)(s.Reset(t.Context(), ref, 0, Head{Sealed: -1}))
		s.emit(t, ref, 0, 1)
		if _, entry := s.acquire(t, ref, "a"); entry.Number != 1 || entry.Attempts != 1 {
			t.Errorf("lost %s, after a reset: %+v", name, entry)
		}
	}
}
