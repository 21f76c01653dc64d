package column

import (
	"strconv"
	"strings"
)

// maxDigits bounds how long a number may become when it is written without an exponent.
const maxDigits = 1000

// Number is a decimal number of any size, as read from a text, without loss. The zero value is 0.
//
// Its digits are whole followed by fraction, without leading and trailing zeros, and its value is
// 0.digits × 10^point.
type Number struct {
	negative bool
	whole    string
	fraction string
	point    int
	// plain is a part of the text that is canonical already, empty when there is none.
	plain string
}

// ParseNumber reads `[+-]digits[.digits][e[+-]digits]`, with digits on at least one side of the point; blanks around
// it are ignored. It does not allocate.
func ParseNumber(text string) (Number, bool) {
	text = Trim(text)
	rest := text
	var n Number
	if rest != "" && (rest[0] == '-' || rest[0] == '+') {
		n.negative = rest[0] == '-'
		rest = rest[1:]
	}
	signed := n.negative
	start := len(text) - len(rest)
	i := digitsIn(rest)
	n.whole, rest = rest[:i], rest[i:]
	if rest != "" && rest[0] == '.' {
		i = 1 + digitsIn(rest[1:])
		n.fraction, rest = rest[1:i], rest[i:]
	}
	if n.whole == "" && n.fraction == "" {
		return Number{}, false
	}
	exponent := 0
	if rest != "" {
		var ok bool
		if exponent, ok = parseExponent(rest); !ok {
			return Number{}, false
		}
	}
	whole := strings.TrimLeft(n.whole, "0")
	natural := rest == "" && n.whole != "" && (whole == n.whole || n.whole == "0")
	n.whole, n.fraction = whole, strings.TrimRight(n.fraction, "0")
	if natural {
		end := start + max(len(whole), 1)
		if n.fraction != "" {
			end += 1 + len(n.fraction)
		}
		if signed {
			start--
		}
		n.plain = text[start:end]
	}
	n.point = len(n.whole) + exponent
	if n.whole == "" {
		significant := strings.TrimLeft(n.fraction, "0")
		n.point -= len(n.fraction) - len(significant)
		n.fraction = significant
	}
	if n.fraction == "" {
		n.whole = strings.TrimRight(n.whole, "0")
	}
	if n.size() == 0 {
		return Number{plain: "0"}, true
	}
	return n, true
}

// parseExponent reads `e[+-]digits`; exponents beyond any use are cut, they stay beyond any use.
func parseExponent(text string) (int, bool) {
	if text[0] != 'e' && text[0] != 'E' {
		return 0, false
	}
	text = text[1:]
	negative := text != "" && text[0] == '-'
	if negative || text != "" && text[0] == '+' {
		text = text[1:]
	}
	if text == "" || digitsIn(text) != len(text) {
		return 0, false
	}
	const beyond = 1 << 30
	exponent := 0
	for i := range len(text) {
		exponent = min(exponent*10+int(text[i]-'0'), beyond)
	}
	if negative {
		exponent = -exponent
	}
	return exponent, true
}

// Compare returns -1, 0 or +1 as n is less than, equal to or greater than o. It is exact and does not allocate.
func (n Number) Compare(o Number) int {
	switch {
	case n.sign() != o.sign():
		return sign(n.sign() - o.sign())
	case n.sign() == 0:
		return 0
	case n.point != o.point:
		return n.sign() * sign(n.point-o.point)
	}
	for i := range max(n.size(), o.size()) {
		if a, b := n.digit(i), o.digit(i); a != b {
			return n.sign() * sign(int(a)-int(b))
		}
	}
	return 0
}

func (n Number) size() int { return len(n.whole) + len(n.fraction) }

func (n Number) sign() int {
	switch {
	case n.size() == 0:
		return 0
	case n.negative:
		return -1
	default:
		return 1
	}
}

func (n Number) digit(i int) byte {
	switch {
	case i < len(n.whole):
		return n.whole[i]
	case i < n.size():
		return n.fraction[i-len(n.whole)]
	default:
		return '0'
	}
}

