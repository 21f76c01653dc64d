package api

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"ingest/shared/lifecycle"
	"ingest/shared/token"
)

// dial opens a connection whose reads end when the server has had more than enough time.
func dial(t *testing.T, address string) net.Conn {
	t.Helper()
	connection, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
	must(t, err)
	t.Cleanup(func() { _ = connection.Close() })
	must(t, connection.SetDeadline(time.Now().Add(time.Minute)))
	return connection
}

func send(t *testing.T, connection net.Conn, text string) {
	t.Helper()
	_, err := io.WriteString(connection, text)
	must(t, err)
}

// closed blocks until the server has closed the connection.
func closed(t *testing.T, connection net.Conn, what string) {
	t.Helper()
	if _, err := io.Copy(io.Discard, connection); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("%s was not cut off", what)
	}
}

const uploading = "POST /api/v1/ingest/upload/users HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/csv\r\nContent-Length: 100000\r\n\r\n"

// TestSlowHeadersAreCutOff, and connections that say nothing.
func TestSlowHeadersAreCutOff(t *testing.T) {
	t.Parallel()
	s := newStand(t, nil)
	s.limits.header, s.limits.idle = 100*time.Millisecond, 100*time.Millisecond
	address := s.listen(t)
	for name, begin := range map[string]string{
		"nothing": "", "half a line": "GET /heal", "half the headers": "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-A: ",
		"an idle connection": "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n",
	} {
		connection := dial(t, address)
		send(t, connection, begin)
		closed(t, connection, name)
	}
}

// TestSlowBodiesAreCutOff: who stalls and who trickles, uploading or asking for something else; nothing is left of them.
func TestSlowBodiesAreCutOff(t *testing.T) {
	t.Parallel()
	s := newStand(t, nil)
	s.limits.stall, s.limits.rate = 200*time.Millisecond, 1<<20
	address := s.listen(t)
	for name, request := range map[string]string{
		"upload":  uploading,
		"form":    strings.Replace(uploading, "text/csv", "multipart/form-data; boundary=x", 1) + "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f\"\r\n\r\n",
		"trigger": strings.NewReplacer("upload/users", "trigger/users", "text/csv", "application/json").Replace(uploading) + `{"dry_run"`,
	} {
		for how, trickle := range map[string]bool{"stalls": false, "trickles": true} {
			connection := dial(t, address)
			send(t, connection, request+"name,email\n")
			tasks := lifecycle.NewTasks(t.Context())
			if trickle {
				tasks.Go("trickle", func(ctx context.Context) error {
					return lifecycle.Loop(ctx, 5*time.Millisecond, nil, func(context.Context) error {
						_, _ = io.WriteString(connection, "x") // until the server has had enough
						return nil
					})
				})
			}
			response, err := http.ReadResponse(bufio.NewReader(connection), nil)
			must(t, err)
			text := body(t, response)
			must(t, response.Body.Close())
			if response.StatusCode != http.StatusRequestTimeout || !strings.Contains(text, "The request came too slowly.") {
				t.Errorf("%s that %s: %d %s", name, how, response.StatusCode, text)
			}
			closed(t, connection, name+" that "+how)
			tasks.Stop()
			must(t, tasks.Wait())
		}
	}
	if left := s.spooled(t); len(left) > 0 || s.runs(t) != 0 {
		t.Errorf("slow clients left %v and %d runs", left, s.runs(t))
	}
}

// TestASlowUploadThatGoesOnIsTaken, however much longer it takes than an answer may.
func TestASlowUploadThatGoesOnIsTaken(t *testing.T) {
	t.Parallel()
	s := newStand(t, nil)
	s.limits.answer, s.limits.rate = 250*time.Millisecond, 1
	address := s.listen(t)
	reader, writer := io.Pipe()
	tasks := lifecycle.NewTasks(t.Context())
	tasks.Go("send", func(ctx context.Context) error {
		for i := range 60 {
			if _, err := fmt.Fprintf(writer, "u%d,u%d@example.org\n", i, i); err != nil {
				return err
			}
			if err := lifecycle.Wait(ctx, 10*time.Millisecond, nil); err != nil {
				return err
			}
		}
		return writer.Close()
	})
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+address+"/api/v1/ingest/upload/users", reader)
	must(t, err)
	response, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(request)
	must(t, err)
	text := body(t, response)
	must(t, response.Body.Close())
	if response.StatusCode != http.StatusAccepted {
		t.Errorf("%d %s", response.StatusCode, text)
	}
	must(t, tasks.Wait())
}

