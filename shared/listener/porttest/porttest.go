// Package porttest gives servers of tests ports of their own.
//
// A port that was free a moment ago can be anybody's when the server begins to listen: the kernel gives it to the next
// connection, another test asks for one, too. Those given here are below what the kernel gives, and locked until the test ends.
package porttest

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
)

// Ports below the kernel's own (32768 on Linux unless it is told otherwise) and above those that services use.
const (
	first = 20_000
	last  = 32_000
)

// Free returns a port of the loopback interface that nobody listens at, and that no other test, of whatever process, is given before
// this one has ended.
func Free(t testing.TB) int {
	t.Helper()
	dir := filepath.Join(os.TempDir(), fmt.Sprintf("ingest-test-ports-%d", os.Getuid()))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatalf("make a directory for locks of ports: %v", err)
	}
	for range last - first {
		port := first + rand.IntN(last-first)
		lock, err := os.OpenFile(filepath.Join(dir, strconv.Itoa(port)), os.O_CREATE|os.O_RDWR, 0o644)
		if err != nil {
			t.Fatalf("lock a port: %v", err)
		}
		if syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil && free(port) {
			t.Cleanup(func() { _ = lock.Close() })
			return port
		}
		_ = lock.Close()
	}
	t.Fatalf("no port from %d to %d is free", first, last)
	return 0
}

func free(port int) bool {
	listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	return err == nil && listener.Close() == nil
}
