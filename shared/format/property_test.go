package format_test

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"ingest/shared/format"
)

// delimiters are of one byte, of several, and one whose first byte begins other characters.
var delimiters = []string{",", ";", "\t", "§", "→"}

// TestReaderEqualsTwin compares with the byte-at-a-time reader on everything that matters to CSV, in reads of all
// sizes. The header is longer than what is looked at in the beginning, so that the rest really comes in pieces.
func TestReaderEqualsTwin(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		delimiter := rapid.SampledFrom(delimiters).Draw(t, "delimiter")
		parts := []string{"a", "bcdefghijk", `"`, `"`, `""`, delimiter, delimiter, "\n", "\n", "\r\n", "\r", " ", " ", "\t", "\xc2", "é", "\x00"}
		body := strings.Join(rapid.SliceOfN(rapid.SampledFrom(parts), 0, 60).Draw(t, "body"), "")
		in := strings.Repeat("h", 5000) + rapid.SampledFrom([]string{"\n", "\r\n", delimiter + "x\n", ""}).Draw(t, "end") + body
		limit := rapid.IntRange(1, 40).Draw(t, "limit")
		reads := rapid.SampledFrom([]int{1, 2, 3, 7, 1 << 20}).Draw(t, "reads")
		got := read(t, pieces{in: bytes.NewReader([]byte(in)), n: reads}, format.Options{Delimiter: delimiter, MaxRecord: int64(limit)})
		if diff := cmp.Diff(twin(in, delimiter, limit), got, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("input %q (- twin, + reader):\n%s", body, diff)
		}
	})
}

// TestEveryLimitInReadsOfEverySize goes through the places where a record can be cut in two.
func TestEveryLimitInReadsOfEverySize(t *testing.T) {
	t.Parallel()
	head := strings.Repeat("h", 4<<10) + "\n"
	for _, body := range []string{
		"12345\r\n1\n", "\"123\"\r\n1\n", "\"1\"\rx\n1\n", "\"1\"\r", "\"1\n\"\"2\"\r\n1", "→→a→\r\n→\n1→", "\xe2\x86\xe2→\"a\"→\"b\"\xe2\x86\n",
		"\"a\"b→\"\n\"c\nd\n", "\"a\"\xe2→\"\n", "1\n\n→→→→\r\n2", "\"\"\"\"\"\"→\"\"\"\n",
	} {
		for limit := range len(body) + 1 {
			for _, n := range []int{1, 2, 3, 4, 5} {
				in := head + body
				r := io.MultiReader(strings.NewReader(head), pieces{in: bytes.NewReader([]byte(body)), n: n})
				got := read(t, r, format.Options{Delimiter: "→", MaxRecord: int64(limit + 1)})
				if diff := cmp.Diff(twin(in, "→", limit+1), got, cmpopts.EquateEmpty()); diff != "" {
					t.Fatalf("%q, limit %d, reads of %d (- twin, + reader):\n%s", body, limit+1, n, diff)
				}
			}
		}
	}
}

// TestLargeRecordsEqualTwin makes the buffer move, grow and drop.
func TestLargeRecordsEqualTwin(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var in strings.Builder
		in.WriteString("a,b\n")
		for _, n := range rapid.SliceOfN(rapid.IntRange(0, 300<<10), 1, 3).Draw(t, "sizes") {
			unit := rapid.SampledFrom([]string{"x", "abcdefg,", `"q""q",`, "\"line\r\nline\",", `"a"b,`}).Draw(t, "unit")
			in.WriteString(strings.Repeat(unit, n/len(unit)))
			in.WriteString(rapid.SampledFrom([]string{"\n", "\r\n", "\n\n,\n"}).Draw(t, "end"))
		}
		limit := rapid.SampledFrom([]int{1000, 100 << 10, 200 << 10, 1 << 20}).Draw(t, "limit")
		reads := rapid.SampledFrom([]int{1009, 64 << 10, 1 << 20}).Draw(t, "reads")
		got := read(t, pieces{in: bytes.NewReader([]byte(in.String())), n: reads}, format.Options{MaxRecord: int64(limit)})
		want := twin(in.String(), ",", limit)
		for i, r := range got.Rows {
			if i >= len(want.Rows) || !cmp.Equal(want.Rows[i], r, cmpopts.EquateEmpty()) {
				t.Fatalf("row %d on line %d (fault %q) differs from the twin's", r.Number, r.Line, r.Fault)
			}
		}
		if len(got.Rows) != len(want.Rows) || got.Problem != want.Problem {
			t.Fatalf("got %d rows and %q, the twin %d and %q", len(got.Rows), got.Problem, len(want.Rows), want.Problem)
		}
	})
}
