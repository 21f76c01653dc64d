//go:build failpoint

package apply

import (
	"os"
	"slices"
	"syscall"

	"ingest/shared/row"
)

// failpoint kills the process at a row with the cell KILL, and panics at one with the cell PANIC: there is no other way
// to show that such rows are isolated.
func failpoint(r row.Row) {
	if slices.Contains(r.Cells, "PANIC") {
		panic("the cells are " + r.Cells[0])
	}
	if slices.Contains(r.Cells, "KILL") {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}
}
