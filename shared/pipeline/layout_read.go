package pipeline

import (
	"strings"
	"time"
	"unicode/utf8"

	"ingest/shared/column"
)

// reading is a date as far as it has been read; -1 where nothing was.
type reading struct {
	year, month, day, ofYear, weekday int
	hour, hour12, half                int
	minute, second, micro             int
	// zone is what the text says of it, offset its minutes east of UTC.
	zone    string
	offset  int
	unix    int64
	counted bool
}

// parse reads a text that is a date in this format from end to end, in the given zone where it names none. What the
// format does not name is that of 1970-01-01 00:00:00. Nothing rolls over: the 30th of February is no date, nor is a time
// that the clocks of the zone skip.
func (l *layout) parse(text string, zone *time.Location) (t time.Time, zoned, ok bool) {
	r, ok := l.read(text)
	if !ok {
		return time.Time{}, false, false
	}
	if t, ok = r.time(); !ok {
		return time.Time{}, false, false
	}
	switch zoned = r.zone != "" || r.counted; {
	case zoned:
		t = t.In(zone)
	case l.timed:
		t, ok = column.InZone(t, zone)
	default:
		t, ok = column.DayInZone(t, zone)
	}
	return t, zoned, ok && storable(t)
}

func (l *layout) read(text string) (r reading, ok bool) {
	r = reading{year: -1, month: -1, day: -1, ofYear: -1, weekday: -1, hour: -1, hour12: -1, half: -1}
	for i := range l.parts {
		if text, ok = r.read(&l.parts[i], text); !ok {
			return r, false
		}
	}
	return r, text == ""
}

// digits reads from least to most digits.
func digits(text string, least, most int) (n int, rest string, ok bool) {
	i := 0
	for i < most && i < len(text) && text[i] >= '0' && text[i] <= '9' {
		n = n*10 + int(text[i]-'0')
		i++
	}
	return n, text[i:], i >= least
}

func (r *reading) read(part *layoutPart, text string) (rest string, ok bool) {
	switch part.element {
	case literal:
		return strings.CutPrefix(text, part.text)
	case anything:
		_, size := utf8.DecodeRuneInString(text)
		return text[size:], size > 0
	case year:
		r.year, rest, ok = digits(text, 4, 4)
	case year2:
		r.year, rest, ok = digits(text, 2, 2)
		r.year = century(r.year, 70)
	case year2POSIX:
		r.year, rest, ok = digits(text, 2, 2)
		r.year = century(r.year, 69)
	case month, monthShort:
		r.month, rest, ok = digits(text, 1, 2)
	case monthName, monthNameShort:
		r.month, rest, ok = name(text, 12, func(i int) string { return time.Month(i + 1).String() })
		r.month++
	case dayOfMonth, dayShort:
		r.day, rest, ok = digits(text, 1, 2)
	case daySpaced:
		r.day, rest, ok = digits(strings.TrimPrefix(text, " "), 1, 2)
	case ordinal:
		for _, suffix := range []string{"st", "nd", "rd", "th"} {
			if rest, ok = cutFold(text, suffix); ok {
				return rest, true
			}
		}
	case dayOfYear:
		r.ofYear, rest, ok = digits(text, 1, 3)
		r.ofYear++
	case dayOfYearPOSIX:
		r.ofYear, rest, ok = digits(text, 3, 3)
	case weekday, weekdayShort:
		r.weekday, rest, ok = name(text, 7, func(i int) string { return time.Weekday(i).String() })
	case hour, hourShort:
		r.hour, rest, ok = digits(text, 1, 2)
	case hour12, hour12Short:
		r.hour12, rest, ok = digits(text, 1, 2)
	case minute:
		r.minute, rest, ok = digits(text, 2, 2)
	case second:
		r.second, rest, ok = digits(text, 2, 2)
	case milli:
		r.micro, rest, ok = digits(text, 3, 3)
		r.micro *= 1000
	case micro:
		r.micro, rest, ok = digits(text, 1, 6)
		for range 6 - (len(text) - len(rest)) {
			r.micro *= 10
		}
	case meridiem, meridiemSmall:
		if rest, ok = cutFold(text, "AM"); ok {
			r.half = 0
			return rest, true
		}
		rest, ok = cutFold(text, "PM")
		r.half = 1
	case zoneColon, zonePlain, zoneZ, zoneName, zonePlace:
		rest, ok = r.readZone(text)
		r.zone = text[:len(text)-len(rest)]
	case unix:
		rest, ok = r.timestamp(text)
	default:
		// newLayout has refused what can only be written.
	}
	return rest, ok
}

