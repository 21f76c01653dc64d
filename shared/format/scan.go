package format

import "bytes"

// state is where in a record the scanner is.
type state byte

const (
	cellStart state = iota
	plain           // in a cell without quotes, or in the text behind a closing quote
	quoted          // behind an opening quote
	closed          // behind a quote in a quoted cell: the closing one, or the first of two
)

// scanner finds the end of a record, going on where it stopped when more bytes have come. It decides everything
// about a record that needs no cells: where it ends, on which lines, what is wrong with it.
type scanner struct {
	delimiter []byte
	state     state
	// line is the current line, opened that of the last opening quote.
	line, opened int64
	// fault is the line of the first text behind a closing quote; 0 = none.
	fault int64
}

// scan advances over w and returns how far it came. When done, w[:n] ends the record, and w[n] is its LF unless
// the input ends there. When not, it needs w[n:] again with more behind it. last says that nothing follows w.
func (s *scanner) scan(w []byte, last bool) (n int, done bool) {
	for n < len(w) {
		switch s.state {
		case cellStart:
			s.state = plain
			if w[n] == '"' {
				s.state, s.opened = quoted, s.line
				n++
			}
		case quoted:
			k := bytes.IndexByte(w[n:], '"')
			if k < 0 {
				s.line += int64(bytes.Count(w[n:], lf))
				return len(w), last
			}
			s.line += int64(bytes.Count(w[n:n+k], lf))
			s.state = closed
			n += k + 1
		case closed:
			if w[n] == '"' {
				s.state = quoted
				n++
				continue
			}
			if w[n] == '\r' && n+1 == len(w) && !last {
				return n, false
			}
			ends := w[n] == '\n' || w[n] == '\r' && (n+1 == len(w) || w[n+1] == '\n')
			if !ends && !bytes.HasPrefix(w[n:], s.delimiter) {
				if s.undecided(w[n:], last) {
					return n, false
				}
				if s.fault == 0 {
					s.fault = s.line
				}
			}
			s.state = plain
		case plain:
			for n < len(w) && w[n] != '\n' && w[n] != s.delimiter[0] {
				n++
			}
			switch {
			case n == len(w):
			case w[n] == '\n':
				return n, true
			case bytes.HasPrefix(w[n:], s.delimiter):
				n += len(s.delimiter)
				s.state = cellStart
			case s.undecided(w[n:], last):
				return n, false
			default:
				n++
			}
		}
	}
	return n, last
}

// undecided says that w is the beginning of a delimiter and too short to tell whether it is one.
func (s *scanner) undecided(w []byte, last bool) bool {
	return !last && len(w) < len(s.delimiter) && bytes.HasPrefix(s.delimiter, w)
}

var lf = []byte{'\n'}
