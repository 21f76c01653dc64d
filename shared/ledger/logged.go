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

// Logged returns the rows that were kept with their data, of all partitions, by row number. It holds the rows of one
// chunk per partition and no transaction. After an error it ends.
func (l *Ledger) Logged(ctx context.Context, uid string, partitions int, f Filter) iter.Seq2[chunk.Logged, error] {
	return func(yield func(chunk.Logged, error) bool) {
		number := func(one chunk.Logged) int64 { return one.Row.Number }
		fill := func(one *lane[chunk.Logged]) error { return l.fill(ctx, uid, one, f) }
		for row, err := range inOrder(partitions, number, fill) {
			if err != nil {
				err = fmt.Errorf("read the logged rows of run %s: %w", uid, err)
			}
			if !yield(row, err) {
				return
			}
		}
	}
}

// fill reads the lane's next chunk that has logged rows.
func (l *Ledger) fill(ctx context.Context, uid string, one *lane[chunk.Logged], f Filter) error {
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
