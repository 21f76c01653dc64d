package pipeline

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// element is one part of a date: what a letter of a format stands for.
type element uint8

const (
	literal element = iota
	// anything is one character that is not looked at.
	anything
	year
	year2
	year2POSIX
	month
	monthShort
	monthName
	monthNameShort
	dayOfMonth
	dayShort
	daySpaced
	ordinal
	dayOfYear
	dayOfYearPOSIX
	weekday
	weekdayShort
	hour
	hourShort
	hour12
	hour12Short
	minute
	second
	milli
	micro
	meridiem
	meridiemSmall
	zoneColon
	zonePlain
	zoneZ
	zoneName
	zonePlace
	unix
	// What follows can be written but not read.
	weekdayNumber
	weekdayNumber0
	isoWeek
	isoYear
	daysInMonth
	leapYear
)

// layoutPart is an element, or a text that stands for itself.
type layoutPart struct {
	element element
	text    string
}

// layout is a date format of PHP, or with a % in it of strftime, compiled.
type layout struct {
	format string
	parts  []layoutPart
	// timed says that it has a time of day.
	timed bool
}

// use is what a layout is for: formats have letters that only one way makes sense of.
type use bool

const (
	forReading use = false
	forWriting use = true
)

var phpLetters = map[byte]element{
	'd': dayOfMonth, 'j': dayShort, 'D': weekdayShort, 'l': weekday, 'S': ordinal, 'z': dayOfYear, 'N': weekdayNumber,
	'w': weekdayNumber0, 'W': isoWeek, 'o': isoYear, 't': daysInMonth, 'L': leapYear, 'm': month, 'n': monthShort,
	'M': monthNameShort, 'F': monthName, 'Y': year, 'y': year2, 'a': meridiemSmall, 'A': meridiem, 'g': hour12Short,
	'h': hour12, 'G': hourShort, 'H': hour, 'i': minute, 's': second, 'u': micro, 'v': milli, 'e': zonePlace,
	'T': zoneName, 'O': zonePlain, 'P': zoneColon, 'p': zoneZ, 'U': unix,
}

var phpShorthands = map[byte]string{'c': `Y-m-d\TH:i:sP`, 'r': "D, d M Y H:i:s O"}

var strftimeLetters = map[byte]element{
	'd': dayOfMonth, 'e': daySpaced, 'a': weekdayShort, 'A': weekday, 'j': dayOfYearPOSIX, 'u': weekdayNumber,
	'w': weekdayNumber0, 'V': isoWeek, 'G': isoYear, 'm': month, 'b': monthNameShort, 'h': monthNameShort, 'B': monthName,
	'Y': year, 'y': year2POSIX, 'p': meridiem, 'P': meridiemSmall, 'I': hour12, 'H': hour, 'M': minute, 'S': second,
	'f': micro, 'z': zonePlain, 'Z': zoneName, 's': unix,
}

var strftimeShorthands = map[byte]string{'F': "%Y-%m-%d", 'T': "%H:%M:%S", 'R': "%H:%M", 'D': "%m/%d/%y", 'r': "%I:%M:%S %p"}

// unpadded are the elements of `%-d`.
var unpadded = map[element]element{
	dayOfMonth: dayShort, month: monthShort, hour: hourShort, hour12: hour12Short, daySpaced: dayShort,
}

func newLayout(format string, as use) (layout, error) {
	l := layout{format: format}
	if format == "" || len(format) > maxPattern {
		return l, errors.New("needs a date format, such as d.m.Y or %d.%m.%Y")
	}
	var err error
	if strings.Contains(format, "%") {
		err = l.strftime(format, as)
	} else {
		err = l.php(format, as)
	}
	return l, err
}

func (l *layout) text(text string) {
	if n := len(l.parts); n > 0 && l.parts[n-1].element == literal {
		l.parts[n-1].text += text
		return
	}
	l.parts = append(l.parts, layoutPart{literal, text})
}

func (l *layout) add(e element, letter string, as use) error {
	if as == forReading && e >= weekdayNumber {
		return fmt.Errorf("cannot read a date by the letter '%s' of the format '%s'", letter, l.format)
	}
	l.timed = l.timed || e >= hour && e <= meridiemSmall || e == unix
	l.parts = append(l.parts, layoutPart{element: e})
	return nil
}

func (l *layout) php(format string, as use) error {
	for i := 0; i < len(format); i++ {
		c := format[i]
		e, letter := phpLetters[c]
		switch {
		case letter:
			if err := l.add(e, string(c), as); err != nil {
				return err
			}
		case phpShorthands[c] != "":
			if err := l.php(phpShorthands[c], as); err != nil {
				return err
			}
		case c == '\\' && i+1 < len(format):
			i++
			l.text(format[i : i+1])
		case c == '?' && as == forReading:
			l.parts = append(l.parts, layoutPart{element: anything})
		case (c == '!' || c == '|') && as == forReading:
			// What a date does not name is always zero here.
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z':
			return fmt.Errorf("has a format with the letter '%c', which means nothing: '%s' (text is written \\%c)", c, l.format, c)
		default:
			l.text(format[i : i+1])
		}
	}
	return nil
}

func (l *layout) strftime(format string, as use) error {
	for i := 0; i < len(format); i++ {
		if format[i] != '%' {
			l.text(format[i : i+1])
			continue
		}
		i++
		bare := i < len(format) && format[i] == '-'
		if bare {
			i++
		}
		if i >= len(format) {
			return fmt.Errorf("has a format that ends within a letter: '%s'", l.format)
		}
		c := format[i]
		e, letter := strftimeLetters[c]
		short, can := unpadded[e]
		switch {
		case bare && letter && can:
			e = short
		case bare:
			return fmt.Errorf("has a format with '%%-%c', which means nothing: '%s'", c, l.format)
		case c == '%':
			l.text("%")
			continue
		case strftimeShorthands[c] != "":
			if err := l.strftime(strftimeShorthands[c], as); err != nil {
				return err
			}
			continue
		case !letter:
			return fmt.Errorf("has a format with '%%%c', which means nothing: '%s'", c, l.format)
		}
		if err := l.add(e, "%"+string(c), as); err != nil {
			return err
		}
	}
	return nil
}

// exactly says whether a text is a date in this format, or a time that there is in the zone, and spelled as the format
// spells it.
func (l *layout) exactly(text string, zone *time.Location) bool {
	if _, _, ok := l.parse(text, zone); !ok {
		return false
	}
	r, _ := l.read(text)
	t, _ := r.time()
	if r.zone != "" && r.zone != "UTC" {
		t = t.In(time.FixedZone(r.zone, r.offset*60))
	}
	var buffer [64]byte
	return string(l.append(buffer[:0], t)) == text
}
