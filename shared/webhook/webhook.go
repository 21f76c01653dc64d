// Package webhook sends signed requests to addresses that the operator configured.
//
// A request is made once: who repeats it does so with the same key. Redirects are not followed, and nothing of the address and
// of what was answered is in an error. Addresses are the operator's, who may send to machines of the own network; an address
// that anybody else chooses does not belong here.
package webhook

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

const (
	// longestAnswer is how much of an answer is read.
	longestAnswer = 8 << 20
	// patience is how long nothing may come or go when an address says nothing else.
	patience = 30 * time.Second
	// connections are kept open to an address.
	connections = 64
)

// Address is where requests go and what they are signed with. It holds secrets.
type Address struct {
	url     url.URL
	secret  string
	timeout time.Duration
}

// Parse reads https://host/path?secret=S, or http://…: `secret` signs, `timeout` (10s) says how long nothing may come or go.
// Both are taken off; what else the URL has is sent. The error repeats nothing of the URL and goes on after a name.
func Parse(text string) (Address, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.Fragment != "" {
		return Address{}, errors.New("needs an address like https://host/path?secret=… (special characters must be percent-encoded)")
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return Address{}, errors.New("has a query that cannot be read: special characters must be percent-encoded")
	}
	a := Address{url: *u, secret: query.Get("secret"), timeout: patience}
	if a.secret == "" {
		return Address{}, errors.New("needs a secret to sign with: …?secret=…")
	}
	if text := query.Get("timeout"); text != "" {
		if a.timeout, err = time.ParseDuration(text); err != nil || a.timeout < 100*time.Millisecond || a.timeout > time.Hour {
			return Address{}, errors.New("needs a timeout from 100ms to 1h, like 30s")
		}
	}
	query.Del("secret")
	query.Del("timeout")
	a.url.RawQuery = query.Encode()
	return a, nil
}

// Hook sends requests to one address. It is safe for concurrent use. The caller must Close it.
type Hook struct {
	address Address
	client  *http.Client
	now     func() time.Time
}

// New returns a hook that has not connected yet.
func New(a Address, now func() time.Time) *Hook {
	transport := &http.Transport{
		Proxy: http.ProxyFromEnvironment, DialContext: (&net.Dialer{Timeout: a.timeout}).DialContext, ForceAttemptHTTP2: true,
		TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12}, TLSHandshakeTimeout: a.timeout, DisableCompression: true,
		MaxIdleConns: connections, MaxIdleConnsPerHost: connections, IdleConnTimeout: 90 * time.Second,
	}
	return &Hook{address: a, now: now, client: &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Close ends the connections that are idle.
func (h *Hook) Close() { h.client.CloseIdleConnections() }

// Answer is what came back with a 2xx.
type Answer struct {
	// Type is the media type as it was sent.
	Type string
	Body []byte
}

// Post sends JSON once, signed, under a key. An error is a *Refused, or an *Unavailable when the same request may be taken later;
// it may have been taken already.
func (h *Hook) Post(ctx context.Context, key string, body []byte) (Answer, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	silent := &Unavailable{Reason: fmt.Sprintf("nothing came or went for %s", h.address.timeout)}
	watch := time.AfterFunc(h.address.timeout, func() { cancel(silent) })
	defer watch.Stop()
	moved := func(r io.Reader) io.Reader { return &moving{r, func() { watch.Reset(h.address.timeout) }} }

	request, err := http.NewRequestWithContext(ctx, http.MethodPost, h.address.url.String(), moved(bytes.NewReader(body)))
	if err != nil {
		return Answer{}, &Refused{Reason: "no request could be made for its address"}
	}
	request.ContentLength = int64(len(body))
	request.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(moved(bytes.NewReader(body))), nil }
	timestamp, signature := Sign(h.address.secret, h.now(), body)
	for name, value := range map[string]string{
		"Content-Type": "application/json", "User-Agent": "ingest", KeyHeader: key, TimestampHeader: timestamp, SignatureHeader: signature,
	} {
		request.Header.Set(name, value)
	}
	response, err := h.client.Do(request)
	if err != nil {
		return Answer{}, h.failed(ctx, err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(moved(response.Body), longestAnswer+1))
	if judged := h.judge(response); judged != nil {
		return Answer{}, judged
	}
	if err != nil {
		return Answer{}, h.failed(ctx, err)
	}
	if len(text) > longestAnswer {
		return Answer{}, &Refused{Reason: "its answer is larger than 8 MiB"}
	}
	return Answer{Type: response.Header.Get("Content-Type"), Body: text}, nil
}

// judge says what a status means: nil when the request was taken.
func (h *Hook) judge(response *http.Response) error {
	reason := fmt.Sprintf("it answered %d", response.StatusCode)
	switch code := response.StatusCode; {
	case code >= 200 && code < 300:
		return nil
	case code == http.StatusRequestTimeout, code == http.StatusTooEarly, code == http.StatusTooManyRequests, code >= 500:
		return &Unavailable{Reason: reason, After: h.after(response.Header.Get("Retry-After"))}
	case code >= 300 && code < 400:
		return &Refused{Reason: reason + " (redirects are not followed)"}
	default:
		return &Refused{Reason: reason}
	}
}

// after reads Retry-After: seconds or a date.
func (h *Hook) after(text string) time.Duration {
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(0, at.Sub(h.now()))
	}
	return 0
}

func (h *Hook) failed(ctx context.Context, err error) error {
	var silent *Unavailable
	if errors.As(context.Cause(ctx), &silent) {
		return silent
	}
	return &Unavailable{Reason: reason(err), err: err}
}

// Reach connects, without sending a request.
func (h *Hook) Reach(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, min(h.address.timeout, 5*time.Second))
	defer cancel()
	u := h.address.url
	port := u.Port()
	if port == "" {
		port = u.Scheme // the names of services are those of the schemes
	}
	to := net.JoinHostPort(u.Hostname(), port)
	dial := (&net.Dialer{}).DialContext
	if u.Scheme == "https" {
		dial = (&tls.Dialer{Config: &tls.Config{MinVersion: tls.VersionTLS12}}).DialContext
	}
	connection, err := dial(ctx, "tcp", to)
	if err != nil {
		return &Unavailable{Reason: reason(err), err: err}
	}
	return connection.Close()
}

// moving tells when something is read.
type moving struct {
	r    io.Reader
	tell func()
}

// Read implements io.Reader.
func (m *moving) Read(p []byte) (int, error) {
	n, err := m.r.Read(p)
	m.tell()
	return n, err
}
