package apply

import (
	"context"
	"fmt"

	"ingest/shared/chunk"
	"ingest/shared/database"
	"ingest/shared/failpoint"
	"ingest/shared/metrics"
	"ingest/shared/run"
)

// once has a chunk take effect at most once: do is called between the first and the last statement of its transaction, if
// it is the one that is to take effect now.
func (j *Job) once(
	ctx context.Context, partition int, n int64, hash string, watch *metrics.Watch, do func(tx *database.Tx) (chunk.Outcome, error),
) (Result, error) {
	tx, err := j.db.Begin(ctx)
	if err != nil {
		return Result{}, fmt.Errorf("begin chunk %d of partition %d: %w", n, partition, err)
	}
	defer tx.Rollback() // after a commit it does nothing, before one nothing is lost
	won, err := j.book.Advance(ctx, tx, j.uid, partition, n)
	if err != nil {
		return Result{}, fmt.Errorf("advance the head of partition %d: %w", partition, err)
	}
	failpoint.Hit("worker.advanced")
	if !won {
		if err := tx.Rollback(); err != nil {
			return Result{}, fmt.Errorf("roll back chunk %d of partition %d: %w", n, partition, err)
		}
		return j.why(ctx, partition, n, hash)
	}
	outcome, err := do(tx)
	if err != nil {
		return Result{}, fmt.Errorf("write chunk %d of partition %d: %w", n, partition, err)
	}
	failpoint.Hit("worker.written")
	totals, err := j.book.Record(ctx, tx, j.uid, partition, n, outcome)
	if err != nil {
		return Result{}, fmt.Errorf("record chunk %d of partition %d: %w", n, partition, err)
	}
	watch.Lap(metrics.Write)
	failpoint.Hit("worker.recorded")
	if err := tx.Commit(ctx); err != nil {
		return Result{}, fmt.Errorf("commit chunk %d of partition %d: %w", n, partition, err)
	}
	return j.applied(outcome, totals, watch), nil
}

// applied is the result of a chunk that has just taken effect.
func (j *Job) applied(outcome chunk.Outcome, totals run.Counts, watch *metrics.Watch) Result {
	failpoint.Hit("worker.committed")
	watch.Lap(metrics.Commit)
	if !j.dryRun {
		j.metrics.Rows(outcome.Counts)
	}
	return Result{Verdict: Applied, Outcome: outcome, Totals: totals}
}
