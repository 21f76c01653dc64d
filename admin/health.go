package admin

import (
	"context"
	"errors"
	"fmt"

	"go.uber.org/zap"

	"ingest/admin/internal/monitor"
	"ingest/admin/internal/show"
	"ingest/shared/database"
	"ingest/shared/metrics"
)

type healthCommand struct{}

// Run asks the server role of this configuration whether it is ready; exit code 1 when it is not.
func (c *healthCommand) Run(ctx context.Context, s *session) error {
	address := s.settings.InternalListen
	if address == "" {
		return errors.New("no server role of this configuration can be asked: set internal_listen (INGEST_INTERNAL_LISTEN)")
	}
	if err := monitor.Ask(ctx, address); err != nil {
		return err
	}
	return s.screen.Document(map[string]string{"status": "ready"}, func(p *show.Page) { p.Line("ready") })
}

// newMonitor returns the internal listener of a server role; nil where none is configured. A command that executes
// its own run has none: the address belongs to the role beside it.
func (s *server) newMonitor(numbers *metrics.Metrics) *monitor.Monitor {
	if s.settings.InternalListen == "" || s.role == roleRun {
		return nil
	}
	return monitor.New(monitor.Parts{
		Address: s.settings.InternalListen, Metrics: numbers.Handler(), Ready: s.answers,
		Profiles: s.settings.Pprof, Log: s.log,
	})
}

// answers says whether what the role cannot work without can be reached now. The text is for anybody who asks.
func (s *server) answers(ctx context.Context) error {
	if err := s.redis.Ping(ctx); err != nil {
		s.log.Debug("not ready", zap.Error(err))
		return errors.New("redis does not answer")
	}
	if s.role == roleWorker {
		return nil
	}
	if err := s.registry.Ping(ctx); err != nil {
		s.log.Debug("not ready", zap.Error(err))
		return fmt.Errorf("the registry: %s", database.Explain(err).Reason())
	}
	return nil
}
