package ledger

import (
	"context"
	"errors"
	"fmt"

	"ingest/shared/chunk"
	"ingest/shared/run"
)

// Kept returns a row that was kept with the outcome of its chunk, and where it is; found is false when it was not kept.
func (l *Ledger) Kept(ctx context.Context, uid string, number int64) (kept chunk.Logged, at run.Place, found bool, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("read row %d of run %s: %w", number, uid, err)
		}
	}()
	// Each partition has at most one chunk that can hold the row.
	rows, err := l.db.Query(ctx, `SELECT "partition", chunk, logged FROM `+l.chunks+
		" WHERE uid = ? AND first_row <= ? AND last_row >= ? AND logged IS NOT NULL", uid, number, number)
	if err != nil {
		return kept, at, false, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var data []byte
		if err := rows.Scan(&at.Partition, &at.Chunk, &data); err != nil {
			return kept, at, false, err
		}
		logged, err := chunk.DecodeLogged(data)
		if err != nil {
			return kept, at, false, err
		}
		for _, one := range logged {
			if one.Row.Number == number {
				return one, at, true, nil
			}
		}
	}
	return chunk.Logged{}, run.Place{}, false, rows.Err()
}
