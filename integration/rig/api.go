package rig

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"
)

// Base is where the API begins unless it is told otherwise.
const Base = "/api/v1/ingest"

// answerLimit is how long an answer may take on a busy machine.
const answerLimit = 2 * time.Minute

// API is the REST API of a process. Paths are those of the server: Base + "/1". It is safe for concurrent use.
type API struct {
	// Address is host:port.
	Address string
	// Client follows no redirect.
	Client *http.Client
	// Token is sent with every request unless it is empty.
	Token string
	// Judge looks at every answer unless it is nil; its error fails the test.
	Judge func(request *http.Request, answer Answer) error

	t testing.TB
}

var listens = regexp.MustCompile(`the API listens\s+\{"address": "([^"]+)"`)

// API blocks until the process has said where its API listens.
func (p *Process) API() *API {
	p.t.Helper()
	api := &API{t: p.t}
	Until(p.t, startLimit, p.name+" listening", func() bool {
		if p.Ended() {
			p.t.Fatalf("%s ended before it listened:\n%s", p.name, p.Output())
		}
		if found := listens.FindStringSubmatch(p.Output()); found != nil {
			api.Address = found[1]
		}
		return api.Address != ""
	})
	transport := &http.Transport{MaxIdleConnsPerHost: 64}
	p.t.Cleanup(transport.CloseIdleConnections)
	api.Client = &http.Client{Transport: transport, Timeout: answerLimit, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}
	return api
}

// As is the same API with another token.
func (a *API) As(token string) *API {
	other := *a
	other.Token = token
	return &other
}

// In is the same API for a subtest, which fails in place of the test that started the process.
func (a *API) In(t testing.TB) *API {
	other := *a
	other.t = t
	return &other
}

// Answer is a response that was read to its end.
type Answer struct {
	Status int
	Header http.Header
	Body   string
}

// Request makes a request that may still be changed. headers are names and values in turn.
func (a *API) Request(method, path string, body io.Reader, headers ...string) (*http.Request, error) {
	request, err := http.NewRequestWithContext(a.t.Context(), method, "http://"+a.Address+path, body)
	if err != nil {
		return nil, fmt.Errorf("make a request: %w", err)
	}
	if a.Token != "" {
		request.Header.Set("Authorization", "Bearer "+a.Token)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		if headers[i] == "Host" {
			request.Host = headers[i+1]
			continue
		}
		request.Header.Add(headers[i], headers[i+1])
	}
	return request, nil
}

// Try sends a request; an error says that there was no answer. It may be called from any goroutine.
func (a *API) Try(method, path string, body io.Reader, headers ...string) (Answer, error) {
	request, err := a.Request(method, path, body, headers...)
	if err != nil {
		return Answer{}, err
	}
	return a.Send(request)
}

// Send is Try for a request that was made with Request.
func (a *API) Send(request *http.Request) (Answer, error) {
	response, err := a.Client.Do(request)
	if err != nil {
		return Answer{}, fmt.Errorf("no answer: %w", err)
	}
	defer func() { _ = response.Body.Close() }() // it was only read
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return Answer{}, fmt.Errorf("the answer broke off: %w", err)
	}
	answer := Answer{Status: response.StatusCode, Header: response.Header, Body: string(text)}
	if a.Judge != nil {
		if err := a.Judge(request, answer); err != nil {
			a.t.Errorf("%s %s: %v\n%s", request.Method, request.URL.Path, err, answer.Body)
		}
	}
	return answer, nil
}

// Do sends a request and returns the answer; having none fails the test.
func (a *API) Do(method, path, body string, headers ...string) Answer {
	a.t.Helper()
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	answer, err := a.Try(method, path, reader, headers...)
	if err != nil {
		a.t.Fatalf("%s %s: %v", method, path, err)
	}
	return answer
}

// Get is Do without a body.
func (a *API) Get(path string, headers ...string) Answer {
	a.t.Helper()
	return a.Do(http.MethodGet, path, "", headers...)
}

// Post is Do with a JSON body, none when it is empty.
func (a *API) Post(path, body string, headers ...string) Answer {
	a.t.Helper()
	if body != "" {
		headers = append([]string{"Content-Type", "application/json"}, headers...)
	}
	return a.Do(http.MethodPost, path, body, headers...)
}

// Await blocks until the run is terminal and returns it.
func (a *API) Await(id int64, limit time.Duration) Run {
	a.t.Helper()
	var last Run
	Until(a.t, limit, fmt.Sprintf("run %d becoming terminal", id), func() bool {
		last = a.Get(fmt.Sprintf("%s/%d?rows=0", Base, id)).Must(a.t, http.StatusOK).Run(a.t)
		return last.Terminal()
	})
	return last
}

// Must fails the test unless the answer has this status.
func (r Answer) Must(t testing.TB, status int) Answer {
	t.Helper()
	if r.Status != status {
		t.Fatalf("status %d, want %d: %s", r.Status, status, r.Body)
	}
	return r
}

// Decode reads the body as JSON.
func (r Answer) Decode(t testing.TB, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(r.Body), into); err != nil {
		t.Fatalf("%v in %q", err, r.Body)
	}
}

// Run is the run of an answer.
func (r Answer) Run(t testing.TB) Run {
	t.Helper()
	var body struct {
		Data Run `json:"data"`
	}
	r.Decode(t, &body)
	return body.Data
}
