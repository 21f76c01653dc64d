// Package row is the smallest noun of the system: one record of a source, as read.
//
// A row is text exactly as it stood in the file. Nothing here trims, converts or interprets; what a cell
// means (NULL, absent, a number) is decided by the pipeline from the importer's definition.
package row

// Row is one record of a source.
type Row struct {
	// Number is the position in the source; the first data row is 1. A retry keeps the original's numbers.
	Number int64
	// Line is where the row starts in the file, counting from 1; 0 where the source has no lines.
	Line int64
	// Cells are the cells in header order. There may be fewer or more than the header has.
	Cells []string
	// Fault is set by the format when the record could not be read as cells (too large, text after a closing
	// quote). It is the message of the failed row; Cells then hold what could be read and may be empty.
	Fault string
}
