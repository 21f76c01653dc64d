package column

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Problem says why a text is not a value of a column, as the end of a sentence that begins with the name of the
// field: "must be an integer.". Empty = no problem. It never holds the text itself.
type Problem string

// The problems that do not depend on the column's type.
const (
	NotUTF8 Problem = "is not valid UTF-8."
	HasNUL  Problem = "contains a NUL character."
)

const (
	notInteger Problem = "must be an integer."
	notNumber  Problem = "must be a number."
	notBoolean Problem = "must be true or false."
	notDate    Problem = "must be a valid date."
	notTime    Problem = "must be a valid time."
	notUUID    Problem = "must be a valid UUID."
	notJSON    Problem = "must be a valid JSON string."
	notHex     Problem = "must be hexadecimal digits."

	// NotMember is also what a database means that refuses a text for a column whose type is a list of them.
	NotMember Problem = "must be one of the column's values."
)

// Convert returns the value of a column that a text stands for, or why it stands for none. It never answers Null
// or Absent: that is decided before a text is converted.
//
// The value's text is canonical: two texts are the same value of the column's type exactly when their canonical
// texts are equal, and converting a canonical text gives itself. Blanks around are ignored except for Text and
// Other. Canonical forms:
//
//	Integer   -12            no plus, no leading zeros
//	Decimal   -0.5           no exponent, no trailing zeros; rounded to the scale, half away from zero
//	Float     1.5e+300       shortest text that reads back the same
//	Boolean   true, false
//	Date      2006-01-02
//	Time      15:04:05[.999999]
//	Datetime  2006-01-02 15:04:05[.999999] in UTC, followed by Z when the type has a zone
//	UUID      lower case with hyphens
//	JSON      without insignificant blanks; keys in their order, numbers as written
//	Bytes     \x and lower case hexadecimal digits
//	Text, Other  as they are
func Convert(text string, c Column) (Value, Problem) { return ConvertTo(text, &c) }

// ConvertTo is Convert for who keeps the column: it does not copy it for every value.
func ConvertTo(text string, c *Column) (Value, Problem) { return ConvertIn(text, c, time.UTC) }

// ConvertIn is ConvertTo where a Datetime without a zone is in the given one: its first moment there, and none at all
// when the clocks of the zone skip it. Canonical texts stay those of UTC, so without their Z they are not to be converted
// once more. Dates and times of day are not moved.
func ConvertIn(text string, c *Column, zone *time.Location) (Value, Problem) {
	canonical, problem := text, Problem("")
	switch c.Type.Kind {
	case Integer:
		canonical, problem = integer(Trim(text), &c.Type)
	case Decimal:
		canonical, problem = decimal(Trim(text), &c.Type)
	case Float:
		canonical, problem = float(Trim(text), &c.Type)
	case Boolean:
		canonical, problem = boolean(Trim(text))
	case Date:
		canonical, problem = date(Trim(text))
	case Time:
		canonical, problem = timeOfDay(Trim(text), &c.Type)
	case Datetime:
		canonical, problem = datetime(Trim(text), &c.Type, zone)
	case UUID:
		canonical, problem = uuid(Trim(text))
	case JSON:
		canonical, problem = compactJSON(Trim(text))
		if _, number := ParseNumber(canonical); number && problem == "" && c.Type.Digits > 0 {
			canonical, problem = decimal(canonical, &c.Type)
		}
	case Bytes:
		canonical, problem = hexadecimal(Trim(text))
	case Text, Other:
		if problem = Readable(text); problem == "" && c.Type.Length > 0 {
			problem = within(text, c.Type.Length)
		}
		if problem == "" && c.Type.Kind == Other && ordinal(c.Type.Native, text) {
			problem = NotMember
		}
		return value(text, problem)
	}
	if problem != "" {
		if unreadable := Readable(text); unreadable != "" {
			problem = unreadable
		}
	}
	return value(canonical, problem)
}

func value(text string, problem Problem) (Value, Problem) {
	if problem != "" {
		return Value{}, problem
	}
	return Value{Text: text, State: Set}, ""
}

