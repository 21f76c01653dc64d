//go:build !failpoint

package apply

import "ingest/shared/row"

// failpoint does nothing: only tests build a program that dies at a row.
func failpoint(row.Row) {}
