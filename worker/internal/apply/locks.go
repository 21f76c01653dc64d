package apply

import (
	"context"
	"errors"
	"fmt"

	"ingest/shared/database"
)

var errNoLock = errors.New("the lock of a table is not in the ledger")

// lock takes the locks of the run's tables. One that somebody removed is made anew and the chunk tried again: a lock that is
// inserted in the chunk's own transaction would keep others waiting only if they insert it, too.
func (j *Job) lock(ctx context.Context, tx *database.Tx) error {
	held, err := j.book.Lock(ctx, tx, j.locks)
	if err != nil || held {
		return err
	}
	if err := errors.Join(tx.Rollback(), j.book.CreateLocks(ctx, j.locks)); err != nil {
		return fmt.Errorf("make the lock of a table anew: %w", err)
	}
	return errNoLock
}
