package control

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"go.uber.org/zap"

	"ingest/shared/database"
	"ingest/shared/destination"
	"ingest/shared/failpoint"
	"ingest/shared/importer"
	"ingest/shared/pipeline"
	"ingest/shared/redisstore"
	"ingest/shared/registry"
	"ingest/shared/run"
	"ingest/shared/source"
	"ingest/shared/spool"
)

// Start begins a run and returns it, pending. What can be known without reading the data is refused with *Error and
// leaves no run behind. A repeated request (see Once) returns the first run and true; a spooled file is then nobody's.
func (c *Control) Start(ctx context.Context, req StartRequest) (r Resource, repeated bool, err error) {
	if r, repeated, err = c.repeated(ctx, req.Once); err != nil || repeated {
		return r, repeated, err
	}
	definition, err := c.definition(req.Importer)
	if err != nil {
		return Resource{}, false, err
	}
	if definition, err = given(definition, req.Params); err != nil {
		return Resource{}, false, err
	}
	origin, name, err := c.origin(req, definition)
	if err != nil {
		return Resource{}, false, err
	}
	if err := c.ready(ctx, definition); err != nil {
		return Resource{}, false, err
	}
	if !origin.Fetch {
		if origin.Spool, err = c.spoolID(ctx); err != nil {
			return Resource{}, false, err
		}
	}
	snapshot, hash := definition.Snapshot()
	created, repeated, err := c.registry.Create(ctx, registry.NewRun{
		Importer: definition.Slug, Connection: definition.Destination.Connection, Definition: snapshot, Hash: hash,
		Origin: origin, DryRun: req.DryRun, Alone: definition.Overlap == importer.OverlapRefuse,
		User: req.User, Filename: cmp.Or(req.Filename, name), IdempotencyKey: req.Once.Key, Request: req.Once.Request,
	})
	if err != nil {
		return Resource{}, false, c.unregistered(err, definition.Slug, "The run could not be registered")
	}
	if repeated {
		r, err = c.same(ctx, created, req.Once)
		return r, true, err
	}
	failpoint.Hit("start.registered")
	c.wake(ctx)
	return c.resource(ctx, created), false, nil
}

// repeated returns the run of an earlier request with the same key; false when there was none.
func (c *Control) repeated(ctx context.Context, once Once) (Resource, bool, error) {
	first, found, err := c.registry.First(ctx, once.Key)
	if err != nil {
		return Resource{}, false, c.unavailable(err, "The registry cannot be read")
	}
	if !found {
		return Resource{}, false, nil
	}
	r, err := c.same(ctx, first, once)
	return r, true, err
}

// same refuses a key that stood for another request.
func (c *Control) same(ctx context.Context, first run.Run, once Once) (Resource, error) {
	if first.Request != once.Request {
		return Resource{}, &Error{
			Kind: Invalid, RunID: first.ID, Field: "Idempotency-Key",
			Message: fmt.Sprintf("The Idempotency-Key was used for another request (run #%d).", first.ID),
		}
	}
	return c.resource(ctx, first), nil
}

func (c *Control) definition(slug string) (importer.Definition, error) {
	definition, err := importer.Load(c.settings.Importers, slug, pipeline.Checks(c.extensions))
	switch {
	case errors.Is(err, importer.ErrUnknown):
		return definition, refuse(NotFound, err, "%s", err.Error())
	case err != nil:
		return definition, refuse(Invalid, err, "%s", err.Error())
	}
	if c.amend != nil {
		c.amend(&definition)
	}
	return definition, nil
}

// origin is where the run's rows come from, and what people call it.
func (c *Control) origin(req StartRequest, d importer.Definition) (run.Origin, string, error) {
	if own, ok := c.extensions.Source(d.Source.Type); ok && req.File == "" {
		options, err := d.SourceOptions()
		if err != nil {
			return run.Origin{}, "", &Error{Kind: Invalid, Field: "params", Message: err.Error()}
		}
		stream, err := own.Build(options)
		if err != nil {
			return run.Origin{}, "", refuse(Invalid, err, "The source of the importer '%s' cannot be read: %v.", d.Slug, err)
		}
		return run.Origin{Fetch: true}, stream.Name, nil
	}
	path, err := c.path(req, d)
	if err != nil {
		return run.Origin{}, "", err
	}
	if _, err := source.Inspect(path); err != nil {
		return run.Origin{}, "", refuse(Invalid, err, "%s", err.Error())
	}
	return run.Origin{Path: path, Spooled: req.Spooled}, filepath.Base(path), nil
}

// path is the absolute path of the run's source.
func (c *Control) path(req StartRequest, d importer.Definition) (string, error) {
	if req.File != "" {
		path, err := filepath.Abs(req.File)
		if err != nil {
			return "", refuse(Invalid, err, "The file %s has no absolute path: %v.", req.File, err)
		}
		return path, nil
	}
	if d.Source.Type == importer.Upload {
		return "", refuse(Invalid, nil, "The importer '%s' takes an upload: give the file with --file, or upload it.", d.Slug)
	}
	if _, own := c.extensions.Source(d.Source.Type); own {
		return "", refuse(Invalid, nil, "The source of the importer '%s' (%s) is fetched when a run begins: give a file with --file.", d.Slug, d.Source.Type)
	}
	if d.Source.Path == "" {
		return "", refuse(Invalid, nil, "The importer '%s' has no source path: give one with --file.", d.Slug)
	}
	named, err := d.SourcePath()
	if err != nil {
		return "", &Error{Kind: Invalid, Field: "params", Message: err.Error()}
	}
	path, err := source.Resolve(c.settings.Roots, named)
	if err != nil {
		return "", refuse(Invalid, err, "%s", err.Error())
	}
	return path, nil
}

