package rig

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"ingest/shared/database"
)

// SystemOptions say what an installation consists of. The zero value is the embedded one: no Redis, SQLite in the data
// directory.
type SystemOptions struct {
	// RedisURL is INGEST_REDIS_URL, empty = embedded.
	RedisURL string
	// Database is the URL of the connection `default`, empty = SQLite in the data directory.
	Database string
	// Importers are definitions by file name.
	Importers map[string]string
	// Binary is the program, empty = Binary.
	Binary string
	// Env are further settings, like INGEST_CHUNK_SIZE=100; they win.
	Env []string
	// Patience is how long a command may take, waiting for a run included; 0 = two minutes.
	Patience time.Duration
}

// System is one installation: a working directory with importers and data of its own. Commands and roles run in it.
type System struct {
	// Dir is the working directory; relative paths of commands are relative to it.
	Dir string

	t       testing.TB
	binary  string
	env     []string
	options SystemOptions
}

// NewSystem makes an installation with short leases and sweeps. The ledger tables of a PostgreSQL database are made by
// Migrate.
func NewSystem(t testing.TB, options SystemOptions) *System {
	t.Helper()
	s := &System{Dir: t.TempDir(), t: t, binary: options.Binary, options: options}
	if s.binary == "" {
		s.binary = Binary(t)
	}
	if options.Patience == 0 {
		s.options.Patience = commandLimit
	}
	if options.Database == "" {
		s.options.Database = "sqlite:" + filepath.Join(s.Dir, "data", "ingest.db")
	}
	for name, text := range options.Importers {
		s.Write(filepath.Join("importers", name), text)
	}
	// A setting of the machine must not reach the system under test.
	for _, setting := range os.Environ() {
		if !strings.HasPrefix(setting, "INGEST_") {
			s.env = append(s.env, setting)
		}
	}
	s.env = append(
		s.env,
		"INGEST_REDIS_URL="+options.RedisURL,
		"INGEST_CONNECTIONS_DEFAULT_URL="+s.options.Database,
		// One Redis may serve many tests.
		"INGEST_NAMESPACE="+namespace(s.Dir),
		"INGEST_DATA_DIR="+filepath.Join(s.Dir, "data"),
		"INGEST_IMPORTERS="+filepath.Join(s.Dir, "importers"),
		"INGEST_ROOTS="+s.Dir,
		"INGEST_LISTEN=127.0.0.1:0",
		"INGEST_LEASE=1s",
		"INGEST_SWEEP=200ms",
		"INGEST_SLOTS=4",
		"INGEST_LOG_LEVEL=info",
		"NO_COLOR=1",
	)
	s.env = append(s.env, options.Env...)
	return s
}

// namespace is different for every installation of a machine, because t.TempDir is.
func namespace(dir string) string {
	sum := fnv.New64a()
	sum.Write([]byte(dir))
	return fmt.Sprintf("t%x", sum.Sum64())
}

// With is the same installation, worked on with another program.
func (s *System) With(binary string) *System {
	other := *s
	other.binary = binary
	return &other
}

// Namespace is the installation's prefix of Redis keys.
func (s *System) Namespace() string { return namespace(s.Dir) }

// Database is the URL of the connection `default`.
func (s *System) Database() string { return s.options.Database }

// Write writes a file below the working directory and returns its absolute path.
func (s *System) Write(name, text string) string {
	s.t.Helper()
	path := filepath.Join(s.Dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		s.t.Fatalf("write %s: %v", name, err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		s.t.Fatalf("write %s: %v", name, err)
	}
	return path
}

// Result is what a command did.
type Result struct {
	Stdout string
	Stderr string
	Code   int
}

// commandLimit is how long a command may take unless the installation says otherwise.
const commandLimit = 2 * time.Minute

// CLI runs a command to its end.
func (s *System) CLI(args ...string) Result {
	s.t.Helper()
	return s.CLIWith("", args...)
}

// CLIWith runs a command to its end with text on its standard input.
func (s *System) CLIWith(stdin string, args ...string) Result {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.t.Context()), s.options.Patience)
	defer cancel()
	command := exec.CommandContext(ctx, s.binary, args...)
	command.Dir, command.Env = s.Dir, s.env
	command.Stdin = strings.NewReader(stdin)
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	command.SysProcAttr = &syscall.SysProcAttr{}
	dieWithUs(command.SysProcAttr, syscall.SIGKILL)
	err := command.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) || ctx.Err() != nil {
		s.t.Fatalf("ingest %s: %v (%v)\n%s", strings.Join(args, " "), err, ctx.Err(), stderr.String())
	}
	return Result{Stdout: stdout.String(), Stderr: stderr.String(), Code: command.ProcessState.ExitCode()}
}

