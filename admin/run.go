package admin

import (
	"context"
	"errors"
	"io"
	"os/user"
	"path/filepath"

	"ingest/admin/internal/remote"
	"ingest/admin/internal/show"
	"ingest/shared/control"
	"ingest/shared/source"
)

// patience says whether a command waits for its run.
type patience struct {
	Wait   bool `help:"Wait for the run to end (the default)." xor:"patience"`
	Detach bool `help:"Return as soon as the run is registered." xor:"patience"`
}

type runCommand struct {
	Importer string  `arg:"" help:"Slug of the importer."`
	File     *string `help:"Read this file instead of the importer's source; - is standard input." placeholder:"FILE"`
	DryRun   bool    `help:"Do everything but keep nothing."`
	// A value may hold what kong would split at.
	Param    map[string]string `help:"A parameter of the importer; may be repeated." placeholder:"NAME=VALUE" mapsep:"none"`
	patience `embed:""`
}

// Run starts a run of an importer.
func (c *runCommand) Run(ctx context.Context, s *session) error {
	file := ""
	if c.File != nil {
		if file = *c.File; file == "" {
			return misuse("--file is empty")
		}
	}
	return s.launch(ctx, c.Detach, func(ctx context.Context, sys *system) (control.Resource, error) {
		request := control.StartRequest{Importer: c.Importer, File: file, Params: c.Param, DryRun: c.DryRun, User: userName()}
		switch {
		case sys.remote != nil && file != "":
			return s.send(file, func(u remote.Upload) (control.Resource, error) { return sys.remote.Upload(ctx, request, u) })
		case file == "-":
			return s.spooled(ctx, s.stdin, func(path string) (control.Resource, error) {
				request.File, request.Spooled, request.Filename = path, true, "stdin"
				r, _, err := sys.control.Start(ctx, request)
				return r, err
			})
		case file != "":
			request.File = inside(s.workdir, file)
		}
		r, _, err := sys.control.Start(ctx, request)
		return r, err
	})
}

type retryCommand struct {
	ID          int64   `arg:"" help:"Id of the run whose failed rows are tried again."`
	DryRun      bool    `help:"Do everything but keep nothing."`
	Error       *string `help:"Only rows with exactly this message." placeholder:"MESSAGE" xor:"rows"`
	With        *string `help:"The failed rows mended, as failed-rows wrote them; - is standard input." placeholder:"FILE" xor:"rows"`
	Unprocessed bool    `help:"Also rows a cancelled or failed run never processed."`
	Force       bool    `help:"Retry again what was already retried."`
	patience    `embed:""`
}

// Run starts a run with the failed rows of another.
func (c *retryCommand) Run(ctx context.Context, s *session) error {
	message := ""
	if c.Error != nil {
		if message = *c.Error; message == "" {
			return misuse("--error is empty: leave it out to retry all failed rows")
		}
	}
	if c.With != nil && *c.With == "" {
		return misuse("--with is empty")
	}
	return s.launch(ctx, c.Detach, func(ctx context.Context, sys *system) (control.Resource, error) {
		request := control.RetryRequest{
			DryRun: c.DryRun, Error: message, Unprocessed: c.Unprocessed, Force: c.Force, User: userName(),
		}
		if c.With != nil {
			return c.mend(ctx, s, sys, request)
		}
		r, _, err := sys.control.Retry(ctx, c.ID, request)
		return r, err
	})
}

// mend retries with the rows of a file, of which the spool gets a copy.
func (c *retryCommand) mend(ctx context.Context, s *session, sys *system, request control.RetryRequest) (control.Resource, error) {
	if sys.remote != nil {
		return s.send(*c.With, func(u remote.Upload) (control.Resource, error) { return sys.remote.Mend(ctx, c.ID, request, u) })
	}
	from, name := s.stdin, "stdin"
	if *c.With != "-" {
		file, err := source.Open(inside(s.workdir, *c.With))
		if err != nil {
			return control.Resource{}, err
		}
		defer file.Close()
		from, name = file, filepath.Base(*c.With)
	}
	return s.spooled(ctx, from, func(path string) (control.Resource, error) {
		request.With, request.Filename = path, name
		r, _, err := sys.control.Retry(ctx, c.ID, request)
		return r, err
	})
}

