package column

import (
	"strconv"
	"time"
)

// microsecond is the number of digits of a second's fraction that databases keep.
const microsecond = 6

const day = 24 * 60

// calendar is a day. Years are 1 to 9999, as in every database the engine writes to.
type calendar struct{ year, month, day int }

func (c calendar) valid() bool {
	return c.year >= 1 && c.year <= 9999 && c.month >= 1 && c.month <= 12 && c.day >= 1 && c.day <= c.days()
}

func (c calendar) days() int {
	switch c.month {
	case 2:
		if c.year%4 == 0 && (c.year%100 != 0 || c.year%400 == 0) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	default:
		return 31
	}
}

func (c calendar) next() calendar {
	switch {
	case c.day < c.days():
		return calendar{c.year, c.month, c.day + 1}
	case c.month < 12:
		return calendar{c.year, c.month + 1, 1}
	default:
		return calendar{c.year + 1, 1, 1}
	}
}

func (c calendar) previous() calendar {
	switch {
	case c.day > 1:
		return calendar{c.year, c.month, c.day - 1}
	case c.month > 1:
		before := calendar{c.year, c.month - 1, 1}
		before.day = before.days()
		return before
	default:
		return calendar{c.year - 1, 12, 31}
	}
}

func (c calendar) append(to []byte) []byte {
	to = pad(to, c.year, 4)
	to = pad(append(to, '-'), c.month, 2)
	return pad(append(to, '-'), c.day, 2)
}

// clock is a time of day: minutes, seconds and a fraction in microseconds; up says that more digits round it up.
type clock struct {
	minute, second, micro int
	up                    bool
}

func (c clock) append(to []byte) []byte {
	to = pad(to, c.minute/60, 2)
	to = pad(append(to, ':'), c.minute%60, 2)
	to = pad(append(to, ':'), c.second, 2)
	if c.micro == 0 {
		return to
	}
	to = pad(append(to, '.'), c.micro, microsecond)
	for to[len(to)-1] == '0' {
		to = to[:len(to)-1]
	}
	return to
}

// round keeps that many digits of the fraction, half up; it can end at 24:00:00.
func (c clock) round(digits int) clock {
	unit := 1
	for range microsecond - digits {
		unit *= 10
	}
	if c.up {
		c.micro, c.up = c.micro+1, false
	}
	c.micro = (c.micro + unit/2) / unit * unit
	if c.micro == 1_000_000 {
		c.micro, c.second = 0, c.second+1
	}
	if c.second == 60 {
		c.second, c.minute = 0, c.minute+1
	}
	return c
}

func pad(to []byte, n, width int) []byte {
	var digits [8]byte
	for i := width - 1; i >= 0; i-- {
		digits[i] = byte('0' + n%10)
		n /= 10
	}
	return append(to, digits[:width]...)
}

// number reads exactly that many digits.
func number(text string, width int) (n int, rest string, ok bool) {
	if len(text) < width || digitsIn(text[:width]) != width {
		return 0, "", false
	}
	for i := range width {
		n = n*10 + int(text[i]-'0')
	}
	return n, text[width:], true
}

func skip(text string, c byte) (string, bool) {
	if text == "" || text[0] != c {
		return "", false
	}
	return text[1:], true
}

func parseDate(text string) (d calendar, rest string, ok bool) {
	if d.year, rest, ok = number(text, 4); !ok {
		return d, "", false
	}
	if rest, ok = skip(rest, '-'); !ok {
		return d, "", false
	}
	if d.month, rest, ok = number(rest, 2); !ok {
		return d, "", false
	}
	if rest, ok = skip(rest, '-'); !ok {
		return d, "", false
	}
	if d.day, rest, ok = number(rest, 2); !ok || !d.valid() {
		return d, "", false
	}
	return d, rest, true
}

// parseClock reads 15:04[:05[.999999]]; who uses it rounds it.
func parseClock(text string) (c clock, rest string, ok bool) {
	hour, rest, ok := number(text, 2)
	if !ok || hour > 23 {
		return c, "", false
	}
	if rest, ok = skip(rest, ':'); !ok {
		return c, "", false
	}
	minute, rest, ok := number(rest, 2)
	if !ok || minute > 59 {
		return c, "", false
	}
	c.minute = hour*60 + minute
	after, ok := skip(rest, ':')
	if !ok {
		return c, rest, true
	}
	if c.second, rest, ok = number(after, 2); !ok || c.second > 59 {
		return c, "", false
	}
	if after, ok = skip(rest, '.'); !ok {
		return c, rest, true
	}
	width := digitsIn(after)
	if width == 0 {
		return c, "", false
	}
	for i := range microsecond {
		c.micro *= 10
		if i < width {
			c.micro += int(after[i] - '0')
		}
	}
	c.up = width > microsecond && after[microsecond] >= '5'
	return c, after[width:], true
}

