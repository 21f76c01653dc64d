package pipeline

import (
	"strconv"
	"strings"
	"time"
)

// append writes a moment in this format.
func (l *layout) append(to []byte, t time.Time) []byte {
	for i := range l.parts {
		to = l.parts[i].append(to, t)
	}
	return to
}

func (p *layoutPart) append(to []byte, t time.Time) []byte {
	switch p.element {
	case literal:
		return append(to, p.text...)
	case anything:
		return append(to, '?')
	case year:
		return padded(to, t.Year(), 4)
	case year2, year2POSIX:
		return padded(to, t.Year()%100, 2)
	case month:
		return padded(to, int(t.Month()), 2)
	case monthShort:
		return padded(to, int(t.Month()), 1)
	case monthName:
		return append(to, t.Month().String()...)
	case monthNameShort:
		return append(to, t.Month().String()[:3]...)
	case dayOfMonth:
		return padded(to, t.Day(), 2)
	case dayShort:
		return padded(to, t.Day(), 1)
	case daySpaced:
		if t.Day() < 10 {
			to = append(to, ' ')
		}
		return padded(to, t.Day(), 1)
	case ordinal:
		return append(to, suffix(t.Day())...)
	case dayOfYear:
		return padded(to, t.YearDay()-1, 1)
	case dayOfYearPOSIX:
		return padded(to, t.YearDay(), 3)
	case weekday:
		return append(to, t.Weekday().String()...)
	case weekdayShort:
		return append(to, t.Weekday().String()[:3]...)
	case weekdayNumber:
		return padded(to, (int(t.Weekday())+6)%7+1, 1)
	case weekdayNumber0:
		return padded(to, int(t.Weekday()), 1)
	case isoWeek:
		_, week := t.ISOWeek()
		return padded(to, week, 2)
	case isoYear:
		y, _ := t.ISOWeek()
		return padded(to, y, 4)
	case daysInMonth:
		return padded(to, time.Date(t.Year(), t.Month()+1, 0, 0, 0, 0, 0, time.UTC).Day(), 2)
	case leapYear:
		return padded(to, time.Date(t.Year(), 12, 31, 0, 0, 0, 0, time.UTC).YearDay()-365, 1)
	default:
		return p.appendTime(to, t)
	}
}

func (p *layoutPart) appendTime(to []byte, t time.Time) []byte {
	switch p.element {
	case hour:
		return padded(to, t.Hour(), 2)
	case hourShort:
		return padded(to, t.Hour(), 1)
	case hour12:
		return padded(to, (t.Hour()+11)%12+1, 2)
	case hour12Short:
		return padded(to, (t.Hour()+11)%12+1, 1)
	case minute:
		return padded(to, t.Minute(), 2)
	case second:
		return padded(to, t.Second(), 2)
	case milli:
		return padded(to, t.Nanosecond()/1_000_000, 3)
	case micro:
		return padded(to, t.Nanosecond()/1000, 6)
	case meridiem:
		return t.AppendFormat(to, "PM")
	case meridiemSmall:
		return t.AppendFormat(to, "pm")
	case zoneColon:
		return t.AppendFormat(to, "-07:00")
	case zonePlain:
		return t.AppendFormat(to, "-0700")
	case zoneZ:
		return t.AppendFormat(to, "Z07:00")
	case zoneName:
		return t.AppendFormat(to, "MST")
	case zonePlace:
		return append(to, t.Location().String()...)
	case unix:
		return strconv.AppendInt(to, t.Unix(), 10)
	default:
		return to
	}
}

func padded(to []byte, n, width int) []byte {
	text := strconv.Itoa(n)
	for range width - len(text) {
		to = append(to, '0')
	}
	return append(to, text...)
}

func suffix(day int) string {
	switch {
	case day >= 11 && day <= 13:
		return "th"
	case strings.ContainsRune("123", rune('0'+day%10)):
		return [...]string{"st", "nd", "rd"}[day%10-1]
	default:
		return "th"
	}
}
