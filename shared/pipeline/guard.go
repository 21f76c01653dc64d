package pipeline

import (
	"slices"
	"strconv"
	"strings"
)

// formulaStarts are the characters that make a spreadsheet run a cell as a formula (OWASP, CSV injection).
const formulaStarts = "=+-@\t\r"

// RowNumber is the column by which a file is known as one of failed rows: only there the guard comes off.
const RowNumber = "_row_number"

// NumberAt is where a header has the numbers of failed rows; -1 for other files.
func NumberAt(header []string) int {
	return slices.IndexFunc(header, func(name string) bool { return strings.TrimSpace(name) == RowNumber })
}

// Guarded puts a ' before a cell that a spreadsheet would run as a formula; numbers excepted. It comes off again when
// a file with a column _row_number is imported; so that this gives the cell back, one that looks guarded gets one more.
func Guarded(cell string) string {
	if !formula(cell) {
		return cell
	}
	if _, err := strconv.ParseFloat(cell, 64); err == nil && cell[0] != '=' && cell[0] != '@' {
		return cell
	}
	return "'" + cell
}

// unguarded takes off what Guarded put before a cell.
func unguarded(cell string) string {
	if strings.HasPrefix(cell, "'") && formula(cell) {
		return cell[1:]
	}
	return cell
}

// formula says whether a cell begins like a formula, guards aside.
func formula(cell string) bool {
	bare := strings.TrimLeft(cell, "'")
	return bare != "" && strings.IndexByte(formulaStarts, bare[0]) >= 0
}

// guarded says whether a header is that of a file of failed rows.
func guarded(header []string) bool { return NumberAt(header) >= 0 }

// Meant returns what takes the guards off cells under this header, where they have any.
func Meant(header []string) func(cell string) string {
	if guarded(header) {
		return unguarded
	}
	return func(cell string) string { return cell }
}

// meant is the header as the fields name it: without guards where the file has them.
func meant(header []string) []string {
	if !guarded(header) {
		return header
	}
	out := make([]string, len(header))
	for i, name := range header {
		out[i] = unguarded(name)
	}
	return out
}
