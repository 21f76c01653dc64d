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

// values are the columns of an outcome, in the order of chunkColumns.
func values(uid string, partition int, n int64, o chunk.Outcome) ([]any, error) {
	logged, err := chunk.EncodeLogged(o.Logged)
	if err != nil {
		return nil, err
	}
	messages, err := encodeHistogram(o)
	c := o.Counts
	return []any{
		uid, partition, n, o.FirstRow, o.LastRow, o.Hash,
		c.Created, c.Updated, c.Unchanged, c.Skipped, c.Failed, messages, logged,
	}, err
}

const (
	// chunkColumns are all columns of an outcome; sums are those that heads have, too.
	chunkColumns = `uid, "partition", ` + outcomeColumns + ", logged"
	sums         = "created, updated, unchanged, skipped, failed"
)

// into is where sums are read to.
func into(c *run.Counts) []any {
	return []any{&c.Created, &c.Updated, &c.Unchanged, &c.Skipped, &c.Failed}
}

func (l *Ledger) record(
	ctx context.Context, tx *database.Tx, uid string, partition int, n int64, o chunk.Outcome,
) (totals run.Counts, err error) {
	inserted, err := values(uid, partition, n, o)
	if err != nil {
		return totals, err
	}
	c := o.Counts
	insert := "INSERT INTO " + l.chunks + " (" + chunkColumns + ") VALUES "
	add := "UPDATE " + l.heads + ` SET created = created + %s, updated = updated + %s, unchanged = unchanged + %s,
		skipped = skipped + %s, failed = failed + %s WHERE uid = %s AND "partition" = %s AND next_chunk = %s`
	const places = "(?,?,?,?,?,?,?,?,?,?,?,?,?)"
	added := []any{c.Created, c.Updated, c.Unchanged, c.Skipped, c.Failed, uid, partition, n + 1}
	switch l.db.Dialect() {
	case database.Postgres:
		err = tx.Pgx(func(conn *pgx.Conn) error {
			batch := &pgx.Batch{}
			batch.Queue(insert+"($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13)", inserted...)
			batch.Queue(fmt.Sprintf(add, "$1", "$2", "$3", "$4", "$5", "$6", "$7", "$8")+" RETURNING "+sums, added...)
			results := conn.SendBatch(ctx, batch)
			_, kept := results.Exec()
			return errors.Join(kept, results.QueryRow().Scan(into(&totals)...), results.Close())
		})
	case database.SQLite:
		if _, err = tx.Exec(ctx, insert+places, inserted...); err == nil {
			err = tx.QueryRow(ctx, fmt.Sprintf(add, "?", "?", "?", "?", "?", "?", "?", "?")+" RETURNING "+sums, added...).Scan(into(&totals)...)
		}
	case database.MySQL:
		if _, err = tx.Exec(ctx, insert+places, inserted...); err == nil {
			_, err = tx.Exec(ctx, fmt.Sprintf(add, "?", "?", "?", "?", "?", "?", "?", "?"), added...)
		}
		if err == nil {
			err = tx.QueryRow(ctx, "SELECT "+sums+" FROM "+l.heads+` WHERE uid = ? AND "partition" = ? AND next_chunk = ?`, added[5:]...).
				Scan(into(&totals)...)
		}
	}
	if errors.Is(err, sql.ErrNoRows) {
		return run.Counts{}, fmt.Errorf("its head did not advance in this transaction: %w", ErrNoHead)
	}
	return totals, err
}

// Once is Advance, Record and COMMIT for a chunk whose rows are in no table of this database: on PostgreSQL in one statement, so that a
// partition is not held while anything else is waited for. It does not end with ctx once it commits; after an error the outcome is
// unknown unless database.Explain says that it was refused.
func (l *Ledger) Once(ctx context.Context, uid string, partition int, n int64, o chunk.Outcome) (run.Counts, bool, error) {
	record := l.inTransaction
	if l.db.Dialect() == database.Postgres {
		record = l.inOneStatement
	}
	totals, won, err := record(ctx, uid, partition, n, o)
	if err != nil {
		return run.Counts{}, false, fmt.Errorf("record chunk %d of partition %d of run %s: %w", n, partition, uid, err)
	}
	return totals, won, nil
}

func (l *Ledger) inOneStatement(
	ctx context.Context, uid string, partition int, n int64, o chunk.Outcome,
) (totals run.Counts, won bool, err error) {
	args, err := values(uid, partition, n, o)
	if err != nil {
		return totals, false, err
	}
	err = l.db.CommitRow(ctx, `WITH moved AS (UPDATE `+l.heads+` SET next_chunk = next_chunk + 1, created = created + $7,
			updated = updated + $8, unchanged = unchanged + $9, skipped = skipped + $10, failed = failed + $11
			WHERE uid = $1 AND "partition" = $2 AND next_chunk = $3 AND NOT closed RETURNING `+sums+`),
		kept AS (INSERT INTO `+l.chunks+` (`+chunkColumns+`) SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13 FROM moved)
		SELECT `+sums+` FROM moved`, args, into(&totals)...)
	if errors.Is(err, sql.ErrNoRows) {
		return totals, false, nil
	}
	return totals, err == nil, err
}

func (l *Ledger) inTransaction(
	ctx context.Context, uid string, partition int, n int64, o chunk.Outcome,
) (totals run.Counts, won bool, err error) {
	tx, err := l.db.Begin(ctx)
	if err != nil {
		return totals, false, err
	}
	defer func() { err = errors.Join(err, tx.Rollback()) }()
	if won, err = l.advance(ctx, tx, uid, partition, n); err != nil || !won {
		return totals, false, err
	}
	if totals, err = l.record(ctx, tx, uid, partition, n, o); err != nil {
		return totals, false, err
	}
	return totals, true, tx.Commit(ctx)
}

func encodeHistogram(o chunk.Outcome) (sql.NullString, error) {
	if len(o.Errors) == 0 && len(o.Validation) == 0 && o.Missing == 0 {
		return sql.NullString{}, nil
	}
	text, err := json.Marshal(histogram{Errors: o.Errors, Validation: o.Validation, Missing: o.Missing})
	return sql.NullString{String: string(text), Valid: true}, err
}
