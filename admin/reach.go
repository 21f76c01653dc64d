package admin

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"go.uber.org/zap"

	"ingest/admin/internal/remote"
	"ingest/coordinator"
	"ingest/shared/config"
	"ingest/shared/control"
	"ingest/shared/database"
	"ingest/shared/extend"
	"ingest/shared/redisstore"
	"ingest/shared/registry"
	"ingest/shared/sink"
	"ingest/shared/spool"
	"ingest/worker"
)

// home is the connection that holds the registry.
const home = config.DefaultConnection

// spare connections are for the supervisor, beside one per slot of a worker.
const spare = 2

// system is what a command works with: the clients of this process and the service on top of them.
type system struct {
	settings  config.Config
	control   service
	registry  *registry.Registry
	databases *database.Pool
	// redis is nil when the installation is embedded and nobody serves it.
	redis *redisstore.Store
	// member is nil unless this process is one of those that execute an embedded installation.
	member *member
	// remote is the service when that is somewhere else; there are no clients then.
	remote *remote.Client
}

// ask gives a command a system that reads, or at most changes the registry: it creates no directory and no database,
// and where nothing was ever run there are no runs.
func (s *session) ask(ctx context.Context, command func(*system) error) error {
	if s.remote != nil {
		sys := s.far()
		defer sys.Close()
		return command(sys)
	}
	sys, err := s.clients(ctx, true)
	if err != nil {
		return err
	}
	defer sys.Close()
	if err := sys.known(ctx); err != nil {
		return err
	}
	return s.explain(ctx, sys, command(sys))
}

// look is ask for what needs no runs: not even their database has to be there.
func (s *session) look(ctx context.Context, command func(*system) error) error {
	if s.remote != nil {
		return s.ask(ctx, command)
	}
	sys, err := s.clients(ctx, true)
	if err != nil {
		return err
	}
	defer sys.Close()
	return s.explain(ctx, sys, command(sys))
}

// write returns a system that may create: the data directory, its databases and their tables. The caller must Close.
func (s *session) write(ctx context.Context) (*system, error) {
	if s.remote != nil {
		return s.far(), nil
	}
	if s.settings.Embedded() {
		if err := os.MkdirAll(s.settings.DataDir, 0o700); err != nil {
			return nil, fmt.Errorf("create the data directory: %w", err)
		}
		if err := s.keepNamespace(); err != nil {
			return nil, err
		}
		if _, err := s.spool(); err != nil {
			return nil, err
		}
	}
	sys, err := s.clients(ctx, false)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(migrateSQLite(ctx, s.settings, sys.databases), sys.registered(ctx)); err != nil {
		return nil, errors.Join(err, sys.Close())
	}
	return sys, nil
}

// spool opens the spool of the data directory and creates it where this process may be the one that reads it.
func (s *session) spool() (*spool.Spool, error) {
	dir := spoolDir(s.settings)
	if !s.settings.Embedded() {
		if _, err := spool.Identify(dir); err != nil {
			return nil, &control.Error{
				Kind: control.Unavailable, Message: fmt.Sprintf("No running coordinator reads the spool in %s.", dir),
			}
		}
	}
	return spool.Open(dir)
}

func spoolDir(c config.Config) string { return filepath.Join(c.DataDir, "spool") }

// clients makes the clients of a process. None of them connects before it is used.
func (s *session) clients(ctx context.Context, mustExist bool) (*system, error) {
	// Asked first: who serves has made what is read after it.
	reachable := !s.settings.Embedded() || !mustExist || served(s.settings.DataDir)
	if err := s.findNamespace(); err != nil {
		return nil, err
	}
	sys := &system{settings: s.settings, databases: newPool(s.settings, s.extensions, mustExist)}
	var err error
	if sys.registry, err = newRegistry(s.settings, sys.databases); err != nil {
		return nil, errors.Join(err, sys.Close())
	}
	// Without a server there is nothing to ask: a client would only wait for one.
	if reachable {
		if sys.redis, err = newRedis(ctx, s.settings, s.log); err != nil {
			return nil, errors.Join(err, sys.Close())
		}
	}
	sys.control = control.New(control.Parts{
		Config: s.settings, Registry: sys.registry, Redis: sys.redis, Databases: sys.databases, Extensions: s.extensions, Amend: s.amend,
		Reader: coordinator.NewReader(coordinator.Parts{
			Config: s.settings, Registry: sys.registry, Databases: sys.databases, Extensions: s.extensions, Now: s.now, Log: s.log,
		}),
		Now: s.now, Log: s.log,
	})
	return sys, nil
}

