package registry

import (
	"context"
	"database/sql"
	"fmt"

	"ingest/shared/database"
	"ingest/shared/run"
)

// Busy is returned when a run is to be alone and another run of its importer is not over.
type Busy struct {
	// By is the oldest of those.
	By int64
}

// Error names the run that is in the way.
func (b *Busy) Error() string { return fmt.Sprintf("run %d of the same importer is not over", b.By) }

// Before returns the oldest run of the same importer that was created before this one and is not over; false for none.
// Dry runs do not count. Once there is none there never will be one: runs of an importer are created one after the
// other, in the order of their ids.
func (r *Registry) Before(ctx context.Context, this run.Run) (id int64, found bool, err error) {
	oldest, err := r.oldest(ctx, r.db.QueryRow, this.Importer, "AND id < ?", this.ID)
	if err != nil {
		return 0, false, fmt.Errorf("look for runs before run %d: %w", this.ID, err)
	}
	return oldest.Int64, oldest.Valid, nil
}

// Running returns the oldest run of an importer that is not over; false for none. Dry runs do not count.
func (r *Registry) Running(ctx context.Context, slug string) (id int64, found bool, err error) {
	oldest, err := r.oldest(ctx, r.db.QueryRow, clean(slug), "")
	if err != nil {
		return 0, false, fmt.Errorf("look for runs of an importer: %w", err)
	}
	return oldest.Int64, oldest.Valid, nil
}

// enter makes the creation of real runs of one importer go one by one until the transaction ends, so that their ids are
// in the order in which others see them. A run that is to be alone is refused with *Busy while another is not over.
func (r *Registry) enter(ctx context.Context, tx *database.Tx, n NewRun) error {
	if n.DryRun {
		return nil
	}
	if err := tx.Lock(ctx, "ingest runs "+r.namespace+" "+clean(n.Importer)); err != nil {
		return err
	}
	if !n.Alone {
		return nil
	}
	oldest, err := r.oldest(ctx, tx.QueryRow, clean(n.Importer), "")
	if err == nil && oldest.Valid {
		err = &Busy{By: oldest.Int64}
	}
	return err
}

type queryRow func(ctx context.Context, query string, args ...any) *database.Row

func (r *Registry) oldest(ctx context.Context, ask queryRow, importer, and string, args ...any) (id sql.NullInt64, err error) {
	args = append([]any{r.namespace, importer, string(run.Pending), string(run.Processing), string(run.Cancelling)}, args...)
	err = ask(ctx, "SELECT MIN(id) FROM "+r.table+" WHERE namespace = ? AND importer = ? AND NOT dry_run AND status IN (?, ?, ?) "+and,
		args...).Scan(&id)
	return id, err
}
