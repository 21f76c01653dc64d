package column_test

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"ingest/shared/column"
)

func TestInstant(t *testing.T) {
	t.Parallel()
	berlin := time.FixedZone("", 3600)
	at := func(text string) time.Time {
		parsed, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			t.Fatal(err)
		}
		return parsed
	}
	for text, want := range map[string]column.Instant{
		"2024-02-29":                       {Time: at("2024-02-29T00:00:00+01:00")},
		" 20240131\n":                      {Time: at("2024-01-31T00:00:00+01:00")},
		"2024-01-31 07:05":                 {Time: at("2024-01-31T07:05:00+01:00"), Timed: true},
		"2024-01-31t07:05:06.123456789z":   {Time: at("2024-01-31T07:05:06.123457Z"), Timed: true, Zoned: true},
		"2024-01-31T23:59:59.9999999-0230": {Time: at("2024-02-01T02:30:00Z"), Timed: true, Zoned: true},
	} {
		got, ok := column.ParseInstant(text, berlin)
		if !ok || !got.Time.Equal(want.Time) || got.Timed != want.Timed || got.Zoned != want.Zoned {
			t.Errorf("%q: got %+v, %v", text, got, ok)
		}
	}
	for _, text := range []string{
		"", "2024", "2024-02-30", "20240230", "2024-01-31x", "2024-01-31T", "2024-01-31T25:00", "2024-01-31T01:00+24:00", "0000-01-01",
		"0001-01-01T00:00+01:00", "9999-12-31T23:59:59.9999999Z", "9999-12-31T23:59:59.9999999",
	} {
		if got, ok := column.ParseInstant(text, time.UTC); ok {
			t.Errorf("%q: got %+v", text, got)
		}
	}
}

// TestInstantsAreWhatColumnsTake: a text is an instant exactly when a Date or a Datetime column takes it, and then the
// same one.
func TestInstantsAreWhatColumnsTake(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		text := rapid.StringMatching(`(0001|2024|9999)-(0[0-3]|1[0-3])-([0-3]\d)([T ](0\d|2[0-5]):[0-6]\d(:[0-6]\d(\.9{0,8})?)?(Z|[+-]\d\d(:?\d\d)?)?)?`).Draw(rt, "text")
		instant, ok := column.ParseInstant(text, time.UTC)
		if want := column.IsDate(text) || column.IsMoment(text); ok != want {
			rt.Fatalf("%q: instant %v, column %v", text, ok, want)
		}
		if !ok {
			return
		}
		got := instant.Time.UTC().Format("2006-01-02 15:04:05.999999")
		value, problem := column.Convert(text, column.Column{Type: column.Type{Kind: column.Datetime}})
		if !instant.Timed {
			value.Text = strings.TrimSpace(text) + " 00:00:00"
		} else if problem != "" {
			rt.Fatalf("%q: %s", text, problem)
		}
		if got != value.Text {
			rt.Fatalf("%q: instant %s, column %s", text, got, value.Text)
		}
	})
}

func TestNumbersRoundAndPrint(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"1.005": "1.01", "-1.005": "-1.01", "0.004": "0", "99.995": "100", "12": "12", "1e3": "1000", "-0.00": "0", "1.10": "1.1",
	} {
		n, ok := column.ParseNumber(text)
		if got, problem := n.Round(2).Text(); !ok || problem != "" || got != want {
			t.Errorf("%s: got %s, %s, want %s", text, got, problem, want)
		}
	}
	n, _ := column.ParseNumber("1e1001")
	if _, problem := n.Text(); problem == "" {
		t.Error("a number of more than a thousand digits was written")
	}
}
