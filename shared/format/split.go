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
	// Eight bytes at a time: a byte of found is 0x80 exactly where the byte of rec is the delimiter.
	const low, ones = 0x7f7f7f7f7f7f7f7f, 0x0101010101010101
	d := delimiter[0]
	pattern := ones * uint64(d)
	start, i := 0, 0
	for ; i+8 <= len(rec); i += 8 {
		x := binary.LittleEndian.Uint64(rec[i:]) ^ pattern
		for found := ^((x&low + low) | x | low); found != 0; found &= found - 1 {
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
	known, doubled := len(cells), false
	d := delimiter[0]
	for i := 0; ; {
		start, end := i, 0
		if i < len(rec) && rec[i] == '"' {
			start++
			for i++; ; i++ {
				k := bytes.IndexByte(rec[i:], '"')
				if k < 0 {
					return nil, false
				}
				i += k + 1
				if i == len(rec) || rec[i] != '"' {
					break
				}
				doubled = true
			}
			end = i - 1
			if i < len(rec) && rec[i] != d {
				return nil, false
			}
		} else {
			for i < len(rec) && rec[i] != d {
				i++
			}
			end = i
		}
		cells = append(cells, view(rec[start:end]))
		if i == len(rec) {
			break
		}
		i++
	}
	if doubled {
		return splitQuoted(cells[:known], rec, delimiter), true
	}
	return cells, true
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
