package redisstore

import "fmt"

// Code is what a script answered.
type Code int

// The codes. Which call answers which is said at the call.
const (
	// OK: done.
	OK Code = iota
	// Gone: Redis does not know the run with this uid, or the run has ended; nothing was written.
	Gone
	// Dup: it was done before.
	Dup
	// Gap: something before it is missing.
	Gap
	// Full: there is no room for it now.
	Full
	// Sealed: the partition ends before it.
	Sealed
	// Stopped: the run is being stopped.
	Stopped
	// Empty: there is nothing to do.
	Empty
	// Lost: an entry that must be there is not; the partition has to be reset.
	Lost
	// NotOwner: the partition is another's or nobody's.
	NotOwner
	// Held: the split lease is another's.
	Held
	// Done: the split is done.
	Done
	// Known: the run was there already.
	Known
	// Finished: the run has ended.
	Finished
	// Other: the keys belong to a run with another uid.
	Other
	// Created: the run was made known.
	Created
	// Wait: it is too early.
	Wait
)

// codeNames are the replies of the scripts, in the order of the codes.
var codeNames = [...]string{
	"OK", "GONE", "DUP", "GAP", "FULL", "SEALED", "STOPPED", "EMPTY", "LOST", "NOTOWNER", "HELD", "DONE", "KNOWN",
	"FINISHED", "OTHER", "CREATED", "WAIT",
}

// String returns the code as the scripts write it.
func (c Code) String() string {
	if c < 0 || int(c) >= len(codeNames) {
		return fmt.Sprintf("code %d", int(c))
	}
	return codeNames[c]
}

func codeOf(name string) (Code, error) {
	for i, known := range codeNames {
		if known == name {
			return Code(i), nil
		}
	}
	return 0, fmt.Errorf("unknown reply %q", name)
}
