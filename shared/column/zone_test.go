package column_test

import (
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // the machine need not have it

	"pgregory.net/rapid"

	"ingest/shared/column"
)

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	place, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return place
}

func TestTimesWithoutAZoneAreInTheGivenOne(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		zone, text string
		of         column.Type
		want       string
	}{
		{"Europe/Berlin", "2026-01-31 12:00", instant, "2026-01-31 11:00:00Z"},
		{"Europe/Berlin", " 2026-07-31T12:00:00.5 ", instant, "2026-07-31 10:00:00.5Z"},
		{"Europe/Berlin", "2026-07-31 12:00", kind(column.Datetime), "2026-07-31 10:00:00"},
		{"Europe/Berlin", "2026-07-31 12:00Z", instant, "2026-07-31 12:00:00Z"},
		{"Europe/Berlin", "2026-07-31 12:00-05:00", kind(column.Datetime), "2026-07-31 17:00:00"},
		{"Europe/Berlin", "2026-01-01 00:30", instant, "2025-12-31 23:30:00Z"},
		{"America/New_York", "2024-02-28 23:30", instant, "2024-02-29 04:30:00Z"},
		{"Asia/Kathmandu", "2026-01-01 00:00", instant, "2025-12-31 18:15:00Z"},
		// The clocks go over it.
		{"Europe/Berlin", "2026-03-29 01:59:59.999999", instant, "2026-03-29 00:59:59.999999Z"},
		{"Europe/Berlin", "2026-03-29 02:00", instant, ""},
		{"Europe/Berlin", "2026-03-29 02:59:59.9999999", instant, ""},
		{"Europe/Berlin", "2026-03-29 03:00", instant, "2026-03-29 01:00:00Z"},
		{"Australia/Lord_Howe", "2026-10-04 02:15", instant, ""},
		{"America/Sao_Paulo", "2018-11-04 00:30", instant, ""},
		{"Pacific/Apia", "2011-12-30 12:00", instant, ""},
		// They show it twice.
		{"Europe/Berlin", "2026-10-25 02:30", instant, "2026-10-25 00:30:00Z"},
		{"Europe/Berlin", "2026-10-25 03:00", instant, "2026-10-25 02:00:00Z"},
		{"America/New_York", "2026-11-01 01:59:59", instant, "2026-11-01 05:59:59Z"},
		{"America/Nome", "1867-10-18 12:00", instant, "1867-10-17 23:01:38Z"},
		// It is rounded where it is, not where the clock shows it.
		{"Europe/Berlin", "2026-03-29 01:59:59.9999999", instant, "2026-03-29 01:00:00Z"},
		{"Europe/Berlin", "2026-03-29 01:59:59.6", seconds, "2026-03-29 01:00:00"},
		{"Europe/Berlin", "2026-01-31 23:59:59.6", seconds, "2026-01-31 23:00:00"},
		{"UTC", "2026-12-31 23:59:59.6", seconds, "2027-01-01 00:00:00"},
		// Years that databases do not have.
		{"Asia/Tokyo", "0001-01-01 00:00", instant, ""},
		{"America/New_York", "9999-12-31 23:00", instant, ""},
		// What is no moment is not moved.
		{"Asia/Tokyo", "2026-01-31", kind(column.Date), "2026-01-31"},
		{"Asia/Tokyo", "12:00", kind(column.Time), "12:00:00"},
		{"Asia/Tokyo", "2026-01-31 12:00", kind(column.Text), "2026-01-31 12:00"},
	} {
		got, problem := column.ConvertIn(c.text, &column.Column{Type: c.of}, zone(t, c.zone))
		if got.Text != c.want || (problem == "must be a valid date.") != (c.want == "") {
			t.Errorf("%s in %s: got %q (%s), want %q", c.text, c.zone, got.Text, problem, c.want)
		}
	}
}

func TestDaysBeginWhenTheClocksSay(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ zone, day, want string }{
		{"Europe/Berlin", "2026-03-29", "2026-03-28T23:00:00Z"},
		{"America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00Z"},
		{"America/Havana", "2026-11-01", "2026-11-01T04:00:00Z"},
		{"Pacific/Apia", "2011-12-30", ""},
		{"Pacific/Apia", "20111231", "2011-12-30T10:00:00Z"},
	} {
		got, ok := column.ParseInstant(c.day, zone(t, c.zone))
		if text := got.Time.UTC().Format(time.RFC3339); ok != (c.want != "") || ok && text != c.want || got.Timed {
			t.Errorf("%s in %s: got %s, %v, want %s", c.day, c.zone, text, ok, c.want)
		}
	}
}

// firstShown is the dumb twin: it tries every distance from UTC that the zone has around that time.
func firstShown(wall time.Time, zone *time.Location) (first time.Time, ok bool) {
	shows := func(at time.Time) bool {
		return at.In(zone).Format(time.DateTime) == wall.Format(time.DateTime)
	}
	for from := -72 * time.Hour; from <= 72*time.Hour; from += 15 * time.Minute {
		_, seconds := wall.Add(from).In(zone).Zone()
		at := wall.Add(-time.Duration(seconds) * time.Second)
		if shows(at) && (!ok || at.Before(first)) {
			first, ok = at, true
		}
	}
	return first, ok
}

func TestZonesAreThoseOfTheTwin(t *testing.T) {
	t.Parallel()
	zones := []*time.Location{time.UTC}
	for _, name := range []string{
		"Europe/Berlin", "Europe/Dublin", "America/New_York", "America/St_Johns", "America/Sao_Paulo", "America/Nome", "Asia/Manila",
		"Australia/Lord_Howe", "Pacific/Apia", "Pacific/Kwajalein", "Antarctica/Troll", "Africa/Casablanca", "Asia/Kathmandu", "Etc/GMT-14",
	} {
		zones = append(zones, zone(t, name))
	}
	rapid.Check(t, func(rt *rapid.T) {
		place := rapid.SampledFrom(zones).Draw(rt, "zone")
		at := time.Unix(rapid.Int64Range(-6_000_000_000, 6_000_000_000).Draw(rt, "second"), 0).In(place)
		if _, change := at.ZoneBounds(); !change.IsZero() && rapid.Bool().Draw(rt, "near a change") {
			at = change.Add(time.Duration(rapid.Int64Range(-90_000, 90_000).Draw(rt, "away")) * time.Second)
		}
		// The texts of times that are shown, and of those that are not.
		text := at.In(rapid.SampledFrom([]*time.Location{place, time.UTC}).Draw(rt, "as shown in")).Format("2006-01-02 15:04:05")
		wall, err := time.Parse(time.DateTime, text)
		if err != nil {
			rt.Skip("a year of five digits")
		}
		want, ok := firstShown(wall, place)
		got, problem := column.ConvertIn(text, &column.Column{Type: instant}, place)
		if (problem == "") != ok || ok && got.Text != want.UTC().Format("2006-01-02 15:04:05Z") {
			rt.Fatalf("%s in %s: got %q (%s), want %s, %v", text, place, got.Text, problem, want.UTC(), ok)
		}
		parsed, is := column.ParseInstant(strings.Replace(text, " ", "T", 1), place)
		if is != ok || ok && !parsed.Time.Equal(want) {
			rt.Fatalf("%s in %s: the instant is %s, %v", text, place, parsed.Time.UTC(), is)
		}
	})
}
