// Package api serves the REST API over control.
//
// Every answer is JSON, errors too (problem details, RFC 9457); only the failed rows (CSV), the events and the page of
// the documentation are not. A route exists only with the role it needs, and who has none is refused before a handler
// runs. No answer and no log line holds a cell of a file, an address or a secret. Slow clients are cut off, slow uploads
// that make progress are not; what a client leaves half sent leaves nothing behind.
package api

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"go.uber.org/zap"
	"golang.org/x/net/netutil"

	"ingest/shared/config"
	"ingest/shared/control"
	"ingest/shared/lifecycle"
	"ingest/shared/spool"
	"ingest/shared/token"
)

const (
	maxHeaders     = 16 << 10
	maxConnections = 4096
)

// limits are how long clients may take.
type limits struct {
	// header is for a request's headers, answer for taking (a part of) an answer.
	header, answer time.Duration
	// idle is how long a connection is kept between two requests.
	idle time.Duration
	// drain is how long requests may take to end after the API was asked to stop; events end at once.
	drain time.Duration
	// stall is how long a client may send nothing of a body, rate how many bytes a second it has to send on average once
	// it had a stall's time.
	stall time.Duration
	rate  float64
}

func usual() limits {
	return limits{
		header: 5 * time.Second, answer: 30 * time.Second, idle: 2 * time.Minute, drain: 10 * time.Second,
		stall: 30 * time.Second, rate: 1 << 10,
	}
}

// Parts are what an API works with.
type Parts struct {
	Config  config.Config
	Control *control.Control
	Spool   *spool.Spool
	// Ready returns why the process cannot do its work now, nil when it can.
	Ready   func(ctx context.Context) error
	Version string
	Now     func() time.Time
	Log     *zap.Logger
}

// API answers requests. Make it with New.
type API struct {
	Parts
	// tokens is nil when everybody on this machine is an admin.
	tokens  *token.File
	views   *views
	limits  limits
	handler http.Handler
	// uploads holds a place for every upload under way.
	uploads chan struct{}
	// over is closed when the API stops: it ends the events, which would not end by themselves.
	over chan struct{}
}

// New returns an API that answers nobody yet.
func New(p Parts) (*API, error) {
	a := &API{Parts: p, views: newViews(p.Control, p.Now), limits: usual(), uploads: make(chan struct{}, maxUploads), over: make(chan struct{})}
	if p.Config.TokensFile != "" {
		var err error
		if a.tokens, err = token.Open(p.Config.TokensFile); err != nil {
			return nil, err
		}
	}
	a.handler = a.guarded(a.router(a.routes()))
	return a, nil
}

// Run answers who connects to listener until ctx ends, closes it and lets requests in hand end. It may be called once.
func (a *API) Run(ctx context.Context, listener net.Listener) error {
	a.Log.Info("the API listens", zap.String("address", listener.Addr().String()), zap.Bool("tokens", a.tokens != nil))
	if a.tokens == nil {
		a.Log.Warn("there are no tokens: whoever is on this machine is an admin (see ingest token)")
	}
	server := &http.Server{
		Handler: a.handler, ReadHeaderTimeout: a.limits.header, IdleTimeout: a.limits.idle, MaxHeaderBytes: maxHeaders,
		ErrorLog:    zap.NewStdLog(a.Log.WithOptions(zap.IncreaseLevel(zap.ErrorLevel))),
		BaseContext: func(net.Listener) context.Context { return context.WithoutCancel(ctx) },
	}
	defer a.views.wait()
	tasks := lifecycle.NewTasks(ctx)
	tasks.Go("serve", func(context.Context) error {
		if err := server.Serve(netutil.LimitListener(listener, maxConnections)); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serve the API: %w", err)
		}
		return nil
	})
	tasks.Go("stop", func(ctx context.Context) error {
		<-ctx.Done()
		close(a.over)
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), a.limits.drain)
		defer cancel()
		if server.Shutdown(ending) != nil {
			return server.Close()
		}
		return nil
	})
	return tasks.Wait()
}

// Refusal says why an API must not listen as configured: without tokens it is for this machine alone. "" = it may.
func Refusal(c config.Config) string {
	if c.Listen == "" || c.TokensFile != "" {
		return ""
	}
	host, _, err := net.SplitHostPort(c.Listen)
	if err == nil && loopback(host) {
		return ""
	}
	return fmt.Sprintf("Without tokens_file the API listens on this machine alone (127.0.0.1), not on %s: "+
		"make a token with `ingest token` and name its file with INGEST_TOKENS_FILE.", c.Listen)
}

// loopback says whether a host, as written in an address, is this machine.
func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
