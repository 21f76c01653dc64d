package format

import (
	"errors"
	"fmt"
	"io"
)

// readSize is how much is asked of the reader at least when it is asked at all.
const readSize = 128 << 10

// buffer is a window on the bytes of a reader: what has been read and not yet been consumed. It grows up to max.
type buffer struct {
	r        io.Reader
	data     []byte
	pos, end int
	max      int
	// err is why nothing more can be read; what the window holds is still good.
	err error
}

func newBuffer(r io.Reader, max int) *buffer {
	return &buffer{r: r, data: make([]byte, readSize), max: max}
}

func (b *buffer) window() []byte { return b.data[b.pos:b.end] }

// ended says that the window reaches to the end of the input.
func (b *buffer) ended() bool { return errors.Is(b.err, io.EOF) }

// more adds at least one byte to the window, or returns false and sets err. It moves the window in memory.
func (b *buffer) more() bool {
	if b.err != nil {
		return false
	}
	if len(b.data)-b.end < readSize/2 && b.pos > 0 {
		b.end = copy(b.data, b.data[b.pos:b.end])
		b.pos = 0
	}
	if len(b.data)-b.end < readSize/2 && len(b.data) < b.max {
		grown := make([]byte, min(2*len(b.data), b.max))
		copy(grown, b.data[:b.end])
		b.data = grown
	}
	if b.end == len(b.data) {
		b.err = fmt.Errorf("read source: %w", io.ErrShortBuffer)
		return false
	}
	// A reader may return nothing without an error, but not for ever.
	for range 100 {
		n, err := b.r.Read(b.data[b.end:])
		b.end += n
		if err != nil {
			b.err = readError(err)
		}
		if n > 0 || err != nil {
			return n > 0
		}
	}
	b.err = fmt.Errorf("read source: %w", io.ErrNoProgress)
	return false
}

func readError(err error) error {
	var known *Error
	if errors.Is(err, io.EOF) || errors.As(err, &known) {
		return err
	}
	return fmt.Errorf("read source: %w", err)
}
