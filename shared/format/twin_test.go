package format_test

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"ingest/shared/format"
	"ingest/shared/row"
)

// result is all there is to know about a source.
type result struct {
	Header []string
	Rows   []row.Row
	// Problem is the message of the failure the source ends with.
	Problem string
}

// fataler is what testing.TB and rapid.T have in common.
type fataler interface {
	Helper()
	Fatalf(format string, args ...any)
}

// read reads a source to its end.
func read(t fataler, r io.Reader, o format.Options) result {
	t.Helper()
	var got result
	c, err := format.Open(r, o)
	if err != nil {
		got.Problem = problem(t, err)
		return got
	}
	defer c.Close()
	for _, cell := range c.Header() {
		got.Header = append(got.Header, strings.Clone(cell))
	}
	for {
		var next row.Row
		err := c.Next(&next)
		if err == nil {
			for i, cell := range next.Cells {
				next.Cells[i] = strings.Clone(cell)
			}
			got.Rows = append(got.Rows, next)
			continue
		}
		if again := c.Next(&next); again != err {
			t.Fatalf("ended with %v, then with %v", err, again)
		}
		if err != io.EOF {
			got.Problem = problem(t, err)
		}
		return got
	}
}

func problem(t fataler, err error) string {
	t.Helper()
	known, ok := err.(*format.Error)
	if !ok {
		t.Fatalf("want a *format.Error, got %T: %v", err, err)
	}
	return known.Message
}

// twin is the same reader, one byte at a time over all of the input, for sources without a mark or a `sep=` line.
func twin(in, delimiter string, limit int) result {
	var got result
	line := int64(1)
	for i := 0; i < len(in); {
		const start, plain, quoted, closed = 0, 1, 2, 3
		begin, first, state := i, line, start
		var opened, fault int64
		cells, cell := []string{}, []byte{}
	record:
		for i < len(in) {
			c := in[i]
			lineEnd := c == '\n' || c == '\r' && (i+1 == len(in) || in[i+1] == '\n')
			switch {
			case state == quoted && c == '"':
				state = closed
			case state == quoted:
				if c == '\n' {
					line++
				}
				cell = append(cell, c)
			case c == '\n':
				break record
			case lineEnd:
			case state == closed && c == '"':
				cell = append(cell, c)
				state = quoted
			case strings.HasPrefix(in[i:], delimiter):
				cells, cell = append(cells, string(cell)), nil
				state = start
				i += len(delimiter) - 1
			case state == start && c == '"':
				opened, state = line, quoted
			default:
				if state == closed {
					cell = append(cell, '"')
					if fault == 0 {
						fault = line
					}
				}
				state = plain
				cell = append(cell, c)
			}
			i++
		}
		if state == quoted {
			got.Problem = fmt.Sprintf("line %d: a quoted field that is never closed", opened)
			return got
		}
		raw, last := strings.TrimSuffix(in[begin:i], "\r"), line
		cells = append(cells, string(cell))
		if i < len(in) {
			i++
			line++
		}
		next := row.Row{Number: int64(len(got.Rows) + 1), Line: first, Cells: cells}
		if fault > 0 {
			next.Fault = fmt.Sprintf("line %d: text after a closing quote", fault)
		}
		switch {
		case (strings.ReplaceAll(raw, delimiter, "") == "" || !strings.Contains(raw, delimiter) && strings.Trim(raw, " \t") == "") && (got.Header == nil || len(raw) <= limit):
		case got.Header == nil && fault > 0:
			got.Problem = next.Fault + ", in the header"
			return got
		case got.Header == nil:
			got.Header = cells
		case len(raw) > limit:
			lines := fmt.Sprintf("lines %d–%d", first, last)
			if first == last {
				lines = fmt.Sprintf("line %d", first)
			}
			next.Cells, next.Fault = nil, fmt.Sprintf("The row is larger than %s (%s).", size(limit), lines)
			got.Rows = append(got.Rows, next)
		default:
			got.Rows = append(got.Rows, next)
		}
	}
	return got
}

func size(n int) string {
	if n == 1 {
		return "1 byte"
	}
	if n%1024 == 0 {
		return fmt.Sprintf("%d KiB", n/1024)
	}
	return fmt.Sprintf("%d bytes", n)
}

// pieces returns the bytes of a source n at a time.
type pieces struct {
	in *bytes.Reader
	n  int
}

func (p pieces) Read(to []byte) (int, error) { return p.in.Read(to[:min(len(to), p.n)]) }
