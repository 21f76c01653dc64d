package format

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"unsafe"
)

// view returns b as a string without copying it: whoever gets it knows that it ends with the next record.
func view(b []byte) string {
	return unsafe.String(unsafe.SliceData(b), len(b)) //nolint:gosec // the copy saved is one per cell; the length is that of b
}

// splitPlain appends the cells of a record that has no quoted cell.
func splitPlain(cells []string, rec, delimiter []byte) []string {
	if len(delimiter) > 1 {
		for {
			cell, rest, found := bytes.Cut(rec, delimiter)
			cells = append(cells, view(cell))
			if !found {
				return cells
			}
			rec = rest
		}
	}
	d := delimiter[0]
	start, i := 0, 0
	for ; i+8 <= len(rec); i += 8 {
		for found := marks(binary.LittleEndian.Uint64(rec[i:]), d); found != 0; found &= found - 1 {
			at := i + bits.TrailingZeros64(found)>>3
			cells = append(cells, view(rec[start:at]))
			start = at + 1
		}
	}
	for ; i < len(rec); i++ {
		if rec[i] == d {
			cells = append(cells, view(rec[start:i]))
			start = i + 1
		}
	}
	return append(cells, view(rec[start:]))
}

// splitLine appends the cells of a line with quotes. It returns false, and leaves rec as it is, when the line has an
// open quote, text behind a closing one, or is too rare a case to be quick.
func splitLine(cells []string, rec, delimiter []byte) ([]string, bool) {
	if len(delimiter) > 1 {
		return nil, false
	}
	known, d := len(cells), delimiter[0]
	// start is where the cell begins. It is quoted when closed is not none: open says that its quote is, else closed is where
	// that was closed. doubled are the cells with quotes that are to become one, by bits.
	start, closed, open, doubled := 0, none, false, uint64(0)
	for i := 0; i < len(rec); i += 8 {
		x := word(rec[i:])
		for found := (marks(x, '"') | marks(x, d)) & within(rec[i:]); found != 0; found &= found - 1 {
			at := i + bits.TrailingZeros64(found)>>3
			switch quote := rec[at] != d; {
			case open:
				if quote {
					open, closed = false, at
				}
			case !quote && closed == none:
				cells = append(cells, view(rec[start:at]))
				start = at + 1
			case !quote && closed == at-1:
				cells = append(cells, view(rec[start+1:closed]))
				start, closed = at+1, none
			case quote && at == start:
				open, closed = true, at
			case quote && closed == none: // within a cell that is not quoted it is data
			case quote && closed == at-1 && len(cells)-known < 64:
				open = true
				doubled |= 1 << (len(cells) - known)
			default:
				return nil, false
			}
		}
	}
	switch {
	case open || closed != none && closed != len(rec)-1:
		return nil, false
	case closed == none:
		cells = append(cells, view(rec[start:]))
	default:
		cells = append(cells, view(rec[start+1:closed]))
	}
	for ; doubled != 0; doubled &= doubled - 1 {
		cell := &cells[known+bits.TrailingZeros64(doubled)]
		*cell = view(undoubled(unsafe.Slice(unsafe.StringData(*cell), len(*cell)))) //nolint:gosec // it is a view of rec
	}
	return cells, true
}

// none is the place of nothing: not beside any other.
const none = -2

// word are the next eight bytes, or those there are.
func word(b []byte) uint64 {
	if len(b) >= 8 {
		return binary.LittleEndian.Uint64(b)
	}
	var last [8]byte
	copy(last[:], b)
	return binary.LittleEndian.Uint64(last[:])
}

// within are the bits of the bytes of a word that there are.
func within(b []byte) uint64 { return 1<<(8*min(len(b), 8)) - 1 }

// marks has 0x80 exactly in those bytes that are c in x.
func marks(x uint64, c byte) uint64 {
	const low, ones = 0x7f7f7f7f7f7f7f7f, 0x0101010101010101
	x ^= ones * uint64(c)
	return ^((x&low + low) | x | low)
}

// undoubled makes one of every two quotes of a cell that has such, in place.
func undoubled(cell []byte) []byte {
	to := bytes.IndexByte(cell, '"') + 1
	for from := to + 1; ; {
		k := bytes.IndexByte(cell[from:], '"')
		if k < 0 {
			return cell[:to+copy(cell[to:], cell[from:])]
		}
		to += copy(cell[to:], cell[from:from+k+1])
		from += k + 2
	}
}

// splitQuoted appends the cells of a record that may have quoted cells, all of them closed. It changes rec.
func splitQuoted(cells []string, rec, delimiter []byte) []string {
	for {
		end := 0
		var cell []byte
		if len(rec) > 0 && rec[0] == '"' {
			cell, end = unquote(rec, delimiter)
		} else if end = bytes.Index(rec, delimiter); end < 0 {
			end = len(rec)
		}
		if cell == nil {
			cell = rec[:end]
		}
		cells = append(cells, view(cell))
		if end == len(rec) {
			return cells
		}
		rec = rec[end+len(delimiter):]
	}
}

// unquote returns the text of the quoted cell rec begins with and where the cell ends. Doubled quotes become one in
// place: the text never grows. Text behind the closing quote stays in the cell, with that quote, as it was written.
func unquote(rec, delimiter []byte) (cell []byte, end int) {
	to, from := 1, 1
	for {
		k := bytes.IndexByte(rec[from:], '"')
		if to != from {
			copy(rec[to:], rec[from:from+k])
		}
		to += k
		from += k + 1
		if from == len(rec) || rec[from] != '"' {
			break
		}
		rec[to] = '"'
		to++
		from++
	}
	tail := bytes.Index(rec[from:], delimiter)
	if tail < 0 {
		tail = len(rec) - from
	}
	if tail > 0 {
		rec[to] = '"'
		to += 1 + copy(rec[to+1:], rec[from:from+tail])
	}
	return rec[1:to], from + tail
}