// parseZone reads nothing, Z, ±15, ±1504 or ±15:04 and returns minutes east of UTC.
func parseZone(text string) (offset int, ok bool) {
	if text == "" || text == "Z" || text == "z" {
		return 0, true
	}
	east := 1
	switch text[0] {
	case '-':
		east = -1
	case '+':
	default:
		return 0, false
	}
	hours, rest, ok := number(text[1:], 2)
	if !ok || hours > 23 {
		return 0, false
	}
	minutes := 0
	if rest != "" {
		if rest[0] == ':' {
			rest = rest[1:]
		}
		if minutes, rest, ok = number(rest, 2); !ok || rest != "" || minutes > 59 {
			return 0, false
		}
	}
	return east * (hours*60 + minutes), true
}

func date(text string) (string, Problem) {
	if _, rest, ok := parseDate(text); !ok || rest != "" {
		return "", notDate
	}
	return text, ""
}

func timeOfDay(text string, t *Type) (string, Problem) {
	c, rest, ok := parseClock(text)
	if ok {
		c = c.round(fractionDigits(t))
	}
	if !ok || rest != "" || c.minute >= day {
		return "", notTime
	}
	var buffer [32]byte
	return reuse(text, c.append(buffer[:0])), ""
}

func datetime(text string, t *Type, zone *time.Location) (string, Problem) {
	d, c, ok := parseMoment(text, fractionDigits(t), zone)
	if !ok {
		return "", notDate
	}
	var buffer [32]byte
	b := c.append(append(d.append(buffer[:0]), ' '))
	if t.Zone {
		b = append(b, 'Z')
	}
	return reuse(text, b), ""
}

// IsMoment says whether the text is a date with a time of day, as a Datetime column takes it.
func IsMoment(text string) bool {
	_, _, ok := parseMoment(Trim(text), microsecond, time.UTC)
	return ok
}

// IsDate says whether the text is a date without a time of day, as a Date column takes it.
func IsDate(text string) bool {
	_, problem := date(Trim(text))
	return problem == ""
}

// parseMoment reads a date and a time, in the given zone where they name none, rounds the time and moves both to UTC.
func parseMoment(text string, digits int, zone *time.Location) (calendar, clock, bool) {
	d, rest, ok := parseDate(text)
	if !ok || rest == "" || rest[0] != 'T' && rest[0] != 't' && rest[0] != ' ' {
		return d, clock{}, false
	}
	c, rest, ok := parseClock(rest[1:])
	if !ok {
		return d, c, false
	}
	offset, ok := parseZone(rest)
	if !ok {
		return d, c, false
	}
	if rest == "" && zone != time.UTC {
		// Before it is rounded: that can move it to where the clocks are set.
		moment, ok := InZone(d.at(c), zone)
		if !ok {
			return d, c, false
		}
		d, c = taken(moment.UTC(), c)
	}
	c = c.round(digits)
	switch c.minute -= offset; {
	case c.minute < 0:
		d, c.minute = d.previous(), c.minute+day
	case c.minute >= day:
		d, c.minute = d.next(), c.minute-day
	}
	return d, c, d.valid()
}

// taken takes a moment apart again; the fraction of its second is still that of the clock.
func taken(t time.Time, c clock) (calendar, clock) {
	year, month, today := t.Date()
	c.minute, c.second = t.Hour()*60+t.Minute(), t.Second()
	return calendar{year, int(month), today}, c
}

// fractionDigits is n of a native type like "timestamp(n) without time zone".
func fractionDigits(t *Type) int {
	for i := range len(t.Native) {
		if t.Native[i] != '(' {
			continue
		}
		end := i + 1 + digitsIn(t.Native[i+1:])
		if n, err := strconv.Atoi(t.Native[i+1 : end]); err == nil && n < microsecond {
			return n
		}
	}
	return microsecond
}

// reuse saves the allocation when the text is canonical already.
func reuse(text string, canonical []byte) string {
	if text == string(canonical) {
		return text
	}
	return string(canonical)
}
