package column_test

import (
	"testing"
	"time"

	"ingest/shared/column"
)

// BenchmarkDatetime converts a time without a zone where it is in UTC, and where it has to be moved.
func BenchmarkDatetime(b *testing.B) {
	for _, name := range []string{"UTC", "Europe/Berlin"} {
		b.Run(name, func(b *testing.B) {
			place, err := time.LoadLocation(name)
			if err != nil {
				b.Fatal(err)
			}
			c := column.Column{Type: instant}
			b.ReportAllocs()
			for b.Loop() {
				if _, problem := column.ConvertIn("2026-07-31 12:00:00", &c, place); problem != "" {
					b.Fatal(problem)
				}
			}
		})
	}
}
