package pipeline

import (
	"time"

	"ingest/shared/column"
)

// buildDateTransform reads dates in the first format that fits and writes them in another. A moment that names its zone is
// moved to the importer's.
func buildDateTransform(o *options, s scope) transform {
	formats := o.Texts("in")
	layouts := make([]layout, len(formats))
	for i, format := range formats {
		var err error
		if layouts[i], err = newLayout(format, forReading); err != nil {
			o.refuse("%w", err)
		}
	}
	var out *layout
	if o.Has("out") {
		l, err := newLayout(o.Text("out", ""), forWriting)
		if err != nil {
			o.refuse("%w", err)
		}
		out = &l
	}
	wrong := complain("date")
	if len(formats) == 1 {
		wrong = &complaint{rule: "date_format", line: sentence(lines["date_format"], ":attribute", "format", formats[0])}
	}
	zone := s.location()
	return reads(func(text string) (string, bool) {
		t, shape, ok := readDate(text, layouts, zone)
		if !ok {
			return "", false
		}
		if out != nil {
			return string(out.append(nil, t.In(zone))), true
		}
		return plainDate(text, t, shape), true
	}, o.fallback(), wrong)
}

// readDate reads a date by the first layout that fits, without any as Date and Datetime columns do.
func readDate(text string, layouts []layout, zone *time.Location) (time.Time, column.Instant, bool) {
	text = column.Trim(text)
	if len(layouts) == 0 {
		instant, ok := column.ParseInstant(text, zone)
		return instant.Time, instant, ok
	}
	for i := range layouts {
		if t, zoned, ok := layouts[i].parse(text, zone); ok {
			return t, column.Instant{Time: t, Timed: layouts[i].timed, Zoned: zoned}, true
		}
	}
	return time.Time{}, column.Instant{}, false
}

// plainDate is what Date and Datetime columns take, and the text itself when it is that already.
func plainDate(text string, t time.Time, shape column.Instant) string {
	var buffer [40]byte
	written := buffer[:0]
	switch {
	case !shape.Timed:
		written = t.AppendFormat(written, "2006-01-02")
	case shape.Zoned:
		written = t.UTC().AppendFormat(written, "2006-01-02 15:04:05.999999Z")
	default:
		written = t.AppendFormat(written, "2006-01-02 15:04:05.999999")
	}
	if text == string(written) {
		return text
	}
	return string(written)
}
