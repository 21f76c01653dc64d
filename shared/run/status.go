// Package run holds the vocabulary of runs: statuses and their legal changes, counts and their balance, the
// manifest that makes a run repeatable. It is pure; the registry and Redis store what is defined here.
package run

// Status is where a run is in its life.
//
//	pending → processing → completed | completed_with_errors | failed
//	pending, processing → cancelling → cancelled
//
// Terminal statuses are final. A run that fails keeps its status while it is being fenced; its reason is visible
// at once, the status becomes failed when no further row can be written.
type Status string

// The statuses.
const (
	Pending             Status = "pending"
	Processing          Status = "processing"
	Cancelling          Status = "cancelling"
	Completed           Status = "completed"
	CompletedWithErrors Status = "completed_with_errors"
	Failed              Status = "failed"
	Cancelled           Status = "cancelled"
)

// Statuses lists every status, in the order of a run's life.
func Statuses() []Status {
	return []Status{Pending, Processing, Cancelling, Completed, CompletedWithErrors, Failed, Cancelled}
}

// StatusNames are the statuses as people write them.
func StatusNames() []string {
	var names []string
	for _, status := range Statuses() {
		names = append(names, string(status))
	}
	return names
}

// Terminal says whether the status is final.
func (s Status) Terminal() bool {
	switch s {
	case Completed, CompletedWithErrors, Failed, Cancelled:
		return true
	default:
		return false
	}
}

// Valid says whether s is one of the statuses.
func (s Status) Valid() bool {
	for _, known := range Statuses() {
		if s == known {
			return true
		}
	}
	return false
}
