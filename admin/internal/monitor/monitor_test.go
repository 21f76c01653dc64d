package monitor_test

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
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"ingest/admin/internal/monitor"
	"ingest/shared/lifecycle"
	"ingest/shared/metrics"
)

func TestMain(m *testing.M) {
	code := m.Run()
	if err := goleak.Find(); code == 0 && err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// serving is a monitor that runs until stop is called or the test ends.
type serving struct {
	url  string
	stop func() error
}

func serve(t *testing.T, change func(*monitor.Parts)) serving {
	t.Helper()
	core, logged := observer.New(zap.InfoLevel)
	parts := monitor.Parts{
		Address: "127.0.0.1:0", Metrics: metrics.New("up", "", time.Now).Handler(), Log: zap.New(core),
		Ready: func(context.Context) error { return nil },
	}
	if change != nil {
		change(&parts)
	}
	m := monitor.New(parts)
	if err := m.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	tasks := lifecycle.NewTasks(context.WithoutCancel(t.Context()))
	tasks.Go("monitor", m.Run)
	stop := func() error {
		tasks.Stop()
		return tasks.Wait()
	}
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
		if n := logged.FilterMessage("internal listener").Len(); n != 1 {
			t.Errorf("the address was logged %d times", n)
		}
	})
	for logged.Len() == 0 {
		if err := lifecycle.Wait(t.Context(), time.Millisecond, nil); err != nil {
			t.Fatal(err)
		}
	}
	return serving{url: "http://" + logged.All()[0].ContextMap()["address"].(string), stop: stop}
}

func get(t *testing.T, url string) (status int, body string) {
	t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

func TestWhatIsAnswered(t *testing.T) {
	t.Parallel()
	var down atomic.Bool
	s := serve(t, func(p *monitor.Parts) {
		p.Ready = func(context.Context) error {
			if down.Load() {
				return errors.New("Redis does not answer")
			}
			return nil
		}
	})
	for path, want := range map[string]string{
		"/healthz": "200 alive", "/readyz": "200 ready", "/metrics": "200 # HELP go_gc",
		"/": "404", "/debug/pprof/": "404", "/debug/pprof/profile": "404",
	} {
		status, body := get(t, s.url+path)
		if got := fmt.Sprint(status, " ", body); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %.80s, want %s", path, got, want)
		}
	}
	down.Store(true)
	if status, body := get(t, s.url+"/readyz"); status != 503 || body != "Redis does not answer\n" {
		t.Errorf("/readyz: %d %s", status, body)
	}
	if status, _ := get(t, s.url+"/healthz"); status != 200 {
		t.Errorf("/healthz: %d although the process lives", status)
	}
}

func TestProfilesOnlyWhereTheyWereAskedFor(t *testing.T) {
	t.Parallel()
	s := serve(t, func(p *monitor.Parts) { p.Profiles = true })
	if status, body := get(t, s.url+"/debug/pprof/goroutine?debug=1"); status != 200 || !strings.Contains(body, "goroutine profile") {
		t.Errorf("%d %.80s", status, body)
	}
}

// TestAnUnreadyDependencyHasALimit: whoever asks gets an answer though the one that is asked for says nothing.
func TestAnUnreadyDependencyHasALimit(t *testing.T) {
	t.Parallel()
	s := serve(t, func(p *monitor.Parts) {
		p.Ready = func(ctx context.Context) error {
			<-ctx.Done()
			return errors.New("too slow")
		}
	})
	began := time.Now()
	if status, _ := get(t, s.url+"/readyz"); status != 503 || time.Since(began) > 5*time.Second {
		t.Errorf("status %d after %s", status, time.Since(began))
	}
}

func TestATakenAddressIsRefusedWithWhatToDo(t *testing.T) {
	t.Parallel()
	var listen net.ListenConfig
	taken, err := listen.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	m := monitor.New(monitor.Parts{Address: taken.Addr().String(), Log: zap.NewNop()})
	err = m.Open(t.Context())
	if err == nil || !strings.Contains(err.Error(), taken.Addr().String()) || !strings.Contains(err.Error(), "INGEST_INTERNAL_LISTEN") {
		t.Errorf("%v", err)
	}
	if strings.Count(fmt.Sprint(err), taken.Addr().String()) != 1 {
		t.Errorf("it names the address more than once: %v", err)
	}
}

// TestStopLetsARequestEnd: what was asked before the order to stop is answered, and a client that says nothing does not
// keep the process.
func TestStopLetsARequestEnd(t *testing.T) {
	t.Parallel()
	asked := make(chan struct{})
	proceed := make(chan struct{})
	s := serve(t, func(p *monitor.Parts) {
		p.Ready = func(context.Context) error {
			close(asked)
			<-proceed
			return nil
		}
	})
	var dialer net.Dialer
	silent, err := dialer.DialContext(t.Context(), "tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	if _, err := fmt.Fprint(silent, "GET /healthz HTTP/1.1\r\n"); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	err = lifecycle.Parallel(t.Context(), func(context.Context) error {
		if status, body := get(t, s.url+"/readyz"); status != 200 {
			return fmt.Errorf("%d %s", status, body)
		}
		return nil
	}, func(context.Context) error {
		<-asked
		return lifecycle.Parallel(t.Context(), func(context.Context) error { return s.stop() }, func(ctx context.Context) error {
			close(proceed)
			return nil
		})
	})
	if err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > 8*time.Second {
		t.Errorf("it took %s to stop", took)
	}
}

func TestAsk(t *testing.T) {
	t.Parallel()
	ready := serve(t, nil)
	unready := serve(t, func(p *monitor.Parts) {
		p.Ready = func(context.Context) error { return errors.New("the registry: gone\nsecond line") }
	})
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(ready.url, "http://"))
	var listen net.ListenConfig
	closed, err := listen.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := closed.Addr().String()
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string]string{
		strings.TrimPrefix(ready.url, "http://"):   "<nil>",
		"0.0.0.0:" + port:                          "<nil>",
		":" + port:                                 "<nil>",
		strings.TrimPrefix(unready.url, "http://"): "not ready (503): the registry: gone",
		nobody:        "nothing answers on " + nobody + ": the process does not run, or listens elsewhere",
		"127.0.0.1:0": "internal_listen takes any free port, which nobody else can know: name one",
	} {
		if got := fmt.Sprint(monitor.Ask(t.Context(), address)); got != want {
			t.Errorf("%s: %s, want %s", address, got, want)
		}
	}
}

// TestAskDoesNotWaitForASilentProcess: something that takes the connection and says nothing is not ready.
func TestAskDoesNotWaitForASilentProcess(t *testing.T) {
	t.Parallel()
	var listen net.ListenConfig
	silent, err := listen.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	tasks := lifecycle.NewTasks(t.Context())
	tasks.Go("accept", func(context.Context) error {
		connection, err := silent.Accept()
		if err != nil {
			return err
		}
		defer connection.Close()
		_, err = io.Copy(io.Discard, bufio.NewReader(connection))
		return err
	})
	began := time.Now()
	err = monitor.Ask(t.Context(), silent.Addr().String())
	if took := time.Since(began); err == nil || took > 10*time.Second {
		t.Errorf("%v after %s", err, took)
	}
	if err := tasks.Wait(); err != nil {
		t.Error(err)
	}
}
