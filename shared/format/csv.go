package format

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"

	"ingest/shared/row"
)

const bom = "\xef\xbb\xbf"

// CSV reads the rows of a CSV source. It is not safe for concurrent use, Read excepted.
//
// A line ends with LF or CRLF, and with the end of the source; CR elsewhere is data. Lines are counted by LF, also
// inside quotes. A cell is quoted when its first character is a quote; a quote later on is data. Blank are lines of
// nothing but blanks and tabs, and lines of only delimiters.
type CSV struct {
	source *counter
	// packed is nil for a source that is not compressed.
	packed    *decompressor
	buf       *buffer
	read      atomic.Int64
	delimiter []byte
	limit     int
	header    []string
	// line is where the next record starts, number that of the last row.
	line, number int64
	err          error
}

// record is one record as found.
type record struct {
	cells []string
	// first and last are its lines.
	first, last int64
	// large says that it was over the limit; there are no cells then. fault is the line of a text behind a closing
	// quote; 0 = none.
	large bool
	fault int64
}

// Open begins to read a source, up to and with its header. The caller keeps r and closes it after Close. An *Error
// says why the source is not readable as CSV; other errors wrap those of r.
func Open(r io.Reader, o Options) (*CSV, error) {
	if o.MaxRecord <= 0 {
		o.MaxRecord = defaultMaxRecord
	}
	c := &CSV{source: &counter{r: r}, limit: int(o.MaxRecord), line: 1}
	var text io.Reader = c.source
	var err error
	if c.packed, err = decompress(c.source, o.Compression); err != nil {
		return nil, err
	}
	if c.packed != nil {
		text = c.packed
	}
	c.buf = newBuffer(text, max(c.limit, maxHeader)+readSize)
	if err := c.begin(o.Delimiter); err != nil {
		c.release()
		return nil, err
	}
	c.read.Store(c.position())
	return c, nil
}

// Header returns the cells of the header as written; nil when the source is empty.
func (c *CSV) Header() []string { return c.header }

// Delimiter returns the delimiter in use.
func (c *CSV) Delimiter() string { return string(c.delimiter) }

// Read returns how many bytes of the source, as it is stored, hold the rows so far: exactly where it is not compressed,
// else about, and never less than before. It may be called at any time.
func (c *CSV) Read() int64 { return c.read.Load() }

// position is what Read returns: what was taken from the source less what is waiting in the window.
func (c *CSV) position() int64 {
	waiting := int64(len(c.buf.window()))
	if c.packed == nil {
		return c.source.n.Load() - waiting
	}
	return max(c.read.Load(), c.packed.position(waiting))
}

// Close releases what decompression holds. It does not close the source; it may be called more than once.
func (c *CSV) Close() error {
	if c.err == nil {
		c.err = errors.New("read source: the reader is closed")
	}
	c.release()
	return nil
}

func (c *CSV) release() {
	if c.packed != nil {
		c.packed.close()
	}
}

// Next reads the next row into r, whose slice it reuses. The cells are views valid until the next call: clone what
// is kept. It returns io.EOF at the end, an *Error when the source cannot be read further, and then always the
// same. A record that is broken in itself is a row with a Fault. Numbers count rows from 1, faulty ones included.
func (c *CSV) Next(r *row.Row) error {
	rec, err := c.next(c.limit, r.Cells[:0])
	c.read.Store(c.position())
	if err != nil {
		return err
	}
	c.number++
	r.Number, r.Line, r.Fault = c.number, rec.first, ""
	if rec.large {
		r.Cells, r.Fault = r.Cells[:0], rec.tooLarge(c.limit)
		return nil
	}
	r.Cells = rec.cells
	if rec.fault > 0 {
		r.Fault = fmt.Sprintf("line %d: text after a closing quote", rec.fault)
	}
	return nil
}

func (r record) tooLarge(limit int) string {
	lines := fmt.Sprintf("lines %d–%d", r.first, r.last)
	if r.first == r.last {
		lines = fmt.Sprintf("line %d", r.first)
	}
	return fmt.Sprintf("The row is larger than %s (%s).", byteSize(int64(limit)), lines)
}

// next finds the next record that is not blank and appends its cells, views into the buffer, to cells.
func (c *CSV) next(limit int, cells []string) (record, error) {
	for c.err == nil {
		if len(c.buf.window()) == 0 && !c.buf.more() {
			c.err = c.buf.err
			break
		}
		rec, found := c.quick(limit, cells)
		if !found {
			rec, c.err = c.scan(limit, cells)
		}
		if c.err == nil && (rec.large || rec.cells != nil) {
			return rec, nil
		}
	}
	return record{}, c.err
}

