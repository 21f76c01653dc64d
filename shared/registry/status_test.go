package registry_test

import (
	"context"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"

	"ingest/shared/database"
	"ingest/shared/lifecycle"
	"ingest/shared/registry"
	"ingest/shared/run"
)

// twin is the registry of one run, dumb: what the text of run.Status says.
type twin struct {
	status run.Status
	reason string
}

func (w *twin) step(verb string) bool {
	open := (w.status == run.Pending || w.status == run.Processing) && w.reason == ""
	allowed := false
	to := w.status
	switch verb {
	case "begin":
		allowed, to = w.status == run.Pending, run.Processing
	case "cancel":
		allowed, to = open, run.Cancelling
	case "fail":
		if allowed = open; allowed {
			w.reason = "why"
		}
		return allowed
	case string(run.Completed), string(run.CompletedWithErrors):
		allowed, to = w.status == run.Processing && w.reason == "", run.Status(verb)
	case string(run.Failed):
		allowed, to = !w.status.Terminal() && w.status != run.Cancelling && w.reason != "", run.Failed
	case string(run.Cancelled):
		allowed, to = w.status == run.Cancelling, run.Cancelled
	}
	if allowed {
		w.status = to
	}
	return allowed
}

func step(ctx context.Context, r *registry.Registry, id int64, verb string) (won bool, err error) {
	switch verb {
	case "begin":
		return r.Begin(ctx, id, at(1))
	case "cancel":
		_, won, err = r.Cancel(ctx, id)
		return won, err
	case "fail":
		return r.Fail(ctx, id, "why")
	default:
		var final run.Final
		if verb == string(run.CompletedWithErrors) {
			final = run.Final{Total: 1, Counts: run.Counts{Failed: 1}}
		}
		return r.Finish(ctx, id, run.Status(verb), final, at(2))
	}
}

func verbs() []string {
	return []string{"begin", "cancel", "fail", "completed", "completed_with_errors", "failed", "cancelled"}
}

func TestStatusesChangeAsTheTwinSays(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, _ *database.DB, r *registry.Registry) {
		rapid.Check(t, func(rt *rapid.T) {
			created, _, err := r.Create(t.Context(), registry.NewRun{})
			if err != nil {
				rt.Fatal(err)
			}
			w := twin{status: run.Pending}
			for _, verb := range rapid.SliceOfN(rapid.SampledFrom(verbs()), 1, 8).Draw(rt, "verbs") {
				won, err := step(t.Context(), r, created.ID, verb)
				if want := w.step(verb); err != nil || won != want {
					rt.Fatalf("%s: won %v, want %v (%v)", verb, won, want, err)
				}
				now, err := r.Get(t.Context(), created.ID)
				if err != nil || now.Status != w.status || now.Reason != w.reason || (now.Final != nil) != w.status.Terminal() {
					rt.Fatalf("after %s: %s %q %v, want %+v (%v)", verb, now.Status, now.Reason, now.Final, w, err)
				}
			}
		})
	})
}

func TestOfCancelCompletionAndFailureOneWins(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, _ *database.DB, r *registry.Registry) {
		for range 10 {
			id := create(t, r, registry.NewRun{}).ID
			_, err := r.Begin(t.Context(), id, at(1))
			must(t, err)
			var wins atomic.Int64
			var tasks []func(context.Context) error
			for _, verb := range []string{"cancel", "completed", "fail", "cancel"} {
				tasks = append(tasks, func(ctx context.Context) error {
					won, err := step(ctx, r, id, verb)
					if won {
						wins.Add(1)
					}
					return err
				})
			}
			must(t, lifecycle.Parallel(t.Context(), tasks...))
			if wins.Load() != 1 {
				t.Errorf("%d won", wins.Load())
			}
		}
	})
}

func TestARunThatDoesNotBalanceIsNotCompleted(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, _ *database.DB, r *registry.Registry) {
		id := create(t, r, registry.NewRun{}).ID
		_, err := r.Begin(t.Context(), id, at(1))
		must(t, err)
		for name, c := range map[string]struct {
			to    run.Status
			final run.Final
		}{
			"missing":       {run.Completed, run.Final{Total: 3, Counts: run.Counts{Created: 2}}},
			"not processed": {run.Completed, run.Final{Total: 3, NotProcessed: 1, Counts: run.Counts{Created: 2}}},
			"failed rows":   {run.Completed, run.Final{Total: 1, Counts: run.Counts{Failed: 1}}},
			"no failed row": {run.CompletedWithErrors, run.Final{Total: 1, Counts: run.Counts{Created: 1}}},
			"negative":      {run.Completed, run.Final{Total: 1, Counts: run.Counts{Created: 2, Skipped: -1}}},
			"not terminal":  {run.Processing, run.Final{}},
		} {
			if won, err := r.Finish(t.Context(), id, c.to, c.final, at(2)); won || err == nil {
				t.Errorf("%s: %v %v", name, won, err)
			}
		}
		if _, err := r.Fail(t.Context(), id, ""); err == nil {
			t.Error("a failure without a reason")
		}
		if won, err := r.Fail(t.Context(), id, "The numbers do not balance."); !won || err != nil {
			t.Fatal(won, err)
		}
		if status, won, err := r.Cancel(t.Context(), id); won || status != run.Processing || err != nil {
			t.Errorf("a failing run was cancelled: %s %v %v", status, won, err)
		}
		if won, err := r.Finish(t.Context(), id, run.Failed, run.Final{Total: 3, Counts: run.Counts{Created: 2}}, at(2)); !won || err != nil {
			t.Errorf("a run that does not balance cannot fail: %v %v", won, err)
		}
	})
}
