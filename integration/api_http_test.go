package integration

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"ingest/integration/rig"
)

// described is what the server says of itself: the methods of every path.
func described(t *testing.T, api *rig.API) map[string][]string {
	t.Helper()
	var document struct {
		Paths map[string]map[string]any
	}
	api.Get("/openapi.json").Must(t, http.StatusOK).Decode(t, &document)
	if len(document.Paths) < 15 {
		t.Fatalf("only %d paths are described", len(document.Paths))
	}
	paths := map[string][]string{}
	for path, methods := range document.Paths {
		for method := range methods {
			paths[path] = append(paths[path], strings.ToUpper(method))
		}
	}
	return paths
}

// concrete fills in the run 1, its failed row 2, and the importer users, or one with a source of its own where that is read.
func concrete(path string) string {
	return strings.NewReplacer(
		"{id}", "1", "{number}", "2", "{importer}/preview", "stored/preview", "{importer}", "users", "{asset}", "swagger-ui.css",
	).Replace(path)
}

// head sends a request and returns status and headers without the body, which may never end.
func head(t *testing.T, api *rig.API, method, path string) (int, http.Header) {
	t.Helper()
	request, err := api.Request(method, path, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := api.Client.Do(request)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	if err := response.Body.Close(); err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, response.Header
}

// TestAPIEveryRoute: with and without a slash at its end, HEAD as GET, other methods refused by name.
func TestAPIEveryRoute(t *testing.T) {
	t.Parallel()
	s := serve(t)
	s.api.Await(s.upload(t, halfBad).ID, patience)
	for template, methods := range described(t, s.api) {
		path := concrete(template)
		for _, path := range []string{path, path + "/"} {
			if slices.Contains(methods, "GET") {
				status, got := head(t, s.api, "GET", path)
				headStatus, headers := head(t, s.api, "HEAD", path)
				if status != http.StatusOK || headStatus != http.StatusOK {
					t.Errorf("%s: GET %d, HEAD %d", path, status, headStatus)
				}
				if !strings.HasSuffix(template, "/events") { // which is no answer that ends
					s.api.Get(path).Must(t, http.StatusOK)
				}
				for _, name := range []string{"Content-Type", "Content-Disposition", "Cache-Control"} {
					if got.Get(name) != headers.Get(name) {
						t.Errorf("%s: %s is %q for GET, %q for HEAD", path, name, got.Get(name), headers.Get(name))
					}
				}
			}
			for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"} {
				if slices.Contains(methods, method) || method == "HEAD" && slices.Contains(methods, "GET") {
					continue
				}
				answer := s.api.Do(method, path, "")
				var want []string
				if slices.Contains(methods, "GET") {
					want = append(want, "GET", "HEAD")
				}
				if slices.Contains(methods, "POST") {
					want = append(want, "POST")
				}
				if allow := answer.Header.Get("Allow"); allow != strings.Join(want, ", ") {
					t.Errorf("%s %s: Allow is %q, want %v", method, path, allow, want)
				}
				if method != "HEAD" { // which has no body
					refused(t, answer, http.StatusMethodNotAllowed, method+" is not allowed here; allowed: ")
				} else if answer.Status != http.StatusMethodNotAllowed {
					t.Errorf("HEAD %s: %d", path, answer.Status)
				}
			}
		}
	}
	// An answer of a list is the same with a slash.
	for _, path := range []string{rig.Base, at(1, ""), at(1, "/rows"), at(1, "/errors/summary"), rig.Base + "/importers"} {
		plain, slash := s.api.Get(path), s.api.Get(path+"/")
		if plain.Body != slash.Body || plain.Body == "" {
			t.Errorf("%s differs with a slash:\n%s\n%s", path, plain.Body, slash.Body)
		}
	}
}