// century puts two digits into the hundred years that begin with the pivot of the last century.
func century(n, pivot int) int {
	if n < pivot {
		return n + 2000
	}
	return n + 1900
}

// name reads a name in full or its first three letters, in any case.
func name(text string, n int, of func(int) string) (i int, rest string, ok bool) {
	for i := range n {
		if rest, ok := cutFold(text, of(i)); ok {
			return i, rest, true
		}
		if rest, ok := cutFold(text, of(i)[:3]); ok {
			return i, rest, true
		}
	}
	return 0, "", false
}

func cutFold(text, prefix string) (rest string, ok bool) {
	if len(text) < len(prefix) || !strings.EqualFold(text[:len(prefix)], prefix) {
		return "", false
	}
	return text[len(prefix):], true
}

// readZone reads UTC, GMT, Z, ±02, ±0200 or ±02:00. Names of places need a table of their history.
func (r *reading) readZone(text string) (rest string, ok bool) {
	for _, name := range []string{"UTC", "GMT", "Z"} {
		if rest, ok = cutFold(text, name); ok {
			return rest, true
		}
	}
	if text == "" || text[0] != '+' && text[0] != '-' {
		return "", false
	}
	hours, rest, ok := digits(text[1:], 2, 2)
	if !ok || hours > 23 {
		return "", false
	}
	minutes, after, ok := digits(strings.TrimPrefix(rest, ":"), 2, 2)
	switch {
	case !ok:
		minutes = 0
	case minutes > 59:
		return "", false
	default:
		rest = after
	}
	r.offset = hours*60 + minutes
	if text[0] == '-' {
		r.offset = -r.offset
	}
	return rest, true
}

// timestamp reads seconds since 1970, as far as years go.
func (r *reading) timestamp(text string) (rest string, ok bool) {
	bare := strings.TrimPrefix(text, "-")
	n, rest, ok := digits(bare, 1, 12)
	if r.unix = int64(n); len(bare) < len(text) {
		r.unix = -r.unix
	}
	r.counted = true
	return rest, ok
}

// time is the moment that a text with a zone names; of one without it has the date and the time in UTC.
func (r *reading) time() (time.Time, bool) {
	if r.counted {
		return time.Unix(r.unix, int64(r.micro)*1000).UTC(), true
	}
	if r.hour12 >= 0 {
		if r.hour12 < 1 || r.hour12 > 12 || r.half < 0 {
			return time.Time{}, false
		}
		r.hour = r.hour12%12 + 12*r.half
	}
	r.hour = max(r.hour, 0)
	if r.hour > 23 || r.minute > 59 || r.second > 59 {
		return time.Time{}, false
	}
	if r.year < 0 {
		r.year = 1970
	}
	if r.ofYear >= 0 {
		// A day of the year says the month and the day, and a format that has these too must agree.
		of := time.Date(r.year, time.January, r.ofYear, 0, 0, 0, 0, time.UTC)
		if of.Year() != r.year || r.month >= 0 && r.month != int(of.Month()) || r.day >= 0 && r.day != of.Day() {
			return time.Time{}, false
		}
		r.month, r.day = int(of.Month()), of.Day()
	}
	if r.month < 0 {
		r.month = 1
	}
	if r.day < 0 {
		r.day = 1
	}
	t := time.Date(r.year, time.Month(r.month), r.day, r.hour, r.minute, r.second, r.micro*1000, time.UTC)
	if r.month < 1 || r.day < 1 || r.month != int(t.Month()) || r.day != t.Day() || r.weekday >= 0 && r.weekday != int(t.Weekday()) {
		return time.Time{}, false
	}
	return t.Add(-time.Duration(r.offset) * time.Minute), true
}

// storable says whether a moment has a year that databases have.
func storable(t time.Time) bool { return t.Year() >= 1 && t.Year() <= 9999 }
