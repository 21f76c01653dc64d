package run

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ingest/shared/column"
)

func TestTerminalStatusesAreFinal(t *testing.T) {
	t.Parallel()
	want := map[Status]bool{
		Pending: false, Processing: false, Cancelling: false,
		Completed: true, CompletedWithErrors: true, Failed: true, Cancelled: true,
	}
	for _, s := range Statuses() {
		if s.Terminal() != want[s] || !s.Valid() {
			t.Errorf("%s: terminal %v, valid %v", s, s.Terminal(), s.Valid())
		}
	}
	if Status("done").Valid() {
		t.Error("an unknown status is valid")
	}
}

func TestBalance(t *testing.T) {
	t.Parallel()
	c := Counts{Created: 1, Updated: 2, Unchanged: 3, Skipped: 4, Failed: 5}
	for _, test := range []struct {
		total, notProcessed int64
		ok                  bool
	}{{15, 0, true}, {20, 5, true}, {14, 0, false}, {16, 0, false}, {14, -1, false}} {
		if err := c.Balance(test.total, test.notProcessed); (err == nil) != test.ok {
			t.Errorf("total %d, not processed %d: %v", test.total, test.notProcessed, err)
		}
	}
	if c.Successful() != 10 || c.Processed() != 15 || c.Add(c).Processed() != 30 {
		t.Errorf("successful %d, processed %d", c.Successful(), c.Processed())
	}
}

func TestHistogramOrderNeverDependsOnTiming(t *testing.T) {
	t.Parallel()
	got := Histogram(map[string]int64{"b": 2, "a": 2, "c": 9, OtherMessages: 1})
	want := []MessageCount{{"c", 9}, {"a", 2}, {"b", 2}, {OtherMessages, 1}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestHistogramKeepsTheMostFrequentAndTheSum(t *testing.T) {
	t.Parallel()
	counts := map[string]int64{}
	var sum int64
	for i := range MaxMessages + 50 {
		counts[fmt.Sprintf("message %04d", i)] = int64(i + 1)
		sum += int64(i + 1)
	}
	got := Histogram(counts)
	var kept int64
	for _, entry := range got {
		kept += entry.Count
	}
	if len(got) != MaxMessages+1 || kept != sum {
		t.Errorf("%d messages, sum %d instead of %d", len(got), kept, sum)
	}
	if got[0].Message != OtherMessages && got[0].Count != int64(MaxMessages+50) {
		t.Errorf("first is %v", got[0])
	}
}

func TestManifestComesBackAsItWas(t *testing.T) {
	t.Parallel()
	want := Manifest{
		Splitter: SplitterVersion, Fingerprint: Fingerprint{Size: 1, ModTime: 2, Sum: "3"}, Delimiter: ";",
		Header: []string{"a", "b"}, Partitions: 3, ChunkRows: 7, ChunkBytes: 9, OneBecause: "x",
		Table: column.Table{Name: "t", Columns: []column.Column{{Name: "a", Type: column.Type{Kind: column.Text}}}},
	}
	text, err := want.Encode()
	if err != nil {
		t.Fatal(err)
	}
	got, err := DecodeManifest(text)
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Fatal(err, diff)
	}
	if _, err := DecodeManifest([]byte(`{"splitter": 99}`)); err == nil {
		t.Error("a manifest of another splitter is accepted")
	}
}
