package show

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"

	"ingest/shared/control"
)

// number prints n with thousands separators.
func number(n int64) string {
	digits := strconv.FormatInt(n, 10)
	sign := ""
	if n < 0 {
		sign, digits = "-", digits[1:]
	}
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return sign + digits
}

func count(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return number(n) + " " + many
}

func duration(d time.Duration) string {
	switch {
	case d < time.Second:
		return fmt.Sprintf("%dms", max(0, d.Milliseconds()))
	case d < time.Minute:
		return fmt.Sprintf("%.1fs", d.Seconds())
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
	default:
		return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
	}
}

// seconds is a duration without parts of a second, for what changes while one looks at it.
func seconds(d time.Duration) string {
	if d = max(0, d); d < time.Minute {
		return fmt.Sprintf("%ds", int(d.Seconds()))
	}
	return duration(d)
}

func clock(t *control.Time) string {
	if t == nil || t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05") + " UTC"
}

// clean escapes what a terminal would obey.
func clean(s string) string {
	return escape(s, func(r rune) bool { return unicode.IsPrint(r) })
}

// lines is clean for text of several lines.
func lines(s string) string {
	return escape(s, func(r rune) bool { return r == '\n' || unicode.IsPrint(r) })
}

func escape(s string, keep func(rune) bool) string {
	if strings.IndexFunc(s, func(r rune) bool { return !keep(r) }) < 0 {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if keep(r) {
			b.WriteRune(r)
			continue
		}
		quoted := strconv.QuoteRune(r)
		b.WriteString(quoted[1 : len(quoted)-1])
	}
	return b.String()
}

func bar(part, whole int64, width int) string {
	full := 0
	if whole > 0 {
		full = int(float64(width) * min(1, float64(part)/float64(whole)))
	}
	return strings.Repeat("█", full) + strings.Repeat("░", width-full)
}

func percent(part, whole int64) int {
	if whole <= 0 {
		return 0
	}
	return int(min(100, 100*float64(part)/float64(whole)))
}
