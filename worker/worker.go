// Package worker is the server role that writes rows.
//
// A worker needs nothing but Redis and the destination: adding a replica is adding a process. It can be killed, paused
// or cut off at any point; what it held is done by another within the lease.
package worker

import (
	"context"
	"crypto/rand"
	"os"
	"runtime"
	"time"

	"go.uber.org/zap"

	"ingest/shared/config"
	"ingest/shared/database"
	"ingest/shared/lifecycle"
	"ingest/shared/redisstore"
	"ingest/worker/internal/consume"
)

const (
	// heartbeat is how often a worker says that it lives.
	heartbeat = 2 * time.Second
	// Drain is how long Run may take to return after its context ended.
	Drain = consume.Drain + 5*time.Second
)

// Parts are what a Worker works with.
type Parts struct {
	Config    config.Config
	Redis     *redisstore.Store
	Databases *database.Pool
	Version   string
	Now       func() time.Time
	Log       *zap.Logger
}

// Worker is one worker process. Make it with New.
type Worker struct {
	parts    Parts
	id       string
	consumer *consume.Consumer
}

// New returns a Worker with an identity of its own.
func New(p Parts) *Worker {
	id := "worker-" + rand.Text()
	return &Worker{parts: p, id: id, consumer: consume.New(consume.Parts{
		Process: id, Config: p.Config, Redis: p.Redis, Databases: p.Databases, Now: p.Now, Log: p.Log,
	}, Slots(p.Config))}
}

// Slots is how many partitions a worker of this configuration works at once: 2 × cores unless configured.
func Slots(c config.Config) int {
	if c.Slots > 0 {
		return c.Slots
	}
	return 2 * runtime.NumCPU()
}

// Run works until ctx ends, then lets the chunks in hand end or drops them after Drain. It returns an error only for
// what cannot be waited for.
func (w *Worker) Run(ctx context.Context) error {
	return lifecycle.Parallel(ctx, w.consumer.Run, w.live)
}

// live announces this process and what its slots do until ctx ends.
func (w *Worker) live(ctx context.Context) error {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	defer func() {
		if err := w.parts.Redis.Leave(context.WithoutCancel(ctx), w.id); err != nil {
			w.parts.Log.Debug("the end was not announced", zap.Error(err))
		}
	}()
	return lifecycle.Loop(ctx, heartbeat, nil, func(ctx context.Context) error {
		err := w.parts.Redis.Heartbeat(ctx, redisstore.Process{
			ID: w.id, Host: host, PID: os.Getpid(), Version: w.parts.Version, Role: "worker",
			Slots: w.consumer.Doing(), At: w.parts.Now(),
		})
		if err != nil && ctx.Err() == nil {
			w.parts.Log.Warn("the heartbeat was not heard", zap.Error(err))
		}
		return nil
	})
}
