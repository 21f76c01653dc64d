package ledger

import "iter"

// lane reads what the ledger has of the rows of one partition, a chunk at a time.
type lane[T any] struct {
	partition int
	// chunk is the last one that was read.
	chunk int64
	rows  []T
	ended bool
}

// inOrder yields what the partitions have by row number. fill reads a lane's next chunk; it is called again for a chunk
// without rows, until it says that the lane has ended.
func inOrder[T any](partitions int, number func(T) int64, fill func(*lane[T]) error) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		lanes := make([]lane[T], partitions)
		for i := range lanes {
			lanes[i].partition = i
		}
		for {
			next, err := lowest(lanes, number, fill)
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			if next == nil {
				return
			}
			row := next.rows[0]
			next.rows = next.rows[1:]
			if !yield(row, nil) {
				return
			}
		}
	}
}

// lowest returns the lane whose first row has the lowest number, nil when there are no more rows.
func lowest[T any](lanes []lane[T], number func(T) int64, fill func(*lane[T]) error) (*lane[T], error) {
	var lowest *lane[T]
	for i := range lanes {
		one := &lanes[i]
		for len(one.rows) == 0 && !one.ended {
			if err := fill(one); err != nil {
				return nil, err
			}
		}
		if len(one.rows) > 0 && (lowest == nil || number(one.rows[0]) < number(lowest.rows[0])) {
			lowest = one
		}
	}
	return lowest, nil
}
