package split

import (
	"errors"

	"ingest/shared/destination"
	"ingest/shared/format"
	"ingest/shared/pipeline"
)

// failure is an error that ends the run: its text is the run's reason.
type failure struct{ reason string }

func (f *failure) Error() string { return f.reason }

// reasonOf returns why an error ends the run; false for errors that may go away by themselves.
func reasonOf(err error) (string, bool) {
	var own *failure
	var file *format.Error
	var mapping *pipeline.Error
	var unclear *destination.Unclear
	switch {
	case errors.As(err, &own):
		return own.reason, true
	case errors.As(err, &file):
		return file.Message, true
	case errors.As(err, &mapping):
		return mapping.Message, true
	case errors.As(err, &unclear):
		return "The tables cannot be created: " + unclear.Error() + ".", true
	default:
		return "", false
	}
}

// sourceFailure makes an error about the source file the run's reason, unless it is one already.
func sourceFailure(err error) error {
	if _, known := reasonOf(err); known {
		return err
	}
	return &failure{reason: err.Error()}
}
