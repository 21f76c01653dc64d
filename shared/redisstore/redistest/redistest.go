// Package redistest starts private redis-servers for tests. They keep nothing and end with the test.
package redistest

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"ingest/shared/lifecycle"
	"ingest/shared/listener/porttest"
)

// Start starts a server with these further arguments and returns its URL when it answers.
func Start(t testing.TB, args ...string) string {
	t.Helper()
	dir := directory(t)
	socket := filepath.Join(dir, "socket")
	launch(t, dir, append([]string{"--port", "0", "--unixsocket", socket}, args...))
	client := redis.NewClient(&redis.Options{Network: "unix", Addr: socket, Protocol: 2, DisableIdentity: true})
	defer func() { _ = client.Close() }()
	until(t, "redis-server answers", func(ctx context.Context) bool { return client.Ping(ctx).Err() == nil })
	return "unix://" + socket
}

// StartCluster starts a Redis Cluster of one node and returns its URL when it can be written to.
func StartCluster(t testing.TB) string {
	t.Helper()
	dir := directory(t)
	port, bus := strconv.Itoa(porttest.Free(t)), strconv.Itoa(porttest.Free(t))
	launch(t, dir, []string{
		"--port", port, "--bind", "127.0.0.1", "--cluster-enabled", "yes", "--cluster-port", bus,
		"--cluster-config-file", "nodes.conf",
	})
	addr := net.JoinHostPort("127.0.0.1", port)
	client := redis.NewClient(&redis.Options{Addr: addr, Protocol: 2, DisableIdentity: true})
	defer func() { _ = client.Close() }()
	until(t, "the cluster node answers", func(ctx context.Context) bool { return client.Ping(ctx).Err() == nil })
	if err := client.Do(t.Context(), "CLUSTER", "ADDSLOTSRANGE", 0, 16383).Err(); err != nil {
		t.Fatalf("give the node its slots: %v", err)
	}
	until(t, "the cluster is up", func(ctx context.Context) bool {
		return strings.Contains(client.ClusterInfo(ctx).Val(), "cluster_state:ok")
	})
	return "redis+cluster://" + addr
}

// directory is short, because the path of a socket must be.
func directory(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "redis")
	if err != nil {
		t.Fatalf("make a directory for redis-server: %v", err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func launch(t testing.TB, dir string, args []string) {
	t.Helper()
	path, err := exec.LookPath("redis-server")
	if err != nil {
		t.Fatalf("redis-server is missing: install the package redis-server (%v)", err)
	}
	var output bytes.Buffer
	server := exec.Command(path, append([]string{"--dir", dir, "--save", "", "--appendonly", "no"}, args...)...)
	server.Stdout, server.Stderr = &output, &output
	if err := server.Start(); err != nil {
		t.Fatalf("start redis-server: %v", err)
	}
	t.Cleanup(func() {
		_ = server.Process.Kill()
		_ = server.Wait()
		if t.Failed() {
			t.Logf("redis-server:\n%s", output.String())
		}
	})
}

func until(t testing.TB, what string, ready func(ctx context.Context) bool) {
	t.Helper()
	ctx, cancel := context.WithTimeoutCause(t.Context(), 20*time.Second, fmt.Errorf("%s: not in time", what))
	defer cancel()
	for !ready(ctx) {
		if lifecycle.Wait(ctx, 10*time.Millisecond, nil) != nil {
			t.Fatal(context.Cause(ctx))
		}
	}
}
