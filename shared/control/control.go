// Package control is what every surface calls: start, cancel, retry, report, verify.
//
// It writes the registry and wakes coordinators; it never writes a destination. Everything it answers comes from the
// registry, and for a run that is not terminal from Redis; while Redis does not know the run, from the ledger's heads.
// All methods are safe for concurrent use and return *Error for what a person can mend.
package control

import (
	"time"

	"go.uber.org/zap"

	"ingest/shared/config"
	"ingest/shared/database"
	"ingest/shared/extend"
	"ingest/shared/importer"
	"ingest/shared/redisstore"
	"ingest/shared/registry"
	"ingest/shared/sink"
)

// Control answers and starts. Make it with New.
type Control struct {
	settings   config.Config
	registry   *registry.Registry
	redis      *redisstore.Store
	databases  *database.Pool
	spool      string
	extensions extend.Extensions
	sinks      *sink.Pool
	reader     Reader
	amend      func(*importer.Definition)
	now        func() time.Time
	log        *zap.Logger
}

// Parts are what a Control works with.
type Parts struct {
	Config   config.Config
	Registry *registry.Registry
	// Redis may be unreachable: then reports come from registry and ledger.
	Redis     *redisstore.Store
	Databases *database.Pool
	// Spool is the id of the spool that this process reads itself; empty = it has to ask who does.
	Spool      string
	Extensions extend.Extensions
	// Reader reads sources for Preview and Explain; nil = neither is asked for.
	Reader Reader
	// Amend changes definitions as they are read; nil = they are what their files say.
	Amend func(*importer.Definition)
	Now   func() time.Time
	Log   *zap.Logger
}

// New returns a Control. It connects to nothing.
func New(p Parts) *Control {
	return &Control{
		settings: p.Config, registry: p.Registry, redis: p.Redis, databases: p.Databases, spool: p.Spool, reader: p.Reader, amend: p.Amend,
		extensions: p.Extensions, sinks: sink.New(p.Config, p.Extensions), now: p.Now, log: p.Log,
	}
}

// StartRequest says which importer to run on what.
type StartRequest struct {
	Importer string
	// File replaces the importer's source path; it is read with the user's own rights. Empty = the importer's source.
	File string
	// Spooled says that File was stored in the spool for this run (standard input) and is removed with it.
	Spooled bool
	// Filename is what people call the source; empty = the base name of the path.
	Filename string
	// Params are the run's parameters by name.
	Params map[string]string
	DryRun bool
	User   string
	Once   Once
}

// Once makes a request that is repeated return the run of the first one. The zero value does not.
type Once struct {
	// Key is the client's name for the request, Request identifies what it asks for: the same key with another request
	// is refused.
	Key     string
	Request string
}

// RetryRequest says which rows of a run to retry, and how.
type RetryRequest struct {
	DryRun bool
	// Error takes only rows with exactly this message.
	Error string
	// Unprocessed takes along rows a cancelled or failed run never processed.
	Unprocessed bool
	// Force retries a run again that was already retried.
	Force bool
	// With is a file of mended rows, stored in the spool for this retry and removed with it: its rows are retried, under
	// their numbers, and the other failed rows are not. Empty = the rows as they were read. Filename is what people call it.
	With     string
	Filename string
	User     string
	Once     Once
}

// ListRequest selects a page of runs. Zero values mean: page 1, 15 per page, all.
type ListRequest struct {
	Page     int
	PerPage  int
	Status   string
	Importer string
}
