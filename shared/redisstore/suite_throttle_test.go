package redisstore

import (
	"context"
	"math"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// bucket is what the script does, with the time given. There are two of a kind in a test: for one the least time has passed
// that can have, for the other the most, so that the server's bucket lies between them.
type bucket struct {
	level float64
	at    int64
	known bool
	begun map[int]int64
}

func (b *bucket) throttle(now int64, partition int, n int64, rows, rate int) (Code, int64) {
	level := 0.0
	if b.known {
		level = math.Min(float64(rate), b.level+float64(now-b.at)*float64(rate)/1e6)
	}
	wait := func(l float64) int64 { return int64(math.Ceil(math.Max(0, -l) * 1e6 / float64(rate))) }
	if b.begun[partition] >= n {
		return OK, wait(level)
	}
	if level < 0 {
		return Wait, wait(level)
	}
	b.level, b.at, b.known, b.begun[partition] = level-float64(rows), now, true, n
	return OK, wait(b.level)
}

// fataler is what *testing.T and *rapid.T have in common.
type fataler interface {
	Context() context.Context
	Fatal(args ...any)
}

// age makes the server's bucket older, as if that time had passed.
func (s *site) age(t fataler, keys []string, by time.Duration) {
	at, err := s.client.HGet(t.Context(), keys[0], "at").Int64()
	if err == nil {
		err = s.client.HSet(t.Context(), keys[0], "at", strconv.FormatInt(at-by.Microseconds(), 10)).Err()
	}
	if err != nil {
		t.Fatal(err)
	}
}

func testThrottle(t *testing.T, s *site) {
	s = &site{Store: s.alone(t), name: s.name} // it would keep the others waiting
	names := 0
	rapid.Check(t, func(r *rapid.T) {
		names++
		ref := Ref{ID: 1, UID: "u"}
		limit := Limit{Importer: "i" + strconv.Itoa(names), RowsPerSecond: int64(rapid.SampledFrom([]int{1, 7, 100, 100_000, 1_000_000_000}).Draw(r, "rate"))}
		rate := int(limit.RowsPerSecond)
		early, late := &bucket{begun: map[int]int64{}}, &bucket{begun: map[int]int64{}}
		now := func() int64 { return s.client.Time(r.Context()).Val().UnixMicro() }
		next := map[int]int64{}
		for range rapid.IntRange(1, 12).Draw(r, "calls") {
			partition := rapid.IntRange(0, 2).Draw(r, "partition")
			n := max(1, next[partition]+int64(rapid.IntRange(-1, 1).Draw(r, "step")))
			rows := rapid.SampledFrom([]int{1, 10, 1000, 100_000}).Draw(r, "rows")
			before := now()
			code, wait, err := s.Throttle(r.Context(), ref, partition, n, rows, limit)
			after := now()
			if err != nil {
				r.Fatal(err)
			}
			first, most := early.throttle(before, partition, n, rows, rate)
			second, least := late.throttle(after, partition, n, rows, rate)
			if first != second || code != first {
				if code != first && code != second {
					r.Fatalf("answered %v, want %v or %v", code, first, second)
				}
				return // the wait ended between the two: nothing more can be compared
			}
			if got := wait.Microseconds(); got < least-1 || got > most+1 {
				r.Fatalf("%v: wait %d µs, want %d to %d", code, got, least, most)
			}
			if early.at == before {
				early.at, late.at = after, before
			}
			if code == OK {
				next[partition] = max(next[partition], n)
			}
			if early.known && rapid.Bool().Draw(r, "time passes") {
				passed := time.Duration(rapid.IntRange(0, 3_000_000).Draw(r, "µs")) * time.Microsecond
				if rapid.Bool().Draw(r, "all of it") {
					passed = wait
				}
				early.at, late.at = early.at-passed.Microseconds(), late.at-passed.Microseconds()
				s.age(r, s.keys.throttle(limit.Importer, "u", 0), passed)
			}
		}
	})
}

// testThrottled is the same told by examples: debts, repeated calls, other runs, a lost bucket, what is left behind.
func testThrottled(t *testing.T, s *site) {
	limit := Limit{Importer: "slow", RowsPerSecond: 10}
	one, two := Ref{ID: 1, UID: "one"}, Ref{ID: 2, UID: "two"}
	ask := func(ref Ref, n int64, rows int, wanted Code) time.Duration {
		t.Helper()
		code, wait, err := s.Throttle(t.Context(), ref, 0, n, rows, limit)
		want(t, wanted)(code, err)
		return wait
	}
	for range 3 { // the reply may be lost
		if wait := ask(one, 1, 36_000, OK); wait > hour || wait < hour-time.Minute {
			t.Errorf("36,000 rows at 10 a second make the next wait %v", wait)
		}
	}
	ask(one, 2, 1, Wait)
	ask(two, 1, 1, Wait) // the bucket is the importer's
	code, _, err := s.Throttle(t.Context(), two, 0, 1, 1, Limit{Importer: "other", RowsPerSecond: 10})
	want(t, OK)(code, err)
	keys := s.keys.throttle("slow", "one", 0)
	for _, key := range keys {
		if ttl := s.client.PTTL(t.Context(), key).Val(); ttl <= hour || ttl > 2*hour {
			t.Errorf("%s lives %v", key, ttl)
		}
	}
	// Who allows more is not kept by the debt of who allowed less.
	_, wait, err := s.Throttle(t.Context(), one, 0, 2, 1, Limit{Importer: "slow", RowsPerSecond: 36_000})
	if must(t, err); wait > time.Second {
		t.Errorf("a debt of 36,000 rows at 36,000 a second makes a wait of %v", wait)
	}
	s.age(t, keys, 2*hour)
	if wait := ask(one, 2, 10, OK); wait != 0 {
		t.Errorf("after a pause the rows of one second are free, but the next waits %v", wait)
	}
	ask(one, 3, 100, OK)
	ask(two, 1, 1, Wait)
	must(t, s.client.Del(t.Context(), keys[0]).Err())
	ask(two, 1, 100, OK) // one chunk too early, no more
	ask(two, 2, 1, Wait)
}