// quick takes the next record when it is a line of its own, as nearly all are: one with its end in the window that
// has no quotes, or whose quotes are all closed in it. Else it takes nothing. A blank line is a record without cells.
func (c *CSV) quick(limit int, cells []string) (record, bool) {
	w := c.buf.window()
	n := bytes.IndexByte(w, '\n')
	if n < 0 {
		return record{}, false
	}
	data := trimCR(w[:n])
	rec := record{first: c.line, last: c.line, large: len(data) > limit}
	switch {
	case bytes.IndexByte(data, '"') >= 0:
		var whole bool
		if rec.large {
			return record{}, false
		}
		if rec.cells, whole = splitLine(cells, data, c.delimiter); !whole {
			return record{}, false
		}
	case !rec.large && !c.blank(data):
		rec.cells = splitPlain(cells, data, c.delimiter)
	}
	c.buf.pos += n + 1
	c.line++
	return rec, true
}

// scan takes the next record when its quotes or its size need a closer look. What is over the limit is dropped as
// it comes.
func (c *CSV) scan(limit int, cells []string) (record, error) {
	s := scanner{delimiter: c.delimiter, line: c.line}
	rec := record{first: c.line}
	size := 0
	for {
		n, done := s.scan(c.buf.window()[size:], c.buf.ended())
		size += n
		if done {
			break
		}
		// One more than the limit may be the CR of a line end.
		if rec.large || size > limit+1 {
			rec.large = true
			c.buf.pos += size
			size = 0
		}
		if !c.buf.more() && !c.buf.ended() {
			return record{}, c.buf.err
		}
	}
	if s.state == quoted {
		return record{}, failure("line %d: a quoted field that is never closed", s.opened)
	}
	w := c.buf.window()
	rec.last, c.line = s.line, s.line
	c.buf.pos += size
	if size < len(w) {
		c.buf.pos++
		c.line++
	}
	data := trimCR(w[:size])
	if rec.large = rec.large || len(data) > limit; rec.large || c.blank(data) {
		return rec, nil
	}
	rec.fault = s.fault
	rec.cells = splitQuoted(cells, data, c.delimiter)
	return rec, nil
}

// trimCR takes the CR of the line end off a record.
func trimCR(data []byte) []byte {
	if n := len(data); n > 0 && data[n-1] == '\r' {
		return data[:n-1]
	}
	return data
}

func (c *CSV) blank(data []byte) bool {
	rest := data
	for bytes.HasPrefix(rest, c.delimiter) {
		rest = rest[len(c.delimiter):]
	}
	if len(rest) < len(data) || len(data) == 0 || data[0] != ' ' && data[0] != '\t' {
		return len(rest) == 0
	}
	return len(bytes.Trim(data, " \t")) == 0 && !bytes.Contains(data, c.delimiter)
}

// begin looks at what the source is, settles the delimiter and reads the header.
func (c *CSV) begin(delimiter string) error {
	for len(c.buf.window()) < sniffed && c.buf.more() {
	}
	if c.buf.err != nil && !c.buf.ended() {
		return c.buf.err
	}
	if err := refuse(c.buf.window()); err != nil {
		return err
	}
	if bytes.HasPrefix(c.buf.window(), []byte(bom)) {
		c.buf.pos += len(bom)
	}
	found := c.separator()
	for _, candidate := range []string{delimiter, found, ","} {
		if candidate == "" {
			continue
		}
		valid, ok := delimiterOf(candidate)
		if !ok {
			return failure("The delimiter %q is not one character, or a quote or a line end.", candidate)
		}
		c.delimiter = []byte(valid)
		break
	}
	return c.readHeader()
}

// separator consumes a first line like `sep=;` and returns its delimiter; "" when there is no such line.
func (c *CSV) separator() string {
	w := c.buf.window()
	line, _, ended := bytes.Cut(w[:min(len(w), len("sep=")+8)], lf)
	text, is := strings.CutPrefix(strings.TrimSuffix(string(line), "\r"), "sep=")
	separator, ok := delimiterOf(text)
	if !is || !ok {
		return ""
	}
	c.buf.pos += len(line)
	if ended {
		c.buf.pos++
		c.line++
	}
	return separator
}

func (c *CSV) readHeader() error {
	rec, err := c.next(maxHeader, nil)
	if errors.Is(err, io.EOF) {
		return nil
	}
	if err != nil {
		return err
	}
	if rec.large {
		return failure("The header is larger than %s (it begins on line %d).", byteSize(maxHeader), rec.first)
	}
	if rec.fault > 0 {
		return failure("line %d: text after a closing quote, in the header", rec.fault)
	}
	for _, cell := range rec.cells {
		c.header = append(c.header, strings.Clone(cell))
	}
	if len(c.header) > maxColumns {
		return failure("The header has %d columns; at most %d can be read.", len(c.header), maxColumns)
	}
	return nil
}
