// Package coordinator is the server role that splits sources, ends runs and serves the REST API.
//
// Any number of coordinators may run; each splits the runs whose source it sees and all of them supervise. A
// coordinator that is killed at any point leaves nothing that another cannot finish.
package coordinator

import (
	"context"
	"crypto/rand"
	"net"
	"os"
	"time"

	"go.uber.org/zap"

	"ingest/coordinator/internal/api"
	"ingest/coordinator/internal/split"
	"ingest/coordinator/internal/supervise"
	"ingest/shared/config"
	"ingest/shared/control"
	"ingest/shared/database"
	"ingest/shared/extend"
	"ingest/shared/lifecycle"
	"ingest/shared/listener"
	"ingest/shared/metrics"
	"ingest/shared/redisstore"
	"ingest/shared/registry"
	"ingest/shared/spool"
)

// Parts are what a Coordinator works with.
type Parts struct {
	Config     config.Config
	Registry   *registry.Registry
	Redis      *redisstore.Store
	Databases  *database.Pool
	Spool      *spool.Spool
	Extensions extend.Extensions
	Metrics    *metrics.Metrics
	Version    string
	Now        func() time.Time
	Log        *zap.Logger
}

// Coordinator is one coordinator process. Make it with New, then Open, then Run.
type Coordinator struct {
	parts Parts
	id    string
	// api is nil where nobody listens; listener is its address.
	api      *api.API
	listener net.Listener
}

// New returns a Coordinator with an identity of its own.
func New(p Parts) *Coordinator { return &Coordinator{parts: p, id: "coordinator-" + rand.Text()} }

// Open begins to listen, where the configuration says so: a coordinator whose address is taken, or whose tokens cannot be read,
// does not begin to work. Run must follow, or Close.
func (c *Coordinator) Open(ctx context.Context) (err error) {
	p := c.parts
	if p.Config.Listen == "" {
		return nil
	}
	c.api, err = api.New(api.Parts{
		Config: p.Config, Spool: p.Spool, Version: p.Version, Ready: c.ready, Now: p.Now, Log: p.Log,
		Control: control.New(control.Parts{
			Config: p.Config, Registry: p.Registry, Redis: p.Redis, Databases: p.Databases, Spool: p.Spool.ID(), Reader: NewReader(p),
			Extensions: p.Extensions, Now: p.Now, Log: p.Log,
		}),
	})
	if err != nil {
		return err
	}
	c.listener, err = listener.Open(ctx, "the API", p.Config.Listen, "--listen", "INGEST_LISTEN")
	return err
}

// Close gives the address back when Run will not.
func (c *Coordinator) Close() error { return listener.Close(c.listener) }

// Run supervises and splits until ctx ends, then gives its split leases back. It returns an error only for what
// cannot be waited for.
func (c *Coordinator) Run(ctx context.Context) error {
	p := c.parts
	splitter := split.New(split.Parts{
		Owner: c.id, Config: p.Config, Registry: p.Registry, Redis: p.Redis, Databases: p.Databases,
		Spool: p.Spool, Extensions: p.Extensions, Now: p.Now, Log: p.Log,
	})
	supervisor := supervise.New(supervise.Parts{
		Config: p.Config, Registry: p.Registry, Redis: p.Redis, Databases: p.Databases, Spool: p.Spool,
		Splitter: splitter, Extensions: p.Extensions, Metrics: p.Metrics, Now: p.Now, Log: p.Log,
	})
	parts := []func(context.Context) error{
		supervisor.Run, func(ctx context.Context) error { return p.Redis.Live(ctx, c.describe) },
		func(ctx context.Context) error {
			return p.Databases.Inspect(ctx, func(weakness string) { p.Log.Warn(weakness) })
		},
	}
	if c.api != nil {
		parts = append(parts, func(ctx context.Context) error { return c.api.Run(ctx, c.listener) })
	}
	return lifecycle.Parallel(ctx, parts...)
}

// NewReader returns what reads sources as a coordinator does, for processes that only look. Of the parts it needs neither
// Redis nor spool.
func NewReader(p Parts) control.Reader {
	return split.NewReader(split.Parts{
		Config: p.Config, Registry: p.Registry, Databases: p.Databases, Extensions: p.Extensions, Now: p.Now, Log: p.Log,
	})
}

// Refusal says why a coordinator must not be started with this configuration, "" when it may.
func Refusal(c config.Config) string { return api.Refusal(c) }

// ready returns an error while Redis or the registry cannot be reached.
func (c *Coordinator) ready(ctx context.Context) error {
	if err := c.parts.Redis.Ping(ctx); err != nil {
		return err
	}
	return c.parts.Registry.Ping(ctx)
}

// describe says who this process is and which spool it reads.
func (c *Coordinator) describe() redisstore.Process {
	return redisstore.Process{
		ID: c.id, Host: redisstore.Host(), PID: os.Getpid(), Version: c.parts.Version, Role: "coordinator",
		Spools: []string{c.parts.Spool.ID()}, Connections: c.parts.Databases.Names(),
		Extensions: c.parts.Extensions.Names().List(), At: c.parts.Now(),
	}
}
