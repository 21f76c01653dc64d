package draft

import (
	"strconv"
	"strings"

	"ingest/shared/column"
	"ingest/shared/importer"
	"ingest/shared/pipeline"
)

// kind is what a guess says a column is.
type kind uint8

const (
	integer kind = iota
	decimal
	float
	// comma are decimals with a comma, thousands those with commas between groups of three digits.
	comma
	thousands
	date
	datetime
	// moment are dates with and without a time of day.
	moment
	// dated are dates in another format than that of the databases.
	dated
	identifier
	// numeral are digits, whatever keeps them from being a number.
	numeral
)

// order is which of the parts of a date comes first.
type order uint8

const (
	dayFirst order = iota
	monthFirst
	yearFirst
	// spelled out months are never taken for days.
	spelled
)

// guess is one thing a column could be. Its function is given values without blanks around them.
type guess struct {
	kind   kind
	takes  func(text string) bool
	format string
	order  order
	timed  bool
}

// safeDigits are kept by every database, and by everything a number passes on its way.
const safeDigits = 15

// formats are those that dates are tried in. A time of day is added to each.
var formats = []struct {
	format string
	order  order
}{
	{"d.m.Y", dayFirst},
	{"d/m/Y", dayFirst},
	{"m/d/Y", monthFirst},
	{"d-m-Y", dayFirst},
	{"m-d-Y", monthFirst},
	{"Y/m/d", yearFirst},
	{"Y.m.d", yearFirst},
	{"d M Y", spelled},
	{"d-M-Y", spelled},
	{"M d, Y", spelled},
	{"d F Y", spelled},
	{"F d, Y", spelled},
	{"d. F Y", spelled},
}

var times = []string{"", " H:i", " H:i:s", " h:i A", " g:i A", " h:i:s A"}

func newGuesses() ([]guess, error) {
	all := []guess{
		{kind: integer, takes: func(text string) bool {
			return column.IsInteger(text) && plainDigits(text) && len(strings.TrimLeft(text, "-")) <= safeDigits
		}},
		{kind: decimal, takes: func(text string) bool {
			return pointed(text) && converts(text, column.Type{Kind: column.Decimal, Digits: safeDigits})
		}},
		{kind: float, takes: sameAsFloat},
		{kind: date, takes: column.IsDate},
		{kind: datetime, takes: column.IsMoment},
		{kind: moment, takes: func(text string) bool { return column.IsDate(text) || column.IsMoment(text) }},
		{kind: identifier, takes: func(text string) bool {
			return len(text) == len("00000000-0000-0000-0000-000000000000") && converts(text, column.Type{Kind: column.UUID})
		}},
		{kind: numeral, takes: column.IsInteger},
	}
	for _, separated := range []struct {
		kind    kind
		options map[string]any
	}{{comma, map[string]any{"decimal_separator": ","}}, {thousands, nil}} {
		numeric, err := pipeline.Alone(importer.Transform{Name: "numeric", Options: separated.options})
		if err != nil {
			return nil, err
		}
		all = append(all, guess{kind: separated.kind, takes: func(text string) bool {
			made, ok := numeric(text)
			return ok && strings.Trim(text, "-0123456789.,") == "" && plainDigits(text) &&
				converts(made, column.Type{Kind: column.Decimal, Digits: safeDigits})
		}})
	}
	for _, f := range formats {
		for _, time := range times {
			g := guess{kind: dated, format: f.format + time, order: f.order, timed: time != ""}
			read, err := pipeline.Alone(importer.Transform{Name: "date", Options: map[string]any{"in": g.format}})
			if err != nil {
				return nil, err
			}
			of := column.Type{Kind: column.Date}
			if g.timed {
				of.Kind = column.Datetime
			}
			g.takes = func(text string) bool {
				made, ok := read(text)
				return ok && converts(made, of)
			}
			all = append(all, g)
		}
	}
	return all, nil
}

func converts(text string, to column.Type) bool {
	_, problem := column.Convert(text, column.Column{Type: to})
	return problem == ""
}

// plainDigits says that a number has no plus and no leading zero, which are dear to whoever wrote them.
func plainDigits(text string) bool {
	digits := strings.TrimPrefix(text, "-")
	return digits != "" && digits[0] >= '0' && digits[0] <= '9' &&
		(digits[0] != '0' || len(digits) == 1 && digits == text || len(digits) > 1 && (digits[1] == '.' || digits[1] == ','))
}

// pointed says that a text is a number with a point or without, but without an exponent: 12E5 is rather a code.
func pointed(text string) bool {
	_, is := column.ParseNumber(text)
	return is && strings.Trim(text, "-0123456789.") == "" && plainDigits(text)
}

// sameAsFloat says that a number with a point is exactly the one that a float of 64 bits is written as.
func sameAsFloat(text string) bool {
	n, is := column.ParseNumber(text)
	if !is || !pointed(text) || column.IsInteger(text) && len(strings.TrimLeft(text, "-")) > safeDigits {
		return false
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return false
	}
	written, is := column.ParseNumber(strconv.FormatFloat(f, 'f', -1, 64))
	return is && written.Compare(n) == 0
}
