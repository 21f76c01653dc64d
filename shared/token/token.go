// Package token says who may use the API and how much.
//
// A token is 32 random bytes that only its holder has; the tokens file keeps its SHA-256. Looking one up takes the same
// time whether it is there or not, as far as its text goes, and no error of this package holds one.
package token

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"time"
)

// Role is what a token allows; each allows what the ones before it do.
type Role string

// The roles.
const (
	// Viewer reads.
	Viewer Role = "viewer"
	// Operator also starts, cancels and retries.
	Operator Role = "operator"
	// Admin also removes.
	Admin Role = "admin"
)

// Roles lists the roles, the least first.
func Roles() []Role { return []Role{Viewer, Operator, Admin} }

// rank is the place among Roles, 0 for none of them.
func (r Role) rank() int {
	for i, known := range Roles() {
		if r == known {
			return i + 1
		}
	}
	return 0
}

// Valid says whether r is one of the roles.
func (r Role) Valid() bool { return r.rank() > 0 }

// Allows says whether a holder of r may do what needs the role. An unknown role allows nothing and needs more than
// anybody has.
func (r Role) Allows(needed Role) bool { return needed.Valid() && r.rank() >= needed.rank() }

// Token is one line of the tokens file.
type Token struct {
	Name string
	Role Role
	// Sum is the SHA-256 of the secret.
	Sum [sha256.Size]byte
	// Expires is when it stops to be valid; the zero time = never.
	Expires time.Time
}

// New returns a new secret, to be shown once, and the line of the tokens file that lets its holder in.
func New(name string, role Role, expires time.Time) (secret, line string) {
	var random [32]byte
	_, _ = rand.Read(random[:]) // never fails
	secret = "ingest_" + base64.RawURLEncoding.EncodeToString(random[:])
	sum := sha256.Sum256([]byte(secret))
	line = fmt.Sprintf("- {name: %s, role: %s, sha256: %s", name, role, hex.EncodeToString(sum[:]))
	if !expires.IsZero() {
		line += ", expires: " + expires.Format(time.DateOnly)
	}
	return secret, line + "}"
}

// Tokens are those of one file. Several may be valid for one name, so that one can replace the other.
type Tokens []Token

// Find returns the token of a secret that is valid at the time; false for none.
func (t Tokens) Find(secret string, at time.Time) (Token, bool) {
	sum := sha256.Sum256([]byte(secret))
	var found Token
	known := 0
	for _, one := range t {
		if subtle.ConstantTimeCompare(sum[:], one.Sum[:]) == 1 {
			found, known = one, 1
		}
	}
	if known == 0 || !found.Expires.IsZero() && !at.Before(found.Expires) {
		return Token{}, false
	}
	return found, true
}
