package ledger

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"ingest/shared/chunk"
	"ingest/shared/database"
	"ingest/shared/run"
)

// histogram is how the message counts of an outcome are stored, and what else is counted.
type histogram struct {
	Errors     map[string]int64 `json:"errors,omitempty"`
	Validation map[string]int64 `json:"validation,omitempty"`
	Missing    int64            `json:"missing,omitempty"`
}

// Advance is the first statement of a chunk transaction: it says whether chunk n may take effect now, and if so lets
// nobody else's. It waits for another transaction of the partition. On PostgreSQL it first names the session, until
// the transaction ends, so that EndSession finds it even while it waits.
func (l *Ledger) Advance(ctx context.Context, tx *database.Tx, uid string, partition int, n int64) (bool, error) {
	won, err := l.advance(ctx, tx, uid, partition, n)
	if err != nil {
		return false, fmt.Errorf("advance partition %d of run %s to chunk %d: %w", partition, uid, n, err)
	}
	return won, nil
}

func (l *Ledger) advance(ctx context.Context, tx *database.Tx, uid string, partition int, n int64) (won bool, err error) {
	if l.db.Dialect() == database.Postgres {
		err = tx.Pgx(func(conn *pgx.Conn) error {
			batch := &pgx.Batch{}
			batch.Queue("SELECT set_config('application_name', $1, true)", session(uid, partition))
			batch.Queue("UPDATE "+l.heads+` SET next_chunk = $1
				WHERE uid = $2 AND "partition" = $3 AND next_chunk = $4 AND NOT closed`, n+1, uid, partition, n)
			results := conn.SendBatch(ctx, batch)
			_, named := results.Exec()
			tag, moved := results.Exec()
			won = tag.RowsAffected() == 1
			return errors.Join(named, moved, results.Close())
		})
		return won && err == nil, err
	}
	holds := ""
	if l.db.Dialect() == database.MySQL {
		holds = ", session = CONNECTION_ID()"
	}
	result, err := tx.Exec(ctx, "UPDATE "+l.heads+` SET next_chunk = ?`+holds+`
		WHERE uid = ? AND "partition" = ? AND next_chunk = ? AND NOT closed`, n+1, uid, partition, n)
	if err != nil {
		return false, err
	}
	touched, err := result.RowsAffected()
	return touched == 1, err
}

// Record is the last statement of a chunk transaction that Advance has let through: it keeps the outcome, adds its
// counts to the head and returns the partition's totals.
func (l *Ledger) Record(
	ctx context.Context, tx *database.Tx, uid string, partition int, n int64, o chunk.Outcome,
) (run.Counts, error) {
	totals, err := l.record(ctx, tx, uid, partition, n, o)
	if err != nil {
		return run.Counts{}, fmt.Errorf("record chunk %d of partition %d of run %s: %w", n, partition, uid, err)
	}
	return totals, nil
}

func (l *Ledger) record(
	ctx context.Context, tx *database.Tx, uid string, partition int, n int64, o chunk.Outcome,
) (totals run.Counts, err error) {
	logged, err := chunk.EncodeLogged(o.Logged)
	if err != nil {
		return totals, err
	}
	messages, err := encodeHistogram(o)
	if err != nil {
		return totals, err
	}
	c := o.Counts
	insert := "INSERT INTO " + l.chunks + ` (uid, "partition", chunk, first_row, last_row, hash,
		created, updated, unchanged, skipped, failed, histogram, logged) VALUES `
	inserted := []any{
		uid, partition, n, o.FirstRow, o.LastRow, o.Hash,
		c.Created, c.Updated, c.Unchanged, c.Skipped, c.Failed, messages, logged,
	}
	add := "UPDATE " + l.heads + ` SET created = created + %s, updated = updated + %s, unchanged = unchanged + %s,
		skipped = skipped + %s, failed = failed + %s WHERE uid = %s AND "partition" = %s AND next_chunk = %s`
	const sums, places = "created, updated, unchanged, skipped, failed", "(?,?,?,?,?,?,?,?,?,?,?,?,?)"
	added := []any{c.Created, c.Updated, c.Unchanged, c.Skipped, c.Failed, uid, partition, n + 1}
	into := []any{&totals.Created, &totals.Updated, &totals.Unchanged, &totals.Skipped, &totals.Failed}
	switch l.db.Dialect() {
	case database.Postgres:
		err = tx.Pgx(func(conn *pgx.Conn) error {
			batch := &pgx.Batch{}
			batch.Queue(insert+"($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13)", inserted...)
			batch.Queue(fmt.Sprintf(add, "$1", "$2", "$3", "$4", "$5", "$6", "$7", "$8")+" RETURNING "+sums, added...)
			results := conn.SendBatch(ctx, batch)
			_, kept := results.Exec()
			return errors.Join(kept, results.QueryRow().Scan(into...), results.Close())
		})
	case database.SQLite:
		if _, err = tx.Exec(ctx, insert+places, inserted...); err == nil {
			err = tx.QueryRow(ctx, fmt.Sprintf(add, "?", "?", "?", "?", "?", "?", "?", "?")+" RETURNING "+sums, added...).Scan(into...)
		}
	case database.MySQL:
		if _, err = tx.Exec(ctx, insert+places, inserted...); err == nil {
			_, err = tx.Exec(ctx, fmt.Sprintf(add, "?", "?", "?", "?", "?", "?", "?", "?"), added...)
		}
		if err == nil {
			err = tx.QueryRow(ctx, "SELECT "+sums+" FROM "+l.heads+` WHERE uid = ? AND "partition" = ? AND next_chunk = ?`, added[5:]...).Scan(into...)
		}
	}
	if errors.Is(err, sql.ErrNoRows) {
		return run.Counts{}, fmt.Errorf("its head did not advance in this transaction: %w", ErrNoHead)
	}
	return totals, err
}

func encodeHistogram(o chunk.Outcome) (sql.NullString, error) {
	if len(o.Errors) == 0 && len(o.Validation) == 0 && o.Missing == 0 {
		return sql.NullString{}, nil
	}
	text, err := json.Marshal(histogram{Errors: o.Errors, Validation: o.Validation, Missing: o.Missing})
	return sql.NullString{String: string(text), Valid: true}, err
}
