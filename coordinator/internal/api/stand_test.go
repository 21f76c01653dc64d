package api

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"ingest/coordinator/internal/split"
	"ingest/shared/config"
	"ingest/shared/control"
	"ingest/shared/database"
	"ingest/shared/database/dbtest"
	"ingest/shared/lifecycle"
	"ingest/shared/redisstore"
	"ingest/shared/redisstore/redistest"
	"ingest/shared/registry"
	"ingest/shared/spool"
	"ingest/shared/token"
)

// TestMain also proves that no test leaves a goroutine behind.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const usersYAML = `importer: users
source: {type: upload}
format: {type: csv}
destination: {table: users, create_table: true}
key: [email]
fields:
  - {from: name, to: name}
  - {from: email, to: email}
rules:
  email: required|email
`

// stand is an API over a real registry, ledger and Redis. Nobody executes its runs.
type stand struct {
	*API
	dir      string
	registry *registry.Registry
	redis    *redisstore.Store
	log      *written
}

// written is a log that may be read while it is written.
type written struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (w *written) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.Write(p)
}

func (w *written) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// newStand makes one; change may change the configuration before the API is made.
func newStand(t testing.TB, change func(c *config.Config)) *stand {
	t.Helper()
	s := &stand{dir: t.TempDir(), log: &written{}}
	logger := zap.New(zapcore.NewCore(zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()), zapcore.AddSync(s.log), zap.DebugLevel))
	c := config.Default()
	c.DataDir, c.Importers, c.Roots = filepath.Join(s.dir, "data"), filepath.Join(s.dir, "importers"), []string{s.dir}
	c.Redis.URL, c.Namespace = "redis://somewhere", "ingest"
	if change != nil {
		change(&c)
	}
	must(t, os.MkdirAll(c.Importers, 0o700))
	must(t, os.WriteFile(filepath.Join(c.Importers, "users.yaml"), []byte(usersYAML), 0o600))
	held, err := spool.Open(filepath.Join(c.DataDir, "spool"))
	must(t, err)
	pool := database.NewPool(map[string]database.Config{"default": {Name: "default", URL: dbtest.SQLite(t), Connections: 8}})
	t.Cleanup(func() { _ = pool.Close() })
	db, err := pool.Get("default")
	must(t, err)
	must(t, database.Migrate(t.Context(), db))
	s.registry = registry.New(db, c.Namespace)
	s.redis, err = redisstore.Open(t.Context(), redisstore.Options{URL: redistest.Start(t), Namespace: c.Namespace, Log: logger})
	must(t, err)
	t.Cleanup(func() { _ = s.redis.Close() })
	s.API, err = New(Parts{
		Config: c, Spool: held, Version: "test", Now: time.Now, Log: logger, Ready: s.redis.Ping,
		Control: control.New(control.Parts{Config: c, Registry: s.registry, Redis: s.redis, Databases: pool, Now: time.Now, Log: logger, Reader: split.NewReader(
			split.Parts{Config: c, Registry: s.registry, Databases: pool, Now: time.Now, Log: logger},
		)}),
	})
	must(t, err)
	// A coordinator that reads the spool: else no upload is taken.
	reader := func() redisstore.Process {
		return redisstore.Process{ID: "c", Role: "coordinator", Spools: []string{held.ID()}, At: time.Now()}
	}
	must(t, s.redis.Heartbeat(t.Context(), reader()))
	live := lifecycle.NewTasks(context.WithoutCancel(t.Context()))
	live.Go("live", func(ctx context.Context) error { return s.redis.Live(ctx, reader) })
	t.Cleanup(func() {
		live.Stop()
		if err := live.Wait(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// ask sends a request to the handlers without a network.
func (s *stand) ask(t testing.TB, method, path, body string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	request := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	request.Host = "127.0.0.1"
	for i := 0; i+1 < len(headers); i += 2 {
		if headers[i] == "Host" {
			request.Host = headers[i+1]
			continue
		}
		request.Header.Add(headers[i], headers[i+1])
	}
	recorder := httptest.NewRecorder()
	s.handler.ServeHTTP(recorder, request)
	return recorder
}

// listen serves on a free port until the test ends and returns its address.
func (s *stand) listen(t testing.TB) string {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	must(t, err)
	tasks := lifecycle.NewTasks(context.WithoutCancel(t.Context()))
	tasks.Go("serve", func(ctx context.Context) error { return s.Run(ctx, listener) })
	t.Cleanup(func() {
		tasks.Stop()
		if err := tasks.Wait(); err != nil {
			t.Error(err)
		}
	})
	return listener.Addr().String()
}

// until blocks until condition holds.
func until(t testing.TB, what string, condition func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for !condition() {
		if lifecycle.Wait(ctx, 20*time.Millisecond, nil) != nil {
			t.Fatalf("%s did not happen within a minute", what)
		}
	}
}

// tokens writes a tokens file with one token per role, and one of an operator that has expired; it returns the secrets.
func tokens(t testing.TB, path string) map[string]string {
	t.Helper()
	secrets, text := map[string]string{}, ""
	for _, role := range token.Roles() {
		secret, line := token.New("of-"+string(role), role, time.Time{})
		secrets[string(role)] = secret
		text += line + "\n"
	}
	secret, line := token.New("old", token.Admin, time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC))
	secrets["expired"] = secret
	must(t, os.WriteFile(path, []byte(text+line+"\n"), 0o600))
	return secrets
}

// spooled are the files that uploads have left, half-written ones too.
func (s *stand) spooled(t testing.TB) []string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(s.Config.DataDir, "spool"))
	must(t, err)
	var names []string
	for _, entry := range entries {
		if entry.Name() != "id" {
			names = append(names, entry.Name())
		}
	}
	return names
}

// runs is how many runs there are.
func (s *stand) runs(t testing.TB) int64 {
	t.Helper()
	_, total, err := s.registry.List(t.Context(), registry.Filter{Limit: 1})
	must(t, err)
	return total
}

func body(t testing.TB, response *http.Response) string {
	t.Helper()
	text, err := io.ReadAll(response.Body)
	must(t, err)
	return string(text)
}
