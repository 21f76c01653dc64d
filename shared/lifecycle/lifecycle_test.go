package lifecycle

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var errBroken = errors.New("broken")

func untilDone(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }

func TestFirstFailureEndsAllTasks(t *testing.T) {
	t.Parallel()
	tasks := NewTasks(t.Context())
	tasks.Go("waits", untilDone)
	tasks.Go("fails", func(context.Context) error { return errBroken })
	err := tasks.Wait()
	if !errors.Is(err, errBroken) || !strings.HasPrefix(err.Error(), "fails: ") {
		t.Fatalf("got %v", err)
	}
}

func TestStoppingIsNoFailure(t *testing.T) {
	t.Parallel()
	tasks := NewTasks(t.Context())
	tasks.Go("waits", untilDone)
	tasks.Stop()
	tasks.Stop()
	if err := tasks.Wait(); err != nil {
		t.Fatal(err)
	}
}

func TestPanicBecomesTheErrorOfTheOneWhoWaits(t *testing.T) {
	t.Parallel()
	err := Parallel(t.Context(), untilDone, func(context.Context) error { panic("a cell") })
	if !errors.Is(err, ErrPanic) || !strings.Contains(err.Error(), "lifecycle_test.go") || strings.Contains(err.Error(), "a cell") {
		t.Fatalf("got %v", err)
	}
	err = Parallel(t.Context(), func(context.Context) error { return errors.New(strings.Fields("")[0]) })
	if !errors.Is(err, ErrPanic) || !strings.Contains(err.Error(), "index out of range [0] with length 0") {
		t.Fatalf("the runtime's own: %v", err)
	}
}

func TestWaitEndsWithTheFirstOfItsThreeReasons(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		if err := Wait(t.Context(), time.Minute, nil); err != nil || time.Since(began) != time.Minute {
			t.Fatalf("after %v: %v", time.Since(began), err)
		}
		wake := make(chan struct{}, 1)
		wake <- struct{}{}
		if err := Wait(t.Context(), time.Hour, wake); err != nil || time.Since(began) != time.Minute {
			t.Fatalf("woken after %v: %v", time.Since(began), err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := Wait(ctx, time.Hour, nil); !errors.Is(err, context.Canceled) {
			t.Fatalf("cancelled: %v", err)
		}
	})
}

func TestLoopStepsAtOnceAndThenAtEachInterval(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 25*time.Second)
		defer cancel()
		steps := 0
		if err := Loop(ctx, 10*time.Second, nil, func(context.Context) error { steps++; return nil }); err != nil {
			t.Fatal(err)
		}
		if steps != 3 {
			t.Fatalf("%d steps", steps)
		}
		if err := Loop(t.Context(), time.Second, nil, func(context.Context) error { return errBroken }); !errors.Is(err, errBroken) {
			t.Fatalf("got %v", err)
		}
	})
}

func TestLoopFromStepsLessAndLessOftenAndWhenItIsWoken(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		wake, began := make(chan struct{}, 1), time.Now()
		var at []time.Duration
		err := LoopFrom(t.Context(), 4*time.Second, 6*time.Second, wake, func(context.Context) error {
			at = append(at, time.Since(began))
			switch len(at) {
			case 4:
				wake <- struct{}{}
			case 5:
				return errBroken
			}
			return nil
		})
		if !errors.Is(err, errBroken) {
			t.Fatalf("got %v", err)
		}
		if want := []time.Duration{0, 4 * time.Second, 9 * time.Second, 15 * time.Second, 15 * time.Second}; !slices.Equal(at, want) {
			t.Errorf("steps at %v", at)
		}
	})
}

func TestOutliveEndsAfterTheDrain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		intake, stop := context.WithCancel(t.Context())
		work, cancel := Outlive(intake, 10*time.Second)
		defer cancel()
		stop()
		began := time.Now()
		<-work.Done()
		if time.Since(began) != 10*time.Second {
			t.Fatalf("ended after %v", time.Since(began))
		}
	})
}

func TestGroupStopsPartsInOrderAndJoinsEach(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var ended []string
	var g Group
	for _, name := range []string{"first", "second", "third"} {
		g.Add(name, func(ctx context.Context) error {
			<-ctx.Done()
			mu.Lock()
			defer mu.Unlock()
			ended = append(ended, name)
			return nil
		})
	}
	start, cancel := context.WithCancel(t.Context())
	if err := g.Start(start); err != nil {
		t.Fatal(err)
	}
	cancel() // the start-up deadline is not the parts' life
	if err := g.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(ended, " "); got != "first second third" {
		t.Fatalf("ended %s", got)
	}
	if err := g.Stop(t.Context()); err != nil {
		t.Fatalf("stopped twice: %v", err)
	}
}

func TestGroupReportsAPartThatFails(t *testing.T) {
	t.Parallel()
	failed := make(chan error, 1)
	g := Group{OnFailure: func(err error) { failed <- err }}
	other := errors.New("another part's")
	told, ended := make(chan struct{}), make(chan struct{})
	g.Add("part", func(context.Context) error { return errBroken })
	g.Add("the next", func(context.Context) error {
		defer close(ended)
		<-told
		return other
	})
	if err := g.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-failed; !errors.Is(err, errBroken) {
		t.Fatalf("got %v", err)
	}
	close(told)
	<-ended
	if err := g.Stop(t.Context()); !errors.Is(err, errBroken) || !errors.Is(err, other) {
		t.Fatalf("stop says %v", err)
	}
}

func TestGroupStopGivesUpWithItsContext(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	var g Group
	g.Add("stubborn", func(context.Context) error { <-release; return nil })
	if err := g.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := g.Stop(ctx); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	close(release)
}
