package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"mime"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/gorilla/mux"

	"ingest/shared/control"
)

// maxJSON bounds the body of a request that is no upload.
const maxJSON = 1 << 20

// idOf is the run that a path names. A number too large for an id is a run that does not exist.
func idOf(r *http.Request) (int64, error) {
	text := mux.Vars(r)["id"]
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, &control.Error{Kind: control.NotFound, Message: "No ingest run found with ID " + text + "."}
	}
	return id, nil
}

// query reads the parameters of a request. Those that the operation does not have were refused before, so that a misspelt
// filter is not taken for none.
type query struct {
	values map[string][]string
	err    error
}

func queryOf(r *http.Request) *query { return &query{values: r.URL.Query()} }

// misspelt refuses parameters that an operation does not have.
func misspelt(r *http.Request, has []parameter) error {
	given := r.URL.Query()
	var known []string
	for _, p := range has {
		if p.in == "query" {
			known = append(known, p.name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		switch {
		case !slices.Contains(known, name):
			return invalid(name, fmt.Sprintf("There is no parameter '%s'; known: %s.", name, strings.Join(known, ", ")))
		case len(given[name]) > 1 && name != "importer" && name != "param":
			return invalid(name, fmt.Sprintf("The parameter '%s' is given twice.", name))
		}
	}
	return nil
}

func (q *query) fail(field, message string) {
	if q.err == nil {
		q.err = invalid(field, message)
	}
}

func (q *query) text(name string) string {
	if values := q.values[name]; len(values) > 0 {
		return values[0]
	}
	return ""
}

// number is a whole number of at least least; fallback where it is not given.
func (q *query) number(name string, fallback, least int64) int64 {
	text := q.text(name)
	if text == "" {
		return fallback
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < least || n > math.MaxInt32 && name != "cursor" {
		q.fail(name, fmt.Sprintf("The %s must be a whole number of at least %d.", name, least))
	}
	return n
}

func (q *query) flag(name string) bool {
	value, err := flagOf(name, q.text(name))
	if err != nil {
		q.fail(name, err.Error())
	}
	return value
}

// flagOf reads true, false, 1 or 0; nothing is false.
func flagOf(name, text string) (bool, error) {
	switch text {
	case "", "false", "0":
		return false, nil
	case "true", "1":
		return true, nil
	default:
		return false, invalid(name, "The "+name+" field must be true or false.")
	}
}

// decode reads a JSON body strictly; no body is an empty object.
func decode(w http.ResponseWriter, r *http.Request, into any) error {
	if r.ContentLength == 0 {
		return nil
	}
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return problem(http.StatusUnsupportedMediaType, "The body must be JSON: send the header `Content-Type: application/json`.")
	}
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxJSON))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return problem(http.StatusRequestEntityTooLarge, fmt.Sprintf("The body is larger than %d bytes.", large.Limit))
	case err != nil:
		return broken(err)
	case len(bytes.TrimSpace(text)) == 0:
		return nil
	}
	if err := plain(text); err != nil {
		return err
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	err = decoder.Decode(into)
	var wrong *json.UnmarshalTypeError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &wrong) && wrong.Type.Kind() == reflect.Bool:
		return invalid(wrong.Field, fmt.Sprintf("The %s field must be true or false.", wrong.Field))
	case errors.As(err, &wrong):
		return invalid(wrong.Field, fmt.Sprintf("The %s field must be a %s.", wrong.Field, wrong.Type))
	default:
		if name, found := strings.CutPrefix(err.Error(), "json: unknown field "); found {
			name = strings.Trim(name, `"`)
			return invalid(name, "There is no field '"+name+"'.")
		}
		return errNoObject()
	}
}

// plain refuses what is not one JSON object, and one that gives a field twice: encoding/json would take the last one,
// in any case of letters, where the client may have meant the first.
func plain(text []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	if begin, err := decoder.Token(); err != nil || begin != json.Delim('{') {
		return errNoObject()
	}
	seen := map[string]bool{}
	for decoder.More() {
		name, err := decoder.Token()
		var value json.RawMessage
		if err == nil {
			err = decoder.Decode(&value)
		}
		if err != nil {
			return errNoObject()
		}
		folded := strings.ToLower(strings.ToUpper(fmt.Sprint(name)))
		if seen[folded] {
			return invalid(folded, fmt.Sprintf("The %s field is given twice.", folded))
		}
		seen[folded] = true
	}
	if _, err := decoder.Token(); err != nil {
		return errNoObject()
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errNoObject()
	}
	return nil
}

func errNoObject() error { return problem(http.StatusBadRequest, "The body is not a JSON object.") }

// onceOf reads the Idempotency-Key. request identifies what is asked for. Keys of different users are different keys.
func onceOf(r *http.Request, request string) (control.Once, error) {
	const header = "Idempotency-Key"
	values := r.Header.Values(header)
	if len(values) == 0 {
		return control.Once{}, nil
	}
	key := values[0]
	if len(values) > 1 || key == "" || len(key) > 255 || strings.ContainsFunc(key, func(c rune) bool { return c <= ' ' || c > '~' }) {
		return control.Once{}, invalid(header, "The Idempotency-Key must be one text of 1 to 255 visible ASCII characters.")
	}
	return control.Once{Key: userOf(r) + "/" + key, Request: request}, nil
}
