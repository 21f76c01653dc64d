package dbtest

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// Small returns a directory on a file system of its own that has room for that many bytes, for tests of full disks. It is
// taken away after the test. Only root may mount one: the test is skipped for others, and CI runs as root.
func Small(t testing.TB, bytes string) string {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can mount a small file system: sudo make test")
	}
	dir, err := os.MkdirTemp("", "ingest-small-")
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+bytes); err != nil {
		t.Fatalf("mount a file system of %s: %v", bytes, err)
	}
	t.Cleanup(func() {
		// Detached: a server that is still ending may hold a file open.
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Errorf("unmount %s: %v", dir, err)
		}
		if err := os.Remove(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// Tablespace returns a directory on a small file system that a PostgreSQL server of the tests can use as a tablespace.
func Tablespace(t testing.TB, bytes string) string {
	t.Helper()
	dir := filepath.Join(Small(t, bytes), "space")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := unprivileged(dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

// Fill leaves no room on the file system of a directory until the function it returns is called.
func Fill(t testing.TB, dir string) (empty func()) {
	t.Helper()
	ballast := filepath.Join(dir, "ballast")
	block := strings.Repeat("x", 4096)
	file, err := os.OpenFile(ballast, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = file.WriteString(block)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := os.Remove(ballast); err != nil {
			t.Error(err)
		}
	}
}
