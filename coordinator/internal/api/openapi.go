package api

import (
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/swaggest/swgui"
	"github.com/swaggest/swgui/v5emb"

	"ingest/shared/control"
	"ingest/shared/token"
)

// operation is what the documentation says of a route. The description of the API is made of nothing else, so that it
// cannot name what is not there.
type operation struct {
	id      string
	summary string
	about   string
	params  []parameter
	// takes are the bodies it takes, by content type.
	takes []content
	// gives is what it answers with when all is well.
	gives answers
	// fails are the statuses of its problems besides those that every route may have.
	fails []int
}

// parameter is one of the query or of the headers.
type parameter struct {
	name, in, about, kind string
	example               any
}

// content is a body: a value of a type in JSON, or, without one, bytes.
type content struct {
	kind    string
	of      any
	example any
}

type answers struct {
	status int
	about  string
	content
}

// pathParameters are those that paths have.
var pathParameters = map[string]parameter{
	"id":       {"id", "path", "Run.", "integer", 123},
	"number":   {"number", "path", "Row; the first one of the source is 1.", "integer", 7},
	"importer": {"importer", "path", "Slug of the importer.", "string", "products"},
	"asset":    {"asset", "path", "File of the page.", "string", "swagger-ui.css"},
}

var pathParameter = regexp.MustCompile(`\{([a-z]+)(?::[^}]*)?\}`)

// description is the OpenAPI 3.1 document of the routes.
func (a *API) description() (map[string]any, error) {
	b := describer{schemas: map[string]any{}}
	paths := map[string]any{}
	for _, r := range a.routes() {
		path := pathParameter.ReplaceAllString(a.full(r), "{$1}")
		if paths[path] == nil {
			paths[path] = map[string]any{}
		}
		paths[path].(map[string]any)[strings.ToLower(r.method)] = b.operation(r)
	}
	if b.err != nil {
		return nil, b.err
	}
	return map[string]any{
		"openapi": "3.1.0",
		"info": map[string]any{
			"title": "ingest", "version": a.Version, "license": map[string]any{"name": "MIT", "identifier": "MIT"},
			"description": "Imports files into SQL databases, exactly once. Every path answers with and without a trailing slash; errors are problem details (RFC 9457).",
		},
		"servers": []any{map[string]any{"url": "/"}},
		"paths":   paths,
		"components": map[string]any{
			"schemas":         b.schemas,
			"securitySchemes": map[string]any{"token": map[string]any{"type": "http", "scheme": "bearer"}},
		},
	}, nil
}

// describer collects the schemas that the operations name.
type describer struct {
	schemas map[string]any
	err     error
}

func (b *describer) operation(r route) map[string]any {
	var params []any
	for _, found := range pathParameter.FindAllStringSubmatch(r.path, -1) {
		params = append(params, pathParameters[found[1]].described())
	}
	for _, p := range r.doc.params {
		params = append(params, p.described())
	}
	out := map[string]any{"operationId": r.doc.id, "summary": r.doc.summary, "responses": b.responses(r)}
	if r.doc.about != "" {
		out["description"] = r.doc.about
	}
	if len(params) > 0 {
		out["parameters"] = params
	}
	if len(r.doc.takes) > 0 {
		bodies := map[string]any{}
		for _, body := range r.doc.takes {
			bodies[body.kind] = b.media(body)
		}
		out["requestBody"] = map[string]any{"content": bodies}
	}
	if r.role == open {
		out["security"] = []any{}
	} else {
		out["security"] = []any{map[string]any{"token": []any{}}}
		out["x-role"] = string(r.role)
	}
	return out
}

func (p parameter) described() map[string]any {
	out := map[string]any{
		"name": p.name, "in": p.in, "description": p.about, "required": p.in == "path", "schema": map[string]any{"type": p.kind},
	}
	if p.example != nil {
		out["example"] = p.example
	}
	return out
}

