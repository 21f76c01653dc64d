package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"mime"
	"net/http"
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

// query reads the parameters of a request and refuses those it does not know, so that a misspelt filter is not taken for
// none.
type query struct {
	values map[string][]string
	err    error
}

func queryOf(r *http.Request, known ...string) *query {
	q := &query{values: r.URL.Query()}
	for name, values := range q.values {
		switch {
		case !contains(known, name):
			q.fail(name, fmt.Sprintf("There is no parameter '%s'; known: %s.", name, strings.Join(known, ", ")))
		case len(values) > 1 && name != "importer" && name != "param":
			q.fail(name, fmt.Sprintf("The parameter '%s' is given twice.", name))
		}
	}
	return q
}

func contains(all []string, one string) bool {
	for _, name := range all {
		if name == one {
			return true
		}
	}
	return false
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
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxJSON))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(into)
	if errors.Is(err, io.EOF) {
		return nil
	}
	if err == nil {
		if _, err = decoder.Token(); errors.Is(err, io.EOF) {
			return nil
		}
		err = errors.New("more than one value")
	}
	var large *http.MaxBytesError
	var wrong *json.UnmarshalTypeError
	var slow *Problem
	switch {
	case errors.As(err, &slow):
		return slow
	case errors.As(err, &large):
		return problem(http.StatusRequestEntityTooLarge, fmt.Sprintf("The body is larger than %d bytes.", large.Limit))
	case errors.As(err, &wrong) && wrong.Field != "":
		return invalid(wrong.Field, fmt.Sprintf("The %s field must be a %s.", wrong.Field, wrong.Type))
	default:
		if name, found := strings.CutPrefix(err.Error(), "json: unknown field "); found {
			name = strings.Trim(name, `"`)
			return invalid(name, "There is no field '"+name+"'.")
		}
		return problem(http.StatusBadRequest, "The body is not a JSON object.")
	}
}

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
