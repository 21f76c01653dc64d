package format_test

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"ingest/shared/format"
	"ingest/shared/row"
)

// BenchmarkNext reads 32 MB in memory: ten plain columns, ten columns with half of them quoted, sixty columns.
func BenchmarkNext(b *testing.B) {
	for name, line := range map[string]string{
		"plain":  "%d,alice@example.com,Alice,Liddell,2026-01-27,12.50,active,Oxford,GB,some note\n",
		"quoted": "%d,\"alice@example.com\",\"Alice\",Liddell,2026-01-27,12.50,\"active\",\"Oxford, \"\"UK\"\"\",GB,\"some note\"\n",
		"wide":   "%d" + strings.Repeat(",value12", 59) + "\n",
	} {
		var in strings.Builder
		in.WriteString("h\n")
		for i := 0; in.Len() < 32<<20; i++ {
			fmt.Fprintf(&in, line, 1000000+i)
		}
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(in.Len()))
			b.ReportAllocs()
			for b.Loop() {
				c, err := format.Open(strings.NewReader(in.String()), format.Options{})
				var r row.Row
				for err == nil {
					err = c.Next(&r)
				}
				if err != io.EOF {
					b.Fatal(err)
				}
			}
		})
	}
}
