package api

import (
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"time"

	"go.uber.org/zap"
)

// guarded sets what holds for every answer and turns a panic into a 500.
func (a *API) guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		control := http.NewResponseController(w)
		_ = control.SetWriteDeadline(a.Now().Add(answerTime)) // every connection of ours has deadlines
		if r.ContentLength != 0 {
			r.Body = &paced{body: r.Body, control: control, now: a.Now, began: a.Now()}
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
				known, _ := problemOf(errPanic)
				known.write(w)
			}
		}()
		next.ServeHTTP(w, r)
	})
}

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

const (
	// stall is how long a client may send nothing, leastRate how many bytes a second it has to send on average once it
	// had a stall's time.
	stall     = 30 * time.Second
	leastRate = 1 << 10
)

// paced is a body whose sender has to make progress.
type paced struct {
	body    interface{ Read(p []byte) (int, error) }
	control *http.ResponseController
	now     func() time.Time
	began   time.Time
	read    int64
}

// errSlow is the end of a body that came too slowly.
var errSlow = problem(http.StatusRequestTimeout, "The request came too slowly.")

// Read implements io.Reader.
func (p *paced) Read(into []byte) (int, error) {
	now := p.now()
	_ = p.control.SetReadDeadline(now.Add(stall)) // every connection of ours has deadlines
	n, err := p.body.Read(into)
	p.read += int64(n)
	if taken := p.now().Sub(p.began); err == nil && taken > stall && float64(p.read) < taken.Seconds()*leastRate {
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
