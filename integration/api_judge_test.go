package integration

import (
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/jsonschema-go/jsonschema"

	"ingest/integration/rig"
)

// judge compares answers with what the server says of itself: the status is described for the operation, the content
// type too, and the body is what the schema says.
type judge struct {
	operations []judged
}

// judged is one operation.
type judged struct {
	method string
	path   *regexp.Regexp
	// schemas are by status and content type; nil where a body has none.
	schemas map[string]map[string]*jsonschema.Resolved
}

var placeholder = regexp.MustCompile(`\\\{([a-z]+)\\\}`)

// judgeOf reads the description of a running server.
func judgeOf(t *testing.T, api *rig.API) *judge {
	t.Helper()
	var document struct {
		Paths map[string]map[string]struct {
			Responses map[string]struct {
				Content map[string]struct {
					Schema struct {
						Ref string `json:"$ref"`
					}
				}
			}
		}
		Components struct{ Schemas map[string]*jsonschema.Schema }
	}
	api.Get("/openapi.json").Must(t, http.StatusOK).Decode(t, &document)
	named := map[string]*jsonschema.Resolved{}
	for name, schema := range document.Components.Schemas {
		resolved, err := schema.Resolve(nil)
		if err != nil {
			t.Fatalf("the schema %s: %v", name, err)
		}
		named["#/components/schemas/"+name] = resolved
	}
	j := &judge{}
	for path, methods := range document.Paths {
		pattern := placeholder.ReplaceAllStringFunc(regexp.QuoteMeta(path), func(v string) string {
			if v == `\{id\}` {
				return `[0-9]+`
			}
			return `[^/]+`
		})
		for method, operation := range methods {
			one := judged{method: strings.ToUpper(method), path: regexp.MustCompile("^" + pattern + "/?$"), schemas: map[string]map[string]*jsonschema.Resolved{}}
			for status, response := range operation.Responses {
				one.schemas[status] = map[string]*jsonschema.Resolved{}
				for kind, media := range response.Content {
					one.schemas[status][kind] = named[media.Schema.Ref]
				}
			}
			j.operations = append(j.operations, one)
		}
	}
	return j
}

// judge returns what is wrong with an answer, nil for nothing.
func (j *judge) judge(request *http.Request, answer rig.Answer) error {
	method := request.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	var paths []judged
	for _, one := range j.operations {
		if one.path.MatchString(request.URL.Path) {
			paths = append(paths, one)
		}
	}
	at := slices.IndexFunc(paths, func(one judged) bool { return one.method == method })
	kind, _, err := mime.ParseMediaType(answer.Header.Get("Content-Type"))
	switch {
	case answer.Status == http.StatusRequestHeaderFieldsTooLarge || answer.Status == http.StatusNoContent:
		return nil
	case err != nil:
		return fmt.Errorf("the content type: %w", err)
	case at < 0:
		want := http.StatusNotFound
		if len(paths) > 0 {
			want = http.StatusMethodNotAllowed
		}
		if answer.Status != want || kind != "application/problem+json" {
			return fmt.Errorf("%d %s for what is no operation", answer.Status, kind)
		}
		return nil
	}
	kinds, described := paths[at].schemas[strconv.Itoa(answer.Status)]
	if !described {
		return fmt.Errorf("the status %d is not described", answer.Status)
	}
	schema, described := kinds[kind]
	if !described {
		if _, any := kinds["*/*"]; any {
			return nil
		}
		return fmt.Errorf("the content type %s is not described for status %d", kind, answer.Status)
	}
	if schema == nil || request.Method == http.MethodHead {
		return nil
	}
	var body any
	if err := json.Unmarshal([]byte(answer.Body), &body); err != nil {
		return fmt.Errorf("the body: %w", err)
	}
	if err := schema.Validate(body); err != nil {
		return fmt.Errorf("the body is not what is described: %w", err)
	}
	return nil
}

// TestTheJudgeJudges: what is not described is seen.
func TestTheJudgeJudges(t *testing.T) {
	t.Parallel()
	s := serve(t)
	j := judgeOf(t, s.api)
	asked := func(method, path string) *http.Request {
		request, err := s.api.Request(method, path, nil)
		if err != nil {
			t.Fatal(err)
		}
		return request
	}
	right := s.api.Get(rig.Base)
	if err := j.judge(asked("GET", rig.Base), right); err != nil {
		t.Fatal(err)
	}
	with := func(change func(a *rig.Answer)) rig.Answer {
		changed := right
		changed.Header = right.Header.Clone()
		change(&changed)
		return changed
	}
	for name, answer := range map[string]rig.Answer{
		"another status":  with(func(a *rig.Answer) { a.Status = http.StatusTeapot }),
		"another type":    with(func(a *rig.Answer) { a.Header.Set("Content-Type", "text/plain") }),
		"no type":         with(func(a *rig.Answer) { a.Header.Del("Content-Type") }),
		"a missing key":   with(func(a *rig.Answer) { a.Body = `{"data":[],"links":{"first":"","last":"","prev":null,"next":null}}` }),
		"a surplus key":   with(func(a *rig.Answer) { a.Body = strings.Replace(a.Body, `"data"`, `"more":1,"data"`, 1) }),
		"a null number":   with(func(a *rig.Answer) { a.Body = strings.Replace(a.Body, `"total":0`, `"total":null`, 1) }),
		"a null list":     with(func(a *rig.Answer) { a.Body = strings.Replace(a.Body, `"data":[]`, `"data":null`, 1) }),
		"a text for one":  with(func(a *rig.Answer) { a.Body = strings.Replace(a.Body, `"total":0`, `"total":"0"`, 1) }),
		"no JSON at all":  with(func(a *rig.Answer) { a.Body = "x" }),
		"half an answer":  with(func(a *rig.Answer) { a.Body = a.Body[:len(a.Body)/2] }),
		"a problem as OK": with(func(a *rig.Answer) { a.Header.Set("Content-Type", "application/problem+json") }),
	} {
		if j.judge(asked("GET", rig.Base), answer) == nil {
			t.Errorf("%s was not seen", name)
		}
	}
	if j.judge(asked("GET", "/nowhere"), right) == nil || j.judge(asked("PUT", rig.Base), right) == nil {
		t.Error("an answer to what is no operation was not seen")
	}
}
