package show

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/jedib0t/go-pretty/v6/text"
)

// Live is a terminal at whose end lines are drawn anew in place. What is written to it otherwise appears above them,
// as if they were not there. It is safe for concurrent use.
//
// The cursor is neither hidden nor moved out of its place for longer than a write: a process that is killed leaves
// nothing to be restored.
type Live struct {
	// Color allows colours.
	Color bool

	out  io.Writer
	size func() (width, height int)

	mu sync.Mutex
	// drawn are the lines on the terminal, of widths that were true when they were drawn at this size.
	drawn         []string
	width, height int
	// begun says that the last line written was not ended.
	begun bool
}

// NewLive returns a terminal. Size is asked each time something is drawn: windows are resized.
func NewLive(out io.Writer, size func() (width, height int)) *Live {
	return &Live{out: out, size: size}
}

// leastWidth is what a view may count on; a narrower window cuts it.
const leastWidth = 20

const (
	toLineStart = "\r"
	eraseLine   = "\x1b[K"
	eraseBelow  = "\x1b[J"
)

// Write writes above the lines, which come back when they are drawn next.
func (l *Live) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if back := l.back(); back != "" {
		if _, err := io.WriteString(l.out, back+eraseBelow); err != nil {
			return 0, fmt.Errorf("clear the progress: %w", err)
		}
	}
	if len(p) > 0 {
		l.begun = !bytes.HasSuffix(p, []byte("\n"))
	}
	return l.out.Write(p)
}

// Draw replaces the lines by what view makes for a width. Lines that would wrap are cut, and those that have no place:
// only what is seen can be drawn anew.
func (l *Live) Draw(view func(width int) []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	width, height := l.size()
	// The last column stays empty: terminals disagree on where the cursor is behind it.
	lines := view(max(leastWidth, width-1))
	lines = lines[:min(len(lines), max(1, height-1))]
	for i, line := range lines {
		lines[i] = cut(line, max(1, width-1))
	}
	if slices.Equal(lines, l.drawn) && width == l.width && height == l.height {
		return
	}
	var frame strings.Builder
	frame.WriteString(l.back())
	if l.begun {
		frame.WriteByte('\n')
		l.begun = false
	}
	for _, line := range lines {
		frame.WriteString(line + eraseLine + "\n")
	}
	frame.WriteString(eraseBelow)
	l.drawn, l.width, l.height = lines, width, height
	// A terminal that is gone is noticed by whoever prints the result.
	_, _ = io.WriteString(l.out, frame.String())
}

// Clear takes the lines away. It is idempotent.
func (l *Live) Clear() { _, _ = l.Write(nil) }

// back moves the cursor to where the lines begin and forgets them. A window that was made narrower has wrapped them.
func (l *Live) back() string {
	if len(l.drawn) == 0 {
		return ""
	}
	width, _ := l.size()
	rows := 0
	for _, line := range l.drawn {
		rows += max(1, (text.StringWidthWithoutEscSequences(line)+width-1)/max(1, width))
	}
	l.drawn = nil
	return fmt.Sprintf("%s\x1b[%dA", toLineStart, rows)
}

// cut makes a line fit; one without colours ends with a sign that something is missing.
func cut(line string, width int) string {
	if text.StringWidthWithoutEscSequences(line) <= width {
		return line
	}
	if strings.Contains(line, "\x1b") {
		return text.Trim(line, width) + "\x1b[0m"
	}
	return text.Snip(line, width, "…")
}
