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
	"ingest/shared/extend"
	"ingest/shared/lifecycle"
	"ingest/shared/metrics"
	"ingest/shared/redisstore"
	"ingest/worker/internal/consume"
)

// Drain is how long Run may take to return after its context ended.
const Drain = consume.Drain + 5*time.Second

// Parts are what a Worker works with.
type Parts struct {
	Config     config.Config
	Redis      *redisstore.Store
	Databases  *database.Pool
	Extensions extend.Extensions
	Metrics    *metrics.Metrics
	Version    string
	Now        func() time.Time
	Log        *zap.Logger
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
		Process: id, Config: p.Config, Redis: p.Redis, Databases: p.Databases, Extensions: p.Extensions, Metrics: p.Metrics,
		Now: p.Now, Log: p.Log,
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
	return lifecycle.Parallel(ctx, w.consumer.Run,
		func(ctx context.Context) error { return w.parts.Redis.Live(ctx, w.describe) },
		func(ctx context.Context) error {
			return w.parts.Databases.Inspect(ctx, func(weakness string) { w.parts.Log.Warn(weakness) })
		})
}

// describe says who this process is and what its slots do.
func (w *Worker) describe() redisstore.Process {
	return redisstore.Process{
		ID: w.id, Host: redisstore.Host(), PID: os.Getpid(), Version: w.parts.Version, Role: "worker",
		Connections: w.parts.Databases.Names(), Extensions: w.parts.Extensions.Names().List(), Slots: w.consumer.Doing(), At: w.parts.Now(),
	}
}
