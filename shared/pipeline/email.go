package pipeline

import (
	"strings"
	"unicode/utf8"
)

// isEmail takes addresses as people have them: a dotted local part and a host name, letters of any script. Quoted
// local parts, comments and address literals are not taken.
func isEmail(text string) bool {
	local, domain, ok := cutLast(text, '@')
	return ok && len(local) <= 64 && len(domain) <= 253 && utf8.ValidString(text) &&
		dotted(local, localPart) && dotted(domain, label)
}

func cutLast(text string, at byte) (before, after string, ok bool) {
	i := strings.LastIndexByte(text, at)
	if i < 0 {
		return "", "", false
	}
	return text[:i], text[i+1:], true
}

// dotted says whether a text is parts with a dot between each two.
func dotted(text string, part func(string) bool) bool {
	start := 0
	for i := range len(text) {
		if text[i] == '.' {
			if !part(text[start:i]) {
				return false
			}
			start = i + 1
		}
	}
	return part(text[start:])
}

func localPart(text string) bool {
	for i := range len(text) {
		if c := text[i]; !alphanumeric(c) && strings.IndexByte("!#$%&'*+-/=?^_`{|}~", c) < 0 {
			return false
		}
	}
	return text != ""
}

func label(text string) bool {
	for i := range len(text) {
		if c := text[i]; !alphanumeric(c) && c != '-' {
			return false
		}
	}
	return text != "" && len(text) <= 63 && text[0] != '-' && text[len(text)-1] != '-'
}

// alphanumeric holds every byte of a character beyond ASCII for a letter.
func alphanumeric(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c >= utf8.RuneSelf
}
