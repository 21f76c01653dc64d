package api

import (
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

// document is the description as a client gets it.
func document(t *testing.T, s *stand) *openapi3.T {
	t.Helper()
	answer := s.ask(t, "GET", "/openapi.json", "")
	if answer.Code != http.StatusOK || answer.Header().Get("Content-Type") != "application/json; charset=utf-8" {
		t.Fatalf("%d %s", answer.Code, answer.Body)
	}
	doc, err := openapi3.NewLoader().LoadFromData(answer.Body.Bytes())
	must(t, err)
	return doc
}

// TestDescriptionIsValid: OpenAPI 3.1, every example by its schema.
func TestDescriptionIsValid(t *testing.T) {
	t.Parallel()
	s := newStand(t, nil)
	doc := document(t, s)
	if doc.OpenAPI != "3.1.0" {
		t.Errorf("it is %s", doc.OpenAPI)
	}
	if err := doc.Validate(t.Context()); err != nil {
		t.Error(err)
	}
	ids := map[string]bool{}
	for path, item := range doc.Paths.Map() {
		for method, operation := range item.Operations() {
			if operation.OperationID == "" || ids[operation.OperationID] || operation.Summary == "" {
				t.Errorf("%s %s is called %q: %q", method, path, operation.OperationID, operation.Summary)
			}
			ids[operation.OperationID] = true
			for _, p := range operation.Parameters {
				if p.Value.Description == "" {
					t.Errorf("%s %s: nobody says what %s is", method, path, p.Value.Name)
				}
			}
			for status, response := range operation.Responses.Map() {
				for kind, media := range response.Value.Content {
					if strings.HasSuffix(kind, "json") && media.Schema == nil && path != "/openapi.json" {
						t.Errorf("%s %s: %s %s has no schema", method, path, status, kind)
					}
				}
			}
		}
	}
	// That the judge would see a wrong example.
	doc.Paths.Value("/api/v1/ingest/{id}").Get.Responses.Value("200").Value.Content["application/json"].Example = map[string]any{"data": 7}
	if doc.Validate(t.Context()) == nil {
		t.Error("a wrong example was not seen")
	}
}

// TestDescriptionNamesEveryRoute and nothing else, with the role each needs.
func TestDescriptionNamesEveryRoute(t *testing.T) {
	t.Parallel()
	s := newStand(t, nil)
	close(s.over)
	doc := document(t, s)
	described := map[string]string{}
	for path, item := range doc.Paths.Map() {
		for method, operation := range item.Operations() {
			role, _ := operation.Extensions["x-role"].(string)
			described[method+" "+path] = role
		}
	}
	routes := walked(t, s.API)
	for _, route := range routes {
		role, known := described[route]
		if want := string(needed[route]); !known || role != strings.TrimPrefix(want, string(open)) {
			t.Errorf("%s is described %t, with the role %q", route, known, role)
		}
	}
	for route := range described {
		if !slices.Contains(routes, route) {
			t.Errorf("%s is described and not there", route)
		}
	}
}

// TestExamplesAreTheContracts: the example of a run has the keys of a run, in whatever order JSON objects are read.
func TestExamplesAreTheContracts(t *testing.T) {
	t.Parallel()
	s := newStand(t, nil)
	var answer struct {
		Data map[string]json.RawMessage `json:"data"`
	}
	encoded, err := json.Marshal(document(t, s).Paths.Value("/api/v1/ingest/{id}").Get.Responses.Value("200").Value.Content["application/json"].Example)
	must(t, err)
	must(t, json.Unmarshal(encoded, &answer))
	for _, name := range []string{
		"id", "importer", "status", "user_id", "original_filename", "progress", "summary", "started_at", "completed_at", "dry_run",
		"created", "updated", "unchanged", "skipped", "not_processed", "rows_per_second", "bytes_read", "bytes_total", "total_final",
		"parent_id", "retried_from_run_id", "retried_by", "waiting_for", "reason",
	} {
		if _, found := answer.Data[name]; !found {
			t.Errorf("%s is missing", name)
		}
	}
}

var loads = regexp.MustCompile(`(?:src|href)="([^"]*)"`)

// TestDocsLoadOnlyWhatIsInTheBinary: the page, and what it names, come from here.
func TestDocsLoadOnlyWhatIsInTheBinary(t *testing.T) {
	t.Parallel()
	s := newStand(t, nil)
	for _, path := range []string{"/docs", "/docs/"} {
		page := s.ask(t, "GET", path, "")
		if page.Code != http.StatusOK || !strings.HasPrefix(page.Header().Get("Content-Type"), "text/html") {
			t.Fatalf("%s: %d %s", path, page.Code, page.Header())
		}
		policy := page.Header().Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "connect-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"} {
			if !strings.Contains(policy, want) {
				t.Errorf("the policy lacks %s: %s", want, policy)
			}
		}
		found := loads.FindAllStringSubmatch(page.Body.String(), -1)
		if len(found) < 4 {
			t.Fatalf("the page loads only %v", found)
		}
		for _, one := range found {
			asset := s.ask(t, "GET", one[1], "")
			if !strings.HasPrefix(one[1], "/docs/") || asset.Code != http.StatusOK || asset.Body.Len() == 0 {
				t.Errorf("%s is loaded from %s: %d", path, one[1], asset.Code)
			}
			kind := asset.Header().Get("Content-Type")
			if want := map[string]string{".css": "text/css", ".js": "application/javascript", ".png": "image/png"}; !strings.HasPrefix(kind, want[one[1][strings.LastIndex(one[1], "."):]]) {
				t.Errorf("%s is %s", one[1], kind)
			}
		}
	}
	for _, path := range []string{"/docs/x", "/docs/embed.go", "/docs/../openapi.json", "/docs/%2e%2e/api.go", "/docs/swagger-ui.css/x"} {
		if answer := s.ask(t, "GET", path, ""); answer.Code != http.StatusNotFound || answer.Header().Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %d %s", path, answer.Code, answer.Header().Get("Content-Type"))
		}
	}
}
