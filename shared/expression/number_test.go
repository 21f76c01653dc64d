package expression_test

import (
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"ingest/shared/expression"
)

// numberText draws numbers as files have them: short ones, long ones, at the edge of a machine word.
func numberText() *rapid.Generator[string] {
	return rapid.OneOf(
		rapid.StringMatching(`-?[0-9]{1,4}(\.[0-9]{1,3})?`),
		rapid.StringMatching(`[+-]?[0-9]{1,30}(\.[0-9]{0,30})?`),
		rapid.StringMatching(`[+-]?\.[0-9]{1,20}(e[+-]?[0-9])?`),
		rapid.SampledFrom([]string{"9223372036854775807", "-9223372036854775808", "-9223372036854775809", "922337203685477580.7", "0", "-0.00", "1e18"}),
	)
}

func rat(t *rapid.T, text string) *big.Rat {
	r, ok := new(big.Rat).SetString(strings.TrimPrefix(text, "+"))
	if !ok {
		t.Fatalf("%q is no number", text)
	}
	return r
}

func parsed(t *rapid.T, text string) expression.Number {
	n, ok := expression.ParseNumber(text)
	if !ok {
		t.Fatalf("%q was not read", text)
	}
	return n
}

// Arithmetic is that of rational numbers, exactly.
func TestNumbersAreExact(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		textA, textB := numberText().Draw(t, "a"), numberText().Draw(t, "b")
		a, b, ratA, ratB := parsed(t, textA), parsed(t, textB), rat(t, textA), rat(t, textB)
		same := func(what string, got expression.Number, ok bool, want *big.Rat) {
			if !ok || rat(t, got.String()).Cmp(want) != 0 {
				t.Fatalf("%s %s %s = %s, %v, want %s", textA, what, textB, got, ok, want)
			}
		}
		same("read with", a, true, ratA)
		sum, ok := a.Add(b)
		same("+", sum, ok, new(big.Rat).Add(ratA, ratB))
		product, ok := a.Multiply(b)
		same("×", product, ok, new(big.Rat).Mul(ratA, ratB))
		same("negated", a.Negate(), true, new(big.Rat).Neg(ratA))
		if got, want := a.Compare(b), ratA.Cmp(ratB); got != want {
			t.Fatalf("compare %s with %s: %d, want %d", textA, textB, got, want)
		}
		whole := new(big.Int).Quo(ratA.Num(), ratA.Denom())
		same("truncated", a.Truncate(), true, new(big.Rat).SetInt(whole))
		if ratB.Sign() == 0 {
			return
		}
		quotient := new(big.Rat).Quo(ratA, ratB)
		times := new(big.Int).Quo(quotient.Num(), quotient.Denom())
		rest, ok := a.Remainder(b)
		same("%", rest, ok, new(big.Rat).Sub(ratA, new(big.Rat).Mul(ratB, new(big.Rat).SetInt(times))))
	})
}

// Rounding is half away from zero, which is what big.Rat.FloatString does.
func TestNumbersAreRoundedHalfAwayFromZero(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text, digits := numberText().Draw(t, "n"), rapid.IntRange(0, 12).Draw(t, "digits")
		got, want := parsed(t, text).Round(digits), rat(t, rat(t, text).FloatString(digits))
		if rat(t, got.String()).Cmp(want) != 0 {
			t.Fatalf("%s to %d digits = %s, want %s", text, digits, got, want)
		}
	})
}

// A quotient is exact where it ends within 34 digits, else no further from the truth than half of the 34th.
func TestQuotients(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		textA, textB := numberText().Draw(t, "a"), numberText().Draw(t, "b")
		ratB := rat(t, textB)
		if ratB.Sign() == 0 {
			return
		}
		want := new(big.Rat).Quo(rat(t, textA), ratB)
		got, ok := parsed(t, textA).Divide(parsed(t, textB))
		if !ok {
			t.Fatalf("%s / %s has no quotient", textA, textB)
		}
		off := new(big.Rat).Sub(rat(t, got.String()), want)
		allowed := new(big.Rat).Mul(new(big.Rat).Abs(want), rat(t, "1e-33"))
		if off.Abs(off).Cmp(allowed) > 0 {
			t.Fatalf("%s / %s = %s, want %s", textA, textB, got, want.FloatString(60))
		}
		if _, exact := new(big.Rat).SetString(want.FloatString(16)); exact && rat(t, want.FloatString(16)).Cmp(want) == 0 &&
			len(want.FloatString(16)) < 34 && off.Sign() != 0 {
			t.Fatalf("%s / %s = %s is not exact", textA, textB, got)
		}
	})
}

func TestNumbersAreWrittenShortest(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"007": "7", "-0": "0", "-0.00": "0", "1.50": "1.5", "100": "100", "1e3": "1000", "1e-3": "0.001", "-.5": "-0.5", "+7.": "7", " 1 ": "1",
		"0.000000000000000001": "0.000000000000000001", "-0.010": "-0.01", "1234567890123456789012345678901234567890.50": "1234567890123456789012345678901234567890.5",
	} {
		n, ok := expression.ParseNumber(text)
		if !ok || n.String() != want {
			t.Errorf("%q: got %s, %v, want %s", text, n, ok, want)
		}
	}
	for _, text := range []string{"", ".", "-", "1,5", "1 000", "0x1F", "1e", "NaN", "1e999", "1e-999", strings.Repeat("9", 401), "1_0"} {
		if n, ok := expression.ParseNumber(text); ok {
			t.Errorf("%q is read as %s", text, n)
		}
	}
}
