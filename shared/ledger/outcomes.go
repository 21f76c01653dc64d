package ledger

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"ingest/shared/chunk"
	"ingest/shared/run"
)

// outcomeColumns is what scanOutcome reads.
const outcomeColumns = `chunk, first_row, last_row, hash, created, updated, unchanged, skipped, failed, histogram`

// page is how many outcomes are read at once.
const page = 200

// Applied returns the outcome of chunk n without its logged rows, and the partition's totals up to it; found is false
// when the chunk has not taken effect.
func (l *Ledger) Applied(
	ctx context.Context, uid string, partition int, n int64,
) (o chunk.Outcome, totals run.Counts, found bool, err error) {
	wrap := func(err error) error {
		return fmt.Errorf("read chunk %d of partition %d of run %s: %w", n, partition, uid, err)
	}
	_, o, err = scanOutcome(l.db.QueryRow(ctx, "SELECT "+outcomeColumns+" FROM "+l.chunks+
		` WHERE uid = ? AND "partition" = ? AND chunk = ?`, uid, partition, n))
	if errors.Is(err, sql.ErrNoRows) {
		return chunk.Outcome{}, run.Counts{}, false, nil
	}
	if err != nil {
		return chunk.Outcome{}, run.Counts{}, false, wrap(err)
	}
	// Chunks take effect in order, so the outcomes up to one that is there never change. Every database has a name of its own
	// for a whole number of 64 bits, but not for a decimal one.
	err = l.db.QueryRow(ctx, `SELECT CAST(SUM(created) AS DECIMAL(19)), CAST(SUM(updated) AS DECIMAL(19)),
			CAST(SUM(unchanged) AS DECIMAL(19)), CAST(SUM(skipped) AS DECIMAL(19)), CAST(SUM(failed) AS DECIMAL(19))
		FROM `+l.chunks+` WHERE uid = ? AND "partition" = ? AND chunk <= ?`, uid, partition, n).
		Scan(&totals.Created, &totals.Updated, &totals.Unchanged, &totals.Skipped, &totals.Failed)
	if err != nil {
		return chunk.Outcome{}, run.Counts{}, false, wrap(err)
	}
	return o, totals, true, nil
}

// Outcomes calls fn for every outcome of a partition from chunk from on, in order, without logged rows. It ends with
// fn's first error.
func (l *Ledger) Outcomes(
	ctx context.Context, uid string, partition int, from int64, fn func(n int64, o chunk.Outcome) error,
) error {
	for {
		numbers, outcomes, err := l.outcomes(ctx, uid, partition, from)
		if err != nil {
			return fmt.Errorf("read the outcomes of partition %d of run %s: %w", partition, uid, err)
		}
		for i, n := range numbers {
			if err := fn(n, outcomes[i]); err != nil {
				return err
			}
		}
		if len(numbers) < page {
			return nil
		}
		from = numbers[len(numbers)-1] + 1
	}
}

func (l *Ledger) outcomes(
	ctx context.Context, uid string, partition int, from int64,
) (numbers []int64, outcomes []chunk.Outcome, err error) {
	rows, err := l.db.Query(ctx, "SELECT "+outcomeColumns+" FROM "+l.chunks+
		` WHERE uid = ? AND "partition" = ? AND chunk >= ? ORDER BY chunk LIMIT ?`, uid, partition, from, page)
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		n, o, err := scanOutcome(rows)
		if err != nil {
			return nil, nil, err
		}
		numbers, outcomes = append(numbers, n), append(outcomes, o)
	}
	return numbers, outcomes, rows.Err()
}

func scanOutcome(row interface{ Scan(dest ...any) error }) (n int64, o chunk.Outcome, err error) {
	var messages sql.NullString
	c := &o.Counts
	err = row.Scan(&n, &o.FirstRow, &o.LastRow, &o.Hash,
		&c.Created, &c.Updated, &c.Unchanged, &c.Skipped, &c.Failed, &messages)
	if err != nil || !messages.Valid {
		return n, o, err
	}
	h, err := decodeHistogram(messages.String)
	o.Errors, o.Validation, o.Missing = h.Errors, h.Validation, h.Missing
	return n, o, err
}

func decodeHistogram(text string) (h histogram, err error) {
	if err := json.Unmarshal([]byte(text), &h); err != nil {
		return h, fmt.Errorf("decode a histogram: %w", errors.Join(err, chunk.ErrDamaged))
	}
	return h, nil
}

// Histograms merges the message counts of all outcomes of a run: failed rows by message and by "column: message".
func (l *Ledger) Histograms(ctx context.Context, uid string) (messages, validation map[string]int64, err error) {
	messages, validation = map[string]int64{}, map[string]int64{}
	partition, last := -1, int64(0)
	for {
		n, err := l.mergePage(ctx, uid, &partition, &last, messages, validation)
		if err != nil {
			return nil, nil, fmt.Errorf("read the messages of run %s: %w", uid, err)
		}
		if n < page {
			return messages, validation, nil
		}
	}
}

// mergePage adds the page behind (partition, last), which it moves, and returns how many outcomes it had.
func (l *Ledger) mergePage(
	ctx context.Context, uid string, partition *int, last *int64, messages, validation map[string]int64,
) (n int, err error) {
	rows, err := l.db.Query(ctx, `SELECT "partition", chunk, COALESCE(histogram, '{}') FROM `+l.chunks+`
		WHERE uid = ? AND failed > 0 AND ("partition", chunk) > (?, ?) ORDER BY "partition", chunk LIMIT ?`,
		uid, *partition, *last, page)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for ; rows.Next(); n++ {
		var text string
		if err := rows.Scan(partition, last, &text); err != nil {
			return n, err
		}
		h, err := decodeHistogram(text)
		if err != nil {
			return n, err
		}
		for message, count := range h.Errors {
			messages[message] += count
		}
		for message, count := range h.Validation {
			validation[message] += count
		}
	}
	return n, rows.Err()
}

// FailedCount is the number of failed rows of a run by its outcomes.
func (l *Ledger) FailedCount(ctx context.Context, uid string) (n int64, err error) {
	err = l.db.QueryRow(ctx, "SELECT CAST(COALESCE(SUM(failed), 0) AS DECIMAL(19)) FROM "+l.chunks+
		" WHERE uid = ? AND failed > 0", uid).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count the failed rows of run %s: %w", uid, err)
	}
	return n, nil
}