// ready refuses what the destination already says: unknown connection, unreachable, ledger tables missing, a key
// without a unique index.
func (c *Control) ready(ctx context.Context, d importer.Definition) error {
	db, err := c.databases.Get(d.Destination.Connection)
	if err != nil {
		return refuse(Invalid, err, "%s", err.Error())
	}
	if err := db.Ping(ctx); err != nil {
		return c.unavailable(err, "The connection '"+d.Destination.Connection+"' cannot be reached")
	}
	if err := database.Migrated(ctx, db); err != nil {
		return refuse(Unavailable, err, "%s", err.Error())
	}
	if c.sinks.Has(d.Destination.Connection) {
		if err := c.sinks.Refuse(d); err != nil {
			return refuse(Invalid, err, "%s", err.Error())
		}
		return nil
	}
	table, err := db.Table(ctx, d.Destination.Table)
	if errors.Is(err, database.ErrNoTable) {
		return nil // made before the first chunk, or the run's failure
	}
	if err != nil {
		return refuse(Invalid, err, "%s", err.Error())
	}
	if err := destination.MissingKeyIndex(d.Destination, table, keyTargets(d), db.Quote); err != nil {
		return refuse(Invalid, err, "%s", err.Error())
	}
	return nil
}

// keyTargets are the destination columns of the key.
func keyTargets(d importer.Definition) []string {
	var targets []string
	for _, name := range d.Key {
		if key, ok := d.KeyColumn(name); ok {
			targets = append(targets, key.To)
		}
	}
	return targets
}

const noReader = "No running coordinator reads the spool in %s (start `ingest coordinator` with the same data directory)."

// spoolID is the spool a coordinator must see to read the source. With Redis configured a live one must see it now:
// a run nobody can split would wait for ever.
func (c *Control) spoolID(ctx context.Context) (string, error) {
	if c.spool != "" {
		return c.spool, nil
	}
	dir := filepath.Join(c.settings.DataDir, "spool")
	id, err := spool.Identify(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return "", refuse(Unavailable, err, noReader, dir)
	}
	if err != nil {
		return "", refuse(Unavailable, err, "The spool in %s cannot be read: %v.", dir, err)
	}
	if c.settings.Embedded() {
		return id, nil
	}
	processes, err := c.redis.Processes(ctx)
	if err != nil {
		return "", refuse(Unavailable, err, "Redis cannot be reached (see redis.url in `ingest config`).")
	}
	for _, p := range processes {
		for _, seen := range p.Spools {
			if seen == id {
				return id, nil
			}
		}
	}
	return "", refuse(Unavailable, nil, noReader, dir)
}

// wake asks a coordinator to look at once. When Redis cannot be reached the next sweep finds the run.
func (c *Control) wake(ctx context.Context) {
	if c.redis == nil {
		return
	}
	if err := c.redis.Wake(ctx, redisstore.Runs); err != nil {
		c.log.Debug("no coordinator was woken", zap.Error(err))
	}
}

// unregistered makes a refusal of an error of the registry's Create.
func (c *Control) unregistered(err error, slug, what string) error {
	var busy *registry.Busy
	if errors.As(err, &busy) {
		return overlapping(busy.By, slug)
	}
	return c.unavailable(err, what)
}

// unavailable makes a refusal of an error about a server: its class, never its address or secret.
func (c *Control) unavailable(err error, what string) error {
	return refuse(Unavailable, err, "%s: %s", what, database.Explain(err).Reason())
}

// Cancel asks a run to stop and returns it. The status becomes cancelled when no further row can be written. A run
// that has already finished, or that is being stopped because it fails, is a Conflict.
func (c *Control) Cancel(ctx context.Context, id int64) (Resource, error) {
	r, err := c.get(ctx, id)
	if err != nil {
		return Resource{}, err
	}
	status, won, err := c.registry.Cancel(ctx, id)
	if err != nil {
		return Resource{}, c.unavailable(err, "The run could not be cancelled")
	}
	if !won && status.Terminal() {
		return c.resource(ctx, r), &Error{Kind: Conflict, RunID: id, Message: finishedText(id)}
	}
	c.wake(ctx)
	if r, err = c.get(ctx, id); err != nil {
		return Resource{}, err
	}
	if !won && r.Reason != "" {
		return c.resource(ctx, r), &Error{Kind: Conflict, RunID: id, Message: failingText(r)}
	}
	return c.resource(ctx, r), nil
}

func (c *Control) get(ctx context.Context, id int64) (run.Run, error) {
	r, err := c.registry.Get(ctx, id)
	if errors.Is(err, registry.ErrUnknown) {
		return r, unknownRun(id)
	}
	if err != nil {
		return r, c.unavailable(err, "The registry cannot be read")
	}
	return r, nil
}
