package ledger

import (
	"context"
	"fmt"

	"ingest/shared/database"
)

// Locks let chunks of all runs go one after the other that write a table whose key has no unique index: nothing else could
// keep two of them from inserting the same key. A lock is a row, because the lock of a row that is not there is nobody's;
// it stays when the run is pruned, as others may use it.

// CreateLocks makes the locks that are missing. It is idempotent, and must not be called in a chunk transaction: who waits
// for the row of another's transaction would wait for the chunk, too.
func (l *Ledger) CreateLocks(ctx context.Context, names []string) error {
	for _, name := range names {
		var there int
		err := l.db.QueryRow(ctx, "SELECT COUNT(*) FROM "+l.locks+" WHERE name = ?", name).Scan(&there)
		if err == nil && there == 0 { // or MySQL would wait for whoever holds it
			_, err = l.db.Exec(ctx, "INSERT INTO "+l.locks+" (name) VALUES (?) "+l.db.OnConflict("name", ""), name)
		}
		if err != nil {
			return fmt.Errorf("create the lock of %s: %w", name, err)
		}
	}
	return nil
}

// Lock takes locks, in the order of their names, until the transaction ends. It comes right behind Advance, waits for other
// transactions and says false when a lock is not there. What is read after it is what they left.
func (l *Ledger) Lock(ctx context.Context, tx *database.Tx, names []string) (bool, error) {
	for _, name := range names {
		result, err := tx.Exec(ctx, "UPDATE "+l.locks+" SET name = name WHERE name = ?", name)
		if err != nil {
			return false, fmt.Errorf("take the lock of %s: %w", name, err)
		}
		if n, err := result.RowsAffected(); err != nil || n != 1 {
			return false, err
		}
	}
	return true, nil
}
