package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// Group turns parts with a Run(ctx) into one Start and one Stop. Parts are stopped in the order in which they were
// added, each joined before the next is asked. When a part ends by itself with an error, OnFailure is called once, with
// the first such error; Stop returns all of them.
type Group struct {
	// OnFailure is called when the first part fails. It must not block.
	OnFailure func(error)

	told  sync.Once
	mu    sync.Mutex
	parts []*part
	on    bool
}

type part struct {
	name  string
	run   func(ctx context.Context) error
	tasks *Tasks
}

// Add registers a part. It must be called before Start.
func (g *Group) Add(name string, run func(ctx context.Context) error) {
	g.parts = append(g.parts, &part{name: name, run: run})
}

// Start starts the parts, last added first, and returns at once. The parts do not end with ctx, but keep its values.
func (g *Group) Start(ctx context.Context) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.on {
		return nil
	}
	g.on = true
	for i := len(g.parts) - 1; i >= 0; i-- {
		p := g.parts[i]
		p.tasks = NewTasks(context.WithoutCancel(ctx))
		p.tasks.Go(p.name, func(ctx context.Context) error {
			err := guard(ctx, p.run)
			if err != nil && ctx.Err() == nil && g.OnFailure != nil {
				g.told.Do(func() { g.OnFailure(fmt.Errorf("%s: %w", p.name, err)) })
			}
			return err
		})
	}
	return nil
}

// Stop stops the parts and waits for each, at most until ctx ends. It may be called more than once.
func (g *Group) Stop(ctx context.Context) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.on {
		return nil
	}
	g.on = false
	var all error
	for _, p := range g.parts {
		p.tasks.Stop()
		ended := make(chan error, 1)
		join := NewTasks(context.WithoutCancel(ctx))
		join.Go("join "+p.name, func(context.Context) error {
			ended <- p.tasks.Wait()
			return nil
		})
		select {
		case err := <-ended:
			all = errors.Join(all, err)
		case <-ctx.Done():
			all = errors.Join(all, fmt.Errorf("stop %s: %w", p.name, ctx.Err()))
		}
	}
	return all
}
