package column_test

import (
	"math/big"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"ingest/shared/column"
)

var anyType = rapid.SampledFrom([]column.Type{
	kind(column.Text), kind(column.Integer), smallint, money, kind(column.Decimal), kind(column.Float), real32,
	kind(column.Boolean), kind(column.Date), kind(column.Time), kind(column.Datetime), instant, seconds,
	kind(column.UUID), kind(column.JSON), kind(column.Bytes), kind(column.Other),
	{Kind: column.Decimal, Precision: 5, Scale: -2},
	{Kind: column.Decimal, Precision: 2, Scale: 4},
	{Kind: column.Decimal, Precision: 30, Scale: 10, Digits: 15},
})

var likelyText = rapid.OneOf(
	rapid.StringMatching(`[ ]?[-+]?[0-9]{0,25}(\.[0-9]{0,12})?([eE][-+]?[0-9]{1,3})?[ ]?`),
	rapid.StringMatching(`[0-9]{4}-[01][0-9]-[0-3][0-9]([T ][0-2][0-9]:[0-5][0-9](:[0-5][0-9](\.[0-9]{1,9})?)?(Z|[-+][01][0-9](:?[0-5][0-9])?)?)?`),
	rapid.StringMatching(`[0-2][0-9]:[0-5][0-9](:[0-5][0-9](\.[0-9]{1,9})?)?`),
	rapid.StringMatching(`\{?[0-9a-fA-F]{8}(-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}\}?`),
	rapid.StringMatching(`[\[{" ]{0,2}("a"|1|null|\\u[0d][8c]0[0-9]|[:, ]){0,6}[\]}" ]{0,2}`),
	rapid.SampledFrom([]string{"true", "no", "T", "off", "", " "}),
	rapid.String(),
)

func TestConvertingCanonicalTextGivesItself(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := column.Column{Type: anyType.Draw(t, "type")}
		once, problem := column.Convert(likelyText.Draw(t, "text"), c)
		if problem != "" {
			return
		}
		twice, problem := column.Convert(once.Text, c)
		if problem != "" || twice != once {
			t.Fatalf("%q converts to %q, %q", once.Text, twice.Text, problem)
		}
	})
}

// roundedByBig is the dumb twin: exact rationals, rounded half away from zero.
func roundedByBig(text string, scale int) (*big.Rat, bool) {
	value, ok := new(big.Rat).SetString(text)
	if !ok {
		return nil, false
	}
	unit := new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(scale)), nil))
	scaled := new(big.Rat).Mul(value, unit)
	half := big.NewRat(int64(scaled.Sign()), 2)
	scaled.Add(scaled, half)
	whole := new(big.Int).Quo(scaled.Num(), scaled.Denom())
	return scaled.Quo(new(big.Rat).SetInt(whole), unit), true
}

func TestDecimalsRoundAsRationalsDo(t *testing.T) {
	t.Parallel()
	text := rapid.StringMatching(`[-+]?[0-9]{1,12}\.[0-9]{0,8}([eE][-+]?[0-9])?`)
	rapid.Check(t, func(t *rapid.T) {
		precision := rapid.IntRange(1, 20).Draw(t, "precision")
		scale := rapid.IntRange(0, precision).Draw(t, "scale")
		text := text.Draw(t, "text")
		want, ok := roundedByBig(text, scale)
		if !ok {
			t.Fatalf("the twin cannot read %q", text)
		}
		limit := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(precision-scale)), nil)
		fits := new(big.Rat).Abs(want).Cmp(new(big.Rat).SetInt(limit)) < 0
		got, problem := column.Convert(text, column.Column{
			Type: column.Type{Kind: column.Decimal, Precision: precision, Scale: scale},
		})
		if fits != (problem == "") {
			t.Fatalf("%q as (%d,%d): %q, want in range = %v", text, precision, scale, problem, fits)
		}
		if !fits {
			return
		}
		if value, _ := new(big.Rat).SetString(got.Text); value.Cmp(want) != 0 {
			t.Fatalf("%q as (%d,%d) is %s, want %s", text, precision, scale, got.Text, want)
		}
	})
}

