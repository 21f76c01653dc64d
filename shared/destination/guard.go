package destination

import (
	"context"

	"ingest/shared/database"
)

// guard undoes what several statements have done, where each of them undoes only itself.
type guard struct {
	// held says that a savepoint is open that an error has left.
	held bool
}

func (g *guard) during(ctx context.Context, tx *database.Tx, statements func() error) error {
	if err := tx.Savepoint(ctx, savepoint); err != nil {
		return err
	}
	g.held = true
	if err := statements(); err != nil {
		return err
	}
	g.held = false
	return tx.Release(ctx, savepoint)
}

func (g *guard) restore(ctx context.Context, tx *database.Tx) error {
	if !g.held {
		return nil
	}
	g.held = false
	if err := tx.RollbackTo(ctx, savepoint); err != nil {
		return err
	}
	return tx.Release(ctx, savepoint)
}
