package pipeline

import (
	"fmt"
	"slices"

	"ingest/shared/chunk"
)

// Failure is why a row is not written: it failed, or skip_when leaves it out.
type Failure struct {
	// Skip says that nothing failed: the row counts as skipped.
	Skip bool
	// Message is the row's: the first one found, and how many more there are.
	Message string
	// Fields are the messages by source column, in the order they were found; empty when the whole row is at fault.
	Fields []chunk.FieldMessage
}

// Failed is the failure of a row with these messages, of which there is at least one.
func Failed(found []chunk.FieldMessage) *Failure {
	var all failures
	for _, field := range found {
		for _, message := range field.Messages {
			all.add(field.Column, message)
		}
	}
	return all.failure()
}

// Unprocessed is the message of a row at which the pipeline panicked.
const Unprocessed = "The row could not be processed (internal error)."

// failures collects the messages of a row.
type failures []chunk.FieldMessage

// add files a message under a source column; the same message of the same column counts once.
func (f *failures) add(column, message string) {
	for i := range *f {
		if field := &(*f)[i]; field.Column == column {
			if !slices.Contains(field.Messages, message) {
				field.Messages = append(field.Messages, message)
			}
			return
		}
	}
	*f = append(*f, chunk.FieldMessage{Column: column, Messages: []string{message}})
}

// failure is nil when nothing was found.
func (f failures) failure() *Failure {
	if len(f) == 0 {
		return nil
	}
	more := -1
	for _, field := range f {
		more += len(field.Messages)
	}
	message := f[0].Messages[0]
	switch {
	case more == 1:
		message += " (and 1 more error)"
	case more > 1:
		message += fmt.Sprintf(" (and %d more errors)", more)
	}
	return &Failure{Message: message, Fields: f}
}
