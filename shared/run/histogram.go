package run

import (
	"cmp"
	"slices"
)

// Histograms keep at most MaxMessages messages; the rest is counted as OtherMessages.
const (
	MaxMessages   = 1000
	OtherMessages = "(other)"
)

// Histogram orders counts by count descending, ties by message, and keeps the most frequent messages; the rest is
// summed under OtherMessages. The sum is kept.
func Histogram(counts map[string]int64) []MessageCount {
	list := make([]MessageCount, 0, len(counts))
	other := counts[OtherMessages]
	for message, count := range counts {
		if message != OtherMessages {
			list = append(list, MessageCount{Message: message, Count: count})
		}
	}
	SortMessages(list)
	if len(list) > MaxMessages {
		for _, entry := range list[MaxMessages:] {
			other += entry.Count
		}
		list = list[:MaxMessages]
	}
	if other > 0 {
		list = append(list, MessageCount{Message: OtherMessages, Count: other})
		SortMessages(list)
	}
	return list
}

// SortMessages orders by count descending, ties by message.
func SortMessages(list []MessageCount) {
	slices.SortFunc(list, func(a, b MessageCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Message, b.Message))
	})
}
