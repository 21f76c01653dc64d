package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/mux"

	"ingest/shared/config"
	"ingest/shared/token"
)

// needed says which role every route needs. A route that is not here fails the test: who adds one decides here who may
// use it.
var needed = map[string]token.Role{
	"GET /api/v1/ingest":                              token.Viewer,
	"GET /api/v1/ingest/{id}":                         token.Viewer,
	"GET /api/v1/ingest/{id}/rows":                    token.Viewer,
	"GET /api/v1/ingest/{id}/rows/{number}":           token.Viewer,
	"GET /api/v1/ingest/importers/{importer}/preview": token.Viewer,
	"GET /api/v1/ingest/{id}/errors/summary":          token.Viewer,
	"GET /api/v1/ingest/{id}/failed-rows/download":    token.Viewer,
	"GET /api/v1/ingest/{id}/events":                  token.Viewer,
	"GET /api/v1/ingest/{id}/verify":                  token.Viewer,
	"GET /api/v1/ingest/events":                       token.Viewer,
	"GET /api/v1/ingest/importers":                    token.Viewer,
	"GET /api/v1/ingest/importers/{importer}":         token.Viewer,
	"GET /api/v1/ingest/check":                        token.Viewer,
	"GET /api/v1/ingest/workers":                      token.Viewer,
	"POST /api/v1/ingest/upload/{importer}":           token.Operator,
	"POST /api/v1/ingest/trigger/{importer}":          token.Operator,
	"POST /api/v1/ingest/{id}/cancel":                 token.Operator,
	"POST /api/v1/ingest/{id}/retry":                  token.Operator,
	"POST /api/v1/ingest/{id}/rebuild":                token.Operator,
	"GET /openapi.json":                               open,
	"GET /docs":                                       open,
	"GET /docs/{asset}":                               open,
	"GET /healthz":                                    open,
	"GET /readyz":                                     open,
}

var variable = regexp.MustCompile(`\{([a-z]+)(:[^}]*)?\}`)

// walked are the routes that the router really has, by asking it, as "GET /path/{id}".
func walked(t *testing.T, a *API) []string {
	t.Helper()
	router := a.router(a.routes())
	var found []string
	must(t, router.Walk(func(r *mux.Route, _ *mux.Router, _ []*mux.Route) error {
		path, err := r.GetPathTemplate()
		must(t, err)
		template := variable.ReplaceAllString(path, "{$1}")
		if trimmed := strings.TrimSuffix(template, "/"); trimmed != template {
			template = trimmed
		}
		for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE"} {
			answer := (&stand{API: a}).ask(t, method, example404(path), "")
			if answer.Code == http.StatusMethodNotAllowed {
				continue
			}
			if name := method + " " + template; !slices.Contains(found, name) {
				found = append(found, name)
			}
		}
		return nil
	}))
	return found
}

// example404 is a path of a route for a run and an importer that do not exist.
func example404(template string) string {
	return variable.ReplaceAllStringFunc(template, func(v string) string {
		return map[string]string{"id": "999", "number": "7", "importer": "nobody", "asset": "swagger-ui.css"}[variable.FindStringSubmatch(v)[1]]
	})
}

