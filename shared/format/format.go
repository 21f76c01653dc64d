// Package format turns bytes into rows.
//
// The CSV reader promises the same rows for the same bytes, whatever the sizes of the reads they come in; memory
// bounded by the greatest record it accepts, whatever the input; and that a broken record costs that record and
// nothing else, except for a quote that is never closed. It never trims, converts or interprets a cell.
package format

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

const (
	defaultMaxRecord = 8 << 20
	maxHeader        = 1 << 20
	maxColumns       = 2000
)

// Options say how a source is to be read. The zero value reads uncompressed CSV.
type Options struct {
	// Delimiter is one character; empty = that of the file's `sep=` line, else a comma.
	Delimiter string
	// MaxRecord is the greatest size of a data record in bytes, its line end not counted; 0 = 8 MiB.
	MaxRecord int64
	// Compression is "", "gz" or "zst".
	Compression string
}

// Error is a reason for which the source cannot be read (further). Message is meant for people, complete and
// without values of cells. Every other error of this package wraps one of the underlying reader.
type Error struct{ Message string }

// Error returns the message.
func (e *Error) Error() string { return e.Message }

func failure(format string, args ...any) error { return &Error{Message: fmt.Sprintf(format, args...)} }

// CompressionOf returns the Options.Compression of a file with this name, by its extension.
func CompressionOf(name string) string {
	name = strings.ToLower(name)
	for _, compression := range []string{"gz", "zst"} {
		if strings.HasSuffix(name, "."+compression) {
			return compression
		}
	}
	return ""
}

// delimiterOf returns s when it can be a delimiter: one character that means nothing else.
func delimiterOf(s string) (string, bool) {
	r, size := utf8.DecodeRuneInString(s)
	if size == 0 || size != len(s) || (r == utf8.RuneError && size == 1) || strings.ContainsAny(s, "\"\r\n") {
		return "", false
	}
	return s, true
}

// byteSize prints a limit exactly, in the greatest unit that divides it.
func byteSize(n int64) string {
	switch {
	case n%(1<<20) == 0:
		return fmt.Sprintf("%d MiB", n>>20)
	case n%(1<<10) == 0:
		return fmt.Sprintf("%d KiB", n>>10)
	case n == 1:
		return "1 byte"
	default:
		return fmt.Sprintf("%d bytes", n)
	}
}
