package format

import (
	"io"
	"testing"

	"ingest/shared/row"
)

// endless repeats one byte, n times.
type endless struct {
	b byte
	n int
}

func (e *endless) Read(p []byte) (int, error) {
	if e.n == 0 {
		return 0, io.EOF
	}
	n := min(len(p), e.n)
	for i := range n {
		p[i] = e.b
	}
	e.n -= n
	return n, nil
}

type text struct {
	s    string
	rest io.Reader
}

func (t *text) Read(p []byte) (int, error) {
	if t.s == "" {
		return t.rest.Read(p)
	}
	n := copy(p, t.s)
	t.s = t.s[n:]
	return n, nil
}

// TestMemoryIsBounded feeds records far over the limit: the buffer must not grow with them.
func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	const limit = 2 << 20
	for name, test := range map[string]struct {
		begin string
		fill  byte
		want  string
	}{
		"quote never closed":          {"a,b\n1,\"", 'a', "line 2: a quoted field that is never closed"},
		"quote never closed at first": {"a,b\n\"", '\n', "line 2: a quoted field that is never closed"},
		"line without an end":         {"a,b\nx", 'a', "The row is larger than 2 MiB (line 2)."},
		"only delimiters":             {"a,b\nx", ',', "The row is larger than 2 MiB (line 2)."},
		"only quotes":                 {"a,b\n\"\"", '"', "The row is larger than 2 MiB (line 2)."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, err := Open(&text{test.begin, &endless{test.fill, 8 << 20}}, Options{MaxRecord: limit})
			if err != nil {
				t.Fatal(err)
			}
			var r row.Row
			got := ""
			if err := c.Next(&r); err != nil {
				got = err.Error()
			} else {
				got = r.Fault
			}
			if got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
			if size := len(c.buf.data); size > limit+readSize {
				t.Errorf("the buffer has %d bytes", size)
			}
		})
	}
}