// TestRolesOfEveryRoute asks every route that the router has with every kind of token.
func TestRolesOfEveryRoute(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "tokens.yaml")
	secrets := tokens(t, file)
	secrets["unknown"] = "ingest_" + strings.Repeat("A", 43)
	s := newStand(t, func(c *config.Config) { c.TokensFile = file })
	close(s.over) // events end after one look
	routes := walked(t, s.API)
	for _, route := range routes {
		if _, known := needed[route]; !known {
			t.Errorf("%s has no entry: decide in this test who may use it", route)
		}
	}
	for route := range needed {
		if !slices.Contains(routes, route) {
			t.Errorf("there is no route %s", route)
		}
	}
	for _, route := range routes {
		method, template, _ := strings.Cut(route, " ")
		path := example404(template)
		for kind, headers := range map[string][]string{
			"viewer":      {"Authorization", "Bearer " + secrets["viewer"]},
			"operator":    {"Authorization", "bearer " + secrets["operator"]},
			"admin":       {"Authorization", "Bearer  " + secrets["admin"]},
			"none":        nil,
			"expired":     {"Authorization", "Bearer " + secrets["expired"]},
			"unknown":     {"Authorization", "Bearer " + secrets["unknown"]},
			"no bearer":   {"Authorization", secrets["admin"]},
			"basic":       {"Authorization", "Basic " + secrets["admin"]},
			"empty":       {"Authorization", "Bearer "},
			"cookie":      {"Cookie", "token=" + secrets["admin"]},
			"other head":  {"X-Api-Key", secrets["admin"]},
			"in the path": {"Referer", "http://127.0.0.1/?token=" + secrets["admin"]},
		} {
			answer := s.ask(t, method, path, "", headers...)
			has := token.Role(kind)
			want := 0
			switch {
			case needed[route] == open || has.Allows(needed[route]):
			case has.Valid():
				want = http.StatusForbidden
			default:
				want = http.StatusUnauthorized
			}
			switch {
			case want == 0 && (answer.Code == 401 || answer.Code == 403 || answer.Code >= 500):
				t.Errorf("%s as %s: %d %s", route, kind, answer.Code, answer.Body)
			case want != 0 && answer.Code != want:
				t.Errorf("%s as %s: %d, want %d", route, kind, answer.Code, want)
			}
			if authenticate := answer.Header().Get("WWW-Authenticate"); (answer.Code == 401) != (authenticate == `Bearer realm="ingest"`) {
				t.Errorf("%s as %s: %d with WWW-Authenticate %q", route, kind, answer.Code, authenticate)
			}
		}
		for _, name := range []string{"token", "access_token", "authorization"} {
			answer := s.ask(t, method, path+"?"+name+"="+secrets["admin"], "")
			if needed[route] != open && answer.Code != http.StatusUnauthorized {
				t.Errorf("%s takes a token from the URL: %d", route, answer.Code)
			}
		}
	}
	for _, secret := range secrets {
		if strings.Contains(s.log.String(), secret) {
			t.Error("a token is in the log")
		}
	}
}

// TestWithoutTokens: everybody on this machine is an admin, no web page of anybody else is, not even for reading.
func TestWithoutTokens(t *testing.T) {
	t.Parallel()
	s := newStand(t, nil)
	close(s.over)
	for _, route := range walked(t, s.API) {
		method, template, _ := strings.Cut(route, " ")
		path := example404(template)
		for name, headers := range map[string][]string{
			"foreign origin":      {"Origin", "https://evil.example"},
			"null origin":         {"Origin", "null"},
			"no origin at all":    {"Origin", "x"},
			"other port":          {"Host", "127.0.0.1:8080", "Origin", "http://127.0.0.1:3000"},
			"other name":          {"Host", "localhost:8080", "Origin", "http://127.0.0.1:8080"},
			"foreign host":        {"Host", "evil.example"},
			"foreign host, port":  {"Host", "evil.example:8080"},
			"host like ours":      {"Host", "127.0.0.1.evil.example"},
			"our origin, foreign": {"Host", "evil.example", "Origin", "http://evil.example"},
			"other machine":       {"Host", "192.168.0.7:8080"},
			"no host":             {"Host", ""},
		} {
			if answer := s.ask(t, method, path, "", headers...); answer.Code != http.StatusForbidden {
				t.Errorf("%s with a %s: %d", route, name, answer.Code)
			}
		}
		for name, headers := range map[string][]string{
			"plain":       nil,
			"localhost":   {"Host", "localhost:8080"},
			"IPv6":        {"Host", "[::1]:8080"},
			"127.0.0.5":   {"Host", "127.0.0.5"},
			"our page":    {"Host", "127.0.0.1:8080", "Origin", "http://127.0.0.1:8080"},
			"our page, 6": {"Host", "[::1]:8080", "Origin", "http://[::1]:8080"},
		} {
			if answer := s.ask(t, method, path, "", headers...); answer.Code == 401 || answer.Code == 403 || answer.Code >= 500 {
				t.Errorf("%s, %s: %d %s", route, name, answer.Code, answer.Body)
			}
		}
	}
}

