package rig

import (
	"strings"
	"testing"
)

func TestScreen(t *testing.T) {
	t.Parallel()
	for written, want := range map[string]string{
		"a\nb":                     "a|b",
		"abc\rx":                   "xbc",
		"abc\r\x1b[Kx":             "x",
		"one\ntwo\n\r\x1b[2AX":     "Xne|two",
		"one\ntwo\n\x1b[2A\x1b[Jz": "z",
		"1234567890ab":             "1234567890|ab",
		"1234567890\nab":           "1234567890|ab",
		"1\n2\n3\n4\n5\x1b[9Ax":    "1|2|3x|4|5",
		"\x1b[31mred\x1b[0m":       "red",
		"é█":                       "é█",
	} {
		s := NewScreen(10, 3)
		// Byte by byte: a write may end anywhere.
		for _, b := range []byte(written) {
			if _, err := s.Write([]byte{b}); err != nil {
				t.Fatal(err)
			}
		}
		if got := strings.Join(s.Lines(), "|"); got != want {
			t.Errorf("%q: %q, want %q", written, got, want)
		}
		if odd := s.Odd(); len(odd) > 0 {
			t.Errorf("%q: %q", written, odd)
		}
	}
}

func TestScreenRemembersWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	s := NewScreen(10, 3)
	if _, err := s.Write([]byte("\x1b[?25l\x07\x1b[5;5H")); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(s.Odd(), " "); got != `'\a' 5;5H the cursor is hidden` {
		t.Errorf("%s", got)
	}
}

func TestScreenResizes(t *testing.T) {
	t.Parallel()
	s := NewScreen(10, 5)
	if _, err := s.Write([]byte("1234567890ab\nx\n")); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		width int
		want  string
	}{{6, "123456|7890ab|x"}, {20, "1234567890ab|x"}} {
		s.Resize(c.width)
		if got := strings.Join(s.Lines(), "|"); got != c.want {
			t.Errorf("%d columns: %q, want %q", c.width, got, c.want)
		}
	}
}
