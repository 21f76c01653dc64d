package admin

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"time"

	"go.uber.org/fx"
	"go.uber.org/fx/fxevent"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"ingest/shared/config"
	"ingest/shared/database"
	"ingest/shared/extend"
	"ingest/shared/redisstore"
	"ingest/shared/spool"
	"ingest/worker"
)

const (
	startTimeout = 30 * time.Second
	// stopTimeout is above the drain of every part: fx gives up the hooks that are left when it has passed.
	stopTimeout = worker.Drain + 20*time.Second
)

// role is what a server process does.
type role string

const (
	roleCoordinator role = "coordinator"
	roleWorker      role = "worker"
	roleUp          role = "up"
	// roleRun is up for as long as one run takes.
	roleRun role = "run"
)

// plan is what is known before anything is opened.
type plan struct {
	role     role
	settings config.Config
	log      *zap.Logger
	// spool is nil for a worker, which reads no source.
	spool      *spool.Spool
	extensions extend.Extensions
	version    string
	now        func() time.Time
}

// serve runs a server role until ctx ends or a part fails.
func serve(ctx context.Context, p plan) error {
	collect(p.role)
	failed := make(chan struct{})
	app := fx.New(graph(ctx, p), fx.Invoke(func(lc fx.Lifecycle, s *server) { attach(lc, s, failed) }))
	if err := app.Err(); err != nil {
		return fmt.Errorf("wire the %s: %w", p.role, err)
	}
	starting, cancel := context.WithTimeout(ctx, app.StartTimeout())
	err := app.Start(starting)
	cancel()
	if err == nil {
		p.log.Info("started", zap.String("role", string(p.role)), zap.String("version", p.version))
		select {
		case <-ctx.Done():
			p.log.Info("stopping: what is in hand is finished first", zap.String("role", string(p.role)))
		case <-failed: // to stop returns why
		}
	}
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), app.StopTimeout())
	defer cancel()
	return errors.Join(err, app.Stop(stopping))
}

// collect says how much a server's heap grows beside what lives before it is collected, unless GOGC says so. What lives is small.
// What comes and goes in a worker are chunks: 25 MiB more are a quarter less of its work. A coordinator allocates so little that its
// memory would grow over the whole of a great file.
func collect(r role) {
	const chunks, little = 400, 50 // percent of what lives
	switch {
	case os.Getenv("GOGC") != "":
	case r == roleCoordinator:
		debug.SetGCPercent(little)
	default:
		debug.SetGCPercent(chunks)
	}
}

// graph says how everything is made; nothing in it connects before it is started.
func graph(ctx context.Context, p plan) fx.Option {
	return fx.Options(
		fx.Supply(p, p.settings, p.log),
		fx.Provide(
			func(c config.Config) *database.Pool { return newPool(c, p.extensions, false) },
			func(c config.Config, log *zap.Logger) (*redisstore.Store, error) { return newRedis(ctx, c, log) },
			newRegistry, newServer,
		),
		fx.StartTimeout(startTimeout),
		fx.StopTimeout(stopTimeout),
		fx.WithLogger(func() fxevent.Logger {
			events := &fxevent.ZapLogger{Logger: p.log}
			events.UseLogLevel(zapcore.DebugLevel)
			// Start and stop return what they could not do: it is told once.
			events.UseErrorLevel(zapcore.DebugLevel)
			return events
		}),
	)
}

// attach is the one place where the process's life meets fx: clients open before the work and close after it.
// failed is closed when the first part fails.
func attach(lc fx.Lifecycle, s *server, failed chan<- struct{}) {
	s.group.OnFailure = func(error) { close(failed) }
	lc.Append(fx.StartStopHook(func(ctx context.Context) error {
		if err := s.open(ctx); err != nil {
			return errors.Join(err, s.close(ctx)) // fx closes only what was opened
		}
		return nil
	}, s.close))
	lc.Append(fx.StartStopHook(s.group.Start, s.group.Stop))
}
