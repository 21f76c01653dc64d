package integration

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"ingest/integration/rig"
)

// hookSecret signs the requests of the tests.
const hookSecret = "s3cret & more"

// taken is a request as a receiver sees it.
type taken struct {
	Run        int64    `json:"run"`
	Importer   string   `json:"importer"`
	Key        string   `json:"key"`
	Partition  int      `json:"partition"`
	Chunk      int64    `json:"chunk"`
	Table      string   `json:"table"`
	OnDup      string   `json:"on_duplicate"`
	KeyColumns []string `json:"key_columns"`
	Columns    []string `json:"columns"`
	Rows       []struct {
		Number int64           `json:"row_number"`
		Values json.RawMessage `json:"values"`
	} `json:"rows"`
}

// hookServer is a receiver that checks every request and answers as the test says.
type hookServer struct {
	*httptest.Server

	mu       sync.Mutex
	problems []string
	requests []taken
	// answer is called with the number of the request, from 1.
	answer func(n int, w http.ResponseWriter, c taken)
}

func receive(t *testing.T, answer func(n int, w http.ResponseWriter, c taken)) *hookServer {
	t.Helper()
	h := &hookServer{answer: answer}
	h.Server = httptest.NewServer(http.HandlerFunc(h.serve))
	t.Cleanup(h.Close)
	return h
}

func (h *hookServer) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	var c taken
	if err == nil {
		err = json.Unmarshal(body, &c)
	}
	mac := hmac.New(sha256.New, []byte(hookSecret))
	fmt.Fprintf(mac, "%s.%s", r.Header.Get("X-Ingest-Timestamp"), body)
	seconds, _ := strconv.ParseInt(r.Header.Get("X-Ingest-Timestamp"), 10, 64)
	h.mu.Lock()
	for what, wrong := range map[string]bool{
		"a body that cannot be read": err != nil, "method": r.Method != http.MethodPost, "address": r.URL.String() != "/rows?shop=1",
		"signature": r.Header.Get("X-Ingest-Signature") != "sha256="+hex.EncodeToString(mac.Sum(nil)),
		"time":      time.Since(time.Unix(seconds, 0)).Abs() > time.Hour, "key": c.Key == "" || r.Header.Get("Idempotency-Key") != c.Key,
		"type": r.Header.Get("Content-Type") != "application/json",
	} {
		if wrong {
			h.problems = append(h.problems, fmt.Sprintf("%s: %v %s %v", what, err, r.URL, r.Header))
		}
	}
	h.requests = append(h.requests, c)
	n := len(h.requests)
	h.mu.Unlock()
	h.answer(n, w, c)
}

func (h *hookServer) seen() []taken {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]taken(nil), h.requests...)
}

// url is that of a connection.
func (h *hookServer) url(more string) string {
	return "webhook+" + h.URL + "/rows?shop=1&secret=s3cret+%26+more" + more
}

func hooked(t *testing.T, url string, o rig.SystemOptions) *rig.System {
	t.Helper()
	o.Env = append(o.Env, "INGEST_CONNECTIONS_HOOK_URL="+url)
	o.Importers = map[string]string{"x.yaml": "importer: x\nsource: {path: x.csv}\nchunk_size: 2\npartitions: 1\nkey: id\non_duplicate: update\n" +
		"destination: {connection: hook, table: rows}\nfields: [{from: id, to: id}, {from: n, to: n, type: integer}]\n"}
	s := rig.NewSystem(t, o)
	s.Write("x.csv", "id,n\na,1\nb,\nc,3\nd,many\n")
	return s
}

// TestAWebhookGetsEveryChunk: signed, under a key that is the same when it comes again, typed; what may pass is tried again, also
// what is silent; rows that the receiver names fail.
func TestAWebhookGetsEveryChunk(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	defer close(release)
	h := receive(t, func(n int, w http.ResponseWriter, c taken) {
		switch {
		case n == 1:
			w.WriteHeader(http.StatusInternalServerError)
		case n == 2:
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
		case n == 3:
			<-release // silent
		case n == 4:
			panic(http.ErrAbortHandler) // the connection ends
		case c.Chunk == 2:
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, `{"errors": {"3": "There is no room for it."}}`)
		default:
			w.WriteHeader(http.StatusNoContent)
		}
	})
	s := hooked(t, h.url("&timeout=300ms"), rig.SystemOptions{})
	if text := s.Must(0, "config"); strings.Contains(text, "s3cret") || strings.Contains(text, "/rows") || !strings.Contains(text, "webhook+http://127.0.0.1") {
		t.Errorf("the configuration is shown as\n%s", text)
	}
	s.Must(0, "check", "--connect")
	if len(h.seen()) != 0 {
		t.Error("a check delivers")
	}
	result := s.CLI("run", "x")
	if r := s.Status(1); result.Code != 3 || r.Created != 2 || r.Progress.Failed != 2 {
		t.Errorf("%+v\n%s", r, result.Stderr)
	}
	if text := s.Must(0, "errors", "1"); !strings.Contains(text, "There is no room for it.") {
		t.Errorf("the errors:\n%s", text)
	}
	if strings.Contains(result.Stderr, "s3cret") || strings.Contains(result.Stderr, "/rows") {
		t.Errorf("the address is shown:\n%s", result.Stderr)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, problem := range h.problems {
		t.Error(problem)
	}
	if len(h.requests) != 6 {
		t.Fatalf("%d requests came, want 5 with the first chunk and one with the second", len(h.requests))
	}
	for i, c := range h.requests {
		first := c.Key == h.requests[0].Key
		if first != (i < 5) || c.Chunk != map[bool]int64{true: 1, false: 2}[first] || c.Run != 1 || c.Importer != "x" || c.Table != "rows" || c.OnDup != "update" {
			t.Errorf("request %d: %+v", i+1, c)
		}
	}
	c := h.requests[0]
	if strings.Join(c.Columns, " ") != "id n" || strings.Join(c.KeyColumns, " ") != "id" || len(c.Rows) != 2 || c.Rows[1].Number != 2 ||
		string(c.Rows[0].Values) != `{"id":"a","n":1}` || string(c.Rows[1].Values) != `{"id":"b","n":null}` {
		t.Errorf("the body: %+v", c)
	}
}