// Close closes all clients.
func (y *system) Close() error {
	var all error
	if y.remote != nil {
		y.remote.Close()
		return nil
	}
	if y.redis != nil {
		all = errors.Join(all, y.redis.Close())
	}
	if y.member != nil {
		all = errors.Join(all, y.member.Close())
	}
	return errors.Join(all, y.databases.Close())
}

// ended delivers when any run has ended and after each new connection; some ends may be missed, and nothing comes where Redis
// cannot be asked. The caller must call the function.
func (y *system) ended(ctx context.Context) (<-chan struct{}, func()) {
	if y.redis == nil {
		return nil, func() {}
	}
	return y.redis.Listen(ctx, redisstore.Ended)
}

// interrupted says that nobody executes the runs of an embedded installation.
func (y *system) interrupted() bool {
	return y.remote == nil && y.settings.Embedded() && y.member == nil && !served(y.settings.DataDir)
}

// known replaces the service where the registry is a database that nobody has made yet.
func (y *system) known(ctx context.Context) error {
	err := y.registered(ctx)
	if errors.Is(err, database.ErrNoFile) || (errors.Is(err, database.ErrNotMigrated) && y.local()) {
		y.control, err = fresh{y.control, y.settings.Path}, nil
	}
	return err
}

// registered returns an error when the registry's tables are missing. That its database cannot be reached is for the
// service to tell: not every command needs it.
func (y *system) registered(ctx context.Context) error {
	db, err := y.databases.Get(home)
	if err != nil {
		return err
	}
	err = database.Migrated(ctx, db)
	if errors.Is(err, database.ErrNoFile) || errors.Is(err, database.ErrNotMigrated) {
		return err
	}
	return nil
}

// local says that the registry is an SQLite file.
func (y *system) local() bool {
	db, err := y.databases.Get(home)
	return err == nil && db.Dialect() == database.SQLite
}

// migrateSQLite brings the tables of all SQLite connections up to date; those of other databases are for
// `ingest migrate`.
func migrateSQLite(ctx context.Context, c config.Config, databases *database.Pool) error {
	for _, name := range connections(c) {
		db, err := databases.Get(name)
		if err != nil {
			return err
		}
		if db.Dialect() != database.SQLite {
			continue
		}
		if err := database.Migrate(ctx, db); err != nil {
			return located(c, name, err)
		}
	}
	return nil
}

func connections(c config.Config) []string { return slices.Sorted(maps.Keys(c.Connections)) }

func newPool(c config.Config, x extend.Extensions, mustExist bool) *database.Pool {
	all := make(map[string]database.Config, len(c.Connections))
	sinks := sink.New(c, x)
	for name, connection := range c.Connections {
		if sinks.Has(name) {
			all[name] = database.Config{Name: name, Of: home}
			continue
		}
		all[name] = database.Config{
			Name: name, URL: connection.URL.Reveal(), LedgerSchema: connection.LedgerSchema,
			Connections: worker.Slots(c) + spare, MustExist: mustExist,
		}
	}
	return database.NewPool(all)
}

func newRegistry(c config.Config, databases *database.Pool) (*registry.Registry, error) {
	db, err := databases.Get(home)
	if err != nil {
		return nil, err
	}
	return registry.New(db, c.Namespace), nil
}

func newRedis(ctx context.Context, c config.Config, log *zap.Logger) (*redisstore.Store, error) {
	options := redisstore.Options{URL: c.Redis.URL.Reveal(), Namespace: c.Namespace, Log: log}
	if c.Embedded() {
		options.Dial, options.Password, options.Lenient = dialer(c.DataDir), secret(c.DataDir), true
	}
	return redisstore.Open(ctx, options)
}
