package redisstore

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ingest/shared/run"
)

func testStrangers(t *testing.T, s *site) {
	ref := s.begin(t, 1)
	s.emit(t, ref, 0, 1)
	claim, _ := s.acquire(t, ref, "a")
	ended := s.begin(t, 1)
	must(t, s.Finish(t.Context(), ended, run.Completed, run.Final{}))
	for name, stranger := range map[string]Ref{
		"other uid": {ID: ref.ID, UID: "other", Partitions: 1}, "unknown run": {ID: 999999, UID: "x", Partitions: 1},
		"no uid": {ID: 999999, Partitions: 1}, "ended run": ended,
	} {
		before := s.dump(t, stranger)
		for call, code := range calls(t.Context(), s.Store, stranger, claim) {
			if got, err := code(); err != nil || got != Gone {
				t.Errorf("%s: %s answers %v, %v", name, call, got, err)
			}
		}
		for call, err := range map[string]error{
			"status": s.SetStatus(t.Context(), stranger, run.Pending), "fail": s.Fail(t.Context(), stranger, "x"),
			"stop": s.Stop(t.Context(), stranger, run.Cancelling), "split": s.Split(t.Context(), stranger, SplitProgress{Rows: 1}),
			"waiting": s.SetWaiting(t.Context(), stranger, "x", time.Now()),
			"finish":  s.Finish(t.Context(), stranger, run.Failed, run.Final{}),
		} {
			if err != nil {
				t.Errorf("%s: %s: %v", name, call, err)
			}
		}
		if diff := cmp.Diff(before, s.dump(t, stranger)); diff != "" {
			t.Errorf("%s wrote: %s", name, diff)
		}
	}
}

// calls are the calls that answer a code, each for that run.
func calls(ctx context.Context, s *Store, ref Ref, claim Claim) map[string]func() (Code, error) {
	return map[string]func() (Code, error){
		"emit": func() (Code, error) {
			code, _, err := s.Emit(ctx, ref, Emission{Number: 1, Payload: []byte("x"), Limit: 1})
			return code, err
		},
		"seal": func() (Code, error) { return s.Seal(ctx, ref, []int64{1}, 1, false) },
		"take": func() (Code, error) { return s.TakeSplit(ctx, ref, "z", hour) },
		"keep": func() (Code, error) { return s.KeepSplit(ctx, ref, "z", hour) },
		"acquire": func() (Code, error) {
			_, _, code, err := s.Acquire(ctx, ref, "z", hour)
			return code, err
		},

		"ack": func() (Code, error) {
			code, _, err := s.Ack(ctx, ref, Ack{Number: 1, Errors: map[string]int64{"x": 1}, Claim: &claim})
			return code, err
		},
		"renew":   func() (Code, error) { return s.Renew(ctx, ref, claim, hour) },
		"release": func() (Code, error) { return s.Release(ctx, ref, claim) },
		"reset":   func() (Code, error) { return s.Reset(ctx, ref, 0, Head{}) },
	}
}
