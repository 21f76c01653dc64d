package admin

import (
	"context"
	"fmt"
	"os"

	"ingest/coordinator"
	"ingest/shared/spool"
)

type coordinatorCommand struct{}

// Run splits sources and ends runs until it is told to stop.
func (c *coordinatorCommand) Run(ctx context.Context, s *session) error {
	return s.serve(ctx, roleCoordinator)
}

type workerCommand struct{}

// Run writes rows until it is told to stop.
func (c *workerCommand) Run(ctx context.Context, s *session) error { return s.serve(ctx, roleWorker) }

type upCommand struct{}

// Run is coordinator and worker in one process.
func (c *upCommand) Run(ctx context.Context, s *session) error { return s.serve(ctx, roleUp) }

func (s *session) serve(ctx context.Context, r role) error {
	if s.settings.Embedded() && r != roleUp {
		return misuse("no Redis is configured, so that there is nothing to share with other processes: use `ingest up`, " +
			"or set redis.url (INGEST_REDIS_URL)")
	}
	if refusal := coordinator.Refusal(s.settings); refusal != "" && r != roleWorker {
		return misuse("%s", refusal)
	}
	p, err := s.plan(r)
	if err != nil {
		return err
	}
	return serve(ctx, p)
}

// plan makes what a server role needs on this machine: the data directory and the spool in it.
func (s *session) plan(r role) (plan, error) {
	p := plan{role: r, settings: s.settings, extensions: s.extensions, log: s.log, version: buildVersion().Version, now: s.now}
	if r == roleWorker {
		return p, nil
	}
	if r == roleRun {
		// It lives as long as one run: nobody could rely on an API of its.
		p.settings.Listen = ""
	}
	if err := os.MkdirAll(s.settings.DataDir, 0o700); err != nil {
		return p, fmt.Errorf("create the data directory: %w", err)
	}
	if err := s.keepNamespace(); err != nil {
		return p, err
	}
	p.settings.Namespace = s.settings.Namespace
	var err error
	p.spool, err = spool.Open(spoolDir(s.settings))
	return p, err
}
