package admin

import (
	"context"
	"errors"

	"go.uber.org/zap"

	"ingest/admin/internal/monitor"
	"ingest/coordinator"
	"ingest/shared/database"
	"ingest/shared/lifecycle"
	"ingest/shared/metrics"
	"ingest/shared/redisstore"
	"ingest/shared/registry"
	"ingest/worker"
)

// server is a process that does the work of a role: its parts and the clients they need.
type server struct {
	plan
	registry  *registry.Registry
	redis     *redisstore.Store
	databases *database.Pool
	// coordinator is nil in a worker.
	coordinator *coordinator.Coordinator
	// member is nil unless the installation is embedded.
	member *member
	// monitor is nil where no internal listener is configured.
	monitor *monitor.Monitor
	group   *lifecycle.Group
}

func newServer(p plan, reg *registry.Registry, redis *redisstore.Store, databases *database.Pool) *server {
	s := &server{plan: p, registry: reg, redis: redis, databases: databases, group: &lifecycle.Group{}}
	numbers := metrics.New(string(p.role), p.version, p.now)
	// Parts stop in this order: the worker puts down what it holds while the others still answer.
	if p.role != roleCoordinator {
		s.group.Add("worker", worker.New(worker.Parts{
			Config: p.settings, Redis: redis, Databases: databases, Extensions: p.extensions, Metrics: numbers,
			Version: p.version, Now: p.now, Log: p.log,
		}).Run)
	}
	if p.role != roleWorker {
		s.coordinator = coordinator.New(coordinator.Parts{
			Config: p.settings, Registry: reg, Redis: redis, Databases: databases, Spool: p.spool,
			Extensions: p.extensions,
			Metrics:    numbers, Version: p.version, Now: p.now, Log: p.log,
		})
		s.group.Add("coordinator", s.coordinator.Run)
	}
	if p.settings.Embedded() {
		s.member = newMember(p.settings.DataDir)
		s.group.Add("embedded server", s.member.Run)
	}
	// Last of all: what a process does while it stops can be watched, too.
	if s.monitor = s.newMonitor(numbers); s.monitor != nil {
		s.group.Add("internal listener", s.monitor.Run)
	}
	return s
}

// open takes the addresses of the process and proves that the work can begin: Redis answers and is fit, the tables are there.
// What it has opened must be closed, whatever it returns.
func (s *server) open(ctx context.Context) error {
	if s.coordinator != nil {
		if err := s.coordinator.Open(ctx); err != nil {
			return err
		}
	}
	if s.monitor != nil {
		if err := s.monitor.Open(ctx); err != nil {
			return err
		}
	}
	if err := s.reach(ctx); err != nil {
		return err
	}
	if err := migrateSQLite(ctx, s.settings, s.databases); err != nil {
		return err
	}
	return s.ready(ctx)
}

// reach joins the embedded server, where there is one, and checks Redis. The process that serves may end in between:
// then this one joins again, or serves.
func (s *server) reach(ctx context.Context) error {
	if s.member == nil {
		err := s.redis.Check(ctx)
		if redisstore.Unavailable(err) {
			s.log.Debug("Redis was asked", zap.Error(err))
			err = errors.New("Redis cannot be reached: start it, or say where it is with redis.url (INGEST_REDIS_URL)") //nolint:staticcheck // a name
		}
		return err
	}
	for {
		if err := s.member.join(ctx); err != nil {
			return err
		}
		err := s.redis.Check(ctx)
		switch {
		case err == nil && s.role == roleUp:
			return s.member.announce()
		case err == nil || !redisstore.Unavailable(err):
			return err
		}
		if lifecycle.Wait(ctx, takeOver/4, nil) != nil {
			return err
		}
	}
}

// ready asks for the tables. A worker needs no registry and can wait for a destination; a coordinator cannot begin
// without the registry.
func (s *server) ready(ctx context.Context) error {
	for _, name := range connections(s.settings) {
		db, err := s.databases.Get(name)
		if err != nil {
			return err
		}
		err = database.Migrated(ctx, db)
		if err == nil {
			continue
		}
		if name == home && (s.role != roleWorker || errors.Is(err, database.ErrNotMigrated)) {
			return located(s.settings, name, err)
		}
		s.log.Warn("a connection is not ready", zap.String("connection", name), zap.Error(err))
	}
	return nil
}

// close gives the addresses back and closes the clients; the work has ended before.
func (s *server) close(context.Context) error {
	var all error
	if s.coordinator != nil {
		all = s.coordinator.Close()
	}
	if s.monitor != nil {
		all = errors.Join(all, s.monitor.Close())
	}
	all = errors.Join(all, s.redis.Close())
	if s.member != nil {
		all = errors.Join(all, s.member.Close())
	}
	return errors.Join(all, s.databases.Close())
}
