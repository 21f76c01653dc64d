package control

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
)

// Kind says what a refusal means for a surface: an exit code, an HTTP status.
type Kind int

// The kinds of refusals.
const (
	// NotFound: no such run or importer (404).
	NotFound Kind = iota + 1
	// NothingToDo: the request is right, but there is nothing to do (400).
	NothingToDo
	// Conflict: another run or the run's status is in the way (409).
	Conflict
	// Invalid: the definition, the file or the request is wrong (422).
	Invalid
	// Unavailable: something that is needed cannot be reached (503).
	Unavailable
)

// statuses are what the kinds are over HTTP, from NotFound on.
func statuses() []int {
	return []int{
		http.StatusNotFound, http.StatusBadRequest, http.StatusConflict, http.StatusUnprocessableEntity,
		http.StatusServiceUnavailable,
	}
}

// Status is what a refusal of the kind is over HTTP; 500 for what is none.
func (k Kind) Status() int {
	if k < NotFound || k > Unavailable {
		return http.StatusInternalServerError
	}
	return statuses()[k-NotFound]
}

// KindOfStatus is the inverse of Status. Every other status of a refusal – a size, a type of content, a role – says that
// the request is wrong.
func KindOfStatus(status int) Kind {
	if i := slices.Index(statuses(), status); i >= 0 {
		return NotFound + Kind(i)
	}
	return Invalid
}

// Error is a refusal that people read: what, where and what to do. No secret is in it.
type Error struct {
	Kind    Kind
	Message string
	// RunID names the run that is in the way, 0 = none.
	RunID int64
	// Field names what of the request is wrong; empty = the request as a whole.
	Field string
	err   error
}

func (e *Error) Error() string { return e.Message }

// Unwrap returns the cause, nil when the refusal is the cause.
func (e *Error) Unwrap() error { return e.err }

// KindOf returns the kind of a refusal, 0 for other errors.
func KindOf(err error) Kind {
	var refusal *Error
	if errors.As(err, &refusal) {
		return refusal.Kind
	}
	return 0
}

func refuse(kind Kind, cause error, format string, args ...any) *Error {
	return &Error{Kind: kind, Message: fmt.Sprintf(format, args...), err: cause}
}

// Refusal is an *Error with its cause, for surfaces that meet refusals of their own.
func Refusal(kind Kind, cause error, format string, args ...any) *Error {
	return refuse(kind, cause, format, args...)
}

func unknownRun(id int64) *Error {
	return refuse(NotFound, nil, "No ingest run found with ID %d.", id)
}
