package format_test

import (
	"strings"
	"testing"

	"ingest/shared/format"
	"ingest/shared/row"
)

// TestReadCountsWhatWasConsumed, not what waits in a buffer: totals are estimated from it.
func TestReadCountsWhatWasConsumed(t *testing.T) {
	t.Parallel()
	in := table(20_000)
	for compression, data := range map[string]string{"": in, "gz": gzipped(t, in), "zst": zstandard(t, in)} {
		c, err := format.Open(strings.NewReader(data), format.Options{Compression: compression})
		if err != nil {
			t.Fatal(err)
		}
		var r row.Row
		last, plain := c.Read(), len("a,b\n")
		for rows := 1; ; rows++ {
			if err := c.Next(&r); err != nil {
				break
			}
			plain += len(strings.Join(r.Cells, ",")) + 1
			at := c.Read()
			if compression == "" && at != int64(plain) {
				t.Fatalf("after %d rows %d bytes are read, want %d", rows, at, plain)
			}
			// Within a tenth of the file, from the first row on.
			want := int64(float64(plain) / float64(len(in)) * float64(len(data)))
			if at < last || max(at-want, want-at) > int64(len(data)/10) {
				t.Fatalf("%q: after %d rows %d bytes are read, before %d; about %d of %d were consumed",
					compression, rows, at, last, want, len(data))
			}
			last = at
		}
		if at := c.Read(); at != int64(len(data)) {
			t.Errorf("%q: %d of %d bytes are read at the end", compression, at, len(data))
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
}
