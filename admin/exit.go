package admin

import (
	"fmt"

	"ingest/shared/run"
)

// The exit codes of the contract, besides 0 and those of a run.
const (
	exitRefused     = 1
	exitUsage       = 2
	exitInterrupted = 130
)

// exit ends the program with a code; everything there was to say has been said.
type exit int

func (e exit) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// usage is what a person got wrong in the command line.
type usage struct{ message string }

func (u *usage) Error() string { return u.message }

func misuse(format string, args ...any) error { return &usage{fmt.Sprintf(format, args...)} }

// mistaken is misuse of a command or a flag.
func mistaken(problem string) error {
	return misuse("ingest: %s\nRun `ingest --help`, or --help behind a command, for the usage.", problem)
}

// exitOf is the exit code of a run somebody waited for; nil for a completed one.
func exitOf(status run.Status) error {
	switch status {
	case run.Completed:
		return nil
	case run.CompletedWithErrors:
		return exit(3)
	case run.Failed:
		return exit(4)
	case run.Cancelled:
		return exit(5)
	default:
		return fmt.Errorf("the run is %s, not finished", status)
	}
}
