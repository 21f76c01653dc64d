package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"time"

	"ingest/shared/database"
	"ingest/shared/lifecycle"
)

// endLimit is how long EndSession waits for a session that was told to end; endPause is between two looks.
const (
	endLimit = 5 * time.Second
	endPause = 20 * time.Millisecond
)

// EndSession ends the database sessions of chunk transactions of a partition that are still open, and returns how
// many there were. Their transactions are rolled back when it returns, unless that takes longer than seconds. SQLite has no
// such remedy: there it does nothing.
func (l *Ledger) EndSession(ctx context.Context, uid string, partition int) (ended int, err error) {
	switch l.db.Dialect() {
	case database.Postgres:
		ended, err = l.endPostgres(ctx, uid, partition)
	case database.MySQL:
		ended, err = l.endMySQL(ctx, uid, partition)
	case database.SQLite:
	}
	if err != nil {
		return 0, fmt.Errorf("end the session of partition %d of run %s: %w", partition, uid, err)
	}
	return ended, nil
}

func (l *Ledger) endPostgres(ctx context.Context, uid string, partition int) (ended int, err error) {
	// All are told before any is waited for: one that waits for another's lock must not get it.
	err = l.db.QueryRow(ctx, `SELECT COUNT(*), COUNT(pg_terminate_backend(pid, ?)) FROM unnest((
			SELECT array_agg(pid) FILTER (WHERE pg_terminate_backend(pid)) FROM pg_stat_activity
			WHERE application_name = ? AND datname = current_database() AND pid <> pg_backend_pid())) AS pid`,
		endLimit.Milliseconds(), session(uid, partition)).Scan(&ended, new(int))
	return ended, err
}

// session is the name of a chunk transaction's database session.
func session(uid string, partition int) string { return fmt.Sprintf("ingest %s/%d", uid, partition) }

// endMySQL ends the session that has moved the head and not committed. Those that wait for it hold nothing.
func (l *Ledger) endMySQL(ctx context.Context, uid string, partition int) (ended int, err error) {
	holder, err := l.holder(ctx, uid, partition)
	if err != nil || holder == 0 {
		return 0, err
	}
	if _, err := l.db.Exec(ctx, "KILL "+strconv.FormatInt(holder, 10)); err != nil && !gone(err) {
		return 0, err
	}
	patience, cancel := context.WithTimeout(ctx, endLimit)
	defer cancel()
	for {
		now, err := l.holder(ctx, uid, partition)
		if err != nil || now != holder || lifecycle.Wait(patience, endPause, nil) != nil {
			return 1, err
		}
	}
}

// gone says that there is no session to be ended any more.
func gone(err error) bool { return database.Explain(err).Code == "1094" }

// holder is the session whose chunk transaction has moved a head and is not committed; 0 for none. What is not committed can
// be read, too; it is read before what is, so that a commit in between makes both equal.
func (l *Ledger) holder(ctx context.Context, uid string, partition int) (int64, error) {
	query := `SELECT next_chunk, session FROM ` + l.heads + ` WHERE uid = ? AND "partition" = ?`
	var moved, stands, holder int64
	err := l.db.Uncommitted(ctx, query, []any{uid, partition}, &moved, &holder)
	if err == nil {
		err = l.db.QueryRow(ctx, query, uid, partition).Scan(&stands, new(int64))
	}
	switch {
	case errors.Is(err, sql.ErrNoRows), err == nil && moved == stands:
		return 0, nil
	default:
		return holder, err
	}
}