// Must runs a command that has to end with this exit code, and returns its standard output.
func (s *System) Must(code int, args ...string) string {
	s.t.Helper()
	result := s.CLI(args...)
	if result.Code != code {
		s.t.Fatalf("ingest %s: exit code %d, want %d\nstdout:\n%s\nstderr:\n%s",
			strings.Join(args, " "), result.Code, code, result.Stdout, result.Stderr)
	}
	return result.Stdout
}

// Migrate makes the ledger tables.
func (s *System) Migrate() {
	s.t.Helper()
	s.Must(0, "migrate")
}

// Start starts a command that stays: a role, or a command that waits for a run.
func (s *System) Start(args ...string) *Process {
	s.t.Helper()
	return s.StartWith(nil, args...)
}

// StartWith is Start with further settings for this process.
func (s *System) StartWith(env []string, args ...string) *Process {
	s.t.Helper()
	return start(s.t, launch{
		name: "ingest " + strings.Join(args, " "), path: s.binary, args: args, dir: s.Dir,
		env: append(s.env[:len(s.env):len(s.env)], env...), orphaned: syscall.SIGKILL, ending: syscall.SIGTERM,
	})
}

// Coordinator starts a coordinator and returns when it has announced its spool: from then on runs are accepted.
func (s *System) Coordinator() *Process { s.t.Helper(); return s.CoordinatorWith(nil) }

// CoordinatorWith is Coordinator with further settings for this process.
func (s *System) CoordinatorWith(env []string) *Process {
	s.t.Helper()
	p := s.StartWith(env, "coordinator")
	Until(s.t, commandLimit, "the coordinator announcing itself", func() bool {
		return p.Ended() || strings.Contains(s.CLI("workers", "--output", "yaml").Stdout, "pid: "+strconv.Itoa(p.PID()))
	})
	return p
}

// Worker starts a worker.
func (s *System) Worker() *Process { s.t.Helper(); return s.Start("worker") }

// Begin starts a run without waiting for it and returns its id.
func (s *System) Begin(args ...string) int64 {
	s.t.Helper()
	return s.BeginWith(append([]string{"run"}, args...)...)
}

// BeginWith is Begin for any command that starts a run, like a retry.
func (s *System) BeginWith(args ...string) int64 {
	s.t.Helper()
	return s.decodeRun(s.Must(0, append(args[:len(args):len(args)], "--detach", "--output", "json")...)).ID
}

// Await blocks until the run is terminal and returns it. The command is asked only when the registry says so: to start one again and
// again would take more than what is waited for.
func (s *System) Await(id int64, limit time.Duration) Run {
	s.t.Helper()
	registry, err := database.Open(database.Config{Name: "rig", URL: s.Database(), MustExist: true, Connections: 1})
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = registry.Close() }() // it was only read
	var last Run
	Until(s.t, limit, "run "+strconv.FormatInt(id, 10)+" becoming terminal", func() bool {
		var ended bool
		// What cannot be asked is the command's to say.
		err := registry.QueryRow(s.t.Context(), "SELECT completed_at IS NOT NULL FROM ingest_runs WHERE id = ?", id).Scan(&ended)
		if err == nil && !ended {
			return false
		}
		last = s.Status(id)
		return last.Terminal()
	})
	return last
}

// Status returns a run as `ingest status --output json` shows it.
func (s *System) Status(id int64) Run {
	s.t.Helper()
	return s.decodeRun(s.Must(0, "status", strconv.FormatInt(id, 10), "--output", "json"))
}

func (s *System) decodeRun(text string) Run {
	s.t.Helper()
	var body struct {
		Data Run `json:"data"`
	}
	if err := json.Unmarshal([]byte(text), &body); err != nil {
		s.t.Fatalf("read a run: %v\n%s", err, text)
	}
	return body.Data
}
