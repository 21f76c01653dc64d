// Package monitor is the internal listener of a server process: what machines ask about the process, not about imports.
//
//	/metrics       the numbers of the process, for Prometheus
//	/healthz       200 while the process lives
//	/readyz        200 when what it needs answers, else 503 with one line that says what does not
//	/debug/pprof/  profiles, if asked for
//
// Nobody has to log in: it belongs on loopback or on a network of its own. A slow or silent client cannot hold it, and
// the answers name no address, user or secret.
package monitor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/pprof"
	"time"

	"go.uber.org/zap"

	"ingest/shared/lifecycle"
	"ingest/shared/listener"
)

const (
	// checkLimit is how long what /readyz asks may take.
	checkLimit = 2 * time.Second
	// drain is how long requests in flight may take to end after the process was asked to stop.
	drain = 3 * time.Second
	// patience is how long a client may take to send its request, and to take an answer that is no profile.
	patience = 10 * time.Second
	idle     = time.Minute
	// header is more than any scraper sends.
	header = 16 << 10
)

// Parts are what a Monitor works with.
type Parts struct {
	// Address is where to listen: host:port, port 0 for any free one.
	Address string
	Metrics http.Handler
	// Ready returns nil when the process can do its work, else an error whose text may be shown to anybody.
	Ready func(ctx context.Context) error
	// Profiles serves /debug/pprof/.
	Profiles bool
	Log      *zap.Logger
}

// Monitor is the listener. Make it with New, then Open, then Run.
type Monitor struct {
	parts    Parts
	listener net.Listener
}

// New returns a Monitor that does not listen yet.
func New(p Parts) *Monitor { return &Monitor{parts: p} }

// Open begins to listen, so that a process whose address is taken does not begin to work. Its error says what to do.
// Run must follow, or Close.
func (m *Monitor) Open(ctx context.Context) error {
	var err error
	m.listener, err = listener.Open(ctx, "the internal listener", m.parts.Address, "--internal-listen", "INGEST_INTERNAL_LISTEN")
	return err
}

// Run answers until ctx ends, then lets requests in flight end.
func (m *Monitor) Run(ctx context.Context) error {
	server := &http.Server{
		Handler: m.routes(), ReadHeaderTimeout: patience, ReadTimeout: patience, IdleTimeout: idle,
		MaxHeaderBytes: header, ErrorLog: zap.NewStdLog(m.parts.Log),
		// A request ends with its client or with the server, not with the order to stop.
		BaseContext: func(net.Listener) context.Context { return context.WithoutCancel(ctx) },
	}
	m.parts.Log.Info("internal listener", zap.Stringer("address", m.listener.Addr()))
	return lifecycle.Parallel(ctx, func(context.Context) error {
		if err := server.Serve(m.listener); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serve on %s: %w", m.listener.Addr(), err)
		}
		return nil
	}, func(ctx context.Context) error {
		<-ctx.Done()
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), drain)
		defer cancel()
		if server.Shutdown(ending) == nil {
			return nil
		}
		return server.Close()
	})
}

// Close gives the address back when Run will not.
func (m *Monitor) Close() error { return listener.Close(m.listener) }

func (m *Monitor) routes() http.Handler {
	quick := http.NewServeMux()
	quick.Handle("GET /metrics", m.parts.Metrics)
	quick.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { say(w, http.StatusOK, "alive") })
	quick.HandleFunc("GET /readyz", m.ready)
	all := http.NewServeMux()
	all.Handle("/", within(2*patience, http.TimeoutHandler(quick, patience, "the answer took too long\n")))
	if m.parts.Profiles {
		all.Handle("/debug/pprof/", within(forever, profiles()))
	}
	return all
}

// profiles take as long as their client asks for, and are served only where somebody wanted them.
func profiles() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	return mux
}

const forever = time.Duration(0)

// within limits how long a client may take to read an answer. A limit of the whole server would end profiles.
func within(limit time.Duration, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// A connection that can have no deadline has ended, which next finds out.
		connection := http.NewResponseController(w)
		if limit == forever {
			_ = connection.SetReadDeadline(time.Time{})
			_ = connection.SetWriteDeadline(time.Time{})
		} else {
			_ = connection.SetWriteDeadline(time.Now().Add(limit))
		}
		next.ServeHTTP(w, r)
	})
}

func (m *Monitor) ready(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), checkLimit)
	defer cancel()
	if err := m.parts.Ready(ctx); err != nil {
		say(w, http.StatusServiceUnavailable, err.Error())
		return
	}
	say(w, http.StatusOK, "ready")
}

func say(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	fmt.Fprintln(w, text)
}
