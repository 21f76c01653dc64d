package pipeline

import (
	"strings"

	"ingest/shared/column"
)

// Coarse is a value's text such that two values which the column holds equal have equal texts; the converse need not
// hold.
func Coarse(value column.Value, c column.Column) string {
	if value.State != column.Set || c.Fold == column.FoldUnknown {
		return ""
	}
	text := routed(value.Text, &c)
	if c.Fold == column.FoldNoCase {
		folded := []byte(strings.Clone(text))
		lowerASCII(folded)
		return string(folded)
	}
	return text
}