// TestAWebhookThatRefuses ends the run with the status and nothing else; redirects are not followed.
func TestAWebhookThatRefuses(t *testing.T) {
	t.Parallel()
	elsewhere := receive(t, func(int, http.ResponseWriter, taken) {})
	for name, c := range map[string]struct {
		answer func(w http.ResponseWriter)
		reason string
	}{
		"400": {func(w http.ResponseWriter) { http.Error(w, "private words", http.StatusBadRequest) }, "The destination refused: it answered 400"},
		"redirect": {func(w http.ResponseWriter) {
			w.Header().Set("Location", elsewhere.URL)
			w.WriteHeader(http.StatusTemporaryRedirect)
		}, "The destination refused: it answered 307 (redirects are not followed)"},
		"a stranger": {func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, `{"errors": {"99": "private words"}}`)
		}, "The destination refused: its answer has an error of a row that is not in the chunk"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := receive(t, func(_ int, w http.ResponseWriter, _ taken) { c.answer(w) })
			s := hooked(t, h.url(""), rig.SystemOptions{})
			result := s.CLI("run", "x", "--output", "json")
			if r := s.Status(1); result.Code != 4 || r.Status != "failed" || r.Reason == nil || !strings.HasPrefix(*r.Reason, c.reason) || len(h.seen()) != 1 {
				t.Errorf("exit code %d after %d requests: %+v", result.Code, len(h.seen()), r)
			}
			if strings.Contains(result.Stdout+result.Stderr, "private") {
				t.Errorf("the answer is shown: %s%s", result.Stdout, result.Stderr)
			}
		})
	}
	t.Cleanup(func() {
		if len(elsewhere.seen()) > 0 {
			t.Error("a redirect was followed")
		}
	})
}

// TestAWebhookWhoseWorkerDies between the delivery and the record gets the chunk again, with the same key and the same rows.
func TestAWebhookWhoseWorkerDies(t *testing.T) {
	t.Parallel()
	var worker *rig.Process
	started := make(chan struct{})
	h := receive(t, func(n int, _ http.ResponseWriter, _ taken) {
		if n == 1 {
			<-started
			worker.Kill9() // it is taken, and nobody hears of it
		}
	})
	s := hooked(t, h.url(""), rig.SystemOptions{RedisURL: rig.StartRedis(t, rig.RedisOptions{}).URL()})
	s.Migrate()
	s.Coordinator()
	id := s.Begin("x")
	worker = s.Worker()
	close(started)
	rig.Until(t, patience, "the worker's death", worker.Ended)
	s.Worker()
	if r := s.Await(id, patience); r.Created != 3 || r.Progress.Failed != 1 {
		t.Errorf("%+v", r)
	}
	s.Check(id)
	requests := h.seen()
	if len(requests) != 3 || requests[0].Key != requests[1].Key || fmt.Sprint(requests[0].Rows) != fmt.Sprint(requests[1].Rows) ||
		requests[2].Key == requests[0].Key {
		t.Errorf("%+v", requests)
	}
}

// TestAWebhookThatAsksForAPause does not keep the slot of a run that was cancelled meanwhile.
func TestAWebhookThatAsksForAPause(t *testing.T) {
	t.Parallel()
	h := receive(t, func(n int, w http.ResponseWriter, _ taken) {
		if n == 1 {
			w.Header().Set("Retry-After", "200")
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	s := hooked(t, h.url(""), rig.SystemOptions{RedisURL: rig.StartRedis(t, rig.RedisOptions{}).URL(), Env: []string{"INGEST_SLOTS=1"}})
	s.Migrate()
	s.Coordinator()
	s.Worker()
	id := s.Begin("x")
	rig.Until(t, patience, "the run saying what it waits for", func() bool {
		r := s.Status(id)
		return r.WaitingFor != nil && strings.Contains(*r.WaitingFor, "the connection 'hook' cannot be used (it answered 503)")
	})
	s.Must(0, "cancel", fmt.Sprint(id), "--wait")
	next := s.Begin("x")
	if r := s.Await(next, patience); r.Status != "completed_with_errors" || r.Created != 3 {
		t.Errorf("%+v", r)
	}
}
