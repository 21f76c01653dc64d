package redisstore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"ingest/shared/redisstore/embedded"
	"ingest/shared/redisstore/redistest"
	"ingest/shared/run"
)

// TestOutOfMemory sees that a full Redis takes no more chunks, but lets everything go on that empties it.
func TestOutOfMemory(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s := &site{Store: open(t, Options{URL: redistest.Start(t)}, "full")}
	ref := s.begin(t, 2)
	s.emit(t, ref, 0, 1)
	s.emit(t, ref, 0, 2)
	s.emit(t, ref, 1, 1)
	must(t, s.client.ConfigSet(ctx, "maxmemory", "1").Err())

	_, err := s.offer(t, ref, 0, 3)
	if !Unavailable(err) {
		t.Fatalf("emit: %v", err)
	}
	if _, err := s.Restore(ctx, s.state(1)); !Unavailable(err) {
		t.Fatalf("restore: %v", err)
	}
	want(t, OK)(s.TakeSplit(ctx, ref, "c", hour))
	claim, _ := s.acquire(t, ref, "a")
	want(t, OK)(s.Renew(ctx, ref, claim, hour))
	code, next, err := s.Ack(ctx, ref, Ack{Number: 1, Claim: &claim, Lease: hour, Errors: map[string]int64{"e": 1}})
	if want(t, OK)(code, err); next == nil {
		t.Error("no next chunk")
	}
	want(t, OK)(s.Release(ctx, ref, claim))
	code, _, err = s.Throttle(ctx, ref, 0, 1, 10, Limit{Importer: "i", RowsPerSecond: 1})
	want(t, OK)(code, err)
	want(t, OK)(s.Reset(ctx, ref, 1, Head{Sealed: -1}))
	must(t, s.SetWaiting(ctx, ref, "x", time.Now()))
	must(t, s.Fail(ctx, ref, "x"))
	must(t, s.Heartbeat(ctx, Process{ID: "p"}))
	must(t, s.Stop(ctx, ref, run.Cancelling))
	must(t, s.Finish(ctx, ref, run.Cancelled, run.Final{}))
	must(t, s.Forget(ctx, ref.ID))

	must(t, s.client.ConfigSet(ctx, "maxmemory", "0").Err())
	s.emit(t, s.begin(t, 1), 0, 1)
}

func TestCheck(t *testing.T) {
	t.Parallel()
	for _, b := range backends() {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			must(t, open(t, b.start(t), "check").Check(t.Context()))
		})
	}
	t.Run("evicting", func(t *testing.T) {
		t.Parallel()
		s := open(t, Options{URL: redistest.Start(t, "--maxmemory-policy", "allkeys-lru")}, "check")
		if err := s.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "config set maxmemory-policy noeviction") {
			t.Error(err)
		}
	})
	t.Run("replica", func(t *testing.T) {
		t.Parallel()
		s := open(t, Options{URL: redistest.Start(t, "--replicaof", "127.0.0.1", "1")}, "check")
		if err := s.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "is a replica") {
			t.Error(err)
		}
		if err := s.Wake(t.Context(), Work); err != nil {
			t.Error(err)
		}
		if err := s.Event(t.Context(), "1-x", nil); !Unavailable(err) {
			t.Error(err)
		}
	})
	t.Run("a cluster that is used as a server", func(t *testing.T) {
		t.Parallel()
		url := strings.Replace(redistest.StartCluster(t), "redis+cluster", "redis", 1)
		if err := open(t, Options{URL: url}, "check").Check(t.Context()); err == nil || !strings.Contains(err.Error(), "redis+cluster://") {
			t.Error(err)
		}
	})
	t.Run("without rights to ask", func(t *testing.T) {
		t.Parallel()
		s := open(t, Options{URL: redistest.Start(t, "--maxmemory-policy", "allkeys-lru")}, "check")
		rights := func(rules ...any) {
			t.Helper()
			must(t, s.client.Do(t.Context(), append([]any{"ACL", "SETUSER", "default"}, rules...)...).Err())
		}
		rights("-info")
		if err := s.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "noeviction") {
			t.Errorf("CONFIG GET is allowed, but: %v", err)
		}
		rights("-config")
		must(t, s.Check(t.Context()))
	})
	t.Run("old", func(t *testing.T) {
		t.Parallel()
		if err := fit(parseInfo("# Server\r\nredis_version:6.2.6\r\n"), false); err == nil || !strings.Contains(err.Error(), "6.2.6") {
			t.Error(err)
		}
		must(t, fit(parseInfo("redis_version:10.1.0\r\nrole:master\r\nmaxmemory_policy:noeviction\r\n"), false))
	})
}

