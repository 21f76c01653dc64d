package pipeline

import (
	"slices"
	"strconv"
	"strings"
)

const (
	// formulaStarts are the characters that make a spreadsheet run a cell as a formula (OWASP, CSV injection).
	formulaStarts = "=+-@\t\r"
	// rowNumber is the column by which a file is known as one of failed rows: only there the guard comes off.
	rowNumber = "_row_number"
)

// Guarded puts a ' before a cell that a spreadsheet would run as a formula; numbers excepted. It comes off again when
// a file with a column _row_number is imported.
func Guarded(cell string) string {
	if cell == "" || strings.IndexByte(formulaStarts, cell[0]) < 0 {
		return cell
	}
	if _, err := strconv.ParseFloat(cell, 64); err == nil && cell[0] != '=' && cell[0] != '@' {
		return cell
	}
	return "'" + cell
}

// unguarded takes off what Guarded put before a cell.
func unguarded(cell string) string {
	if len(cell) > 1 && cell[0] == '\'' && strings.IndexByte(formulaStarts, cell[1]) >= 0 {
		return cell[1:]
	}
	return cell
}

// guarded says whether a header is that of a file of failed rows.
func guarded(header []string) bool {
	return slices.ContainsFunc(header, func(name string) bool { return strings.TrimSpace(name) == rowNumber })
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
