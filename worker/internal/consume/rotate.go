package consume

import "slices"

// rotate orders the active runs so that the one after last comes first and last comes last: every run gets its turn
// before one gets a second.
func rotate(active []int64, last int64) []int64 {
	ids := slices.Sorted(slices.Values(active))
	cut, found := slices.BinarySearch(ids, last)
	if found {
		cut++
	}
	return slices.Concat(ids[cut:], ids[:cut])
}
