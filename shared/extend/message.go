package extend

import (
	"strings"
	"unicode/utf8"
)

// longest is the greatest length of a message in bytes: it is counted, stored with every failed row and shown.
const longest = 500

// Message is the text of an extension's error as a person may see it: one line of bounded length.
func Message(err error) string {
	text := strings.Join(strings.Fields(strings.ToValidUTF8(strings.ReplaceAll(err.Error(), "\x00", ""), "�")), " ")
	if len(text) <= longest {
		return text
	}
	end := longest
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + "…"
}
