package rig

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"ingest/shared/listener/porttest"
)

const (
	postgresPattern = "/usr/lib/postgresql/*/bin/"
	superuser       = "ingest"
)

// Postgres is a private PostgreSQL server. It keeps its port and its data over restarts.
type Postgres struct {
	server

	t    testing.TB
	args []string
	// data is a directory, for a container a volume.
	data string
	port int
}

// StartPostgres starts a server on a fresh copy of an initialised cluster and returns when it answers. args are
// settings like "-c", "fsync=on"; fsync is off otherwise, which a kill -9 of the server does not notice.
func StartPostgres(t testing.TB, args ...string) *Postgres {
	t.Helper()
	p := &Postgres{t: t, args: args, port: porttest.Free(t), data: filepath.Join(subdirectory(t, "postgres-"), "data")}
	if inContainers() {
		p.data = "ingest-test-" + filepath.Base(filepath.Dir(p.data))
		t.Cleanup(func() { docker(t, "volume", "rm", "--force", p.data) })
		p.Start()
		return p
	}
	find(t, "initdb", "postgresql", postgresPattern+"initdb")
	cluster, err := shared.cluster()
	if err != nil {
		t.Fatal(err)
	}
	copyAll(p.t, cluster, p.data)
	// The user PostgreSQL runs as has to pass through, not to look around.
	if err := os.Chmod(filepath.Dir(p.data), 0o711); err != nil {
		t.Fatalf("open the directory of PostgreSQL: %v", err)
	}
	p.Start()
	return p
}

// initdb makes the cluster that all servers of the process are copies of.
func (w *workspace) initdb() (string, error) {
	parent, err := w.place("postgres")
	if err != nil {
		return "", err
	}
	credential, err := serverUser()
	if err != nil {
		return "", err
	}
	if credential != nil {
		if err := os.Chown(parent, int(credential.Uid), int(credential.Gid)); err != nil {
			return "", fmt.Errorf("make the PostgreSQL cluster: %w", err)
		}
	}
	data := filepath.Join(parent, "data")
	path, err := locate("initdb", postgresPattern+"initdb")
	if err != nil {
		return "", err
	}
	initdb := exec.Command(path,
		"--pgdata", data, "--username", superuser, "--auth", "trust", "--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync")
	initdb.Dir = parent
	initdb.SysProcAttr = &syscall.SysProcAttr{Credential: credential}
	if output, err := initdb.CombinedOutput(); err != nil {
		return "", fmt.Errorf("make the PostgreSQL cluster: %w\n%s", err, output)
	}
	return data, nil
}

// serverUser is whom PostgreSQL runs as: it refuses to be root. nil = the test's own user.
func serverUser() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil //nolint:nilnil // no credential means: as we are
	}
	account, err := user.Lookup("postgres")
	if err != nil {
		return nil, fmt.Errorf("PostgreSQL does not run as root and there is no user postgres (apt-get install postgresql): %w", err)
	}
	uid, uidErr := strconv.ParseUint(account.Uid, 10, 32)
	gid, gidErr := strconv.ParseUint(account.Gid, 10, 32)
	if err := errors.Join(uidErr, gidErr); err != nil {
		return nil, fmt.Errorf("read the ids of user postgres: %w", err)
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}

// Start starts the server again after Kill9, on the same port and data, and returns when it answers.
func (p *Postgres) Start() {
	p.t.Helper()
	args := append([]string{
		"-p", strconv.Itoa(p.port), "-c", "fsync=off", "-c", "max_connections=100", "-c", "shared_buffers=32MB",
	}, p.args...)
	begin := p.process
	if inContainers() {
		begin = p.box
	}
	// After a kill -9 the old sessions keep the shared memory for a moment, and a new server refuses to start.
	Until(p.t, startLimit, "PostgreSQL starting", func() bool {
		p.server = begin(args)
		return p.answers()
	})
}

func (p *Postgres) process(args []string) server {
	p.t.Helper()
	credential, err := serverUser()
	if err != nil {
		p.t.Fatal(err)
	}
	return start(p.t, launch{
		name: "postgres", path: find(p.t, "postgres", "postgresql", postgresPattern+"postgres"),
		args: append([]string{"-D", p.data, "-h", "127.0.0.1", "-k", ""}, args...),
		dir:  filepath.Dir(p.data), env: append(os.Environ(), "LC_ALL=C.UTF-8"), user: credential,
		// Immediate shutdown: no checkpoint, but shared memory is given back and sessions are ended.
		orphaned: syscall.SIGQUIT, ending: syscall.SIGQUIT,
	})
}

