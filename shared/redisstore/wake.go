package redisstore

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/redis/go-redis/v9"

	"ingest/shared/lifecycle"
)

// Topic is what a wake-up is about.
type Topic string

// The topics.
const (
	// Work wakes workers: there may be chunks.
	Work Topic = "work"
	// Runs wakes coordinators: the state of a run may have changed.
	Runs Topic = "runs"
	// Ended wakes who waits for the end of a run: one has ended.
	Ended Topic = "ended"
)

const (
	// quiet is how long a listener hears nothing before it asks whether the server still answers.
	quiet = 5 * time.Second
	// pause is how long a listener waits before it connects again.
	pause = 250 * time.Millisecond
)

// Wake wakes whoever listens to the topic now. Nobody may.
func (s *Store) Wake(ctx context.Context, topic Topic) error {
	if err := s.client.Publish(ctx, s.keys.wake(topic), "").Err(); err != nil {
		return fmt.Errorf("wake %s: %w", topic, err)
	}
	return nil
}

// Listen returns a channel that delivers after wake-ups of the topic: several may become one, some may be lost, and
// one comes after every new connection, because something may have been missed. It reconnects by itself. The channel
// is never closed. The caller must call the function, which ends the listener and waits for it – some seconds, where a server
// takes connections and says nothing –; ctx ends it, too.
func (s *Store) Listen(ctx context.Context, topic Topic) (<-chan struct{}, func()) {
	wake := make(chan struct{}, 1)
	tasks := lifecycle.NewTasks(ctx)
	tasks.Go("listen "+string(topic), func(ctx context.Context) error {
		for ctx.Err() == nil {
			s.hear(ctx, topic, wake)
			if lifecycle.Wait(ctx, pause, nil) != nil {
				return nil
			}
		}
		return nil
	})
	return wake, func() {
		tasks.Stop()
		// It answers nil: a listener has no errors of its own.
		_ = tasks.Wait()
	}
}

// hear passes wake-ups on until the connection or ctx ends.
func (s *Store) hear(ctx context.Context, topic Topic, wake chan<- struct{}) {
	subscription := s.client.Subscribe(ctx, s.keys.wake(topic))
	end := func() { _ = subscription.Close() }
	defer end()
	// A receive does not end with its context, but with its connection.
	defer context.AfterFunc(ctx, end)()
	asked := false
	for {
		message, err := subscription.ReceiveTimeout(ctx, quiet)
		var timeout net.Error
		switch {
		case err != nil && errors.As(err, &timeout) && timeout.Timeout() && !asked:
			asked = true
			if subscription.Ping(ctx) != nil {
				return
			}
			continue
		case err != nil:
			return
		}
		asked = false
		if _, pong := message.(*redis.Pong); pong {
			continue
		}
		select {
		case wake <- struct{}{}:
		default:
		}
	}
}