func sign(i int) int {
	switch {
	case i < 0:
		return -1
	case i > 0:
		return 1
	default:
		return 0
	}
}

// Round returns n rounded half away from zero so that it has no digits beyond 10^-scale.
func (n Number) Round(scale int) Number {
	keep := n.point + scale
	switch {
	case keep >= n.size():
		return n
	case keep < 0:
		return Number{plain: "0"}
	}
	up := n.digit(keep) >= '5'
	digits := make([]byte, keep+1)
	digits[0] = '0'
	for i := range keep {
		digits[i+1] = n.digit(i)
	}
	for i := keep; up && i >= 0; i-- {
		if up = digits[i] == '9'; up {
			digits[i] = '0'
		} else {
			digits[i]++
		}
	}
	text := strings.TrimRight(string(digits), "0")
	if text == "" {
		return Number{plain: "0"}
	}
	rounded := Number{negative: n.negative, whole: text, point: n.point + 1}
	if text[0] == '0' {
		rounded.whole, rounded.point = text[1:], n.point
	}
	return rounded
}

// canonical writes n without exponent and without superfluous zeros.
func (n Number) canonical() string {
	if n.plain != "" {
		return n.plain
	}
	if n.size() == 0 {
		return "0"
	}
	b := make([]byte, 0, 3+max(n.point, n.size(), n.size()-n.point))
	if n.negative {
		b = append(b, '-')
	}
	if n.point <= 0 {
		b = append(b, "0."...)
		for range -n.point {
			b = append(b, '0')
		}
	}
	for i := range max(n.size(), n.point) {
		if i == n.point && i > 0 {
			b = append(b, '.')
		}
		b = append(b, n.digit(i))
	}
	return string(b)
}

// floatDigits are the places before and behind the point of numbers that a float of double precision comes near.
const floatDigits = 300

// decimal never goes through a float.
func decimal(text string, t *Type) (string, Problem) {
	n, ok := ParseNumber(text)
	if !ok {
		return "", notNumber
	}
	if t.Precision > 0 {
		n = n.Round(t.Scale)
		if n.size() > 0 && n.point > t.Precision-t.Scale {
			return "", beyond(greatest(t), n.negative)
		}
	}
	if t.Digits > 0 && n.size() > t.Digits {
		return "", Problem("must not have more than " + strconv.Itoa(t.Digits) + " significant digits.")
	}
	if t.Digits > 0 && n.size() > 0 && (n.point > floatDigits || n.point < -floatDigits) { // it would be kept as infinity or 0
		return "", Problem("must not have more than " + strconv.Itoa(floatDigits) + " digits.")
	}
	return n.Text()
}

// Text is n as a Decimal column without limits has it: no exponent, no superfluous zeros. It is a part of the text that
// n was read from where that is canonical already. A number of more than a thousand digits has none.
func (n Number) Text() (string, Problem) {
	if n.point > maxDigits || n.size()-n.point > maxDigits {
		return "", Problem("must not have more than " + strconv.Itoa(maxDigits) + " digits.")
	}
	return n.canonical(), ""
}

func beyond(limit string, negative bool) Problem {
	if negative {
		return Problem("must be at least -" + limit + ".")
	}
	return Problem("must not be greater than " + limit + ".")
}

// greatest is the greatest value of a decimal type: as many nines as its precision.
func greatest(t *Type) string {
	return Number{whole: strings.Repeat("9", t.Precision), point: t.Precision - t.Scale}.canonical()
}

func float(text string, t *Type) (string, Problem) {
	n, ok := ParseNumber(text)
	if !ok {
		return "", notNumber
	}
	bits := 64
	if t.Bits == 32 {
		bits = 32
	}
	f, err := strconv.ParseFloat(text, bits)
	if err != nil {
		limit := "1.7976931348623157e+308"
		if bits == 32 {
			limit = "3.4028235e+38"
		}
		return "", beyond(limit, n.negative)
	}
	if f == 0 {
		return "0", ""
	}
	canonical := strconv.FormatFloat(f, 'g', -1, bits)
	if canonical == text {
		return text, ""
	}
	return canonical, ""
}