func (p *Postgres) box(args []string) server {
	p.t.Helper()
	return box{
		image: postgresImage, command: append([]string{"postgres"}, args...), port: p.port,
		data: p.data, target: "/var/lib/postgresql/data",
		env: map[string]string{"POSTGRES_USER": superuser, "POSTGRES_DB": "postgres", "POSTGRES_HOST_AUTH_METHOD": "trust"},
	}.start(p.t)
}

// answers says whether the server came up; false when it ended instead.
func (p *Postgres) answers() bool {
	up := holds(p.t.Context(), startLimit, func() bool {
		if p.Ended() {
			return true
		}
		_, err := p.psql("postgres", "SELECT 1")
		return err == nil
	})
	return up && !p.Ended()
}

// Restart kills the server (-9) and starts it again.
func (p *Postgres) Restart() {
	p.t.Helper()
	p.Kill9()
	p.Start()
}

// Save kills the server, copies its data aside, starts it again and returns the copy, for RestartFrom.
func (p *Postgres) Save() string {
	p.t.Helper()
	p.Kill9()
	saved := filepath.Join(subdirectory(p.t, "saved-"), "data")
	copyAll(p.t, p.data, saved)
	p.Start()
	return saved
}

// RestartFrom kills the server and starts it with an older copy of its data: what was committed since is lost.
func (p *Postgres) RestartFrom(saved string) {
	p.t.Helper()
	p.Kill9()
	if err := os.RemoveAll(p.data); err != nil {
		p.t.Fatalf("remove the data of PostgreSQL: %v", err)
	}
	copyAll(p.t, saved, p.data)
	p.Start()
}

// copyAll copies a directory with the owners and modes of its files, which PostgreSQL insists on.
func copyAll(t testing.TB, from, to string) {
	t.Helper()
	copied := exec.CommandContext(t.Context(), "cp", "-a", from, to)
	if output, err := copied.CombinedOutput(); err != nil {
		t.Fatalf("copy the data of a server: %v\n%s", err, output)
	}
}

// Database makes an empty database and returns its URL.
func (p *Postgres) Database(name string) string {
	p.t.Helper()
	p.SQL("postgres", `CREATE DATABASE "`+name+`"`)
	return p.URL(name)
}

// URL is what INGEST_CONNECTIONS_…_URL takes for a database of this server.
func (p *Postgres) URL(database string) string { return p.URLAt(p.Addr(), database) }

// Addr is host:port.
func (p *Postgres) Addr() string { return loopback(p.port) }

// URLAt is URL by way of another address, of a Proxy.
func (p *Postgres) URLAt(address, database string) string {
	return fmt.Sprintf("postgres://%s@%s/%s?sslmode=disable", superuser, address, database)
}

// SQL executes statements in a database and returns the lines of the last result: values separated by tabs, NULL as
// \N. An error fails the test.
func (p *Postgres) SQL(database, statements string) []string {
	p.t.Helper()
	lines, err := p.psql(database, statements)
	if err != nil {
		p.t.Fatalf("psql: %v", err)
	}
	return lines
}

func (p *Postgres) psql(database, statements string) ([]string, error) {
	psql := find(p.t, "psql", "postgresql-client", postgresPattern+"psql")
	// A check after the test must still be able to read, hence not the test's own context.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(p.t.Context()), startLimit)
	defer cancel()
	command := exec.CommandContext(ctx, psql, "--no-psqlrc", "--quiet", "--tuples-only", "--no-align",
		"--field-separator", "\t", "--pset", "null=\\N", "--set", "ON_ERROR_STOP=1", "--dbname", p.URL(database), "--command", statements)
	return linesOf(command)
}

// linesOf runs a client and returns the lines that it prints; its error says what it complained about.
func linesOf(client *exec.Cmd) ([]string, error) {
	var problems buffer
	client.Stderr = &problems
	output, err := client.Output()
	if err != nil {
		return nil, fmt.Errorf("%w: %s", err, problems.String())
	}
	text := strings.TrimSuffix(string(output), "\n")
	if text == "" {
		return nil, nil
	}
	return strings.Split(text, "\n"), nil
}
