// Package rig starts real servers and real processes of the binary for tests, and ends them.
//
// It is imported from tests only. Whatever it starts belongs to one test, is ended by its pid when that test ends, and
// dies with the test process when that is killed. With INGEST_TEST_CONTAINERS=1 the servers run in containers instead,
// which can be killed, frozen and started again just so, but outlive a test process that is killed. A server that is not installed fails the test and names the package
// to install. Nothing waits without a deadline.
package rig

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// workspace is what all tests of one process share: made on first use, removed by Main.
type workspace struct {
	dir     func() (string, error)
	binary  func() (string, error)
	failing func() (string, error)
	example func() (string, error)
	cluster func() (string, error) // PostgreSQL's data
	tables  func() (string, error) // MariaDB's
	made    func() bool
}

// shared is the one workspace of the test process. Building the binary, initdb and its like take seconds, hence once per process.
var shared = newWorkspace()

func newWorkspace() *workspace {
	w := &workspace{}
	var made bool
	w.dir = sync.OnceValues(func() (string, error) {
		made = true
		dir, err := os.MkdirTemp("", "ingest-rig-")
		if err != nil {
			return "", fmt.Errorf("make the rig's directory: %w", err)
		}
		// PostgreSQL runs as a user of its own and has to reach its data below.
		return dir, os.Chmod(dir, 0o711)
	})
	w.made = func() bool { return made }
	w.binary = sync.OnceValues(func() (string, error) {
		if path := os.Getenv("INGEST_TEST_BINARY"); path != "" {
			return filepath.Abs(path)
		}
		return w.build("ingest", "./admin/ingest")
	})
	w.failing = sync.OnceValues(func() (string, error) { return w.build("ingest-failpoint", "./admin/ingest", "-tags", "failpoint") })
	w.example = sync.OnceValues(func() (string, error) { return w.build("example", "./admin/example") })
	w.cluster = sync.OnceValues(w.initdb)
	w.tables = sync.OnceValues(w.installMariaDB)
	return w
}

// place makes a directory of that name, through which other users may pass.
func (w *workspace) place(name string) (string, error) {
	parent, err := w.dir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(parent, name)
	if err := os.Mkdir(dir, 0o711); err != nil {
		return "", fmt.Errorf("make the directory of %s: %w", name, err)
	}
	return dir, nil
}

// Main runs the tests of a package and removes afterwards what they shared. TestMain must call it:
//
//	func TestMain(m *testing.M) { os.Exit(rig.Main(m)) }
func Main(m *testing.M) int {
	code := m.Run()
	if shared.made() {
		if dir, err := shared.dir(); err == nil {
			if err := os.RemoveAll(dir); err != nil {
				fmt.Fprintln(os.Stderr, "remove the rig's directory:", err)
			}
		}
	}
	return code
}

// Binary returns the path of the binary under test: INGEST_TEST_BINARY, else it is built once per test process.
func Binary(t testing.TB) string {
	t.Helper()
	path, err := shared.binary()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func (w *workspace) build(name, program string, flags ...string) (string, error) {
	dir, err := w.dir()
	if err != nil {
		return "", err
	}
	root, err := Root()
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, name)
	build := exec.Command("go", slices.Concat([]string{"build", "-trimpath"}, flags, []string{"-o", path, program})...)
	build.Dir = root
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the binary: %w\n%s", err, output)
	}
	return path, nil
}

// Failing returns the path of a binary whose workers die at a row with the cell KILL, and whose processes do at a place
// what FAILPOINT says (see shared/failpoint).
func Failing(t testing.TB) string {
	t.Helper()
	path, err := shared.failing()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// Example returns the path of the program with names of its own in the importer language.
func Example(t testing.TB) string {
	t.Helper()
	path, err := shared.example()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// Root returns the directory of the module.
func Root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find the module: %w", err)
	}
	for {
		if text, err := os.ReadFile(filepath.Join(dir, "go.mod")); err == nil && strings.HasPrefix(string(text), "module ingest\n") {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", fmt.Errorf("find the module: no go.mod of module ingest above %s", dir)
		}
		dir = parent
	}
}