// TestAClientThatGoesLeavesNothing: no run, no file; that no goroutine stays is TestMain's to see.
func TestAClientThatGoesLeavesNothing(t *testing.T) {
	t.Parallel()
	s := newStand(t, nil)
	address := s.listen(t)
	for range 20 {
		connection := dial(t, address)
		send(t, connection, uploading+strings.Repeat("name,email\n", 1000))
		must(t, connection.Close())
	}
	// One that stays until its file is half written, so that there is something to remove.
	connection := dial(t, address)
	send(t, connection, uploading+strings.Repeat("name,email\n", 5000))
	until(t, "the upload being half written", func() bool { return len(s.spooled(t)) > 0 })
	must(t, connection.Close())
	until(t, "the spool being empty", func() bool { return len(s.spooled(t)) == 0 })
	if got := s.runs(t); got != 0 {
		t.Errorf("half an upload made %d runs", got)
	}
}

// TestAClientThatStopsReadingIsCutOff in the middle of a download.
func TestAClientThatStopsReadingIsCutOff(t *testing.T) {
	t.Parallel()
	s := newStand(t, nil)
	s.limits.answer = 200 * time.Millisecond
	ended := make(chan error, 1)
	s.handler = s.guarded(s.router([]route{{method: "GET", path: "/flood", role: token.Viewer, do: func(w http.ResponseWriter, _ *http.Request) error {
		out := &stream{w: w, now: s.Now, limit: s.limits.answer, control: http.NewResponseController(w), begin: func(http.Header) {}}
		for {
			if _, err := out.Write(make([]byte, 64<<10)); err != nil {
				ended <- err
				return nil //nolint:nilerr // the answer has begun
			}
		}
	}}}))
	connection := dial(t, s.listen(t))
	send(t, connection, "GET /api/v1/ingest/flood HTTP/1.1\r\nHost: localhost\r\n\r\n")
	select {
	case err := <-ended:
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("the download ended for another reason: %v", err)
		}
	case <-time.After(time.Minute):
		t.Error("nobody reads and nobody is cut off")
	}
}

// TestPanics: the client is told no more than that, the log says what, and the server lives. An answer that has begun is
// broken off, so that nobody takes it for whole.
func TestPanics(t *testing.T) {
	t.Parallel()
	s := newStand(t, nil)
	const secret = "a secret of the server"
	s.handler = s.guarded(s.router(append(
		s.routes(),
		route{method: "GET", path: "/early", role: token.Viewer, do: func(http.ResponseWriter, *http.Request) error { panic(secret) }},
		route{method: "GET", path: "/failing", role: token.Viewer, do: func(http.ResponseWriter, *http.Request) error { return errors.New(secret) }},
		route{method: "GET", path: "/late", role: token.Viewer, do: func(w http.ResponseWriter, _ *http.Request) error {
			_, _ = io.WriteString(w, strings.Repeat("x", 10_000))
			panic(secret)
		}},
	)))
	address := s.listen(t)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	get := func(path string) (status int, kind, text string, broken error) {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+path, nil)
		must(t, err)
		response, err := client.Do(request)
		must(t, err)
		all, broken := io.ReadAll(response.Body)
		must(t, response.Body.Close())
		return response.StatusCode, response.Header.Get("Content-Type"), string(all), broken
	}
	for _, path := range []string{"/early", "/failing"} {
		status, kind, text, err := get("/api/v1/ingest" + path)
		must(t, err)
		if status != http.StatusInternalServerError || kind != "application/problem+json" || strings.Contains(text, secret) ||
			!strings.Contains(text, `"message":"The server made a mistake; its log says more."`) {
			t.Errorf("%s: %d %s", path, status, text)
		}
	}
	_, _, text, err := get("/api/v1/ingest/late")
	if err == nil || strings.Contains(text, "problem") {
		t.Errorf("an answer that broke off looks whole: %d bytes, %v", len(text), err)
	}
	if !strings.Contains(s.log.String(), secret) || !strings.Contains(s.log.String(), "slow_test.go") {
		t.Error("the log does not say what happened, and where")
	}
	if status, _, _, err := get("/healthz"); err != nil || status != http.StatusOK {
		t.Fatalf("the server is gone: %d %v", status, err)
	}
}
