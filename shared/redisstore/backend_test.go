package redisstore

import (
	"context"
	"fmt"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"ingest/shared/redisstore/embedded"
	"ingest/shared/redisstore/redistest"
	"ingest/shared/run"
)

const hour = time.Hour

// backend is a server the suite runs against.
type backend struct {
	name string
	// start returns how to reach a server; the namespace is added.
	start func(t testing.TB) Options
}

func backends() []backend {
	return []backend{
		{name: "embedded", start: func(t testing.TB) Options {
			server, err := embedded.Start()
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(server.Close)
			return Options{
				Lenient: true, Password: server.Secret,
				Dial: func(ctx context.Context) (net.Conn, error) {
					return (&net.Dialer{}).DialContext(ctx, "tcp", server.Addr())
				},
			}
		}},
		{name: "redis", start: func(t testing.TB) Options { return Options{URL: redistest.Start(t)} }},
		{name: "cluster", start: func(t testing.TB) Options { return Options{URL: redistest.StartCluster(t)} }},
	}
}

// open opens a store and checks of every script call that its keys share one hash tag.
func open(t testing.TB, o Options, namespace string) *Store {
	t.Helper()
	o.Namespace = namespace
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	s.client.AddHook(oneTag{t: t})
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// site is where one test of the suite runs: a store with keys of its own.
type site struct {
	*Store
	// alone opens a store on a server of its own.
	alone func(t testing.TB) *Store
	name  string
	// last numbers the runs of a test.
	last atomic.Int64
}

func (s *site) state(partitions int) State {
	id := s.last.Add(1)
	st := State{
		Ref: Ref{ID: id, UID: fmt.Sprintf("uid-%d", id), Partitions: partitions}, Status: run.Processing,
		Definition: []byte(`{"a":1}`), Manifest: []byte(`{"b":2}`), Heads: make([]Head, partitions),
	}
	for p := range st.Heads {
		st.Heads[p].Sealed = -1
	}
	return st
}

// begin restores a run.
func (s *site) begin(t testing.TB, partitions int) Ref {
	t.Helper()
	st := s.state(partitions)
	if created, err := s.Restore(t.Context(), st); err != nil || !created {
		t.Fatalf("restore: %v %v", created, err)
	}
	return st.Ref
}

func (s *site) emit(t testing.TB, ref Ref, p int, n int64) {
	t.Helper()
	want(t, OK)(s.offer(t, ref, p, n))
}

func (s *site) offer(t testing.TB, ref Ref, p int, n int64) (Code, error) {
	t.Helper()
	code, _, err := s.Emit(t.Context(), ref, Emission{Partition: p, Number: n, Payload: payload(p, n), Limit: 1 << 20})
	return code, err
}

func payload(p int, n int64) []byte { return fmt.Appendf(nil, "rows of %d/%d\x00\xff\r\n", p, n) }

// want checks the code of a call: want(t, OK)(s.Call(…)).
func want(t testing.TB, code Code) func(Code, error) {
	t.Helper()
	return func(got Code, err error) {
		t.Helper()
		if err != nil || got != code {
			t.Fatalf("got %v, %v; want %v", got, err, code)
		}
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// acquire takes a partition that must be free, or the owner's own, with its next chunk.
func (s *site) acquire(t testing.TB, ref Ref, owner string) (Claim, Entry) {
	t.Helper()
	claim, entry, code, err := s.Acquire(t.Context(), ref, owner, hour)
	want(t, OK)(code, err)
	return claim, entry
}

// refused is the code of an Acquire that gives nothing.
func (s *site) refused(t testing.TB, ref Ref, owner string) (Code, error) {
	t.Helper()
	claim, entry, code, err := s.Acquire(t.Context(), ref, owner, hour)
	if claim != (Claim{}) || entry.Number != 0 {
		t.Errorf("%v, but %+v", code, claim)
	}
	return code, err
}

// expire makes the lease of a partition run out.
func (s *site) expire(t testing.TB, ref Ref, p int) {
	t.Helper()
	must(t, s.client.HSet(t.Context(), s.keys.partition(ref.ID, p), "lease_until", "1").Err())
}

func (s *site) progress(t testing.TB, ref Ref) Progress {
	t.Helper()
	progress, found, err := s.Progress(t.Context(), ref.ID)
	if err != nil || !found {
		t.Fatalf("progress: %v %v", found, err)
	}
	return progress
}

// dump is the value of every key of a run, to see that nothing was written.
func (s *site) dump(t testing.TB, ref Ref) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, key := range s.keys.all(ref.ID, ref.Partitions) {
		switch s.client.Type(t.Context(), key).Val() {
		case "none":
		case "hash":
			found[key] = fmt.Sprint(s.client.HGetAll(t.Context(), key).Val())
		case "zset":
			found[key] = fmt.Sprint(s.client.ZRangeWithScores(t.Context(), key, 0, -1).Val())
		case "stream":
			found[key] = fmt.Sprint(s.client.XRange(t.Context(), key, "-", "+").Val())
		}
	}
	return found
}

// oneTag fails the test when a script gets keys of different slots, or none.
type oneTag struct{ t testing.TB }

func (o oneTag) DialHook(next redis.DialHook) redis.DialHook { return next }

func (o oneTag) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func (o oneTag) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if cmd.Name() == "eval" || cmd.Name() == "evalsha" {
			o.check(cmd.Args())
		}
		return next(ctx, cmd)
	}
}

func (o oneTag) check(args []any) {
	count, _ := args[2].(int)
	if count == 0 {
		o.t.Errorf("a script without keys: %v", args[1])
	}
	tags := map[string]bool{}
	for _, key := range args[3 : 3+count] {
		tags[tagOf(key.(string))] = true
	}
	if len(tags) != 1 {
		o.t.Errorf("a script with keys of %d hash tags: %v", len(tags), args[3:3+count])
	}
}
