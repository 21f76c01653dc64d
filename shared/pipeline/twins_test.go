package pipeline_test

import (
	"math/big"
	"regexp"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"ingest/shared/column"
	"ingest/shared/importer"
	"ingest/shared/pipeline"
)

// single is a program of one text column with one transform.
func single(t testing.TB, name string, o options) *pipeline.Program {
	t.Helper()
	d := importer.Definition{
		Format: importer.Format{Nulls: []string{}}, Fields: []importer.Field{with(field("sku", "A"), configured(name, o))},
	}
	return compile(t, d, []string{"A"}, productTable())
}

var (
	germanNumber = regexp.MustCompile(`^[+-]?(\d*|\d{1,3}(\.\d{3})+)(,\d*)?([eE][+-]?\d+)?$`)
	someDigit    = regexp.MustCompile(`^[+-]?[\d.]*,?\d`)
)

// TestNumericIsExact: the dumb twin takes the separators out by a pattern and counts with exact rationals.
func TestNumericIsExact(t *testing.T) {
	t.Parallel()
	p := single(t, "numeric", options{"decimals": "2", "decimal_separator": ","})
	rapid.Check(t, func(rt *rapid.T) {
		text := rapid.StringMatching(`[+-]?(\d{0,5}|\d{1,3}(\.\d{2,3}){1,3})(,\d{0,6})?([.,eE][+-]?\d{1,2})?`).Draw(rt, "text")
		got, failure := apply(p, text)
		good := germanNumber.MatchString(text) && someDigit.MatchString(text) && strings.Trim(text, "+-,.") != ""
		if (failure == nil) != good {
			rt.Fatalf("%q: %v, %+v", text, got, failure)
		}
		if !good {
			return
		}
		want, _ := new(big.Rat).SetString(strings.Replace(strings.ReplaceAll(text, ".", ""), ",", ".", 1))
		hundredths := new(big.Rat).Mul(want, big.NewRat(100, 1))
		hundredths.Add(hundredths, big.NewRat(int64(hundredths.Sign()), 2))
		want = new(big.Rat).SetFrac(new(big.Int).Quo(hundredths.Num(), hundredths.Denom()), big.NewInt(100))
		if have, ok := new(big.Rat).SetString(got[0].Text); !ok || have.Cmp(want) != 0 {
			rt.Fatalf("%q: got %s, want %s", text, got[0].Text, want)
		}
	})
}

var noLetters = regexp.MustCompile(`[^a-z0-9]+`)

// TestSlugOfASCII: the dumb twin is a pattern.
func TestSlugOfASCII(t *testing.T) {
	t.Parallel()
	p := single(t, "slug", nil)
	rapid.Check(t, func(rt *rapid.T) {
		text := rapid.StringMatching(`[ -~]{0,20}`).Draw(rt, "text")
		got, failure := apply(p, text)
		if want := strings.Trim(noLetters.ReplaceAllString(strings.ToLower(text), "-"), "-"); failure != nil || got[0] != set(want) {
			rt.Fatalf("%q: got %+v, %+v, want %q", text, got, failure, want)
		}
	})
}

