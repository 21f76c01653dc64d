package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"

	"ingest/shared/chunk"
)

// Filter selects logged rows. The zero value selects all.
type Filter struct {
	// Message selects failed rows with exactly this message.
	Message string
	// Failed selects failed rows only.
	Failed bool
	// After selects rows with a greater number.
	After int64
}

func (f Filter) takes(row chunk.Logged) bool {
	if row.Row.Number <= f.After {
		return false
	}
	if f.Message != "" {
		return row.Status == chunk.StatusFailed && row.Message == f.Message
	}
	return !f.Failed || row.Status == chunk.StatusFailed
}

// lane reads the logged rows of one partition, a chunk at a time.
type lane struct {
	partition int
	chunk     int64
	rows      []chunk.Logged
	ended     bool
}

// Logged returns the rows that were kept with their data, of all partitions, by row number. It holds the rows of one
// chunk per partition and no transaction. After an error it ends.
func (l *Ledger) Logged(ctx context.Context, uid string, partitions int, f Filter) iter.Seq2[chunk.Logged, error] {
	return func(yield func(chunk.Logged, error) bool) {
		lanes := make([]lane, partitions)
		for i := range lanes {
			lanes[i].partition = i
		}
		for {
			next, err := l.lowest(ctx, uid, lanes, f)
			if err != nil {
				yield(chunk.Logged{}, fmt.Errorf("read the logged rows of run %s: %w", uid, err))
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
func (l *Ledger) lowest(ctx context.Context, uid string, lanes []lane, f Filter) (*lane, error) {
	var lowest *lane
	for i := range lanes {
		one := &lanes[i]
		for len(one.rows) == 0 && !one.ended {
			if err := l.fill(ctx, uid, one, f); err != nil {
				return nil, err
			}
		}
		if len(one.rows) > 0 && (lowest == nil || one.rows[0].Row.Number < lowest.rows[0].Row.Number) {
			lowest = one
		}
	}
	return lowest, nil
}

// fill reads the lane's next chunk that has logged rows.
func (l *Ledger) fill(ctx context.Context, uid string, one *lane, f Filter) error {
	failed := ""
	if f.Failed || f.Message != "" {
		failed = " AND failed > 0"
	}
	var data []byte
	err := l.db.QueryRow(ctx, "SELECT chunk, logged FROM "+l.chunks+`
		WHERE uid = ? AND "partition" = ? AND chunk > ? AND logged IS NOT NULL AND last_row > ?`+failed+`
		ORDER BY chunk LIMIT 1`, uid, one.partition, one.chunk, f.After).Scan(&one.chunk, &data)
	if errors.Is(err, sql.ErrNoRows) {
		one.ended = true
		return nil
	}
	if err != nil {
		return err
	}
	rows, err := chunk.DecodeLogged(data)
	if err != nil {
		return fmt.Errorf("partition %d, chunk %d: %w", one.partition, one.chunk, err)
	}
	for _, row := range rows {
		if f.takes(row) {
			one.rows = append(one.rows, row)
		}
	}
	return nil
}
