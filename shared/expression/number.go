package expression

import (
	"math"
	"math/big"
	"math/bits"
	"strconv"
	"strings"

	"ingest/shared/column"
)

const (
	// maxDigits bounds a number before and behind the point.
	maxDigits = 200
	// quotientDigits is how many digits a quotient has that does not end.
	quotientDigits = 34
)

// Number is a decimal number: coefficient × 10^-scale. It never goes through a float. The coefficient is small where
// that is enough, which is nearly always, and then nothing is allocated; the zero value is 0.
type Number struct {
	small int64
	large *big.Int
	scale int
}

// Whole is an integer as a Number.
func Whole(n int) Number { return Number{small: int64(n)} }

// ParseNumber reads what a decimal column takes: `[+-]digits[.digits][e[+-]digits]`, blanks around it ignored.
func ParseNumber(text string) (Number, bool) {
	text = column.Trim(text)
	if n, ok := parseShort(text); ok {
		return n, true
	}
	if _, ok := column.ParseNumber(text); !ok {
		return Number{}, false
	}
	mantissa, exponent := text, 0
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		mantissa = text[:i]
		e, err := strconv.Atoi(text[i+1:])
		if err != nil || e > 2*maxDigits || e < -2*maxDigits {
			return Number{}, false
		}
		exponent = e
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	if len(whole)+len(fraction) > 2*maxDigits {
		return Number{}, false
	}
	coefficient, ok := new(big.Int).SetString(whole+fraction, 10)
	if !ok {
		return Number{}, false
	}
	return sized(coefficient, len(fraction)-exponent)
}

// parseShort reads up to 18 digits with a point and without an exponent.
func parseShort(text string) (Number, bool) {
	rest := text
	if rest != "" && (rest[0] == '-' || rest[0] == '+') {
		rest = rest[1:]
	}
	if rest == "" || len(rest) > 18 {
		return Number{}, false
	}
	var n Number
	point := -1
	for i := range len(rest) {
		switch c := rest[i]; {
		case c >= '0' && c <= '9':
			n.small = n.small*10 + int64(c-'0')
		case c == '.' && point < 0 && len(rest) > 1:
			point = i
		default:
			return Number{}, false
		}
	}
	if point >= 0 {
		n.scale = len(rest) - point - 1
	}
	if text[0] == '-' {
		n.small = -n.small
	}
	return n, true
}

// sized is the number of a coefficient and any scale; false when it has too many digits.
func sized(coefficient *big.Int, scale int) (Number, bool) {
	if scale < 0 {
		if scale < -2*maxDigits {
			return Number{}, coefficient.Sign() == 0
		}
		coefficient, scale = new(big.Int).Mul(coefficient, power(-scale)), 0
	}
	if coefficient.IsInt64() && scale <= maxDigits {
		return Number{small: coefficient.Int64(), scale: scale}, true
	}
	coefficient, scale = trimmed(coefficient, scale)
	if scale > maxDigits || digits(coefficient)-scale > maxDigits {
		return Number{}, false
	}
	if coefficient.IsInt64() {
		return Number{small: coefficient.Int64(), scale: scale}, true
	}
	return Number{large: coefficient, scale: scale}, true
}

// trimmed takes the zeros off the end of a fraction.
func trimmed(coefficient *big.Int, scale int) (*big.Int, int) {
	ten, rest := big.NewInt(10), new(big.Int)
	for scale > 0 {
		shorter, _ := new(big.Int).QuoRem(coefficient, ten, rest)
		if rest.Sign() != 0 {
			break
		}
		coefficient, scale = shorter, scale-1
	}
	return coefficient, scale
}

func digits(n *big.Int) int { return len(new(big.Int).Abs(n).Text(10)) }

func power(n int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }

// coefficient is the coefficient at a scale that is not less than the number's own.
func (n Number) coefficient(scale int) *big.Int {
	c := n.large
	if c == nil {
		c = big.NewInt(n.small)
	}
	if scale == n.scale {
		return c
	}
	return new(big.Int).Mul(c, power(scale-n.scale))
}