// TestTokensFileBreaks: while it cannot be used nobody is let in, and nobody is told why; probes and the description
// answer all the same.
func TestTokensFileBreaks(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "tokens.yaml")
	secrets := tokens(t, file)
	s := newStand(t, func(c *config.Config) { c.TokensFile = file })
	as := func() int {
		return s.ask(t, "GET", "/api/v1/ingest", "", "Authorization", "Bearer "+secrets["admin"]).Code
	}
	if got := as(); got != http.StatusOK {
		t.Fatalf("an admin is answered %d", got)
	}
	for name, breakIt := range map[string]func() error{
		"wrong":   func() error { return os.WriteFile(file, []byte("- {name: x}\n"), 0o600) },
		"no list": func() error { return os.WriteFile(file, []byte("{}\n"), 0o600) },
		"gone":    func() error { return os.Remove(file) },
	} {
		must(t, breakIt())
		if got := as(); got != http.StatusServiceUnavailable {
			t.Errorf("%s: %d", name, got)
		}
		if answer := s.ask(t, "GET", "/api/v1/ingest", ""); strings.Contains(answer.Body.String(), file) {
			t.Errorf("%s: the path is told: %s", name, answer.Body)
		}
		if answer := s.ask(t, "GET", "/healthz", ""); answer.Code != http.StatusOK {
			t.Errorf("%s: healthz is %d", name, answer.Code)
		}
		secrets = tokens(t, file)
		if got := as(); got != http.StatusOK {
			t.Errorf("%s and mended: %d", name, got)
		}
	}
	// An empty file lets nobody in.
	must(t, os.WriteFile(file, nil, 0o600))
	if got := as(); got != http.StatusUnauthorized {
		t.Errorf("an empty file: %d", got)
	}
}

// TestTokensExpireWhileRunning by the API's own clock.
func TestTokensExpireWhileRunning(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "tokens.yaml")
	day := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	secret, line := token.New("ops", token.Viewer, day)
	must(t, os.WriteFile(file, []byte(line+"\n"), 0o600))
	s := newStand(t, func(c *config.Config) { c.TokensFile = file })
	for second, want := range map[int]int{-1: http.StatusOK, 0: http.StatusUnauthorized} {
		s.Now = func() time.Time { return day.Add(time.Duration(second) * time.Second) }
		if got := s.ask(t, "GET", "/api/v1/ingest", "", "Authorization", "Bearer "+secret); got.Code != want {
			t.Errorf("%d seconds after the day began: %d, want %d", second, got.Code, want)
		}
	}
}

// TestRefusalsAreProblems: the matrix's refusals are problem details like all others.
func TestRefusalsAreProblems(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "tokens.yaml")
	secrets := tokens(t, file)
	s := newStand(t, func(c *config.Config) { c.TokensFile = file })
	for status, headers := range map[int][]string{401: nil, 403: {"Authorization", "Bearer " + secrets["viewer"]}} {
		answer := s.ask(t, "POST", "/api/v1/ingest/1/cancel", "", headers...)
		var p Problem
		must(t, json.Unmarshal(answer.Body.Bytes(), &p))
		if answer.Code != status || p.Status != status || p.Detail == "" || p.Message != p.Detail || p.Title != http.StatusText(status) ||
			answer.Header().Get("Content-Type") != "application/problem+json" {
			t.Errorf("%d %s: %s", answer.Code, fmt.Sprint(answer.Header()), answer.Body)
		}
	}
}

// TestTooManyUploads: who comes when every place is taken is told to come again, and gets one when another has left.
func TestTooManyUploads(t *testing.T) {
	t.Parallel()
	s := newStand(t, nil)
	upload := func() *httptest.ResponseRecorder {
		return s.ask(t, "POST", "/api/v1/ingest/upload/users", "name,email\nann,a@example.org\n", "Content-Type", "text/csv")
	}
	for range maxUploads {
		s.uploads <- struct{}{}
	}
	if answer := upload(); answer.Code != http.StatusTooManyRequests || answer.Header().Get("Retry-After") == "" {
		t.Errorf("%d %v", answer.Code, answer.Header())
	}
	<-s.uploads
	for range 2 {
		if answer := upload(); answer.Code != http.StatusAccepted {
			t.Errorf("%d %s", answer.Code, answer.Body)
		}
	}
}
