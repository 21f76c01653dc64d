package registry_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"ingest/shared/database"
	"ingest/shared/lifecycle"
	"ingest/shared/registry"
	"ingest/shared/run"
)

// end cancels a run.
func end(t *testing.T, r *registry.Registry, id int64) {
	t.Helper()
	_, _, err := r.Cancel(t.Context(), id)
	must(t, err)
	if won, err := r.Finish(t.Context(), id, run.Cancelled, run.Final{}, at(2)); !won || err != nil {
		t.Fatalf("run %d does not end: %v %v", id, won, err)
	}
}

// TestOfRunsThatAreToBeAloneOneWins: runs and retries of one importer begin at once, again and again.
func TestOfRunsThatAreToBeAloneOneWins(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, _ *database.DB, r *registry.Registry) {
		parent := create(t, r, registry.NewRun{})
		end(t, r, parent.ID)
		for range 10 {
			var mu sync.Mutex
			var created, refused []int64
			var tasks []func(context.Context) error
			for i := range 6 {
				n := registry.NewRun{Importer: "users", Alone: true}
				if i == 0 {
					n.Parent, n.Claim, n.Force = parent.ID, true, true
				}
				tasks = append(tasks, func(ctx context.Context) error {
					one, _, err := r.Create(ctx, n)
					mu.Lock()
					defer mu.Unlock()
					var busy *registry.Busy
					switch {
					case errors.As(err, &busy):
						refused = append(refused, busy.By)
						return nil
					case err == nil:
						created = append(created, one.ID)
					}
					return err
				})
			}
			must(t, lifecycle.Parallel(t.Context(), tasks...))
			if len(created) != 1 || len(refused) != 5 {
				t.Fatalf("%d were created, %d refused", len(created), len(refused))
			}
			for _, by := range refused {
				if by != created[0] {
					t.Errorf("run %d is said to be in the way of others than %d", by, created[0])
				}
			}
			end(t, r, created[0])
		}
	})
}

func TestWhatIsInTheWay(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, db *database.DB, r *registry.Registry) {
		alone := func(n registry.NewRun) error {
			n.Importer, n.Alone = "users", true
			_, _, err := r.Create(t.Context(), n)
			return err
		}
		create(t, r, registry.NewRun{DryRun: true})
		create(t, r, registry.NewRun{Importer: "others"})
		if _, _, err := registry.New(db, "elsewhere").Create(t.Context(), registry.NewRun{Importer: "users"}); err != nil {
			t.Fatal(err)
		}
		must(t, alone(registry.NewRun{IdempotencyKey: "key"}))
		first, _, err := r.First(t.Context(), "key")
		must(t, err)

		var busy *registry.Busy
		if err := alone(registry.NewRun{}); !errors.As(err, &busy) || busy.By != first.ID {
			t.Errorf("the second run: %v", err)
		}
		if running, found, err := r.Running(t.Context(), "users"); running != first.ID || !found || err != nil {
			t.Errorf("run %d is said to be running (%v, %v)", running, found, err)
		}
		must(t, alone(registry.NewRun{DryRun: true}))
		if again, repeated, err := r.Create(t.Context(), registry.NewRun{Importer: "users", Alone: true, IdempotencyKey: "key"}); again.ID != first.ID || !repeated || err != nil {
			t.Errorf("the repeated request: run %d, %v, %v", again.ID, repeated, err)
		}
		second, third := create(t, r, registry.NewRun{}), create(t, r, registry.NewRun{})
		for _, c := range []struct {
			of     run.Run
			before int64
		}{{first, 0}, {second, first.ID}, {third, first.ID}} {
			if before, found, err := r.Before(t.Context(), c.of); before != c.before || found != (c.before != 0) || err != nil {
				t.Errorf("before run %d: run %d, %v, %v", c.of.ID, before, found, err)
			}
		}
		end(t, r, first.ID)
		if before, _, err := r.Before(t.Context(), third); before != second.ID || err != nil {
			t.Errorf("after the end of the first, run %d is before the third (%v)", before, err)
		}
		end(t, r, second.ID)
		end(t, r, third.ID)
		if _, found, err := r.Running(t.Context(), "users"); found || err != nil {
			t.Errorf("a run is left (%v)", err)
		}
		must(t, alone(registry.NewRun{}))
	})
}

// TestRunsAppearInTheOrderOfTheirIds: whoever sees a run sees every earlier one of its importer, too, so that a run which
// waits for those before it cannot miss one.
func TestRunsAppearInTheOrderOfTheirIds(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, _ *database.DB, r *registry.Registry) {
		var tasks []func(context.Context) error
		for range 4 {
			tasks = append(tasks, func(ctx context.Context) error {
				for range 10 {
					created, _, err := r.Create(ctx, registry.NewRun{Importer: "users"})
					if err != nil {
						return err
					}
					seen, err := r.Active(ctx)
					if err != nil {
						return err
					}
					before := 0
					for _, one := range seen {
						if one.ID <= created.ID {
							before++
						}
					}
					if int64(before) != created.ID {
						t.Errorf("with run %d there are %d up to it", created.ID, before)
					}
				}
				return nil
			})
		}
		must(t, lifecycle.Parallel(t.Context(), tasks...))
	})
}

func TestTheLastImportIsTheOneThatEndedLast(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, _ *database.DB, r *registry.Registry) {
		last := func(want int64) {
			t.Helper()
			got, found, err := r.Imported(t.Context(), "users")
			if got.ID != want || found != (want != 0) || err != nil {
				t.Errorf("the last import is run %d, %v, want %d (%v)", got.ID, found, want, err)
			}
		}
		complete := func(id int64, failed int64, second int) {
			t.Helper()
			_, err := r.Begin(t.Context(), id, at(1))
			must(t, err)
			status := run.Completed
			if failed > 0 {
				status = run.CompletedWithErrors
			}
			if won, err := r.Finish(t.Context(), id, status, run.Final{Total: failed, Counts: run.Counts{Failed: failed}}, at(second)); !won || err != nil {
				t.Fatalf("run %d does not complete: %v %v", id, won, err)
			}
		}
		last(0)
		early, late := create(t, r, registry.NewRun{}), create(t, r, registry.NewRun{})
		complete(late.ID, 1, 3)
		last(late.ID)
		complete(early.ID, 0, 4)
		last(early.ID)
		for second, n := range []registry.NewRun{{DryRun: true}, {Parent: late.ID}, {Importer: "others"}} {
			complete(create(t, r, n).ID, 0, 10+second)
		}
		create(t, r, registry.NewRun{})
		end(t, r, create(t, r, registry.NewRun{}).ID)
		last(early.ID)
	})
}