type starter func(ctx context.Context, sys *system) (control.Resource, error)

// launch starts a run and, unless detached, waits for it; without Redis it executes the run itself.
func (s *session) launch(ctx context.Context, detach bool, start starter) error {
	alone := s.remote == nil && s.settings.Embedded()
	if alone && detach && !announced(s.settings.DataDir) {
		return misuse("--detach needs a process that executes the run: start `ingest up` first, or leave --detach out")
	}
	sys, err := s.write(ctx)
	if err != nil {
		return err
	}
	defer sys.Close()
	start = s.explaining(start)
	if alone && !detach {
		return s.execute(ctx, sys, start)
	}
	created, err := start(ctx, sys)
	if err != nil {
		return err
	}
	if detach {
		return s.screen.Data(created, func(p *show.Page) {
			p.Line("Ingest run #%d of %s is started: ingest status %d --watch", created.ID, created.Importer, created.ID)
		})
	}
	return s.watched(ctx, sys, created.ID)
}

// execute starts a run, does its work in this process and waits for it. When ctx ends, chunks in hand end first.
func (s *session) execute(ctx context.Context, sys *system, start starter) error {
	done, err := s.carry(ctx, sys, start)
	switch {
	case err == nil:
		reporting, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
		defer cancel()
		if err := s.report(reporting, sys, done.run); err != nil {
			return err
		}
		return s.conclude(done.run)
	case ctx.Err() == nil || done.id == 0:
		return err
	case done.elsewhere:
		s.goesOn(done.id)
	default:
		s.isInterrupted(done.id)
	}
	return exit(exitInterrupted)
}

// carried is a run whose work this process did.
type carried struct {
	// id is 0 where nothing was started.
	id  int64
	run control.Resource
	// elsewhere says that another process goes on with it.
	elsewhere bool
}

// carry starts a run, does its work until it has ended, and returns it as it was then. When ctx ends, chunks in hand end
// first, and the error is that of ctx.
func (s *session) carry(ctx context.Context, sys *system, start starter) (done carried, err error) {
	p, err := s.plan(roleRun)
	if err != nil {
		return done, err
	}
	work := newServer(p, sys.registry, sys.redis, sys.databases)
	sys.member = work.member
	if err := work.open(ctx); err != nil {
		return done, err
	}
	created, err := start(ctx, sys)
	if err != nil {
		return done, err
	}
	working, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	work.group.OnFailure = func(err error) { fail(err) }
	if err := work.group.Start(ctx); err != nil {
		return done, err
	}
	done.id = created.ID
	done.run, err = s.follow(working, sys, created.ID)
	// Asked before the end: what this process serves, another one takes over.
	done.elsewhere = !work.member.Serves() || announced(s.settings.DataDir)
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	stopped := work.group.Stop(stopping)
	switch {
	case err == nil:
		return done, nil
	case ctx.Err() == nil && working.Err() != nil:
		return done, context.Cause(working)
	case ctx.Err() == nil:
		return done, errors.Join(err, stopped)
	default:
		return done, err
	}
}

// spooled stores what it reads and starts a run on it; a refused run and the end of ctx leave no file.
func (s *session) spooled(ctx context.Context, from io.Reader, begin func(path string) (control.Resource, error)) (control.Resource, error) {
	store, err := s.spool()
	if err != nil {
		return control.Resource{}, err
	}
	input, ended, err := interruptible(ctx, from)
	if err != nil {
		return control.Resource{}, err
	}
	path, err := store.Store(ctx, input, 0)
	if err = errors.Join(err, ended()); err != nil {
		return control.Resource{}, err
	}
	created, err := begin(path)
	if err != nil {
		return created, errors.Join(err, store.Remove(path))
	}
	return created, nil
}

// userName is who started a run: the name of the operating system's user, empty when it has none.
func userName() string {
	current, err := user.Current()
	if err != nil {
		return ""
	}
	return current.Username
}
