package api

import (
	"encoding/json"
	"errors"
	"net/http"

	"ingest/shared/control"
)

// Problem is an error as clients see it: problem details (RFC 9457) with the message old clients read.
type Problem struct {
	Type    string `json:"type"`
	Title   string `json:"title"`
	Status  int    `json:"status"`
	Detail  string `json:"detail"`
	Message string `json:"message"`
	// Errors are the messages by field of the request, for 422.
	Errors map[string][]string `json:"errors,omitempty"`
	// RunID names the run that is in the way.
	RunID int64 `json:"run_id,omitempty"`
}

// Error returns the detail.
func (p *Problem) Error() string { return p.Detail }

func problem(status int, detail string) *Problem {
	return &Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: detail, Message: detail}
}

// invalid is a 422 about one field of the request.
func invalid(field, message string) *Problem {
	p := problem(http.StatusUnprocessableEntity, message)
	p.Errors = map[string][]string{field: {message}}
	return p
}

// problemOf makes an error one that clients may see; false when it is one of ours that they may not.
func problemOf(err error) (*Problem, bool) {
	var known *Problem
	if errors.As(err, &known) {
		return known, true
	}
	var refusal *control.Error
	if errors.As(err, &refusal) {
		p := problem(refusal.Kind.Status(), refusal.Message)
		p.RunID = refusal.RunID
		if p.Status == http.StatusUnprocessableEntity {
			field := refusal.Field
			if field == "" {
				field = "importer"
			}
			p.Errors = map[string][]string{field: {refusal.Message}}
		}
		return p, true
	}
	return problem(http.StatusInternalServerError, "The server made a mistake; its log says more."), false
}

func (p *Problem) write(w http.ResponseWriter) {
	if p.Status == http.StatusServiceUnavailable || p.Status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", "2")
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	// The client may be gone; there is nobody else to tell.
	_ = json.NewEncoder(w).Encode(p)
}

// answer writes a body as JSON.
func answer(w http.ResponseWriter, status int, body any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	return answerText(w, status, text)
}

func answerText(w http.ResponseWriter, status int, text []byte) error {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	// The client may be gone; there is nobody else to tell.
	_, _ = w.Write(append(text, '\n'))
	return nil
}

// data is the envelope of every answer that is one thing.
type data[T any] struct {
	Data T `json:"data"`
}
