package column_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ingest/shared/column"
)

func kind(k column.Kind) column.Type { return column.Type{Kind: k} }

var (
	money    = column.Type{Kind: column.Decimal, Precision: 10, Scale: 2}
	smallint = column.Type{Kind: column.Integer, Bits: 16}
	instant  = column.Type{Kind: column.Datetime, Zone: true}
	seconds  = column.Type{Kind: column.Datetime, Native: "timestamp(0) without time zone"}
	real32   = column.Type{Kind: column.Float, Bits: 32}
)

func TestConvertGivesCanonicalText(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		typ        column.Type
		text, want string
	}{
		{kind(column.Integer), "0", "0"},
		{kind(column.Integer), " 42\t", "42"},
		{kind(column.Integer), "+5", "5"},
		{kind(column.Integer), "007", "7"},
		{kind(column.Integer), "-0", "0"},
		{kind(column.Integer), "-007", "-7"},
		{kind(column.Integer), "-000", "0"},
		{kind(column.Integer), "-9223372036854775808", "-9223372036854775808"},
		{kind(column.Integer), "0009223372036854775807", "9223372036854775807"},
		{smallint, "-32768", "-32768"},
		{smallint, "32767", "32767"},
		{money, "12.5", "12.5"},
		{money, "12.50", "12.5"},
		{money, " 012.500 ", "12.5"},
		{money, "1e3", "1000"},
		{money, "1.5E-1", "0.15"},
		{money, "0.005", "0.01"},
		{money, "-0.005", "-0.01"},
		{money, "0.0049999", "0"},
		{money, "-0.0049999", "0"},
		{money, "9.995", "10"},
		{money, "99.994", "99.99"},
		{money, "99999999.994", "99999999.99"},
		{money, ".5", "0.5"},
		{money, "5.", "5"},
		{money, "+5.00", "5"},
		{money, "-0.00", "0"},
		{money, "0e999999999999999999999", "0"},
		{money, "1e-999999999999999999999", "0"},
		{money, "100", "100"},
		{money, "100.00", "100"},
		{kind(column.Decimal), "123456789012345678901234567890.123456789", "123456789012345678901234567890.123456789"},
		{kind(column.Decimal), "1.000", "1"},
		{kind(column.Decimal), "1e-3", "0.001"},
		{kind(column.Decimal), "-12e2", "-1200"},
		{column.Type{Kind: column.Decimal, Precision: 2, Scale: -3}, "12500", "13000"},
		{column.Type{Kind: column.Decimal, Precision: 3, Scale: 5}, "0.001234", "0.00123"},
		{column.Type{Kind: column.Decimal, Digits: 15}, "123456789012345000", "123456789012345000"},
		{kind(column.Float), "1.50", "1.5"},
		{kind(column.Float), "-0", "0"},
		{kind(column.Float), "1e3", "1000"},
		{kind(column.Float), "1000000", "1e+06"},
		{kind(column.Float), "0.1000000000000000055", "0.1"},
		{real32, "0.10000000149", "0.1"},
		{kind(column.Boolean), "TRUE", "true"},
		{kind(column.Boolean), " y ", "true"},
		{kind(column.Boolean), "On", "true"},
		{kind(column.Boolean), "T", "true"},
		{kind(column.Boolean), "1", "true"},
		{kind(column.Boolean), "no", "false"},
		{kind(column.Boolean), "F", "false"},
		{kind(column.Boolean), "off", "false"},
		{kind(column.Date), " 2024-02-29 ", "2024-02-29"},
		{kind(column.Date), "0001-01-01", "0001-01-01"},
		{kind(column.Time), "15:04", "15:04:00"},
		{kind(column.Time), "15:04:05.120", "15:04:05.12"},
		{kind(column.Datetime), "2024-01-02T03:04:05Z", "2024-01-02 03:04:05"},
		{kind(column.Datetime), "2024-01-02 03:04", "2024-01-02 03:04:00"},
		{kind(column.Datetime), "2024-01-02 03:04:05.1234565", "2024-01-02 03:04:05.123457"},
		{kind(column.Datetime), "2024-01-01T00:30:00+01:00", "2023-12-31 23:30:00"},
		{kind(column.Datetime), "2024-02-28 23:30-0100", "2024-02-29 00:30:00"},
		{kind(column.Datetime), "2023-12-31T23:59:59.9999996", "2024-01-01 00:00:00"},
		{seconds, "2024-01-02 03:04:05.5", "2024-01-02 03:04:06"},
		{instant, "2024-01-02 03:04:05+00", "2024-01-02 03:04:05Z"},
		{kind(column.UUID), "{A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11}", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"},
		{kind(column.UUID), "a0eebc999c0b4ef8bb6d6bb9bd380a11", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"},
		{kind(column.JSON), ` {"a": [1, 1.0, 1e400], "b" : "x y\ud83d\ude00"} `, `{"a":[1,1.0,1e400],"b":"x y\ud83d\ude00"}`},
		{kind(column.Bytes), "DEADbeef", `\xdeadbeef`},
		{kind(column.Bytes), `\x00`, `\x00`},
		{kind(column.Text), "  as it is ", "  as it is "},
		{kind(column.Text), "", ""},
		{column.Type{Kind: column.Text, Length: 3}, "äöü", "äöü"},
		{kind(column.Other), " (1,2) ", " (1,2) "},
		{column.Type{Kind: column.JSON, Digits: 15}, "1.10", "1.1"},
		{column.Type{Kind: column.JSON, Digits: 15}, "[1.10, 1e400]", "[1.10,1e400]"},
		{column.Type{Kind: column.Other, Native: "enum('a','3')"}, "3", "3"},
		{column.Type{Kind: column.Other, Native: "enum('a','3')"}, "4a", "4a"},
		{column.Type{Kind: column.Other, Native: "year(4)"}, "2024", "2024"},
	} {
		got, problem := column.Convert(test.text, column.Column{Type: test.typ})
		if problem != "" {
			t.Errorf("%+v %q: %s", test.typ, test.text, problem)
			continue
		}
		if want := (column.Value{Text: test.want, State: column.Set}); got != want {
			t.Errorf("%+v %q: %s", test.typ, test.text, cmp.Diff(want, got))
		}
	}
}

func TestConvertSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		typ  column.Type
		text string
		want column.Problem
	}{
		{kind(column.Integer), "", "must be an integer."},
		{kind(column.Integer), " ", "must be an integer."},
		{kind(column.Integer), "-", "must be an integer."},
		{kind(column.Integer), "1.0", "must be an integer."},
		{kind(column.Integer), "1e3", "must be an integer."},
		{kind(column.Integer), "1 000", "must be an integer."},
		{kind(column.Integer), "٣", "must be an integer."},
		{kind(column.Integer), "9223372036854775808", "must not be greater than 9223372036854775807."},
		{kind(column.Integer), strings.Repeat("9", 100), "must not be greater than 9223372036854775807."},
		{smallint, "-32769", "must be at least -32768."},
		{kind(column.Integer), "1\x00", "contains a NUL character."},
		{money, "99999999.995", "must not be greater than 99999999.99."},
		{money, "-1e8", "must be at least -99999999.99."},
		{money, "1e999999999999999999", "must not be greater than 99999999.99."},
		{money, "1,000.00", "must be a number."},
		{money, ".", "must be a number."},
		{money, "1e", "must be a number."},
		{money, "NaN", "must be a number."},
		{money, "0x10", "must be a number."},
		{column.Type{Kind: column.Decimal, Precision: 3, Scale: 5}, "0.01", "must not be greater than 0.00999."},
		{column.Type{Kind: column.Decimal, Precision: 2, Scale: -3}, "99500", "must not be greater than 99000."},
		{column.Type{Kind: column.Decimal, Digits: 15}, "1234567890123456", "must not have more than 15 significant digits."},
		{column.Type{Kind: column.Other, Native: "enum('a','b')"}, "1", column.NotMember},
		{column.Type{Kind: column.Decimal, Digits: 15}, "1e400", "must not have more than 300 digits."},
		{column.Type{Kind: column.Decimal, Digits: 15}, "-1e-400", "must not have more than 300 digits."},
		{column.Type{Kind: column.JSON, Digits: 15}, "1234567890123456", "must not have more than 15 significant digits."},
		{column.Type{Kind: column.JSON, Digits: 15}, " 1e400", "must not have more than 300 digits."},
		{column.Type{Kind: column.Other, Native: "set('a','b')"}, " +3 ", column.NotMember},
		{kind(column.Decimal), "1e5000", "must not have more than 1000 digits."},
		{kind(column.Decimal), "1e-5000", "must not have more than 1000 digits."},
		{kind(column.Float), "inf", "must be a number."},
		{kind(column.Float), "0x1p4", "must be a number."},
		{kind(column.Float), "1e400", "must not be greater than 1.7976931348623157e+308."},
		{real32, "-1e39", "must be at least -3.4028235e+38."},
		{kind(column.Boolean), "maybe", "must be true or false."},
		{kind(column.Boolean), "2", "must be true or false."},
		{kind(column.Date), "2024-13-45", "must be a valid date."},
		{kind(column.Date), "2023-02-29", "must be a valid date."},
		{kind(column.Date), "1900-02-29", "must be a valid date."},
		{kind(column.Date), "0000-01-01", "must be a valid date."},
		{kind(column.Date), "2024-1-2", "must be a valid date."},
		{kind(column.Date), "02/01/2024", "must be a valid date."},
		{kind(column.Date), "2024-01-02 03:04", "must be a valid date."},
		{kind(column.Datetime), "2024-01-02", "must be a valid date."},
		{kind(column.Datetime), "2024-01-02 24:00", "must be a valid date."},
		{kind(column.Datetime), "2024-01-02 23:59:60", "must be a valid date."},
		{kind(column.Datetime), "2024-01-02 03:04 CET", "must be a valid date."},
		{kind(column.Datetime), "2024-01-02 03:04:05.", "must be a valid date."},
		{kind(column.Datetime), "0001-01-01 00:00+01:00", "must be a valid date."},
		{kind(column.Datetime), "9999-12-31 23:59:59.9999999", "must be a valid date."},
		{kind(column.Time), "24:00", "must be a valid time."},
		{kind(column.Time), "23:59:59.9999999", "must be a valid time."},
		{kind(column.UUID), "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1", "must be a valid UUID."},
		{kind(column.UUID), "a0eebc99_9c0b_4ef8_bb6d_6bb9bd380a11", "must be a valid UUID."},
		{kind(column.JSON), "{", "must be a valid JSON string."},
		{kind(column.JSON), `"\u0000"`, "contains a NUL character."},
		{kind(column.JSON), `"\ud800"`, "must be a valid JSON string."},
		{kind(column.JSON), `"\ud800 \udc00"`, "must be a valid JSON string."},
		{kind(column.JSON), `"\udc00"`, "must be a valid JSON string."},
		{kind(column.JSON), strings.Repeat("[", 600) + strings.Repeat("]", 600), "must be a valid JSON string."},
		{kind(column.Bytes), "abc", "must be hexadecimal digits."},
		{kind(column.Text), "a\x00b", "contains a NUL character."},
		{kind(column.Text), "a\xff", "is not valid UTF-8."},
		{kind(column.Other), "a\xff", "is not valid UTF-8."},
		{column.Type{Kind: column.Text, Length: 3}, "äöüß", "must not be greater than 3 characters."},
	} {
		got, problem := column.Convert(test.text, column.Column{Type: test.typ})
		if problem != test.want || got != (column.Value{}) {
			t.Errorf("%+v %q: got %+v, %q, want %q", test.typ, test.text, got, problem, test.want)
		}
	}
}

func TestPlainTextsConvertWithoutAllocation(t *testing.T) {
	for text, typ := range map[string]column.Type{
		"12": kind(column.Integer), "-12.5": money, "12.50": money, "1.5": kind(column.Decimal),
		"2024-01-02": kind(column.Date), "2024-01-02 03:04:05": kind(column.Datetime),
		"yes": kind(column.Boolean), "äöü": kind(column.Text),
		"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11": kind(column.UUID),
	} {
		c := column.Column{Type: typ}
		if n := testing.AllocsPerRun(100, func() { column.Convert(text, c) }); n != 0 {
			t.Errorf("%q as %s allocates %v times", text, typ.Kind, n)
		}
	}
}