func (b *describer) responses(r route) map[string]any {
	good := map[string]any{"description": r.doc.gives.about}
	if r.doc.gives.kind != "" {
		good["content"] = map[string]any{r.doc.gives.kind: b.media(r.doc.gives.content)}
	}
	all := map[string]any{strconv.Itoa(r.doc.gives.status): good}
	fails := append([]int{http.StatusForbidden, http.StatusInternalServerError}, r.doc.fails...)
	if r.role != open {
		fails = append(fails, http.StatusUnauthorized, http.StatusUnprocessableEntity, http.StatusServiceUnavailable)
	}
	if r.method == http.MethodPost {
		fails = append(fails, http.StatusBadRequest, http.StatusRequestTimeout, http.StatusRequestEntityTooLarge,
			http.StatusUnsupportedMediaType)
	}
	for _, status := range fails {
		all[strconv.Itoa(status)] = map[string]any{
			"description": http.StatusText(status),
			"content":     map[string]any{"application/problem+json": b.media(content{of: Problem{}})},
		}
	}
	return all
}

func (b *describer) media(c content) map[string]any {
	out := map[string]any{}
	if c.of != nil {
		out["schema"] = b.schema(reflect.TypeOf(c.of))
	}
	if c.example != nil {
		out["example"] = c.example
	}
	return out
}

// schema names the schema of a type among the components.
func (b *describer) schema(t reflect.Type) map[string]any {
	name := schemaName(t)
	if _, known := b.schemas[name]; !known {
		made, err := schemaOf(t)
		if err != nil {
			b.err = fmt.Errorf("describe %s: %w", t, err)
			return nil
		}
		b.schemas[name] = made
	}
	return map[string]any{"$ref": "#/components/schemas/" + name}
}

// schemaOf is the JSON Schema of what encoding/json makes of a type. No list of ours is ever null.
func schemaOf(t reflect.Type) (*jsonschema.Schema, error) {
	made, err := jsonschema.ForType(t, &jsonschema.ForOptions{TypeSchemas: map[reflect.Type]*jsonschema.Schema{
		reflect.TypeFor[control.Time]():   {Type: "string", Format: "date-time"},
		reflect.TypeFor[map[string]any](): {Type: "object"},
		reflect.TypeFor[token.Role]():     {Type: "string"},
		reflect.TypeFor[*control.Time]():  {Types: []string{"null", "string"}, Format: "date-time"},
	}})
	if err == nil {
		fillLists(made)
	}
	return made, err
}

func fillLists(s *jsonschema.Schema) {
	if s == nil {
		return
	}
	if slices.Equal(s.Types, []string{"null", "array"}) {
		s.Type, s.Types = "array", nil
	}
	fillLists(s.Items)
	fillLists(s.AdditionalProperties)
	for _, property := range s.Properties {
		fillLists(property)
	}
}

// typeArgument is the name of an envelope's type.
var typeArgument = regexp.MustCompile(`^data\[(\[\])?(?:[^\]]*[./])?([A-Za-z]+)\]$`)

func schemaName(t reflect.Type) string {
	if found := typeArgument.FindStringSubmatch(t.Name()); found != nil {
		name := called(found[2])
		if found[1] != "" {
			return name + "List"
		}
		return name + "Answer"
	}
	return called(t.Name())
}

// called is what clients call a type.
func called(name string) string {
	switch name {
	case "Resource":
		return "Run"
	case "List":
		return "RunList"
	case "Answer":
		return "CancelAnswer"
	case "Definition":
		return "ImporterDefinition"
	default:
		return strings.ToUpper(name[:1]) + name[1:]
	}
}

func (a *API) openapi(w http.ResponseWriter, _ *http.Request) error {
	document, err := a.description()
	if err != nil {
		return err
	}
	return answer(w, http.StatusOK, document)
}

// assets are what the page of the documentation loads.
const assets = `swagger-ui\.css|swagger-ui-bundle\.js|swagger-ui-standalone-preset\.js|favicon-16x16\.png|favicon-32x32\.png`

// docs shows the description; its scripts and styles are in the binary.
func (a *API) docs(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Content-Security-Policy",
		"default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "+
			"connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
	asked := *r
	asked.URL = &url.URL{Path: strings.TrimSuffix(r.URL.Path, "/")}
	v5emb.NewWithConfig(swgui.Config{HideCurl: false})("ingest", "/openapi.json", "/docs").ServeHTTP(w, &asked)
	return nil
}