func TestNumbersCompareAsRationalsDo(t *testing.T) {
	t.Parallel()
	text := rapid.StringMatching(`[-+]?[0-9]{1,4}(\.[0-9]{0,4})?([eE][-+]?[0-9])?`)
	rapid.Check(t, func(t *rapid.T) {
		a, b := text.Draw(t, "a"), text.Draw(t, "b")
		x, okX := column.ParseNumber(a)
		y, okY := column.ParseNumber(b)
		p, _ := new(big.Rat).SetString(a)
		q, _ := new(big.Rat).SetString(b)
		if !okX || !okY || x.Compare(y) != p.Cmp(q) {
			t.Fatalf("%q against %q: %d, want %d", a, b, x.Compare(y), p.Cmp(q))
		}
	})
}

// TestEqualValuesHaveEqualText writes one number in two ways; canonical texts must not tell which.
func TestEqualValuesHaveEqualText(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		whole := rapid.StringMatching(`[0-9]{1,8}`).Draw(t, "whole")
		fraction := rapid.StringMatching(`[0-9]{1,4}`).Draw(t, "fraction")
		sign := rapid.SampledFrom([]string{"", "-"}).Draw(t, "sign")
		plain := sign + whole + "." + fraction
		shifted := sign + strings.Repeat("0", rapid.IntRange(0, 3).Draw(t, "zeros")) + whole + fraction + "e-" +
			string(rune('0'+len(fraction)))
		for _, typ := range []column.Type{kind(column.Decimal), kind(column.Float), money} {
			a, first := column.Convert(plain, column.Column{Type: typ})
			b, second := column.Convert(shifted, column.Column{Type: typ})
			if first != second || a != b {
				t.Fatalf("%q and %q are %q and %q", plain, shifted, a.Text, b.Text)
			}
		}
	})
}

func TestDatetimesAgreeWithTheTimePackage(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		second := rapid.Int64Range(-62135510400, 253402214400).Draw(t, "second")
		offset := rapid.IntRange(-23*60, 23*60).Draw(t, "offset")
		moment := time.Unix(second, rapid.Int64Range(0, 999_999).Draw(t, "micro")*1000)
		text := moment.In(time.FixedZone("", offset*60)).Format(time.RFC3339Nano)
		got, problem := column.Convert(text, column.Column{Type: instant})
		want := moment.UTC().Format("2006-01-02 15:04:05.999999Z07:00")
		if local := moment.In(time.FixedZone("", offset*60)).Year(); local < 1 || local > 9999 {
			t.Skip("the local year has no four digits")
		}
		if problem != "" || got.Text != want {
			t.Fatalf("%q is %q, %q, want %q", text, got.Text, problem, want)
		}
	})
}

func FuzzConvert(f *testing.F) {
	for _, text := range []string{"", "-0", "1e3", "2024-02-29T23:59:59.9999999+01:00", `{"\ud800":1}`, "\\x0g", "1e-99999"} {
		f.Add(text, 10, 2)
	}
	kinds := []column.Kind{
		column.Text, column.Integer, column.Decimal, column.Float, column.Boolean, column.Date, column.Time,
		column.Datetime, column.UUID, column.JSON, column.Bytes, column.Other,
	}
	f.Fuzz(func(t *testing.T, text string, precision, scale int) {
		for _, k := range kinds {
			c := column.Column{Type: column.Type{
				Kind: k, Precision: min(max(precision, 0), 1000), Scale: min(max(scale, -1000), 1000),
			}}
			once, problem := column.Convert(text, c)
			if problem != "" {
				continue
			}
			if twice, problem := column.Convert(once.Text, c); problem != "" || twice != once {
				t.Fatalf("%s: %q gives %q, then %q, %q", k, text, once.Text, twice.Text, problem)
			}
		}
	})
}
