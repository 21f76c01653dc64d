package admin

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"go.uber.org/zap"

	"ingest/shared/config"
	"ingest/shared/lifecycle"
)

// TestTheServingProcessEndsBeforeItIsChecked: it still took the connection that join makes and is gone when Redis is
// asked. Whoever joined serves then, instead of giving up.
func TestTheServingProcessEndsBeforeItIsChecked(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	lock, err := os.OpenFile(filepath.Join(dir, lockName), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if err := flock(lock, syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	var listen net.ListenConfig
	dying, err := listen.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := writeAddress(dir, address{Addr: dying.Addr().String(), Secret: "x"}); err != nil {
		t.Fatal(err)
	}
	settings := config.Default()
	settings.DataDir, settings.Namespace = dir, "ingest"
	redis, err := newRedis(t.Context(), settings, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	s := &server{plan: plan{role: roleRun, settings: settings, log: zap.NewNop()}, redis: redis, member: newMember(dir)}
	t.Cleanup(func() {
		if err := errors.Join(redis.Close(), s.member.Close()); err != nil {
			t.Error(err)
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	err = lifecycle.Parallel(ctx, s.reach, func(context.Context) error {
		conn, err := dying.Accept()
		return errors.Join(err, conn.Close(), dying.Close(), lock.Close())
	})
	if err != nil || !s.member.Serves() {
		t.Fatalf("it serves: %v, %v", s.member.Serves(), err)
	}
}
