// Package chunk holds the wire formats of what travels and what remains of a chunk: the payload (rows on their
// way to a worker) and the outcome (what became of them).
//
// Both begin with a version byte. A reader refuses versions it does not know; it never guesses. Encoding is
// deterministic: equal rows give equal bytes and an equal hash on every machine.
package chunk

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"unsafe"

	"github.com/cespare/xxhash/v2"
	"github.com/klauspost/compress/s2"

	"ingest/shared/row"
)

// payloadVersion is the first byte of every payload; 1 = one s2 block of the rows.
const payloadVersion = 1

// maxPayload bounds what a payload may decompress to: a chunk closes at about 1 MiB, but one record may be large.
const maxPayload = 1 << 30

// maxArena bounds how many cells are allocated at once.
const maxArena = 1 << 16

// A builder begins with smallest bytes and doubles when less than spare are left; a larger row makes its own room.
const smallest, spare = 4 << 10, 1 << 10

// ErrDamaged is wrapped by every error about bytes that are no payload or no outcome.
var ErrDamaged = errors.New("damaged chunk")

// Builder collects the rows of one chunk. The zero value is empty and ready.
type Builder struct {
	body  []byte
	rows  int
	first int64
	last  int64
	line  int64
}

// Append adds a row. Numbers must grow. The row's strings are copied.
func (b *Builder) Append(r row.Row) {
	if cap(b.body)-len(b.body) < spare {
		// Twice as much: append's own steps leave several times of what is needed in the end to the collector.
		b.body = slices.Grow(b.body, max(cap(b.body), smallest))
	}
	if b.rows == 0 {
		b.first = r.Number
	}
	b.body = binary.AppendUvarint(b.body, uint64(r.Number-b.last))
	b.body = binary.AppendVarint(b.body, r.Line-b.line)
	b.body = appendText(b.body, r.Fault)
	b.body = binary.AppendUvarint(b.body, uint64(len(r.Cells)))
	for _, cell := range r.Cells {
		b.body = appendText(b.body, cell)
	}
	b.rows++
	b.last, b.line = r.Number, r.Line
}

// Rows is the number of rows so far.
func (b *Builder) Rows() int { return b.rows }

// Bytes is the encoded size so far, before compression.
func (b *Builder) Bytes() int { return len(b.body) }

// First and Last are the numbers of the first and last row.
func (b *Builder) First() int64 { return b.first }

// Last is the number of the last row.
func (b *Builder) Last() int64 { return b.last }

// Payload returns the encoded chunk. The builder can be Reset and used again; the result stays valid.
func (b *Builder) Payload() []byte { return b.AppendPayload(nil) }

// AppendPayload appends the encoded chunk to memory of the caller, which is used again and again where many are encoded.
func (b *Builder) AppendPayload(to []byte) []byte {
	to = binary.AppendUvarint(append(to, payloadVersion), uint64(b.rows))
	to = slices.Grow(to, s2.MaxEncodedLen(len(b.body)))
	return append(to, s2.Encode(to[len(to):cap(to)], b.body)...)
}

// Hash is the hash over row numbers and cells, independent of the compression.
func (b *Builder) Hash() string { return sum(b.body) }

// Reset empties the builder and keeps its memory.
func (b *Builder) Reset() { *b = Builder{body: b.body[:0]} }

// Count is the number of rows of a payload, as its head says.
func Count(payload []byte) (int, error) {
	if len(payload) == 0 || payload[0] != payloadVersion {
		return 0, fmt.Errorf("payload of an unknown version: %w", ErrDamaged)
	}
	count, n := binary.Uvarint(payload[1:])
	if n <= 0 || count > maxPayload {
		return 0, fmt.Errorf("payload without a row count: %w", ErrDamaged)
	}
	return int(count), nil
}

// Decode returns the rows of a payload and their hash. The cells share one allocation.
func Decode(payload []byte) (rows []row.Row, hash string, err error) {
	if len(payload) == 0 || payload[0] != payloadVersion {
		return nil, "", fmt.Errorf("payload of an unknown version: %w", ErrDamaged)
	}
	count, n := binary.Uvarint(payload[1:])
	if n <= 0 {
		return nil, "", fmt.Errorf("payload without a row count: %w", ErrDamaged)
	}
	block := payload[1+n:]
	size, err := s2.DecodedLen(block)
	if err != nil || size > maxPayload || count > uint64(size) {
		return nil, "", fmt.Errorf("payload of an impossible size: %w", ErrDamaged)
	}
	body, err := s2.Decode(make([]byte, size), block)
	if err != nil {
		return nil, "", fmt.Errorf("decompress payload: %w", errors.Join(err, ErrDamaged))
	}
	// Nobody changes the body: its text need not be copied.
	d := decoder{text: unsafe.String(unsafe.SliceData(body), len(body)), rows: int(count)} //nolint:gosec // the length is that of body
	rows = make([]row.Row, 0, count)
	var last row.Row
	for range count {
		r := row.Row{Number: last.Number + int64(d.uvarint()), Line: last.Line + d.varint(), Fault: d.take()}
		r.Cells = d.cells()
		if d.failed {
			return nil, "", fmt.Errorf("payload ends within row %d: %w", len(rows)+1, ErrDamaged)
		}
		rows, last = append(rows, r), r
	}
	if d.pos != len(d.text) {
		return nil, "", fmt.Errorf("payload with %d surplus bytes: %w", len(d.text)-d.pos, ErrDamaged)
	}
	return rows, sum(body), nil
}

func sum(body []byte) string { return fmt.Sprintf("%016x", xxhash.Sum64(body)) }

func appendText(to []byte, text string) []byte {
	return append(binary.AppendUvarint(to, uint64(len(text))), text...)
}

// decoder reads one body; after the first failure every read answers zero.
type decoder struct {
	text   string
	pos    int
	failed bool
	// rows is how many are announced; arena has room for the cells of those to come, if they have as many as the first.
	rows  int
	arena []string
}

func (d *decoder) uvarint() uint64 {
	var x uint64
	for shift := 0; shift < 64 && d.pos < len(d.text); shift += 7 {
		c := d.text[d.pos]
		d.pos++
		x |= uint64(c&0x7f) << shift
		if c < 0x80 {
			return x
		}
	}
	d.failed = true
	return 0
}

func (d *decoder) varint() int64 {
	x := d.uvarint()
	return int64(x>>1) ^ -int64(x&1)
}

func (d *decoder) take() string {
	n := d.uvarint()
	if d.failed || n > uint64(len(d.text)-d.pos) {
		d.failed = true
		return ""
	}
	text := d.text[d.pos : d.pos+int(n)]
	d.pos += int(n)
	return text
}

func (d *decoder) cells() []string {
	n := d.uvarint()
	if d.failed || n > uint64(len(d.text)-d.pos) {
		d.failed = true
		return nil
	}
	if uint64(cap(d.arena)-len(d.arena)) < n {
		d.arena = make([]string, 0, max(int(n), min(int(n)*d.rows, len(d.text)-d.pos, maxArena)))
	}
	from := len(d.arena)
	for range n {
		d.arena = append(d.arena, d.take())
	}
	return d.arena[from:len(d.arena):len(d.arena)]
}
