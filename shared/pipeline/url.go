package pipeline

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// scripts are schemes that name no host but a program. They are never an address.
var scripts = []string{"javascript", "vbscript", "data"}

// buildURL takes addresses with a scheme, of any or one of the arguments, and a host.
func buildURL(c ruleContext) (ruleTest, error) {
	for _, scheme := range c.args {
		if !isScheme(scheme) {
			return ruleTest{}, fmt.Errorf("needs schemes such as https, not '%s'", scheme)
		}
	}
	return c.test(func(text string) bool {
		scheme, rest, ok := strings.Cut(text, "://")
		if !ok || !isScheme(scheme) || !utf8.ValidString(text) {
			return false
		}
		if len(c.args) > 0 {
			ok = slices.ContainsFunc(c.args, func(one string) bool { return strings.EqualFold(one, scheme) })
		} else {
			ok = !slices.Contains(scripts, strings.ToLower(scheme))
		}
		return ok && isAddress(rest)
	})
}

func isScheme(text string) bool {
	for i := range len(text) {
		c := text[i]
		letter := c|0x20 >= 'a' && c|0x20 <= 'z'
		if !letter && (i == 0 || (c < '0' || c > '9') && c != '+' && c != '-' && c != '.') {
			return false
		}
	}
	return text != ""
}

// isAddress takes what stands behind the scheme: [user[:password]@]host[:port][/path][?query][#fragment].
func isAddress(text string) bool {
	authority, rest := text, ""
	if i := strings.IndexAny(text, "/?#"); i >= 0 {
		authority, rest = text[:i], text[i:]
	}
	user, host, named := cutLast(authority, '@')
	if !named {
		host = authority
	}
	return (!named || urlText(user)) && isHost(host) && urlText(rest)
}

func isHost(text string) bool {
	if bracketed, rest, ok := strings.Cut(text, "]"); ok && strings.HasPrefix(bracketed, "[") {
		address, err := netip.ParseAddr(bracketed[1:])
		return err == nil && address.Is6() && address.Zone() == "" && isPort(rest)
	}
	host, port := text, ""
	if i := strings.IndexByte(text, ':'); i >= 0 {
		host, port = text[:i], text[i:]
	}
	return len(host) <= 253 && isPort(port) && urlText(host) && dotted(strings.TrimSuffix(host, "."), hostLabel)
}

// hostLabel is a label as it is found in the wild: with underscores.
func hostLabel(text string) bool { return label(strings.ReplaceAll(text, "_", "x")) }

func isPort(text string) bool {
	if text == "" {
		return true
	}
	port, err := strconv.ParseUint(strings.TrimPrefix(text, ":"), 10, 16)
	return err == nil && text[0] == ':' && port > 0 && onlyDigits(text[1:])
}

// urlText takes what may stand in a path, a query or a fragment: letters and numbers of any script, marks of RFC 3986
// and whole escapes.
func urlText(text string) bool {
	for i, c := range text {
		switch {
		case c == '%':
			if len(text) < i+3 || !hexDigit(text[i+1]) || !hexDigit(text[i+2]) {
				return false
			}
		case c >= utf8.RuneSelf:
			if unicode.IsSpace(c) || unicode.IsControl(c) {
				return false
			}
		case !alphanumeric(byte(c)) && !strings.ContainsRune("-._~!$&'()*+,;=:@/?#[]", c):
			return false
		}
	}
	return true
}

func hexDigit(c byte) bool { return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'f' }
