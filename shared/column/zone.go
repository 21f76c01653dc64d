package column

import (
	"sort"
	"time"
)

// reach is further than clocks are ever away from UTC; within twice as long they are never set twice.
const reach = 16 * time.Hour

// InZone returns the first moment at which the clocks of the zone show the date and the time that wall has in UTC; false
// when they skip it. They show a time twice when they are set back.
func InZone(wall time.Time, zone *time.Location) (time.Time, bool) {
	at, skipped := locate(wall, zone)
	return at, !skipped
}

// DayInZone returns the first moment in the zone of the day that begins at midnight UTC; false when the clocks skip all
// of it. Where they are set forward at midnight it is later than that.
func DayInZone(midnight time.Time, zone *time.Location) (time.Time, bool) {
	at, _ := locate(midnight, zone)
	return at, at.Day() == midnight.Day()
}

// locate returns the first moment of a wall time, or the moment at which the clocks were set over it.
func locate(wall time.Time, zone *time.Location) (at time.Time, skipped bool) {
	if zone == time.UTC {
		return wall, false
	}
	from := wall.Add(-reach).In(zone)
	before, after := offset(from), offset(wall.Add(reach).In(zone))
	if at = wall.Add(-before).In(zone); before == after || offset(at) == before {
		return at, false
	}
	if at = wall.Add(-after).In(zone); offset(at) == after {
		return at, false
	}
	seconds := sort.Search(int(2*reach/time.Second), func(n int) bool {
		return offset(from.Add(time.Duration(n)*time.Second)) != before
	})
	return from.Add(time.Duration(seconds) * time.Second), true
}

func offset(t time.Time) time.Duration {
	_, seconds := t.Zone()
	return time.Duration(seconds) * time.Second
}
