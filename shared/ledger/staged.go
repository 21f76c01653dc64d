package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"slices"

	"ingest/shared/chunk"
	"ingest/shared/database"
	"ingest/shared/row"
)

// Stage keeps the rows of a chunk, encoded as a payload, for the merge of the run, in the chunk's transaction.
func (l *Ledger) Stage(ctx context.Context, tx *database.Tx, uid string, partition int, n int64, payload []byte) error {
	_, err := tx.Exec(ctx, "INSERT INTO "+l.staged+` (uid, "partition", chunk, payload) VALUES (?, ?, ?, ?)`, uid, partition, n, payload)
	if err != nil {
		return fmt.Errorf("stage chunk %d of partition %d of run %s: %w", n, partition, uid, err)
	}
	return nil
}

// Staged yields the staged rows of all partitions by row number. It holds the rows of one chunk per partition and no
// transaction: what is staged does not change until the run ends. After an error it ends.
func (l *Ledger) Staged(ctx context.Context, uid string, partitions int) iter.Seq2[row.Row, error] {
	return inOrder(partitions, func(r row.Row) int64 { return r.Number }, func(one *lane[row.Row]) error {
		n, rows, err := l.staging(ctx, uid, one.partition, one.chunk)
		one.chunk, one.rows, one.ended = n, rows, n == 0
		return err
	})
}

// staging reads the first staged chunk of a partition behind a number; 0 when there is none.
func (l *Ledger) staging(ctx context.Context, uid string, partition int, after int64) (n int64, rows []row.Row, err error) {
	var payload []byte
	err = l.db.QueryRow(ctx, "SELECT chunk, payload FROM "+l.staged+
		` WHERE uid = ? AND "partition" = ? AND chunk > ? ORDER BY chunk LIMIT 1`, uid, partition, after).Scan(&n, &payload)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil, nil
	}
	if err == nil {
		rows, _, err = chunk.Decode(payload)
	}
	if err != nil {
		return 0, nil, fmt.Errorf("read what is staged of partition %d of run %s behind chunk %d: %w", partition, uid, after, err)
	}
	return n, rows, nil
}

// LogStaged keeps the staged rows with the outcomes of their chunks, as rows that took effect, in the transaction of the
// merge.
func (l *Ledger) LogStaged(ctx context.Context, tx *database.Tx, uid string, partitions int) error {
	for partition := range partitions {
		n, rows, err := l.staging(ctx, uid, partition, 0)
		for ; n > 0 && err == nil; n, rows, err = l.staging(ctx, uid, partition, n) {
			if err = l.logStaged(ctx, tx, uid, partition, n, rows); err != nil {
				err = fmt.Errorf("log the rows of chunk %d of partition %d of run %s: %w", n, partition, uid, err)
				break
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (l *Ledger) logStaged(ctx context.Context, tx *database.Tx, uid string, partition int, n int64, rows []row.Row) error {
	const which = ` WHERE uid = ? AND "partition" = ? AND chunk = ?`
	var data []byte
	if err := tx.QueryRow(ctx, "SELECT logged FROM "+l.chunks+which, uid, partition, n).Scan(&data); err != nil {
		return err
	}
	logged, err := chunk.DecodeLogged(data)
	if err != nil {
		return err
	}
	for _, r := range rows {
		logged = append(logged, chunk.Logged{Row: r, Status: chunk.StatusSuccessful})
	}
	slices.SortFunc(logged, func(a, b chunk.Logged) int { return int(a.Row.Number - b.Row.Number) })
	if data, err = chunk.EncodeLogged(logged); err != nil {
		return err
	}
	_, err = tx.Exec(ctx, "UPDATE "+l.chunks+" SET logged = ?"+which, data, uid, partition, n)
	return err
}

// EndStaging removes what is staged of a run. It is idempotent.
func (l *Ledger) EndStaging(ctx context.Context, uid string) error {
	if err := l.clear(ctx, l.staged, uid); err != nil {
		return fmt.Errorf("remove the staged rows of run %s: %w", uid, err)
	}
	return nil
}
