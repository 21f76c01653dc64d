package rig

import (
	"context"
	"testing"
	"time"

	"ingest/shared/lifecycle"
)

// pollEvery is a compromise: most conditions start a command, which takes time from what is waited for.
const pollEvery = 150 * time.Millisecond

// Until blocks until condition holds and fails the test when it does not within limit. what completes the sentence
// "… did not happen within".
func Until(t testing.TB, limit time.Duration, what string, condition func() bool) {
	t.Helper()
	if !holds(t.Context(), limit, condition) {
		t.Fatalf("%s did not happen within %s", what, limit)
	}
}

// Never fails the test when condition holds at any time within the whole span.
func Never(t testing.TB, span time.Duration, what string, condition func() bool) {
	t.Helper()
	if holds(t.Context(), span, condition) {
		t.Fatalf("%s happened", what)
	}
}

func holds(ctx context.Context, limit time.Duration, condition func() bool) bool {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for !condition() {
		if lifecycle.Wait(ctx, pollEvery, nil) != nil {
			return condition()
		}
	}
	return true
}
