// Package lifecycle owns every goroutine and every wait of the program.
//
// It holds the one go statement: whoever starts work here also joins it, a panic becomes the error of the one who
// waits, and nothing outlives its owner. Waiting always ends with its context.
package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"time"
)

// Tasks owns a set of goroutines. The first that fails ends the others' context; Wait joins all of them.
type Tasks struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	wg     sync.WaitGroup

	mu  sync.Mutex
	err error
}

// NewTasks returns an empty set whose goroutines end with ctx. The caller must call Wait.
func NewTasks(ctx context.Context) *Tasks {
	ctx, cancel := context.WithCancelCause(ctx)
	return &Tasks{ctx: ctx, cancel: cancel}
}

// Context is what the tasks run on; it ends when Stop is called or a task fails.
func (t *Tasks) Context() context.Context { return t.ctx }

// Go starts a task. An error other than the context's own ends all tasks; a panic counts as an error. name says in it which task
// that was, unless it is empty.
func (t *Tasks) Go(name string, task func(ctx context.Context) error) {
	t.wg.Add(1)
	go func() {
		defer t.wg.Done()
		if err := guard(t.ctx, task); err != nil && (t.ctx.Err() == nil || !errors.Is(err, context.Canceled)) {
			if name != "" {
				err = fmt.Errorf("%s: %w", name, err)
			}
			t.fail(err)
		}
	}()
}

// Stop asks the tasks to end. It does not wait and may be called any number of times.
func (t *Tasks) Stop() { t.cancel(context.Canceled) }

// Wait blocks until every task has ended and returns the first error.
func (t *Tasks) Wait() error {
	t.wg.Wait()
	t.cancel(context.Canceled)
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.err
}

func (t *Tasks) fail(err error) {
	t.mu.Lock()
	if t.err == nil {
		t.err = err
	}
	t.mu.Unlock()
	t.cancel(err)
}

// ErrPanic is wrapped by the error that a panic became.
var ErrPanic = errors.New("panic")

func guard(ctx context.Context, task func(ctx context.Context) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %s\n%s", ErrPanic, said(p), debug.Stack())
		}
	}()
	return task(ctx)
}

// said is what a panic may say in a log: the runtime's own words hold no values, anybody else's may quote a cell.
func said(panicked any) string {
	if fault, ok := panicked.(runtime.Error); ok {
		return fault.Error()
	}
	return fmt.Sprintf("%T", panicked)
}

// Parallel runs the tasks and returns when all have ended: nil or the first error.
func Parallel(ctx context.Context, tasks ...func(ctx context.Context) error) error {
	set := NewTasks(ctx)
	for _, task := range tasks {
		set.Go("", task)
	}
	return set.Wait()
}

// Wait blocks for d, until wake delivers, or until ctx ends, whose error it then returns. wake may be nil.
func Wait(ctx context.Context, d time.Duration, wake <-chan struct{}) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-wake:
		return nil
	case <-timer.C:
		return nil
	}
}

// Loop calls step at once and then whenever interval has passed or wake delivers, until ctx ends (returns nil) or
// step fails (returns its error). wake may be nil.
func Loop(ctx context.Context, interval time.Duration, wake <-chan struct{}, step func(ctx context.Context) error) error {
	return loop(ctx, wake, step, func() time.Duration { return interval })
}

// LoopFrom is Loop whose interval grows: first, then a quarter longer each time, up to last. What is waited for is noticed when
// a quarter more time than it took has passed, or last, even where wake says nothing.
func LoopFrom(ctx context.Context, first, last time.Duration, wake <-chan struct{}, step func(ctx context.Context) error) error {
	next := first
	return loop(ctx, wake, step, func() time.Duration {
		interval := next
		next = min(next+next/4, last)
		return interval
	})
}

func loop(ctx context.Context, wake <-chan struct{}, step func(ctx context.Context) error, interval func() time.Duration) error {
	for {
		if err := step(ctx); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		if Wait(ctx, interval(), wake) != nil {
			return nil
		}
	}
}

// Outlive returns a context that ends drain after ctx does: ctx says "take no more", the result "drop what you
// hold". The caller must call the cancel function.
func Outlive(ctx context.Context, drain time.Duration) (context.Context, context.CancelFunc) {
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		// The timer ends by itself; cancelling twice is harmless.
		time.AfterFunc(drain, cancel)
	})
	return work, func() { stop(); cancel() }
}
