package apply

import (
	"context"
	"errors"
	"fmt"

	"ingest/shared/database"
	"ingest/shared/ledger"
)

// why looks for the reason a head did not advance, in the only order that never loses or repeats a chunk.
func (j *Job) why(ctx context.Context, partition int, n int64, hash string) (Result, error) {
	outcome, totals, found, err := j.book.Applied(ctx, j.uid, partition, n)
	if err != nil {
		return Result{}, fmt.Errorf("look for chunk %d of partition %d: %w", n, partition, err)
	}
	if found {
		if outcome.Hash != hash {
			return Result{}, &Broken{Reason: fmt.Sprintf(
				"The ledger is damaged: chunk %d of partition %d took effect with other rows.", n, partition)}
		}
		return Result{Verdict: Applied, Outcome: outcome, Totals: totals}, nil
	}
	head, err := j.book.Head(ctx, j.uid, partition)
	switch {
	case errors.Is(err, ledger.ErrNoHead):
		return Result{Verdict: LetGo}, nil
	case err != nil:
		return Result{}, err
	case head.Closed:
		return Result{Verdict: LetGo}, nil
	case head.Next < n:
		return Result{Verdict: Behind, Head: head}, nil
	case head.Next == n:
		// Another transaction stood before this one and was rolled back since: try again.
		return Result{}, errors.Join(errAgain, ctx.Err())
	default:
		return Result{}, &Broken{Reason: fmt.Sprintf(
			"The ledger is damaged: partition %d expects chunk %d, but chunk %d is not in it.", partition, head.Next, n)}
	}
}

var errAgain = errors.New("the head was held by another transaction")

// Again says whether an error asks for the same chunk to be tried again.
func Again(err error) bool {
	return errors.Is(err, errAgain) || errors.Is(err, errNoLock) || database.Transient(err) || errors.As(err, new(*undelivered))
}

// Cause names what an error that asks for another attempt comes from, in a word out of a few: for metrics.
func Cause(err error) string {
	if errors.Is(err, errAgain) {
		return "head_held"
	}
	if errors.Is(err, errNoLock) {
		return "lock_missing"
	}
	if Undelivered(err) != "" {
		return "undelivered"
	}
	return database.Explain(err).Word()
}