// Readable returns the problem of a text that no database takes as text: NUL characters, invalid UTF-8.
func Readable(text string) Problem {
	if short(text) && plain(text) {
		return ""
	}
	if strings.IndexByte(text, 0) >= 0 {
		return HasNUL
	}
	if !utf8.ValidString(text) {
		return NotUTF8
	}
	return ""
}

// short texts are looked at faster byte by byte than by functions made for long ones.
func short(text string) bool { return len(text) <= 32 }

// plain says whether a text is ASCII without NUL characters.
func plain(text string) bool {
	for i := range len(text) {
		if text[i]-1 >= utf8.RuneSelf-1 {
			return false
		}
	}
	return true
}

// Trim returns the text without ASCII blanks around it.
func Trim(text string) string {
	start, end := 0, len(text)
	for start < end && blank(text[start]) {
		start++
	}
	for start < end && blank(text[end-1]) {
		end--
	}
	return text[start:end]
}

func blank(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

func within(text string, length int) Problem {
	if len(text) <= length || utf8.RuneCountInString(text) <= length {
		return ""
	}
	return Problem("must not be greater than " + strconv.Itoa(length) + " characters.")
}

// IsInteger says whether the text is an integer of any size, blanks around it ignored.
func IsInteger(text string) bool {
	text = Trim(text)
	if text != "" && (text[0] == '+' || text[0] == '-') {
		text = text[1:]
	}
	return text != "" && digitsIn(text) == len(text)
}

func digitsIn(text string) int {
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return i
		}
	}
	return len(text)
}

func integer(text string, t *Type) (string, Problem) {
	if !IsInteger(text) {
		return "", notInteger
	}
	start, negative := 0, text[0] == '-'
	if negative || text[0] == '+' {
		start = 1
	}
	digits := start
	for digits < len(text)-1 && text[digits] == '0' {
		digits++
	}
	if text[digits] == '0' {
		return "0", ""
	}
	least, limit := t.bounds()
	if negative {
		limit = least
	}
	size, err := strconv.ParseUint(text[digits:], 10, 64)
	switch {
	case (err != nil || size > limit) && negative:
		return "", Problem("must be at least " + below(limit) + ".")
	case err != nil || size > limit:
		return "", Problem("must not be greater than " + strconv.FormatUint(limit, 10) + ".")
	case !negative:
		return text[digits:], ""
	case digits == 1:
		return text, ""
	default:
		return "-" + text[digits:], ""
	}
}

// bounds are how far below and above zero the values of an integer type go.
func (t *Type) bounds() (below, above uint64) {
	bits := t.Bits
	if bits <= 0 || bits > 64 {
		bits = 64
	}
	half := uint64(1) << (bits - 1)
	if t.Unsigned {
		return 0, half<<1 - 1
	}
	return half, half - 1
}

// Bounds are the least and the greatest value of an integer type.
func (t *Type) Bounds() (least, greatest string) {
	under, above := t.bounds()
	return below(under), strconv.FormatUint(above, 10)
}

func below(zero uint64) string {
	if zero == 0 {
		return "0"
	}
	return "-" + strconv.FormatUint(zero, 10)
}

func boolean(text string) (string, Problem) {
	for _, word := range booleans {
		if strings.EqualFold(text, word.text) {
			return word.canonical, ""
		}
	}
	return "", notBoolean
}

var booleans = [...]struct{ text, canonical string }{
	{"true", "true"},
	{"false", "false"},
	{"1", "true"},
	{"0", "false"},
	{"t", "true"},
	{"f", "false"},
	{"yes", "true"},
	{"no", "false"},
	{"y", "true"},
	{"n", "false"},
	{"on", "true"},
	{"off", "false"},
}

// ordinal says that MySQL would take a text for the number of a member of enum('a','b') or set('a','b'). Other texts that
// are no member it refuses itself: the collation decides which are.
func ordinal(native, text string) bool {
	if !strings.HasPrefix(native, "enum('") && !strings.HasPrefix(native, "set('") {
		return false
	}
	digits := strings.TrimLeft(Trim(text), "+-")
	return digits != "" && strings.Trim(digits, "0123456789") == "" && !strings.Contains(native, "'"+text+"'")
}
