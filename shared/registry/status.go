package registry

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"ingest/shared/run"
)

// Fix makes the manifest, and where its source lies, the run's own unless it has a manifest, and returns the run as it is
// then. Every caller gets the same. A run that is being stopped without one gets none any more: then nothing was and
// nothing will be written.
func (r *Registry) Fix(ctx context.Context, id int64, m run.Manifest, o run.Origin) (run.Run, error) {
	manifest, err := encode(m)
	if err != nil {
		return run.Run{}, err
	}
	origin, err := encode(o)
	if err != nil {
		return run.Run{}, err
	}
	_, err = r.change(ctx, "fix the manifest", id, "manifest = ?, origin = ?", []any{manifest, origin},
		"manifest IS NULL AND status IN (?, ?) AND reason = ''", string(run.Pending), string(run.Processing))
	if err != nil {
		return run.Run{}, err
	}
	return r.Get(ctx, id)
}

// Begin makes a pending run processing. It returns whether this call did.
func (r *Registry) Begin(ctx context.Context, id int64, at time.Time) (bool, error) {
	return r.change(ctx, "begin", id, "status = ?, started_at = ?", []any{string(run.Processing), stored(at)},
		"status = ?", string(run.Pending))
}

// Cancel makes a run cancelling that is pending or processing and not failing. It returns whether this call did and
// the status afterwards: a run that is failing keeps its status and ends as failed.
func (r *Registry) Cancel(ctx context.Context, id int64) (run.Status, bool, error) {
	won, err := r.change(ctx, "cancel", id, "status = ?", []any{string(run.Cancelling)},
		"status IN (?, ?) AND reason = ''", string(run.Pending), string(run.Processing))
	if err != nil {
		return "", false, err
	}
	if won {
		return run.Cancelling, true, nil
	}
	now, err := r.Get(ctx, id)
	return now.Status, false, err
}

// Fail gives a run that is pending or processing the reason why it will be failed; the first reason stays. It returns
// whether this call did. The status changes in Finish, when no further row can be written.
func (r *Registry) Fail(ctx context.Context, id int64, reason string) (bool, error) {
	if reason == "" {
		return false, errors.New("a run cannot fail without a reason")
	}
	return r.change(ctx, "fail", id, "reason = ?", []any{clean(reason)},
		"status IN (?, ?) AND reason = ''", string(run.Pending), string(run.Processing))
}

// Finish makes a run terminal with its final numbers: completed or completed_with_errors when it is processing and not
// failing, failed when it has a reason, cancelled when it is cancelling. It returns whether this call did. A run whose
// numbers do not balance, or contradict its status, cannot be completed.
func (r *Registry) Finish(ctx context.Context, id int64, to run.Status, final run.Final, at time.Time) (bool, error) {
	from, args := "status = ? AND reason = ''", []any{string(run.Processing)}
	switch to {
	case run.Completed, run.CompletedWithErrors:
		if err := complete(to, final); err != nil {
			return false, fmt.Errorf("finish run %d: %w", id, err)
		}
	case run.Failed:
		from, args = "status IN (?, ?) AND reason <> ''", []any{string(run.Pending), string(run.Processing)}
	case run.Cancelled:
		from, args = "status = ?", []any{string(run.Cancelling)}
	default:
		return false, fmt.Errorf("finish run %d: %s is no terminal status", id, to)
	}
	text, err := encode(final)
	if err != nil {
		return false, err
	}
	return r.change(ctx, "finish", id, "status = ?, final = ?, completed_at = ?",
		[]any{string(to), text, stored(at)}, from, args...)
}

// complete returns an error unless a run with these numbers may have that status.
func complete(to run.Status, final run.Final) error {
	if final.NotProcessed != 0 {
		return fmt.Errorf("it cannot be completed with %d rows not processed", final.NotProcessed)
	}
	if (to == run.Completed) != (final.Counts.Failed == 0) {
		return fmt.Errorf("it cannot be %s with %d failed rows", to, final.Counts.Failed)
	}
	return final.Counts.Balance(final.Total, final.NotProcessed)
}

// change is the compare-and-set behind every change of a run: set, where the condition holds. It returns whether it
// did, and ErrUnknown when there is no such run.
func (r *Registry) change(
	ctx context.Context, verb string, id int64, set string, values []any, condition string, args ...any,
) (bool, error) {
	values = append(slices.Concat(values, []any{id, r.namespace}), args...)
	result, err := r.db.Exec(ctx, "UPDATE "+r.table+" SET "+set+" WHERE id = ? AND namespace = ? AND "+condition, values...)
	if err != nil {
		return false, fmt.Errorf("%s run %d: %w", verb, id, err)
	}
	n, err := result.RowsAffected()
	if err != nil {
		return false, fmt.Errorf("%s run %d: %w", verb, id, err)
	}
	if n == 1 {
		return true, nil
	}
	_, err = r.Get(ctx, id)
	return false, err
}

// Warn adds warnings to a run that is not terminal; those it has already are not repeated.
func (r *Registry) Warn(ctx context.Context, id int64, warnings []string) (err error) {
	if len(warnings) == 0 {
		return nil
	}
	tx, err := r.db.Begin(ctx)
	if err != nil {
		return fmt.Errorf("warn run %d: %w", id, err)
	}
	defer func() { err = errors.Join(err, tx.Rollback()) }()
	// The lock comes first, so that two warnings at once are both kept.
	if _, err := tx.Exec(ctx, "UPDATE "+r.table+" SET warnings = warnings WHERE id = ?", id); err != nil {
		return fmt.Errorf("warn run %d: %w", id, err)
	}
	runs, err := r.read(ctx, tx.Query, light, "WHERE id = ? AND namespace = ?", id, r.namespace)
	if err != nil {
		return fmt.Errorf("warn run %d: %w", id, err)
	}
	if len(runs) == 0 {
		return fmt.Errorf("run %d: %w", id, ErrUnknown)
	}
	if runs[0].Status.Terminal() {
		return nil
	}
	all := runs[0].Warnings
	for _, warning := range warnings {
		if !slices.Contains(all, warning) {
			all = append(all, warning)
		}
	}
	text, err := encode(all)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, "UPDATE "+r.table+" SET warnings = ? WHERE id = ?", text, id); err != nil {
		return fmt.Errorf("warn run %d: %w", id, err)
	}
	return tx.Commit(ctx)
}
