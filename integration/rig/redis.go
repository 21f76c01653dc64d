package rig

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"ingest/shared/listener/porttest"
)

// RedisOptions say how a server keeps its data. The zero value keeps nothing: a restart is a lost Redis.
type RedisOptions struct {
	// AOF writes every change to an append-only file, synced every second.
	AOF bool
	// Dir is where the server keeps its data, empty = a directory of its own.
	Dir string
	// Args are further arguments of redis-server.
	Args []string
}

// Redis is a private redis-server. It keeps its port over restarts.
type Redis struct {
	server

	t       testing.TB
	options RedisOptions
	dir     string
	port    int
}

// StartRedis starts a server and returns when it answers.
func StartRedis(t testing.TB, options RedisOptions) *Redis {
	t.Helper()
	r := &Redis{t: t, options: options, dir: options.Dir, port: porttest.Free(t)}
	if r.dir == "" {
		r.dir = subdirectory(t, "redis-")
	}
	r.Start()
	return r
}

// URL is what INGEST_REDIS_URL takes.
func (r *Redis) URL() string { return "redis://" + loopback(r.port) + "/0" }

// Addr is host:port.
func (r *Redis) Addr() string { return loopback(r.port) }

// Start starts the server again after Kill9 or Term, on the same port, with what is in its directory.
func (r *Redis) Start() {
	r.t.Helper()
	appendonly := "no"
	if r.options.AOF {
		appendonly = "yes"
	}
	args := append([]string{
		"--port", strconv.Itoa(r.port), "--save", "", "--appendonly", appendonly, "--appendfsync", "everysec",
	}, r.options.Args...)
	if inContainers() {
		r.server = box{
			image: redisImage, command: append([]string{"redis-server"}, args...), port: r.port, data: r.dir, target: "/data",
			user: ourselves(),
		}.start(r.t)
	} else {
		r.server = start(r.t, launch{
			name: "redis-server", path: find(r.t, "redis-server", "redis-server"),
			args: append(args, "--bind", "127.0.0.1", "--dir", r.dir), dir: r.dir,
			env: os.Environ(), orphaned: syscall.SIGKILL, ending: syscall.SIGKILL,
		})
	}
	Until(r.t, startLimit, "redis-server answering", func() bool {
		if r.Ended() {
			r.t.Fatalf("redis-server ended while it started:\n%s", r.Output())
		}
		answer, err := r.command("PING")
		return err == nil && answer == "PONG"
	})
}

// Restart kills the server (-9) and starts it again.
func (r *Redis) Restart() {
	r.t.Helper()
	r.Kill9()
	r.Start()
}

// Lose kills the server and starts it empty.
func (r *Redis) Lose() {
	r.t.Helper()
	r.Kill9()
	r.clear()
	r.Start()
}

// Save copies the append-only file as it is now aside and returns the copy, for RestartFrom.
func (r *Redis) Save() string {
	r.t.Helper()
	if !r.options.AOF {
		r.t.Fatal("a Redis without AOF has nothing to copy")
	}
	// The server writes into the file between two copies of it at most: a torn end is what a crash leaves, too.
	saved := subdirectory(r.t, "aof-")
	if err := os.CopyFS(filepath.Join(saved, "copy"), os.DirFS(r.dir)); err != nil {
		r.t.Fatalf("copy the append-only file: %v", err)
	}
	return filepath.Join(saved, "copy")
}

// RestartFrom kills the server and starts it with an older copy of its data: what it wrote since is lost.
func (r *Redis) RestartFrom(saved string) {
	r.t.Helper()
	r.Kill9()
	r.clear()
	if err := os.CopyFS(r.dir, os.DirFS(saved)); err != nil {
		r.t.Fatalf("put the older append-only file back: %v", err)
	}
	r.Start()
}

func (r *Redis) clear() {
	r.t.Helper()
	entries, err := os.ReadDir(r.dir)
	if err != nil {
		r.t.Fatalf("empty the directory of Redis: %v", err)
	}
	for _, entry := range entries {
		if err := os.RemoveAll(filepath.Join(r.dir, entry.Name())); err != nil {
			r.t.Fatalf("empty the directory of Redis: %v", err)
		}
	}
}

// Command sends one command and returns the answer as redis-cli prints it; an error answer fails the test.
func (r *Redis) Command(args ...string) string {
	r.t.Helper()
	answer, err := r.command(args...)
	if err != nil {
		r.t.Fatalf("redis %s: %v", args[0], err)
	}
	return answer
}

func (r *Redis) command(args ...string) (string, error) {
	cli := find(r.t, "redis-cli", "redis-tools")
	// -e makes redis-cli end with an error code when the server answers with an error.
	command := exec.CommandContext(r.t.Context(), cli, append([]string{"-p", strconv.Itoa(r.port), "-e"}, args...)...)
	output, err := command.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, output)
	}
	return strings.TrimSpace(string(output)), nil
}