// TestAPIUnknownRoutes are problems too, and nothing that only looks like a route is one.
func TestAPIUnknownRoutes(t *testing.T) {
	t.Parallel()
	s := serve(t)
	for _, path := range []string{
		"/", "/api", "/api/v1", rig.Base + "/x", rig.Base + "/1x", rig.Base + "/-1", rig.Base + "/+1", rig.Base + "/1.0", rig.Base + "/0x1",
		rig.Base + "/*", rig.Base + "/%7b1%7d", rig.Base + "/1%0a", rig.Base + "/１", rig.Base + "//1", rig.Base + "/1/", rig.Base + "/1//", rig.Base + "/1/x",
		rig.Base + "/1/rows/1/x", rig.Base + "/upload", rig.Base + "/upload/", rig.Base + "/upload/a/b", rig.Base + "/importers/a/b",
		rig.Base + "/healthz", "/healthz/x", "/metrics", "/debug/pprof/", "/api/v1/ingest/../../../etc/passwd",
		rig.Base + "/importers/..%2f..%2fetc%2fpasswd",
	} {
		for _, method := range []string{"GET", "POST"} {
			answer := s.api.Do(method, path, "")
			if path == rig.Base+"/1/" { // a route, but there is no such run
				if method == "GET" {
					refused(t, answer, http.StatusNotFound, "No ingest run found with ID 1.")
				}
				continue
			}
			refused(t, answer, http.StatusNotFound, "There is no such route")
		}
	}
	// A run that cannot be is none; what is too large for a number is answered by name.
	const large = "99999999999999999999999999"
	for _, rest := range []string{"", "/rows", "/errors/summary", "/failed-rows/download", "/events", "/verify"} {
		refused(t, s.api.Get(rig.Base+"/"+large+rest), http.StatusNotFound, "No ingest run found with ID "+large+".")
	}
	for _, rest := range []string{"/cancel", "/retry", "/rebuild"} {
		refused(t, s.api.Post(rig.Base+"/"+large+rest, ""), http.StatusNotFound, "No ingest run found with ID "+large+".")
	}
	answer := s.api.Get("/healthz").Must(t, http.StatusOK)
	if answer.Body != `{"status":"ok"}`+"\n" {
		t.Errorf("healthz says %s", answer.Body)
	}
	if ready := s.api.Get("/readyz").Must(t, http.StatusOK).Body; ready != `{"status":"ready"}`+"\n" {
		t.Errorf("readyz says %s", ready)
	}
	// Headers over 16 KiB are refused before a handler sees them.
	// The connection may break while the answer is on its way: what is left of the headers is not read.
	if answer, err := s.api.Try("GET", rig.Base, nil, "X-Long", strings.Repeat("x", 32<<10)); err == nil && answer.Status != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("long headers: %d", answer.Status)
	}
}

// TestAPIWithoutRedis: what needs it says so, and is there again when Redis is.
func TestAPIWithoutRedis(t *testing.T) {
	t.Parallel()
	redis := rig.StartRedis(t, rig.RedisOptions{AOF: true})
	sys := rig.NewSystem(t, rig.SystemOptions{RedisURL: redis.URL(), Importers: map[string]string{"users.yaml": users}})
	sys.Migrate()
	s := answers(t, sys, sys.Coordinator())
	sys.Worker()
	s.api.Await(s.upload(t, halfBad).ID, patience)
	redis.Kill9()
	rig.Until(t, patience, "not being ready", func() bool { return s.api.Get("/readyz").Status == http.StatusServiceUnavailable })
	down := s.api.Get("/readyz")
	refused(t, down, http.StatusServiceUnavailable, "Not ready")
	if down.Header.Get("Retry-After") == "" {
		t.Error("nobody is told when to come back")
	}
	s.api.Get("/healthz").Must(t, http.StatusOK)
	// A run that is over is answered from the registry alone.
	if r := s.api.Get(at(1, "")).Must(t, http.StatusOK).Run(t); r.Status != "completed_with_errors" {
		t.Errorf("without Redis the run is %s", r.Status)
	}
	// The registry knows of a run, and the run says what it waits for.
	waits := s.upload(t, oneUser).ID
	rig.Until(t, patience, "the run saying what it waits for", func() bool {
		waiting := s.api.Get(at(waits, "")).Must(t, http.StatusOK).Run(t).WaitingFor
		return waiting != nil && strings.Contains(*waiting, "Redis cannot be reached")
	})
	for _, answer := range []rig.Answer{s.api.Get("/readyz"), s.api.Get(rig.Base + "/workers")} {
		if strings.Contains(answer.Body, redis.Addr()) {
			t.Errorf("an address is told: %s", answer.Body)
		}
	}
	redis.Start()
	rig.Until(t, patience, "being ready again", func() bool { return s.api.Get("/readyz").Status == http.StatusOK })
	rig.Until(t, patience, "the coordinator being known again", func() bool {
		return strings.Contains(s.api.Get(rig.Base+"/workers").Body, `"coordinator"`)
	})
	if r := s.api.Await(waits, patience); r.Status != "completed" {
		t.Errorf("the run that waited for Redis is %s", r.Status)
	}
	if r := s.api.Await(s.upload(t, oneUser).ID, patience); r.Status != "completed" {
		t.Errorf("after Redis came back the run is %s", r.Status)
	}
}
