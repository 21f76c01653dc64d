package run

import (
	"unicode"
	"unicode/utf8"
)

// Reason is an error as the reason of a run that fails: it begins like a sentence.
func Reason(err error) string {
	text := err.Error()
	first, size := utf8.DecodeRuneInString(text)
	return string(unicode.ToUpper(first)) + text[size:]
}