// shifted is the small coefficient at a scale that is not less than the number's own; false when it is not small.
func (n Number) shifted(scale int) (int64, bool) {
	if n.large != nil || scale-n.scale > 18 {
		return 0, false
	}
	c := n.small
	for range scale - n.scale {
		if c > math.MaxInt64/10 || c < math.MinInt64/10 {
			return 0, false
		}
		c *= 10
	}
	return c, true
}

// Compare returns -1, 0 or +1 as n is less than, equal to or greater than o.
func (n Number) Compare(o Number) int {
	scale := max(n.scale, o.scale)
	a, okA := n.shifted(scale)
	b, okB := o.shifted(scale)
	switch {
	case !okA || !okB:
		return n.coefficient(scale).Cmp(o.coefficient(scale))
	case a < b:
		return -1
	case a > b:
		return 1
	default:
		return 0
	}
}

func (n Number) sign() int {
	if n.large != nil {
		return n.large.Sign()
	}
	return n.Compare(Number{})
}

// Negate is -n.
func (n Number) Negate() Number {
	if n.large == nil && n.small != math.MinInt64 {
		return Number{small: -n.small, scale: n.scale}
	}
	return Number{large: new(big.Int).Neg(n.coefficient(n.scale)), scale: n.scale}
}

// Add is n + o, exactly; false when the sum has too many digits.
func (n Number) Add(o Number) (Number, bool) {
	scale := max(n.scale, o.scale)
	a, okA := n.shifted(scale)
	b, okB := o.shifted(scale)
	if sum := a + b; okA && okB && (sum > a) == (b > 0) {
		return Number{small: sum, scale: scale}, true
	}
	return sized(new(big.Int).Add(n.coefficient(scale), o.coefficient(scale)), scale)
}

// Multiply is n × o, exactly; false when the product has too many digits.
func (n Number) Multiply(o Number) (Number, bool) {
	if n.large == nil && o.large == nil && n.scale+o.scale <= maxDigits {
		if product, ok := multiply(n.small, o.small); ok {
			return Number{small: product, scale: n.scale + o.scale}, true
		}
	}
	return sized(new(big.Int).Mul(n.coefficient(n.scale), o.coefficient(o.scale)), n.scale+o.scale)
}

func multiply(a, b int64) (int64, bool) {
	if a == math.MinInt64 || b == math.MinInt64 {
		return 0, false
	}
	high, low := bits.Mul64(uint64(max(a, -a)), uint64(max(b, -b)))
	if high != 0 || low > math.MaxInt64 {
		return 0, false
	}
	if (a < 0) != (b < 0) {
		return -int64(low), true
	}
	return int64(low), true
}

// Divide is n ÷ o, o not being 0: exactly where the quotient ends within 34 digits, else rounded to as many, half away
// from zero.
func (n Number) Divide(o Number) (Number, bool) {
	if quotient, ok := n.divideSmall(o); ok {
		return quotient, true
	}
	numerator, divisor := n.coefficient(n.scale), o.coefficient(o.scale)
	more := quotientDigits + digits(divisor) - digits(numerator) + 1
	scale := n.scale - o.scale
	if more > 0 {
		numerator, scale = new(big.Int).Mul(numerator, power(more)), scale+more
	}
	quotient := rounded(numerator, divisor)
	if surplus := digits(quotient) - quotientDigits; surplus > 0 && more > 0 {
		// Rounding twice would be wrong, so it is done once more from the start.
		quotient, scale = rounded(numerator, new(big.Int).Mul(divisor, power(surplus))), scale-surplus
	}
	quotient, scale = trimmed(quotient, scale)
	if scale > maxDigits {
		quotient, scale = rounded(quotient, power(scale-maxDigits)), maxDigits
	}
	return sized(quotient, scale)
}

// divideSmall divides where all steps of a long division stay small and it ends.
func (n Number) divideSmall(o Number) (Number, bool) {
	if n.large != nil || o.large != nil || n.small == math.MinInt64 || o.small == math.MinInt64 {
		return Number{}, false
	}
	a, b, scale := n.small, o.small, n.scale-o.scale
	quotient, rest := a/b, a%b
	for rest != 0 || scale < 0 {
		var ok bool
		if quotient, ok = multiply(quotient, 10); !ok {
			return Number{}, false
		}
		if rest, ok = multiply(rest, 10); !ok {
			return Number{}, false
		}
		digit := rest / b
		if (digit > 0 && quotient > math.MaxInt64-digit) || (digit < 0 && quotient < math.MinInt64-digit) {
			return Number{}, false
		}
		quotient, rest, scale = quotient+digit, rest%b, scale+1
	}
	return Number{small: quotient, scale: scale}, true
}

