package column

import (
	"bytes"
	"encoding/json"
	"strings"
)

// maxDepth bounds nested JSON; PostgreSQL's own limit is its stack.
const maxDepth = 512

// uuid reads 32 hexadecimal digits in any case, with the usual hyphens or none, with braces or none.
func uuid(text string) (string, Problem) {
	if len(text) == 38 && text[0] == '{' && text[37] == '}' {
		text = text[1:37]
	}
	hyphens := len(text) == 36
	if !hyphens && len(text) != 32 {
		return "", notUUID
	}
	var buffer [36]byte
	b, at := buffer[:0], 0
	for i := range 36 {
		if i == 8 || i == 13 || i == 18 || i == 23 {
			b = append(b, '-')
			if !hyphens {
				continue
			}
			if text[at] != '-' {
				return "", notUUID
			}
			at++
			continue
		}
		digit, ok := hexDigit(text[at])
		if !ok {
			return "", notUUID
		}
		b = append(b, digit)
		at++
	}
	return reuse(text, b), ""
}

func hexDigit(c byte) (lower byte, ok bool) {
	switch {
	case c >= '0' && c <= '9' || c >= 'a' && c <= 'f':
		return c, true
	case c >= 'A' && c <= 'F':
		return c + 'a' - 'A', true
	default:
		return 0, false
	}
}

// hexadecimal reads pairs of hexadecimal digits, with \x or 0x before them or not.
func hexadecimal(text string) (string, Problem) {
	digits := text
	if len(text) >= 2 && (text[0] == '\\' || text[0] == '0') && (text[1] == 'x' || text[1] == 'X') {
		digits = text[2:]
	}
	if len(digits)%2 != 0 {
		return "", notHex
	}
	b := make([]byte, 0, 2+len(digits))
	b = append(b, `\x`...)
	for i := range len(digits) {
		digit, ok := hexDigit(digits[i])
		if !ok {
			return "", notHex
		}
		b = append(b, digit)
	}
	return reuse(text, b), ""
}

// compactJSON refuses what is valid JSON but no text of a database: escaped NUL characters and escaped halves of
// characters.
func compactJSON(text string) (string, Problem) {
	if problem := Readable(text); problem != "" {
		return "", problem
	}
	if !json.Valid([]byte(text)) || tooDeep(text) {
		return "", notJSON
	}
	if problem := badEscape(text); problem != "" {
		return "", problem
	}
	var b bytes.Buffer
	if err := json.Compact(&b, []byte(text)); err != nil {
		return "", notJSON
	}
	return reuse(text, b.Bytes()), ""
}

// tooDeep and badEscape read a text that is known to be valid JSON.
func tooDeep(text string) bool {
	depth, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			if depth++; depth > maxDepth {
				return true
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return false
}

func badEscape(text string) Problem {
	pending := false
	for {
		i := strings.IndexByte(text, '\\')
		if i < 0 {
			break
		}
		if pending && i > 0 {
			return notJSON
		}
		if text[i+1] != 'u' {
			if pending {
				return notJSON
			}
			text = text[i+2:]
			continue
		}
		unit := strings.ToLower(text[i+2 : i+6])
		text = text[i+6:]
		low := unit >= "dc00" && unit <= "dfff"
		switch {
		case unit == "0000":
			return HasNUL
		case pending != low:
			return notJSON
		}
		pending = unit >= "d800" && unit <= "dbff"
	}
	if pending {
		return notJSON
	}
	return ""
}
