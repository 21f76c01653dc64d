package api

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime/debug"
	"time"

	"go.uber.org/zap"
)

// guarded sets what holds for every answer and turns a panic into a 500; an answer that has begun is broken off, so that
// nobody takes it for whole.
func (a *API) guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(plain http.ResponseWriter, r *http.Request) {
		control := http.NewResponseController(plain)
		w := &answering{ResponseWriter: plain, begins: func() {
			_ = control.SetWriteDeadline(a.Now().Add(a.limits.answer)) // every connection of ours has deadlines
		}}
		if r.ContentLength != 0 {
			r.Body = &paced{body: r.Body, control: control, limits: a.limits, now: a.Now, began: a.Now()}
		}
		header := w.Header()
		header.Set("Cache-Control", "no-store")
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Referrer-Policy", "no-referrer")
		header.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		defer func() {
			switch p := recover(); {
			case p == nil:
			case p == http.ErrAbortHandler: //nolint:errorlint // the value itself, as net/http compares it
				panic(p) //nolint:forbidigo // net/http's own way to break an answer off
			default:
				a.Log.Error("a request has met a bug", zap.String("method", r.Method), zap.String("path", r.URL.Path),
					zap.String("panic", fmt.Sprint(p)), zap.ByteString("stack", debug.Stack()))
				if w.begun {
					panic(http.ErrAbortHandler) //nolint:forbidigo // net/http's own way to break an answer off
				}
				known, _ := problemOf(errPanic)
				known.write(w)
			}
		}()
		next.ServeHTTP(w, r)
	})
}

// answering is an answer that knows whether it has begun. The time to take it counts from there, however long it took to
// make.
type answering struct {
	http.ResponseWriter
	begins func()
	begun  bool
}

func (w *answering) begin() {
	if !w.begun {
		w.begun = true
		w.begins()
	}
}

// WriteHeader implements http.ResponseWriter.
func (w *answering) WriteHeader(status int) {
	w.begin()
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (w *answering) Write(p []byte) (int, error) {
	w.begin()
	return w.ResponseWriter.Write(p)
}

// Unwrap is for http.ResponseController.
func (w *answering) Unwrap() http.ResponseWriter { return w.ResponseWriter }

var errPanic = errors.New("panic")

// refuse answers with a problem. What is our own mistake is logged, and the client is told no more than that.
func (a *API) refuse(w http.ResponseWriter, r *http.Request, err error) {
	known, ours := problemOf(err)
	if !ours && r.Context().Err() == nil {
		a.Log.Error("a request failed", zap.String("method", r.Method), zap.String("path", r.URL.Path), zap.Error(err))
	}
	if known.Status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer realm="ingest"`)
	}
	if r.ContentLength != 0 {
		// What is left of a body that nobody wants is not read.
		w.Header().Set("Connection", "close")
	}
	known.write(w)
}

// paced is a body whose sender has to make progress.
type paced struct {
	body    io.Reader
	control *http.ResponseController
	limits  limits
	now     func() time.Time
	began   time.Time
	read    int64
}

// errSlow is the end of a body that came too slowly.
var errSlow = problem(http.StatusRequestTimeout, "The request came too slowly.")

// Read implements io.Reader. Every connection of ours has deadlines, so that setting them cannot fail. The answer to a
// body gets its time when the body has come, however long that took.
func (p *paced) Read(into []byte) (int, error) {
	now := p.now()
	_ = p.control.SetReadDeadline(now.Add(p.limits.stall))
	_ = p.control.SetWriteDeadline(now.Add(p.limits.stall + p.limits.answer))
	n, err := p.body.Read(into)
	p.read += int64(n)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return n, errSlow
	}
	if taken := p.now().Sub(p.began); err == nil && taken > p.limits.stall && float64(p.read) < taken.Seconds()*p.limits.rate {
		return n, errSlow
	}
	if err != nil {
		// Later a read deadline would end the request itself.
		_ = p.control.SetReadDeadline(time.Time{})
	}
	return n, err
}

// Close implements io.Closer; the server closes the body itself.
func (p *paced) Close() error { return nil }
