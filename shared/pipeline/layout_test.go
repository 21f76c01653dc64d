package pipeline_test

import (
	"testing"
)

// TestFormatsWrite: what every letter of both languages writes.
func TestFormatsWrite(t *testing.T) {
	t.Parallel()
	const moment = "2024-03-05T07:04:09.123456Z"
	for format, want := range map[string]string{
		"d j D l S z":        "05 5 Tue Tuesday th 64",
		"N w W o t L":        "2 2 10 2024 31 1",
		"m n M F Y y":        "03 3 Mar March 2024 24",
		"a A g h G H i s":    "am AM 7 07 7 07 04 09",
		"u v e T O P p U":    "123456 123 UTC UTC +0000 +00:00 Z 1709622249",
		"c":                  "2024-03-05T07:04:09+00:00",
		"r":                  "Tue, 05 Mar 2024 07:04:09 +0000",
		`\d\\ö!|?`:           `d\ö!|?`,
		"%d %-d %e %a %A %j": "05 5  5 Tue Tuesday 065",
		"%m %-m %b %h %B":    "03 3 Mar Mar March",
		"%Y %y %G %V %u %w":  "2024 24 2024 10 2 2",
		"%H %-H %I %-I %p":   "07 7 07 7 AM",
		"%P %M %S %f %z %Z":  "am 04 09 123456 +0000 UTC",
		"%F %T %R %D %s %%":  "2024-03-05 07:04:09 07:04 03/05/24 1709622249 %",
		"%r":                 "07:04:09 AM",
	} {
		if got, failure := apply(single(t, "date", options{"out": format}), moment); failure != nil || got[0] != set(want) {
			t.Errorf("%s: got %+v, %+v, want %s", format, got, failure, want)
		}
	}
	days := map[string]string{
		"2024-03-01": "1st Fri", "2024-03-02": "2nd Sat", "2024-03-03": "3rd Sun", "2024-03-04": "4th Mon", "2024-03-11": "11th Mon",
		"2024-03-12": "12th Tue", "2024-03-13": "13th Wed", "2024-03-21": "21st Thu", "2024-03-22": "22nd Fri", "2024-03-30": "30th Sat",
	}
	for date, want := range days {
		if got, failure := apply(single(t, "date", options{"out": "jS D"}), date); failure != nil || got[0] != set(want) {
			t.Errorf("%s: got %+v, %+v, want %s", date, got, failure, want)
		}
	}
}

// TestFormatsRead: what a format takes and what it does not; "" = not.
func TestFormatsRead(t *testing.T) {
	t.Parallel()
	for format, texts := range map[string]map[string]string{
		"d.m.Y": {
			"29.02.2024": "2024-02-29", "29.02.2023": "", "00.01.2024": "", "31.04.2024": "", "1.1.24": "", " 01.01.2024 ": "2024-01-01", "01.01.0000": "",
		},
		"D, j M Y":     {"wed, 31 JAN 2024": "2024-01-31", "Wednesday, 31 January 2024": "2024-01-31", "Tue, 31 Jan 2024": "", "Wed, 31 Jen 2024": ""},
		"jS F y":       {"1st May 70": "1970-05-01", "2nd May 69": "2069-05-02", "2xx May 69": ""},
		"%d.%m.%y":     {"01.05.69": "1969-05-01", "01.05.68": "2068-05-01"},
		"z/Y":          {"0/2024": "2024-01-01", "365/2024": "2024-12-31", "365/2023": ""},
		"%j/%Y":        {"001/2024": "2024-01-01", "000/2024": "", "366/2023": ""},
		"z d Y":        {"31 01 2024": "2024-02-01", "31 02 2024": ""},
		"m/Y":          {"3/2024": "2024-03-01", "13/2024": "", "0/2024": ""},
		"g:i A":        {"12:00 am": "1970-01-01 00:00:00", "12:00 PM": "1970-01-01 12:00:00", "13:00 PM": "", "0:30 AM": "", "7:05 XM": ""},
		"h:i":          {"07:05": ""},
		"H:i:s.u":      {"24:00:00.0": "", "23:60:00.0": "", "23:59:60.0": "", "23:59:59.5": "1970-01-01 23:59:59.5", "23:59:59.": ""},
		"!Y-m-d|":      {"2024-01-31": "2024-01-31"},
		"Y?m?d":        {"2024é01/31": "2024-01-31", "20240131": ""},
		`Y-m-d\TH:i:s`: {"2024-01-31T07:05:06": "2024-01-31 07:05:06", "2024-01-31t07:05:06": ""},
		"Y-m-d H:i T": {
			"2024-01-31 07:05 UTC": "2024-01-31 07:05:00Z", "2024-01-31 07:05 gmt": "2024-01-31 07:05:00Z", "2024-01-31 07:05 z": "2024-01-31 07:05:00Z",
			"2024-01-31 07:05 +02": "2024-01-31 05:05:00Z", "2024-01-31 07:05 -0230": "2024-01-31 09:35:00Z", "2024-01-31 07:05 +24:00": "",
			"2024-01-31 07:05 +02:60": "", "2024-01-31 07:05 CET": "", "2024-01-31 07:05 +2": "", "9999-12-31 23:59 -01:00": "", "0001-01-01 00:00 +00:01": "",
		},
		"U":        {"-1": "1969-12-31 23:59:59Z", "0": "1970-01-01 00:00:00Z", "253402300800": "", "x": ""},
		"%e %b %Y": {" 5 Mar 2024": "2024-03-05", "15 Mar 2024": "2024-03-15"},
	} {
		p := single(t, "date", options{"in": format, "default": "-"})
		for text, want := range texts {
			if want == "" {
				want = "-"
			}
			if got, failure := apply(p, text); failure != nil || got[0] != set(want) {
				t.Errorf("%s reads %q as %+v, %+v, want %s", format, text, got, failure, want)
			}
		}
	}
}
