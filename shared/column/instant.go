package column

import "time"

// Instant is a moment as a text names it.
type Instant struct {
	Time time.Time
	// Timed says that the text has a time of day, Zoned that it has a zone.
	Timed, Zoned bool
}

// ParseInstant reads what Date and Datetime columns take, and the date without hyphens of ISO 8601; blanks around are
// ignored. What has no zone of its own is in the given one, a date is its first moment there. Times and days that the
// clocks of the zone skip are none.
func ParseInstant(text string, zone *time.Location) (Instant, bool) {
	text = Trim(text)
	if len(text) == len("20060102") && digitsIn(text) == len(text) {
		d, ok := compactDate(text)
		return d.instant(zone, ok)
	}
	d, rest, ok := parseDate(text)
	if !ok || rest == "" {
		return d.instant(zone, ok)
	}
	if rest[0] != 'T' && rest[0] != 't' && rest[0] != ' ' {
		return Instant{}, false
	}
	c, rest, ok := parseClock(rest[1:])
	if !ok {
		return Instant{}, false
	}
	offset, ok := parseZone(rest)
	if !ok {
		return Instant{}, false
	}
	wall := d.at(c)
	if rest == "" {
		local, ok := InZone(wall, zone)
		local = local.Add(c.rest())
		return Instant{Time: local, Timed: true}, ok && storable(local)
	}
	moved := wall.Add(c.rest() - time.Duration(offset)*time.Minute)
	return Instant{Time: moved, Timed: true, Zoned: true}, storable(moved)
}

func (d calendar) instant(zone *time.Location, ok bool) (Instant, bool) {
	if !ok {
		return Instant{}, false
	}
	first, ok := DayInZone(d.at(clock{}), zone)
	return Instant{Time: first}, ok
}

// rest is what rounding to microseconds adds.
func (c clock) rest() time.Duration {
	if c.up {
		return time.Microsecond
	}
	return 0
}

// storable says whether a moment has a year that databases have. Rounding and zones move a text's own.
func storable(t time.Time) bool { return t.Year() >= 1 && t.Year() <= 9999 }

func compactDate(text string) (calendar, bool) {
	year, rest, _ := number(text, 4)
	month, rest, _ := number(rest, 2)
	today, _, _ := number(rest, 2)
	d := calendar{year, month, today}
	return d, d.valid()
}

func (d calendar) at(c clock) time.Time {
	return time.Date(d.year, time.Month(d.month), d.day, 0, c.minute, c.second, c.micro*1000, time.UTC)
}
