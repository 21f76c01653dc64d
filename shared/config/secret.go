package config

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
)

const mask = "***"

// open are the schemes of URLs that name a file or a directory, or nothing; webhook is how those of webhooks begin.
var open = []string{"sqlite", "csv", "ndjson", "discard"}

const webhook = "webhook+"

// Secret is a text that must not be seen. Every way of printing it – fmt with any verb, JSON, YAML, zap – shows
// the masked form: of a URL all but the password, of a webhook's no more than the host, of anything else ***, also of a URL
// of which nobody can say where its password ends. Reveal is the only way to the text.
type Secret string

// Reveal is the secret itself, for whoever connects with it.
func (s Secret) Reveal() string { return string(s) }

// String is the masked form; an empty secret is empty.
func (s Secret) String() string {
	text := string(s)
	if text == "" {
		return ""
	}
	scheme, rest, hasScheme := strings.Cut(text, ":")
	if !hasScheme || scheme == "" || strings.ContainsAny(scheme, " /@=") {
		return mask
	}
	address, query, _ := strings.Cut(rest, "?")
	authority, hasHost := strings.CutPrefix(address, "//")
	if !hasHost && !slices.Contains(open, scheme) {
		return mask
	}
	if hasHost && strings.Contains(query, "@") {
		// Either the password has a ? in it, or an option an @.
		return scheme + "://" + mask
	}
	// A password may hold any other character when it was not encoded, a host never holds an @.
	if at := strings.LastIndex(authority, "@"); hasHost && at >= 0 {
		user, _, hasPassword := strings.Cut(authority[:at], ":")
		if authority = authority[at+1:]; !strings.HasPrefix(scheme, webhook) {
			if hasPassword {
				user += ":" + mask
			}
			address = "//" + user + "@" + authority
		}
	}
	if strings.HasPrefix(scheme, webhook) {
		// Addresses of webhooks are often a secret by themselves.
		host, _, _ := strings.Cut(authority, "/")
		return scheme + "://" + host + "/" + mask
	}
	masked := scheme + ":" + address
	if query != "" {
		masked += "?" + maskQuery(query)
	}
	return masked
}

func maskQuery(query string) string {
	parts := strings.Split(query, "&")
	for i, part := range parts {
		name, _, _ := strings.Cut(part, "=")
		lower := strings.ToLower(name)
		for _, secret := range []string{"pass", "secret", "token", "key", "auth"} {
			if strings.Contains(lower, secret) {
				parts[i] = name + "=" + mask
				break
			}
		}
	}
	return strings.Join(parts, "&")
}

// Format makes every verb, %#v and %x too, print the masked form.
func (s Secret) Format(f fmt.State, verb rune) {
	if verb == 'q' || f.Flag('#') {
		_, _ = fmt.Fprintf(f, "%q", s.String())
		return
	}
	_, _ = io.WriteString(f, s.String())
}

// MarshalJSON writes the masked form.
func (s Secret) MarshalJSON() ([]byte, error) { return json.Marshal(s.String()) }

// MarshalText writes the masked form.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// MarshalYAML writes the masked form.
func (s Secret) MarshalYAML() (any, error) { return s.String(), nil }
