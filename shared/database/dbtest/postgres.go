// Package dbtest gives tests real databases: a private PostgreSQL and a private MariaDB per test process, started on first
// use, a database of its own per test, and SQLite files.
//
// The servers end with the process, however that ends: they are children of a shell that waits for its input to close. A
// machine without them fails the test and names the package to install.
package dbtest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"ingest/shared/database"
	"ingest/shared/lifecycle"
)

// Locked is a role that needs a password, for tests of refused logins.
const Locked = "locked"

// startTimeout is generous: initdb takes a second on an idle machine.
const startTimeout = 2 * time.Minute

// script starts a server in $1 and ends it, leaving nothing, when standard input closes.
const script = `dir=$1 bin=$2
"$bin/initdb" -D "$dir/data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 --no-sync >"$dir/log" 2>&1 || exit 1
sed -i '1i local all locked scram-sha-256' "$dir/data/pg_hba.conf"
"$bin/postgres" -D "$dir/data" -k "$dir" -c listen_addresses= -c fsync=off -c full_page_writes=off \
	-c max_connections=300 -c shared_buffers=64MB -c autovacuum=off -c deadlock_timeout=20ms >>"$dir/log" 2>&1 &
pid=$!
read -r _
kill -QUIT $pid
wait $pid
rm -rf "$dir"
`

// shared is the server of this process; it is written once, by the first test that asks.
var shared first

// first is a server that is started once.
type first struct {
	once   sync.Once
	server *Server
	err    error
}

// database returns the URL of an empty database of the server.
func (f *first) database(t testing.TB, start func(context.Context) (*Server, error)) string {
	t.Helper()
	f.once.Do(func() { f.server, f.err = start(t.Context()) })
	if f.err != nil {
		t.Fatal(f.err)
	}
	return f.server.Database(t)
}

// own starts a server for one test.
func own(t testing.TB, start func(context.Context) (*Server, error)) *Server {
	t.Helper()
	s, err := start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	return s
}

// Server is a private PostgreSQL or MariaDB.
type Server struct {
	dir   string
	input io.Closer
	cmd   *exec.Cmd
	// admin may do everything, home is a database that is always there, url the address of one for a role.
	admin, home string
	// drop ends the statement that drops a database.
	drop string
	url  func(role, name string) string
}

// Postgres returns the URL of an empty database of the process's server; it is dropped after the test.
func Postgres(t testing.TB) string {
	t.Helper()
	return shared.database(t, start)
}

// StartPostgres returns a server for this test alone, which may stop it.
func StartPostgres(t testing.TB) *Server {
	t.Helper()
	return own(t, start)
}

// SQLite returns the URL of a file that does not exist yet, in the test's own directory.
func SQLite(t testing.TB) string {
	t.Helper()
	return "sqlite:" + filepath.Join(t.TempDir(), "ingest.db")
}

// URL is the address of a database of the server for a role.
func (s *Server) URL(role, name string) string { return s.url(role, name) }

// Database creates an empty database and drops it after the test.
func (s *Server) Database(t testing.TB) string {
	t.Helper()
	name := "t" + strings.ToLower(rand.Text())
	ctx := context.WithoutCancel(t.Context())
	if err := s.run(ctx, "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if s.input == nil {
			return
		}
		if err := s.run(ctx, "DROP DATABASE IF EXISTS "+name+s.drop); err != nil {
			t.Error(err)
		}
	})
	return s.url(s.admin, name)
}

// Stop ends the server at once, as a crash would. It may be called more than once.
func (s *Server) Stop() {
	if s.input == nil {
		return
	}
	_ = s.input.Close()
	_ = s.cmd.Wait()
	s.input = nil
}

func (s *Server) run(ctx context.Context, statement string) (err error) {
	db, err := s.open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	_, err = db.Exec(ctx, statement)
	return err
}

// open connects as the one who may do everything.
func (s *Server) open() (*database.DB, error) {
	return database.Open(database.Config{Name: "dbtest", URL: s.url(s.admin, s.home)})
}

func start(ctx context.Context) (*Server, error) {
	bin, err := binaries()
	if err != nil {
		return nil, err
	}
	s, err := launch("PostgreSQL", script, true, bin)
	if err != nil {
		return nil, err
	}
	s.admin, s.home, s.drop = "postgres", "postgres", " WITH (FORCE)"
	s.url = func(role, name string) string { return "postgres://" + role + "@/" + name + "?host=" + s.dir }
	if err := s.ready(ctx); err != nil {
		return nil, fmt.Errorf("start PostgreSQL: %w\n%s", err, s.log())
	}
	return s, s.run(ctx, "CREATE ROLE "+Locked+" LOGIN PASSWORD 'right'")
}

// log stops the server and returns what it said.
func (s *Server) log() []byte {
	log, _ := os.ReadFile(filepath.Join(s.dir, "log"))
	s.Stop()
	return log
}

// launch runs a script, whose first argument is a directory of its own, until its input closes.
func launch(name, script string, refusesRoot bool, args ...string) (*Server, error) {
	dir, err := os.MkdirTemp("", "ingest-"+strings.ToLower(name)+"-")
	if err != nil {
		return nil, err
	}
	cmd := exec.Command("/bin/sh", append([]string{"-c", script, "sh", dir}, args...)...)
	cmd.Dir = dir
	// A group of its own, so that an interrupted `go test` leaves the shell alive to clean up.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if refusesRoot && os.Geteuid() == 0 {
		if cmd.SysProcAttr.Credential, err = unprivileged(dir); err != nil {
			return nil, err
		}
	}
	input, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	return &Server{dir: dir, input: input, cmd: cmd}, nil
}

// ready waits until the server answers.
func (s *Server) ready(ctx context.Context) (err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), startTimeout)
	defer cancel()
	db, err := s.open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	for db.Ping(ctx) != nil {
		if err := lifecycle.Wait(ctx, 20*time.Millisecond, nil); err != nil {
			return err
		}
	}
	return nil
}

// binaries finds the newest installed server.
func binaries() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if err == nil && len(found) > 0 {
		return filepath.Dir(found[len(found)-1]), nil
	}
	path, err := exec.LookPath("postgres")
	if err != nil {
		return "", errors.New("these tests need a PostgreSQL server: apt-get install postgresql")
	}
	return filepath.Dir(path), nil
}

// unprivileged gives dir to the user postgres: the server refuses to run as root.
func unprivileged(dir string) (*syscall.Credential, error) {
	account, err := user.Lookup("postgres")
	if err != nil {
		return nil, fmt.Errorf("PostgreSQL cannot run as root and there is no user postgres: %w", err)
	}
	uid, err := strconv.ParseUint(account.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(account.Gid, 10, 32)
	if err != nil {
		return nil, err
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, os.Chown(dir, int(uid), int(gid))
}
