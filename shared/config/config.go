// Package config holds every key of the configuration: its name, default, help, and what it may be.
//
// A value comes from a flag, else the environment, else the file, else its default. Flags, environment and
// defaults are kong's work: Config carries the tags. File answers kong's resolver for what the file says.
// Complete then does what kong cannot: connections, secrets in files, relative paths, and judging everything at
// once. A Config that Complete returned is valid and its paths are absolute. Nothing here creates a directory.
package config

import (
	"time"

	"ingest/shared/importer/document"
)

// Config is the configuration. The tag `key` is the name in the file; name, help, env and default are read by
// kong. The zero value is not usable: see Default and Complete.
type Config struct {
	Redis          Redis         `embed:"" prefix:"redis-" key:"redis"`
	Namespace      string        `key:"namespace" name:"namespace" env:"INGEST_NAMESPACE" default:"" placeholder:"NAME" help:"Tells installations apart: prefix of every Redis key, column of the registry. Left out it is ingest; without Redis a random one that the data directory keeps."`
	Listen         string        `key:"listen" name:"listen" env:"INGEST_LISTEN" default:"127.0.0.1:8080" placeholder:"HOST:PORT" help:"Where a coordinator serves the REST API; empty is nowhere."`
	TokensFile     string        `key:"tokens_file" name:"tokens-file" env:"INGEST_TOKENS_FILE" default:"" placeholder:"FILE" help:"Who may use the API (see: ingest token); without it the API is for this machine alone."`
	Path           string        `key:"path" name:"path" env:"INGEST_PATH" default:"/api/v1/ingest" placeholder:"PATH" help:"Where the API begins."`
	MaxUpload      Size          `key:"max_upload" name:"max-upload" env:"INGEST_MAX_UPLOAD" default:"1GiB" help:"Greatest file the API takes."`
	MaxSource      Size          `key:"max_source" name:"max-source" env:"INGEST_MAX_SOURCE" default:"100GiB" help:"Greatest source that is fetched into the spool."`
	SourceTimeout  time.Duration `key:"source_timeout" name:"source-timeout" env:"INGEST_SOURCE_TIMEOUT" default:"1m" help:"How long a source that is fetched may send nothing."`
	MaxShowRows    int           `key:"max_show_rows" name:"max-show-rows" env:"INGEST_MAX_SHOW_ROWS" default:"100" help:"Most rows that are shown with a run."`
	DataDir        string        `key:"data_dir" name:"data-dir" env:"INGEST_DATA_DIR" default:".ingest" placeholder:"DIR" help:"Spool and embedded database."`
	Importers      string        `key:"importers" name:"importers" env:"INGEST_IMPORTERS" default:"configs/importers" placeholder:"DIR" help:"Directory of the importer definitions."`
	ChunkSize      int           `key:"chunk_size" name:"chunk-size" env:"INGEST_CHUNK_SIZE" default:"5000" help:"Rows per chunk, unless the importer says otherwise."`
	Partitions     int           `key:"partitions" name:"partitions" env:"INGEST_PARTITIONS" default:"16" help:"Most partitions of a run; how many it has grows with its source."`
	Slots          int           `key:"slots" name:"slots" env:"INGEST_SLOTS" default:"0" help:"Chunks a worker applies at the same time; 0 is twice the number of cores."`
	InFlight       Size          `key:"in_flight" name:"in-flight" env:"INGEST_IN_FLIGHT" default:"64MiB" help:"Most bytes of one run waiting in Redis."`
	InFlightTotal  Size          `key:"in_flight_total" name:"in-flight-total" env:"INGEST_IN_FLIGHT_TOTAL" default:"512MiB" help:"Most bytes of all runs waiting in Redis."`
	Lease          time.Duration `key:"lease" name:"lease" env:"INGEST_LEASE" default:"15s" help:"How long a silent worker keeps its partition."`
	LogRows        string        `key:"log_rows" name:"log-rows" env:"INGEST_LOG_ROWS" default:"failed" help:"Which rows the ledger keeps with their data: failed, all or none."`
	MaxFailedRows  int64         `key:"max_failed_rows" name:"max-failed-rows" env:"INGEST_MAX_FAILED_ROWS" default:"1000000" help:"A run with more failed rows is stopped as failed."`
	MaxFailedRatio float64       `key:"max_failed_ratio" name:"max-failed-ratio" env:"INGEST_MAX_FAILED_RATIO" default:"0" help:"A run with a greater share of failed rows ends as failed; 0 is off."`
	Roots          []string      `key:"roots" name:"roots" env:"INGEST_ROOTS" default:"." placeholder:"DIR" help:"Directories that source paths must lie in."`
	Sweep          time.Duration `key:"sweep" name:"sweep" env:"INGEST_SWEEP" default:"2s" help:"How often a coordinator compares the registry with Redis."`
	InternalListen string        `key:"internal_listen" name:"internal-listen" env:"INGEST_INTERNAL_LISTEN" default:"" placeholder:"HOST:PORT" help:"Where a server role answers /metrics, /healthz and /readyz, without a password; empty is nowhere."`
	Pprof          bool          `key:"pprof" name:"pprof" env:"INGEST_PPROF" default:"false" help:"Also answer /debug/pprof/ there."`
	Log            Log           `embed:"" prefix:"log-" key:"log"`

	// Connections are the databases by name; after Complete `default` is among them.
	Connections map[string]Connection `kong:"-"`

	// origins says for every key of Effective where its value comes from.
	origins map[string]Origin
}

// Redis says where Redis is.
type Redis struct {
	URL Secret `key:"url" name:"url" env:"INGEST_REDIS_URL" default:"" placeholder:"URL" help:"redis://, rediss://, redis+sentinel:// or redis+cluster://; empty is the embedded server."`
}

// Log says what is logged and how.
type Log struct {
	Level  string `key:"level" name:"level" env:"INGEST_LOG_LEVEL" default:"info" help:"debug, info, warn or error."`
	Format string `key:"format" name:"format" env:"INGEST_LOG_FORMAT" default:"console" help:"console or json."`
}

// Connection is a database by name.
type Connection struct {
	URL Secret
	// LedgerSchema is the PostgreSQL schema of the ingest_* tables; empty = the connection's own default.
	LedgerSchema string
}

// Origin says where a value comes from.
type Origin string

// The origins, strongest first.
const (
	FromFlag    Origin = "flag"
	FromEnv     Origin = "env"
	FromFile    Origin = "file"
	FromDefault Origin = "default"
)

// Problem and Problems are how a file of definitions reports what is wrong, too.
type (
	Problem = document.Problem
	// Problems are all that is wrong with one file.
	Problems = document.Problems
)

// Embedded says that no Redis is configured: the process runs its own.
func (c Config) Embedded() bool { return c.Redis.URL == "" }

// DefaultNamespace is that of an installation with Redis that has no other.
const DefaultNamespace = "ingest"

// Default is the configuration with every default filled in and no connections, as if there were no flags, no
// environment and no file. It still needs Complete.
func Default() Config {
	var c Config
	for _, k := range keysOf(&c) {
		// The defaults are ours: a test proves that each can be read.
		_ = k.set(k.fallback)
	}
	return c
}
