package apply

import (
	"errors"

	"ingest/shared/run"
)

// Broken is an error that no repetition can mend: it ends the run with its text.
type Broken struct {
	Reason string
	// Bug is where a destination panicked, for the log; empty when it did not. It holds no value.
	Bug string
}

func (b *Broken) Error() string { return b.Reason }

func broken(err error) *Broken { return &Broken{Reason: run.Reason(err)} }

// Reason is the text of an error that ends the run by itself, "" for others.
func Reason(err error) string {
	var broken *Broken
	if errors.As(err, &broken) {
		return broken.Reason
	}
	return ""
}

// Bug is where the panic happened that an error comes from, "" where there was none.
func Bug(err error) string {
	var broken *Broken
	if errors.As(err, &broken) {
		return broken.Bug
	}
	return ""
}
