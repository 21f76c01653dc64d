package format

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"sync/atomic"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

const (
	// maxWindow is what zstd needs up to level 20; it bounds the memory a file can ask for.
	maxWindow = 32 << 20
	// A file that decompresses to maxRatio times its size is no table; small ones are not worth the question.
	maxRatio     = 1000
	ratioApplies = 64 << 20
)

// counter counts the bytes taken from the source and remembers why it failed, to tell that from damaged data.
type counter struct {
	r   io.Reader
	n   atomic.Int64
	err error
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n.Add(int64(n))
	if err != nil && err != io.EOF {
		c.err = err
	}
	return n, err
}

// decompressor reads what a compressed source holds and turns its failures into messages.
type decompressor struct {
	source *counter
	name   string
	r      io.Reader
	close  func()
	// ahead is how much was taken from the source that has not been looked at.
	ahead func() int
	out   int64
}

// decompress returns a reader of what source holds, nil when that is what is read. The caller must close it.
func decompress(source *counter, compression string) (*decompressor, error) {
	d := &decompressor{source: source, name: compression, close: func() {}, ahead: func() int { return 0 }}
	switch compression {
	case "":
		return nil, nil
	case "gz":
		buffered := bufio.NewReaderSize(source, readSize)
		r, err := gzip.NewReader(buffered)
		if errors.Is(err, io.EOF) {
			return nil, nil // zero bytes: an empty source, compressed or not
		}
		if err != nil {
			return nil, d.explain(err)
		}
		d.r, d.ahead = &members{r: r, in: buffered}, buffered.Buffered
		d.close = func() { _ = r.Close() } // closes nothing but itself and repeats errors already reported
	case "zst":
		// One at a time decodes in the caller's goroutine; more would start its own.
		r, err := zstd.NewReader(source, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
			zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return nil, d.explain(err)
		}
		d.r, d.close = r, r.Close
	default:
		return nil, failure("The compression '%s' is not known: use gz or zst.", compression)
	}
	return d, nil
}

// errBehind says that something follows the compressed data that is none.
var errBehind = errors.New("bytes behind the end")

// members reads gzip members one after the other. The library does that, too, but takes whatever follows the last one
// for a broken member.
type members struct {
	r  *gzip.Reader
	in *bufio.Reader
}

func (m *members) Read(p []byte) (int, error) {
	for {
		m.r.Multistream(false)
		n, err := m.r.Read(p)
		if !errors.Is(err, io.EOF) {
			return n, err
		}
		if n > 0 {
			return n, nil // the end comes again
		}
		magic, err := m.in.Peek(2)
		switch {
		case len(magic) == 0:
			return 0, err // that is the end, or why nothing more can be read
		case magic[0] != 0x1f || len(magic) == 2 && magic[1] != 0x8b:
			return 0, errBehind
		}
		if err := m.r.Reset(m.in); err != nil {
			return 0, err
		}
	}
}

// position is about where in the source the decompressed bytes begin of which waiting are still to be consumed.
func (d *decompressor) position(waiting int64) int64 {
	taken := d.source.n.Load() - int64(d.ahead())
	if d.out == 0 {
		return taken
	}
	return int64(float64(taken) * float64(d.out-waiting) / float64(d.out))
}

func (d *decompressor) Read(p []byte) (int, error) {
	n, err := d.r.Read(p)
	d.out += int64(n)
	if d.out > ratioApplies && d.out/maxRatio > d.source.n.Load() {
		return 0, failure("The file (%s) decompresses to more than %d times its size: it does not look like CSV.", d.name, maxRatio)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		err = d.explain(err)
	}
	return n, err
}

func (d *decompressor) explain(err error) error {
	switch {
	case d.source.err != nil:
		return fmt.Errorf("decompress %s: %w", d.name, d.source.err)
	case errors.Is(err, errBehind), errors.Is(err, zstd.ErrMagicMismatch) && d.out > 0:
		return failure("The file cannot be decompressed (%s): bytes follow its end that are not %s. Compress or transfer it again.", d.name, d.name)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return failure("The file cannot be decompressed (%s): it ends too early. Transfer it again.", d.name)
	case errors.Is(err, zstd.ErrWindowSizeExceeded), errors.Is(err, zstd.ErrDecoderSizeExceeded):
		return failure("The file cannot be decompressed (%s): it needs a window over %s. "+
			"Compress it with a level up to 20 and without --long.", d.name, byteSize(maxWindow))
	case errors.Is(err, gzip.ErrHeader), errors.Is(err, zstd.ErrMagicMismatch):
		return failure("The file cannot be decompressed (%s): what it holds is not %s. "+
			"Take .%s off its name when it is not compressed, else compress it again.", d.name, d.name, d.name)
	default:
		return failure("The file cannot be decompressed (%s): its data is damaged. Compress or transfer it again.", d.name)
	}
}
