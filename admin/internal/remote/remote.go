// Package remote speaks to the REST API with the methods of control, so that a command works the same on this machine
// and on another.
//
// A refusal comes back as the *control.Error it was on the server; that the server cannot be reached is one, too
// (Unavailable). No error holds the token. A request that starts something carries an idempotency key and is sent once
// more when its answer was lost.
package remote

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"ingest/shared/control"
)

const (
	dialTime = 10 * time.Second
	// answerTime is how long an answer may take whose request is no file.
	answerTime = 60 * time.Second
	// storeTime is how long it may take when the request was sent.
	storeTime = 5 * time.Minute
	// maxProblem bounds how much of a problem is read.
	maxProblem = 1 << 20
)

// Client speaks to one server. It is safe for concurrent use.
type Client struct {
	base  string
	token string
	http  *http.Client
}

// New returns a client of the API at server: http://host:8080, or with the path where the API begins. path is that of a
// server that has none in its URL. It connects to nothing.
func New(server, path, token string) (*Client, error) {
	at, err := url.Parse(server)
	if err != nil || at.Host == "" || (at.Scheme != "http" && at.Scheme != "https") {
		return nil, fmt.Errorf("the server must be a URL like http://localhost:8080, not %q", server)
	}
	if at.User != nil || at.RawQuery != "" || at.Fragment != "" {
		return nil, errors.New("the server's URL must have no user, no password and no query: the token goes into --token")
	}
	at.Path = strings.TrimSuffix(at.Path, "/")
	if at.Path == "" {
		at.Path = path
	}
	return &Client{base: at.String(), token: token, http: &http.Client{
		Transport: &http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			DialContext:         (&net.Dialer{Timeout: dialTime}).DialContext,
			TLSHandshakeTimeout: dialTime,
			ForceAttemptHTTP2:   true,
			// The server may look at its database before it lets a file come, and has to store it behind the last byte.
			ExpectContinueTimeout: answerTime,
			ResponseHeaderTimeout: storeTime,
		},
		// A redirect would send the token somewhere else.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// Close closes idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// call is one request.
type call struct {
	method string
	path   string
	query  url.Values
	// body is sent as JSON unless it is nil; file is sent as it is, kind is its content type, size its length or -1.
	body any
	file io.Reader
	kind string
	size int64
	once string
}

// ask sends a request and decodes its answer.
func (c *Client) ask(ctx context.Context, q call, into any) error {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	answer, err := c.send(ctx, q)
	if err != nil && q.once != "" && control.KindOf(err) == control.Unavailable && ctx.Err() == nil {
		answer, err = c.send(ctx, q)
	}
	if err != nil {
		return err
	}
	return c.decode(answer, into)
}

func (c *Client) decode(answer io.ReadCloser, into any) (err error) {
	defer func() { err = errors.Join(err, answer.Close()) }()
	if err := json.NewDecoder(answer).Decode(into); err != nil {
		return fmt.Errorf("the answer of %s cannot be read (is it an ingest server?): %w", c.base, err)
	}
	return nil
}

// send returns the answer to a request that was not refused. The caller closes it.
func (c *Client) send(ctx context.Context, q call) (io.ReadCloser, error) {
	request, err := c.request(ctx, q)
	if err != nil {
		return nil, err
	}
	answer, err := c.http.Do(request)
	if err != nil {
		if ctx.Err() != nil && !errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return nil, ctx.Err()
		}
		return nil, c.unreachable(err)
	}
	if answer.StatusCode < http.StatusMultipleChoices {
		return answer.Body, nil
	}
	return nil, errors.Join(c.refusal(answer), answer.Body.Close())
}

func (c *Client) request(ctx context.Context, q call) (*http.Request, error) {
	address := c.base + q.path
	if len(q.query) > 0 {
		address += "?" + q.query.Encode()
	}
	body, kind := q.file, q.kind
	if q.body != nil {
		text, err := json.Marshal(q.body)
		if err != nil {
			return nil, fmt.Errorf("encode the request: %w", err)
		}
		body, kind = bytes.NewReader(text), "application/json"
	}
	request, err := http.NewRequestWithContext(ctx, q.method, address, body)
	if err != nil {
		return nil, fmt.Errorf("make the request: %w", err)
	}
	if q.file != nil {
		request.ContentLength = q.size
		// A file that is refused by its name or size is not sent, and the refusal is not lost in a broken connection.
		request.Header.Set("Expect", "100-continue")
	}
	if body != nil {
		request.Header.Set("Content-Type", kind)
	}
	if c.token != "" {
		request.Header.Set("Authorization", "Bearer "+c.token)
	}
	if q.once != "" {
		request.Header.Set("Idempotency-Key", q.once)
	}
	return request, nil
}

// unreachable is the refusal of a server that did not answer.
func (c *Client) unreachable(err error) error {
	var outer *url.Error
	if errors.As(err, &outer) {
		err = outer.Err
	}
	var dial *net.OpError
	if errors.As(err, &dial) {
		err = dial.Err
	}
	return control.Refusal(control.Unavailable, err, "The server %s cannot be reached: %v.", c.base, err)
}

// refusal reads the problem of an answer.
func (c *Client) refusal(answer *http.Response) error {
	var problem struct {
		Detail string `json:"detail"`
		RunID  int64  `json:"run_id"`
	}
	kind, _, _ := mime.ParseMediaType(answer.Header.Get("Content-Type"))
	err := json.NewDecoder(io.LimitReader(answer.Body, maxProblem)).Decode(&problem)
	if kind != "application/problem+json" || err != nil || problem.Detail == "" {
		return fmt.Errorf("the server %s answered %s (is it an ingest server?)", c.base, answer.Status)
	}
	text := problem.Detail
	switch answer.StatusCode {
	case http.StatusUnauthorized:
		text += " Give it with --token or INGEST_TOKEN."
	case http.StatusInternalServerError:
		return errors.New(text)
	}
	return &control.Error{Kind: control.KindOfStatus(answer.StatusCode), Message: text, RunID: problem.RunID}
}

func path(id int64, rest string) string { return "/" + strconv.FormatInt(id, 10) + rest }

// data is the envelope of most answers.
type data[T any] struct {
	Data T `json:"data"`
}

// newKey is a name for a request that nobody used before.
func newKey() string { return rand.Text() }