// TestFormatsReadAsGoDoes: the dumb twin is the standard library's own layout of the same format.
func TestFormatsReadAsGoDoes(t *testing.T) {
	t.Parallel()
	for format, layout := range map[string]string{
		"d.m.Y H:i:s": "02.01.2006 15:04:05", "D, d M Y": "Mon, 02 Jan 2006", "F j, Y, g:i A": "January 2, 2006, 3:04 PM",
		"%d/%m/%y": "02/01/06", "%Y-%m-%dT%H:%M:%S.%f": "2006-01-02T15:04:05.000000", "Y-m-d H:i:s O": "2006-01-02 15:04:05 -0700",
		"%Y/%j": "2006/002", "n/j/Y H:i": "1/2/2006 15:04", "Ymd His": "20060102 150405", "%e %b %Y %I%p": "_2 Jan 2006 03PM",
		`Y-m-d\TH:i:s.vP`: "2006-01-02T15:04:05.000-07:00",
	} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			read, write := single(t, "date", options{"in": format, "out": "Y-m-d H:i:s.u"}), single(t, "date", options{"out": format})
			rapid.Check(t, func(rt *rapid.T) {
				seconds := rapid.Int64Range(-2e9, 4e9).Draw(rt, "seconds")
				moment := time.Unix(seconds, 0).UTC()
				text := moment.Format(layout)
				if i := rapid.IntRange(-10, len(text)-1).Draw(rt, "damage at"); i >= 0 {
					text = text[:i] + rapid.SampledFrom([]string{"0", "9", "3", "x", ""}).Draw(rt, "damage") + text[i+1:]
				} else if got, failure := apply(write, moment.Format(time.RFC3339)); failure != nil || got[0] != set(text) {
					rt.Fatalf("%s: written as %+v, %+v", text, got, failure)
				}
				want, err := time.Parse(layout, text)
				got, failure := apply(read, text)
				if failure == nil && err == nil && got[0].Text != want.UTC().Format("2006-01-02 15:04:05.000000") {
					// Go puts 69 to 99 into the last century, as POSIX does, and does not look at the day of the week.
					rt.Fatalf("%q: got %s, want %s", text, got[0].Text, want)
				}
				if failure == nil && err != nil && !lenient(layout, text) || failure != nil && err == nil && strings.TrimSpace(text) == text && want.Format(layout) == text {
					rt.Fatalf("%q: got %+v, Go says %v", text, failure, err)
				}
			})
		})
	}
}

// lenient says whether PHP reads what Go does not: one digit where a format writes two.
func lenient(layout, text string) bool { return len(text) < len(layout) || strings.Contains(text, "x") }

// TestExactDatesAreWrittenDates: date_format takes exactly the texts that the format writes.
func TestExactDatesAreWrittenDates(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"d.m.Y", "j.n.y", "D, d M Y H:i:s", "%d/%b/%Y:%H:%M:%S", "g:i a", "z Y", "YmdHis.u", "l jS F Y", "U"} {
		p, write := ruled(t, rule("date_format", format)), single(t, "date", options{"out": format})
		rapid.Check(t, func(rt *rapid.T) {
			moment := time.Unix(rapid.Int64Range(1, 2e9).Draw(rt, "seconds"), 0).UTC()
			written, failure := apply(write, moment.Format(time.RFC3339))
			if failure != nil {
				rt.Fatal(failure)
			}
			if _, failure := apply(p, written[0].Text); failure != nil {
				rt.Fatalf("%s: %s", written[0].Text, failure.Message)
			}
			if _, failure := apply(p, written[0].Text+" "); failure == nil {
				rt.Fatalf("%s and a blank is taken", written[0].Text)
			}
		})
	}
}

// TestComparisonsAgree: gt, gte, lt, lte, min, max and between of a number say the same as their twin of rationals.
func TestComparisonsAgree(t *testing.T) {
	t.Parallel()
	programs := map[string]*pipeline.Program{}
	for _, name := range []string{"gt", "gte", "lt", "lte", "min", "max", "size"} {
		programs[name] = ruled(t, rule("numeric"), rule(name, "2.50"))
	}
	rapid.Check(t, func(rt *rapid.T) {
		text := rapid.StringMatching(`-?(0?[0-3](\.[0-9]{0,3})?|25e-1|[1-9][0-9]{20})`).Draw(rt, "text")
		value, ok := new(big.Rat).SetString(text)
		if _, number := column.ParseNumber(text); ok != number {
			rt.Fatalf("%q: the twins do not agree on what a number is", text)
		}
		order := value.Cmp(big.NewRat(5, 2))
		for name, want := range map[string]bool{
			"gt": order > 0, "gte": order >= 0, "lt": order < 0, "lte": order <= 0, "min": order >= 0, "max": order <= 0, "size": order == 0,
		} {
			if _, failure := apply(programs[name], text); (failure == nil) != want {
				rt.Fatalf("%s of %q: %+v", name, text, failure)
			}
		}
	})
}
