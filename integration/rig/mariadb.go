package rig

import (
	"context"
	"fmt"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"ingest/shared/listener/porttest"
)

// MariaDB is a private MariaDB server. It keeps its port and its data over restarts. It always is a process.
type MariaDB struct {
	server

	t    testing.TB
	args []string
	dir  string
	port int
}

// StartMariaDB starts a server with fresh data and returns when it answers. args are settings like
// "--max-allowed-packet=1M"; nothing is forced onto the disk, which a kill -9 of the server does not notice.
func StartMariaDB(t testing.TB, args ...string) *MariaDB {
	t.Helper()
	find(t, "mariadb-install-db", "mariadb-server")
	data, err := shared.tables()
	if err != nil {
		t.Fatal(err)
	}
	m := &MariaDB{t: t, args: args, port: porttest.Free(t), dir: subdirectory(t, "mariadb-")}
	copyAll(t, data, filepath.Join(m.dir, "data"))
	m.Start()
	return m
}

// installMariaDB makes the data that all servers of the process are copies of.
func (w *workspace) installMariaDB() (string, error) {
	dir, err := w.place("mariadb")
	if err != nil {
		return "", err
	}
	path, err := locate("mariadb-install-db")
	if err != nil {
		return "", err
	}
	options, err := keptIn(dir)
	if err != nil {
		return "", err
	}
	install := exec.Command(path, append(options, "--auth-root-authentication-method=normal", "--skip-test-db", "--innodb-log-file-size=4M")...)
	if output, err := install.CombinedOutput(); err != nil {
		return "", fmt.Errorf("make MariaDB's tables: %w\n%s", err, output)
	}
	return filepath.Join(dir, "data"), nil
}

// keptIn are the options that say where a server has its data. Unlike PostgreSQL it runs as root, if it is told to.
func keptIn(dir string) ([]string, error) {
	me, err := user.Current()
	if err != nil {
		return nil, fmt.Errorf("ask whom MariaDB runs as: %w", err)
	}
	// A server that starts, or makes its tables, removes what others have in the same tmpdir.
	return []string{"--no-defaults", "--user=" + me.Username, "--datadir=" + filepath.Join(dir, "data"), "--tmpdir=" + dir}, nil
}

// Start starts the server again after Kill9, on the same port and data, and returns when it answers.
func (m *MariaDB) Start() {
	m.t.Helper()
	options, err := keptIn(m.dir)
	if err != nil {
		m.t.Fatal(err)
	}
	args := append(options, "--port="+strconv.Itoa(m.port), "--bind-address=127.0.0.1", "--socket="+filepath.Join(m.dir, "socket"),
		"--pid-file="+filepath.Join(m.dir, "pid"), "--innodb-flush-method=nosync", "--innodb-flush-log-at-trx-commit=2", "--innodb-doublewrite=0", "--sync-frm=0",
		"--innodb-buffer-pool-size=64M", "--innodb-log-file-size=64M", "--max-connections=200",
		"--character-set-server=utf8mb4", "--collation-server=utf8mb4_nopad_bin")
	m.server = start(m.t, launch{
		name: "mariadbd", path: find(m.t, "mariadbd", "mariadb-server", "/usr/sbin/mariadbd"), args: append(args, m.args...),
		dir: m.dir, orphaned: syscall.SIGKILL, ending: syscall.SIGKILL,
	})
	Until(m.t, startLimit, "MariaDB starting", func() bool {
		_, err := m.client("", "SELECT 1")
		return err == nil || m.Ended()
	})
}

// Restart kills the server (-9) and starts it again.
func (m *MariaDB) Restart() {
	m.t.Helper()
	m.Kill9()
	m.Start()
}

// Database makes an empty database and returns its URL.
func (m *MariaDB) Database(name string) string {
	m.t.Helper()
	m.SQL("", "CREATE DATABASE `"+name+"`")
	return m.URL(name)
}

// URL is what INGEST_CONNECTIONS_…_URL takes for a database of this server.
func (m *MariaDB) URL(database string) string {
	return fmt.Sprintf("mysql://root@%s/%s?ssl-mode=disabled", loopback(m.port), database)
}

// Addr is where the server listens.
func (m *MariaDB) Addr() string { return loopback(m.port) }

// SQL executes statements in a database, of which an empty name is none, and returns the lines of all results: values
// separated by tabs, NULL as NULL. An error fails the test.
func (m *MariaDB) SQL(database, statements string) []string {
	m.t.Helper()
	lines, err := m.client(database, statements)
	if err != nil {
		m.t.Fatalf("mariadb: %v", err)
	}
	return lines
}

func (m *MariaDB) client(database, statements string) ([]string, error) {
	// A check after the test must still be able to read, hence not the test's own context.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(m.t.Context()), startLimit)
	defer cancel()
	command := exec.CommandContext(ctx, find(m.t, "mariadb", "mariadb-client"), "--no-defaults", "--protocol=tcp", "--host=127.0.0.1",
		"--port="+strconv.Itoa(m.port), "--user=root", "--batch", "--skip-column-names", "--default-character-set=utf8mb4",
		"--init-command=SET sql_mode = 'STRICT_ALL_TABLES,ANSI_QUOTES,NO_BACKSLASH_ESCAPES'", database)
	command.Stdin = strings.NewReader(statements)
	return linesOf(command)
}
