package pipeline

import (
	"strings"
	"unicode"
)

// Words is a column's name as messages say it: split at underscores, blanks and changes from lower to upper case,
// then in lower case. "user_email" and "userEmail" are "user email", "E-Mail" is "e-mail".
func Words(column string) string {
	var b strings.Builder
	gap, lower := false, false
	for _, c := range column {
		if c == '_' || unicode.IsSpace(c) {
			gap, lower = true, false
			continue
		}
		if (gap || lower && unicode.IsUpper(c)) && b.Len() > 0 {
			b.WriteByte(' ')
		}
		gap, lower = false, unicode.IsLower(c)
		b.WriteRune(c)
	}
	return strings.ToLower(b.String())
}

// Duplicate is the message of a row whose key, given by its primary source names, is taken.
func Duplicate(names []string) string {
	return "Duplicate entry found for key '" + strings.Join(names, ", ") + "'."
}
