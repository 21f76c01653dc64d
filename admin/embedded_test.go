package admin

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/zap"

	"ingest/shared/config"
	"ingest/shared/lifecycle"
	"ingest/shared/redisstore"
)

// eventually waits until a condition holds, and fails the test when it does not within 10 s.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for !holds() {
		if lifecycle.Wait(ctx, 10*time.Millisecond, nil) != nil {
			t.Fatalf("never: %s", what)
		}
	}
}

// start makes a member that looks out for a service to take over, and returns what ends it.
func start(t *testing.T, dir string) (*member, func()) {
	t.Helper()
	m := newMember(dir)
	if err := m.join(t.Context()); err != nil {
		t.Fatal(err)
	}
	tasks := lifecycle.NewTasks(context.WithoutCancel(t.Context()))
	tasks.Go("member", m.Run)
	end := func() {
		tasks.Stop()
		if err := errors.Join(tasks.Wait(), m.Close()); err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(end)
	return m, end
}

func TestOneServesAndAnotherTakesOver(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if served(dir) {
		t.Fatal("nobody has joined yet")
	}
	first, endFirst := start(t, dir)
	second, endSecond := start(t, dir)
	if !first.Serves() || second.Serves() || !served(dir) {
		t.Fatalf("first serves: %v, second: %v, served: %v", first.Serves(), second.Serves(), served(dir))
	}
	redis, err := newRedis(t.Context(), config.Config{Namespace: "ingest", DataDir: dir}, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	defer redis.Close()
	if err := redis.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	beat := redisstore.Process{ID: "p", Role: "worker", At: time.Now()}
	if err := redis.Heartbeat(t.Context(), beat); err != nil {
		t.Fatal(err)
	}

	endFirst()
	eventually(t, "the second member takes over", second.Serves)
	// The same client finds the new server by itself.
	eventually(t, "the client reaches the new server", func() bool { return redis.Check(t.Context()) == nil })
	processes, err := redis.Processes(t.Context())
	if err != nil || len(processes) != 0 {
		t.Errorf("the new server knows %v (%v), it should be empty", processes, err)
	}

	endSecond()
	if served(dir) {
		t.Error("both have ended, but somebody serves")
	}
	if _, err := os.Stat(filepath.Join(dir, addressName)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the address file is still there: %v", err)
	}
	if err := redis.Check(t.Context()); !redisstore.Unavailable(err) {
		t.Errorf("without a server: %v, want an error that can be waited out", err)
	}
}

func TestTheAddressIsSecret(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	start(t, dir)
	info, err := os.Stat(filepath.Join(dir, addressName))
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
}

func TestAStaleAddressFileHarmsNobody(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	// As a killed process leaves it.
	if err := writeAddress(dir, address{Addr: "127.0.0.1:1", Secret: "old"}); err != nil {
		t.Fatal(err)
	}
	if served(dir) {
		t.Error("a file is no service")
	}
	m, _ := start(t, dir)
	if !m.Serves() {
		t.Error("nobody serves")
	}
}

func TestJoinEndsWithItsContext(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	holder, err := os.Create(filepath.Join(dir, lockName))
	if err != nil {
		t.Fatal(err)
	}
	defer holder.Close()
	// A process that holds the lock and never comes to serve.
	if err := flock(holder, exclusive); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	m := newMember(dir)
	defer m.Close()
	if err := m.join(ctx); err == nil {
		t.Error("joined a service that does not exist")
	}
}

func TestOnlyUpAllowsToDetach(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	m, end := start(t, dir)
	if announced(dir) {
		t.Error("a run is no service to detach to")
	}
	if err := m.announce(); err != nil {
		t.Fatal(err)
	}
	other, endOther := start(t, dir)
	if err := other.announce(); err != nil {
		t.Fatal(err)
	}
	end()
	if !announced(dir) {
		t.Error("the second one is still up")
	}
	endOther()
	if announced(dir) {
		t.Error("nobody is up any more")
	}
}