// rounded is a ÷ b as an integer, rounded half away from zero.
func rounded(a, b *big.Int) *big.Int {
	quotient, rest := new(big.Int).QuoRem(a, b, new(big.Int))
	if rest.Lsh(rest.Abs(rest), 1).CmpAbs(b) >= 0 {
		quotient.Add(quotient, big.NewInt(int64(a.Sign()*b.Sign())))
	}
	return quotient
}

// Remainder is what is left of n ÷ o when the quotient is cut to an integer, with the sign of n; o is not 0.
func (n Number) Remainder(o Number) (Number, bool) {
	scale := max(n.scale, o.scale)
	a, okA := n.shifted(scale)
	b, okB := o.shifted(scale)
	if okA && okB && b != -1 {
		return Number{small: a % b, scale: scale}, true
	}
	return sized(new(big.Int).Rem(n.coefficient(scale), o.coefficient(scale)), scale)
}

// Raise is n to a whole power from -100 to 100; n is not 0 where that is negative.
func (n Number) Raise(exponent int) (Number, bool) {
	result := Whole(1)
	for range max(exponent, -exponent) {
		var ok bool
		if result, ok = result.Multiply(n); !ok {
			return Number{}, false
		}
	}
	if exponent < 0 {
		return Whole(1).Divide(result)
	}
	return result, true
}

// Round is n rounded half away from zero to that many digits behind the point.
func (n Number) Round(digits int) Number {
	if n.scale <= digits {
		return n
	}
	if c, ok := n.cut(digits); ok {
		return c
	}
	r, _ := sized(rounded(n.coefficient(n.scale), power(n.scale-digits)), digits)
	return r
}

// cut rounds small numbers.
func (n Number) cut(digits int) (Number, bool) {
	if n.large != nil || digits < 0 || n.scale-digits > 18 || n.small == math.MinInt64 {
		return Number{}, false
	}
	unit := int64(1)
	for range n.scale - digits {
		unit *= 10
	}
	quotient, rest := n.small/unit, n.small%unit
	switch {
	case rest >= unit-rest:
		quotient++
	case -rest >= unit+rest:
		quotient--
	}
	return Number{small: quotient, scale: digits}, true
}

// Truncate is n without its fraction.
func (n Number) Truncate() Number {
	if n.scale == 0 {
		return n
	}
	t, _ := sized(new(big.Int).Quo(n.coefficient(n.scale), power(n.scale)), 0)
	return t
}

// Int is n as an int; false when it has a fraction or is too large to count with.
func (n Number) Int() (int, bool) {
	whole := n.Truncate()
	if whole.Compare(n) != 0 || whole.large != nil || whole.small > math.MaxInt32 || whole.small < math.MinInt32 {
		return 0, false
	}
	return int(whole.small), true
}

// String is the shortest form: no exponent, no zeros at the end of the fraction.
func (n Number) String() string {
	var buffer [48]byte
	digits := buffer[:0]
	if n.large != nil {
		digits = n.large.Append(digits, 10)
	} else {
		digits = strconv.AppendInt(digits, n.small, 10)
	}
	if n.scale == 0 {
		return string(digits)
	}
	sign := 0
	if digits[0] == '-' {
		sign = 1
	}
	// With zeros in front of it, so that a digit stands before the point.
	for missing := n.scale + 1 - (len(digits) - sign); missing > 0; missing-- {
		digits = append(digits, 0)
		copy(digits[sign+1:], digits[sign:])
		digits[sign] = '0'
	}
	scale := n.scale
	for scale > 0 && digits[len(digits)-1] == '0' {
		digits, scale = digits[:len(digits)-1], scale-1
	}
	if scale == 0 {
		if sign == 1 && string(digits) == "-0" {
			return "0"
		}
		return string(digits)
	}
	point := len(digits) - scale
	digits = append(digits, 0)
	copy(digits[point+1:], digits[point:])
	digits[point] = '.'
	return string(digits)
}
