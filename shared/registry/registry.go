// Package registry keeps which runs exist and what became of them, in the connection `default`.
//
// It promises that a run has one status, that every change of it is one compare-and-set which exactly one caller
// wins, and that a terminal run never changes again, except that it names its newest retry.
package registry

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"ingest/shared/database"
	"ingest/shared/run"
)

// ErrUnknown is wrapped when there is no run with that id in the namespace.
var ErrUnknown = errors.New("no such run")

// Registry reads and writes the runs of one namespace. It is safe for concurrent use, also by several processes.
type Registry struct {
	db        *database.DB
	table     string
	namespace string
}

// New returns the registry in db of the runs of a namespace. It does not connect.
func New(db *database.DB, namespace string) *Registry {
	return &Registry{db: db, table: db.Ledger("ingest_runs"), namespace: namespace}
}

// Filter selects a page of runs. The zero value selects all.
type Filter struct {
	Status   string
	Importer string
	// Limit 0 = no limit.
	Limit  int
	Offset int
}

// Get returns a run; ErrUnknown for none.
func (r *Registry) Get(ctx context.Context, id int64) (run.Run, error) {
	runs, err := r.read(ctx, r.db.Query, whole, "WHERE id = ? AND namespace = ?", id, r.namespace)
	if err != nil {
		return run.Run{}, fmt.Errorf("read run %d: %w", id, err)
	}
	if len(runs) == 0 {
		return run.Run{}, fmt.Errorf("run %d: %w", id, ErrUnknown)
	}
	return runs[0], nil
}

// List returns a page of runs, newest first, without their definitions, and how many the filter selects in all.
func (r *Registry) List(ctx context.Context, f Filter) (runs []run.Run, total int64, err error) {
	where, args := "WHERE namespace = ?", []any{r.namespace}
	if f.Status != "" {
		where, args = where+" AND status = ?", append(args, clean(f.Status))
	}
	if f.Importer != "" {
		where, args = where+" AND importer = ?", append(args, clean(f.Importer))
	}
	if err := r.db.QueryRow(ctx, "SELECT COUNT(*) FROM "+r.table+" "+where, args...).Scan(&total); err != nil {
		return nil, 0, fmt.Errorf("count the runs: %w", err)
	}
	where += " ORDER BY id DESC"
	if f.Limit > 0 {
		where, args = where+" LIMIT ? OFFSET ?", append(args, f.Limit, max(0, f.Offset))
	}
	if runs, err = r.read(ctx, r.db.Query, light, where, args...); err != nil {
		return nil, 0, fmt.Errorf("list the runs: %w", err)
	}
	return runs, total, nil
}

// Active returns the runs that are not terminal, oldest first.
func (r *Registry) Active(ctx context.Context) ([]run.Run, error) {
	runs, err := r.read(ctx, r.db.Query, whole, "WHERE namespace = ? AND status IN (?, ?, ?) ORDER BY id",
		r.namespace, string(run.Pending), string(run.Processing), string(run.Cancelling))
	if err != nil {
		return nil, fmt.Errorf("read the active runs: %w", err)
	}
	return runs, nil
}

// Imported returns the run of an importer that was the last to complete the import of a source of its own, without its
// definition; false for none. Retries and dry runs do not count.
func (r *Registry) Imported(ctx context.Context, slug string) (run.Run, bool, error) {
	runs, err := r.read(ctx, r.db.Query, light, `WHERE namespace = ? AND importer = ? AND NOT dry_run AND parent = 0
		AND status IN (?, ?) ORDER BY completed_at DESC, id DESC LIMIT 1`,
		r.namespace, clean(slug), string(run.Completed), string(run.CompletedWithErrors))
	if err != nil {
		return run.Run{}, false, fmt.Errorf("look for the last import: %w", err)
	}
	if len(runs) == 0 {
		return run.Run{}, false, nil
	}
	return runs[0], true, nil
}

// Sources calls do with the origin of every run of this database, of whatever namespace: what one of them names is
// somebody's.
func (r *Registry) Sources(ctx context.Context, do func(run.Origin)) (err error) {
	rows, err := r.db.Query(ctx, "SELECT origin FROM "+r.table)
	if err != nil {
		return fmt.Errorf("read where the runs come from: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var text string
		var origin run.Origin
		if err := rows.Scan(&text); err != nil {
			return fmt.Errorf("read where the runs come from: %w", err)
		}
		if err := json.Unmarshal([]byte(text), &origin); err != nil {
			return fmt.Errorf("read where the runs come from: %w", err)
		}
		do(origin)
	}
	return rows.Err()
}

// Ping returns an error when the registry cannot be read now.
func (r *Registry) Ping(ctx context.Context) error {
	var one int
	err := r.db.QueryRow(ctx, "SELECT 1 FROM "+r.table+" LIMIT 1").Scan(&one)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("read the registry: %w", err)
	}
	return nil
}

// clean makes a text one that every database stores: valid UTF-8 without NUL.
func clean(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\uFFFD")
}
