package rig

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"
)

// Screen is what a terminal shows: it obeys the control sequences of what is written to it, wraps and scrolls. It knows
// as much as programs that draw a few lines anew need; anything else is remembered as unknown. Every character is one
// column wide. It is safe for concurrent use.
type Screen struct {
	mu            sync.Mutex
	width, height int
	rows          [][]rune // those that have scrolled out of sight included
	wrapped       []bool   // by row: it goes on in the next one
	row, column   int
	unfinished    []byte
	unknown       []string
	hidden        bool
	coloured      bool
}

// NewScreen returns an empty screen.
func NewScreen(width, height int) *Screen {
	return &Screen{width: width, height: height, rows: [][]rune{nil}, wrapped: []bool{false}}
}

// Write obeys. A sequence may be spread over several writes.
func (s *Screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	text := append(s.unfinished, p...)
	for len(text) > 0 {
		n := s.obey(text)
		if n == 0 {
			break
		}
		text = text[n:]
	}
	s.unfinished = bytes.Clone(text)
	return len(p), nil
}

// obey takes one character or sequence and returns its length, 0 when its end has not come yet.
func (s *Screen) obey(text []byte) int {
	if text[0] == 0x1b {
		return s.sequence(text)
	}
	if !utf8.FullRune(text) {
		return 0
	}
	letter, n := utf8.DecodeRune(text)
	switch {
	case letter == '\r':
		s.column = 0
	case letter == '\n':
		// A terminal's driver turns the end of a line into both.
		s.column = 0
		s.down()
	case letter < ' ':
		s.unknown = append(s.unknown, strconv.QuoteRune(letter))
	default:
		s.put(letter)
	}
	return n
}

func (s *Screen) put(letter rune) {
	if s.column == s.width {
		s.wrapped[s.row] = true
		s.column = 0
		s.down()
	}
	for len(s.rows[s.row]) <= s.column {
		s.rows[s.row] = append(s.rows[s.row], ' ')
	}
	s.rows[s.row][s.column] = letter
	s.column++
}

func (s *Screen) down() {
	if s.row++; s.row == len(s.rows) {
		s.rows, s.wrapped = append(s.rows, nil), append(s.wrapped, false)
	}
}

func (s *Screen) sequence(text []byte) int {
	if len(text) < 2 {
		return 0
	}
	if text[1] != '[' {
		s.unknown = append(s.unknown, fmt.Sprintf("%q", text[:2]))
		return 2
	}
	end := bytes.IndexFunc(text[2:], func(r rune) bool { return r >= '@' && r <= '~' })
	if end < 0 {
		return 0
	}
	argument, final := string(text[2:2+end]), text[2+end]
	s.control(argument, final)
	return 3 + end
}

func (s *Screen) control(argument string, final byte) {
	switch sequence := argument + string(final); {
	case final == 'm':
		s.coloured = true
	case final == 'A':
		n, err := strconv.Atoi(argument)
		if err != nil {
			n = 1
		}
		// What has scrolled out of sight cannot be reached.
		s.row = max(s.row-n, len(s.rows)-s.height, 0)
	case sequence == "K":
		s.erase()
	case sequence == "J":
		s.erase()
		for i := s.row + 1; i < len(s.rows); i++ {
			s.rows[i], s.wrapped[i] = nil, false
		}
	case sequence == "?25l" || sequence == "?25h":
		s.hidden = final == 'l'
	default:
		s.unknown = append(s.unknown, sequence)
	}
}

func (s *Screen) erase() {
	s.rows[s.row] = s.rows[s.row][:min(s.column, len(s.rows[s.row]))]
	s.wrapped[s.row] = false
}

// Resize changes the width of the window as modern terminals do: lines that were wrapped are put together, lines that
// are too long now are wrapped.
func (s *Screen) Resize(width int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	// The cursor stays where it is only at the start of a line, which is where programs leave it.
	rows, wrapped, row := [][]rune{}, []bool{}, 0
	var line []rune
	for i, part := range s.rows {
		if i == s.row {
			row = len(rows)
		}
		if line = append(line, part...); s.wrapped[i] {
			continue
		}
		for len(line) > width {
			rows, wrapped, line = append(rows, line[:width:width]), append(wrapped, true), line[width:]
		}
		rows, wrapped, line = append(rows, line), append(wrapped, false), nil
	}
	s.rows, s.wrapped, s.row, s.width = rows, wrapped, row, width
}

// Lines are all lines without blanks at their ends, those that have scrolled out of sight first; empty ones at the end
// are left out.
func (s *Screen) Lines() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	lines, last := make([]string, len(s.rows)), 0
	for i, row := range s.rows {
		if lines[i] = strings.TrimRight(string(row), " "); lines[i] != "" {
			last = i + 1
		}
	}
	return lines[:last]
}

// String is Lines as text.
func (s *Screen) String() string { return strings.Join(s.Lines(), "\n") }

// Coloured says whether there was ever a colour.
func (s *Screen) Coloured() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.coloured
}

// Odd is what a well-behaved program does not leave behind: sequences this screen does not know, a hidden cursor.
func (s *Screen) Odd() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	odd := s.unknown
	if s.hidden {
		odd = append(odd[:len(odd):len(odd)], "the cursor is hidden")
	}
	return odd
}