// TestRights sees that a user with no rights beyond its own keys and channels is enough for everything.
func TestRights(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	url := redistest.Start(t)
	admin := open(t, Options{URL: url}, "team")
	must(t, admin.client.Do(ctx, "ACL", "SETUSER", "app", "on", ">pa ss/%:@", "~team:*", "&team:*",
		"+@all", "-@admin", "-@dangerous").Err())
	s := &site{Store: open(t, Options{URL: strings.Replace(url, "unix://", "unix://app:pa%20ss%2F%25%3A%40@", 1)}, "team")}
	must(t, s.Check(ctx))
	heard, end := s.Listen(ctx, Runs)
	defer end()
	await(t, heard)
	ref := s.begin(t, 1)
	s.emit(t, ref, 0, 1)
	claim, _ := s.acquire(t, ref, "z")
	for name, call := range calls(ctx, s.Store, ref, claim) {
		if _, err := call(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	must(t, s.Fail(ctx, ref, "x"))
	must(t, s.Wake(ctx, Work))
	must(t, s.Heartbeat(ctx, Process{ID: "p"}))
	must(t, s.Event(ctx, "1-failed", nil))
	_, err := s.Processes(ctx)
	must(t, err)
	_, err = s.InFlight(ctx)
	must(t, err)
	_, _, err = s.Histograms(ctx, ref.ID)
	must(t, err)
	s.progress(t, ref)
	must(t, s.Finish(ctx, ref, run.Failed, run.Final{}))
	must(t, s.Forget(ctx, ref.ID))
	if _, err := open(t, Options{URL: strings.Replace(url, "unix://", "unix://app:pa%20ss%2F%25%3A%40@", 1)}, "foreign").Active(ctx); err == nil || Unavailable(err) {
		t.Errorf("another namespace: %v", err)
	}
	refused := admin.client.Do(ctx, "ACL", "LOG").Val()
	if log, _ := refused.([]any); len(log) == 0 {
		t.Error("the server refused nothing: the test proves nothing")
	}
}

func TestUnreachable(t *testing.T) {
	t.Parallel()
	s := open(t, Options{URL: "unix://" + filepath.Join(t.TempDir(), "nobody")}, "x")
	_, err := s.Active(t.Context())
	if !Unavailable(err) {
		t.Error(err)
	}
	if err := s.Check(t.Context()); !Unavailable(err) {
		t.Error(err)
	}
	heard, end := s.Listen(t.Context(), Work)
	end()
	still(t, heard)
}

// TestHandOver sees that a store follows the embedded server to a new address with a new secret, its listeners, too.
func TestHandOver(t *testing.T) {
	t.Parallel()
	first, err := embedded.Start()
	must(t, err)
	var serving atomic.Pointer[embedded.Server]
	serving.Store(first)
	s := &site{Store: open(t, Options{
		Lenient: true, Password: func() string { return serving.Load().Secret() },
		Dial: func(ctx context.Context) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "tcp", serving.Load().Addr())
		},
	}, "x")}
	heard, end := s.Listen(t.Context(), Work)
	defer end()
	await(t, heard)
	s.emit(t, s.begin(t, 1), 0, 1)
	await(t, heard)

	second, err := embedded.Start()
	must(t, err)
	defer second.Close()
	serving.Store(second)
	first.Close()
	first.Close()
	await(t, heard)
	s.emit(t, s.begin(t, 1), 0, 1)
	await(t, heard)
}

func TestListenerReconnects(t *testing.T) {
	t.Parallel()
	s := open(t, Options{URL: redistest.Start(t)}, "x")
	heard, end := s.Listen(t.Context(), Runs)
	defer end()
	await(t, heard)
	must(t, s.client.Do(t.Context(), "CLIENT", "KILL", "TYPE", "pubsub").Err())
	await(t, heard)
	must(t, s.Wake(t.Context(), Runs))
	await(t, heard)
}

func TestEmbeddedIsLocked(t *testing.T) {
	t.Parallel()
	server, err := embedded.Start()
	must(t, err)
	t.Cleanup(server.Close)
	if host, _, _ := net.SplitHostPort(server.Addr()); host != "127.0.0.1" || len(server.Secret()) != 32 {
		t.Errorf("%s, a secret of %d letters", server.Addr(), len(server.Secret()))
	}
	s := open(t, Options{URL: "redis://:wrong@" + server.Addr(), Lenient: true}, "x")
	if err := s.Check(t.Context()); err == nil || strings.Contains(err.Error(), server.Secret()) {
		t.Error(err)
	}
}

func TestUnavailable(t *testing.T) {
	t.Parallel()
	for text, wanted := range map[string]bool{
		"LOADING Redis is loading the dataset in memory": true, "MISCONF Redis is configured to save RDB snapshots": true,
		"CLUSTERDOWN Hash slot not served": true, "READONLY You can't write against a read only replica.": true,
		"TRYAGAIN Multiple keys request during rehashing of slot": true, "OOM command not allowed": true,
		"ERR max number of clients reached": true, "BUSY Redis is busy running a script.": true,
		"NOSCRIPT No matching script": false, "WRONGTYPE Operation against a key": false, "BUSYGROUP exists": false,
		"ERR value is not an integer or out of range": false, "CROSSSLOT Keys in request": false,
	} {
		if got := Unavailable(fmt.Errorf("do it: %w", answer(text))); got != wanted {
			t.Errorf("%s: %v", text, got)
		}
	}
	for err, wanted := range map[error]bool{
		&net.OpError{Op: "dial", Err: errors.New("refused")}: true, io.EOF: true, context.DeadlineExceeded: true,
		redis.ErrPoolTimeout: true, context.Canceled: false, redis.ErrClosed: false, errors.New("x"): false, nil: false,
	} {
		if got := Unavailable(err); got != wanted {
			t.Errorf("%v: %v", err, got)
		}
	}
}

// answer is an error a server sends.
type answer string

func (a answer) Error() string { return string(a) }
func (answer) RedisError()     {}
