package registry

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"ingest/shared/database"
	"ingest/shared/run"
)

// NewRun is what is known about a run when it is created.
type NewRun struct {
	Importer   string
	Connection string
	// Definition is the importer as JSON, Hash its hash.
	Definition json.RawMessage
	Hash       string
	Origin     run.Origin
	DryRun     bool
	Parent     int64
	// Claim makes this run the retry of Parent, if nobody else's is.
	Claim bool
	// Force claims a parent that was retried already; not one that is being retried.
	Force bool
	// Alone refuses the run, unless it is a dry run, while another real one of its importer is not terminal.
	Alone    bool
	User     string
	Filename string
	// IdempotencyKey makes a repeated Create return the first run; empty = none. Request identifies what was asked for
	// with it.
	IdempotencyKey string
	Request        string
	Warnings       []string
	// At is when the run is created; the zero time is now.
	At time.Time
}

// Claimed is returned when another run is the retry of the parent.
type Claimed struct {
	// By is that run; Active says that it is not terminal.
	By     int64
	Active bool
}

// Error names the run that won.
func (c *Claimed) Error() string {
	if c.Active {
		return fmt.Sprintf("the run is being retried as run %d", c.By)
	}
	return fmt.Sprintf("the run was already retried as run %d", c.By)
}

// Create registers a run as pending. With an idempotency key that was used before it returns the run of then and true,
// whatever else it was given. A claim that is lost is *Claimed, an unknown parent ErrUnknown, a run that cannot be alone
// *Busy; nothing is created then.
func (r *Registry) Create(ctx context.Context, n NewRun) (run.Run, bool, error) {
	if first, found, err := r.First(ctx, n.IdempotencyKey); err != nil || found {
		return first, found, err
	}
	id, err := r.create(ctx, n)
	var busy *Busy
	if n.IdempotencyKey != "" && (database.Explain(err).Unique() || errors.As(err, &busy)) {
		// Somebody used the key between the two.
		if first, found, again := r.First(ctx, n.IdempotencyKey); again != nil || found {
			return first, found, again
		}
	}
	if err != nil {
		return run.Run{}, false, fmt.Errorf("create a run: %w", err)
	}
	created, err := r.Get(ctx, id)
	return created, false, err
}

// First returns the run that was created with that idempotency key; false for none, and for the empty key.
func (r *Registry) First(ctx context.Context, key string) (run.Run, bool, error) {
	if key == "" {
		return run.Run{}, false, nil
	}
	runs, err := r.read(ctx, r.db.Query, whole, "WHERE namespace = ? AND idempotency_key = ?", r.namespace, clean(key))
	if err != nil {
		return run.Run{}, false, fmt.Errorf("look for the idempotency key: %w", err)
	}
	if len(runs) == 0 {
		return run.Run{}, false, nil
	}
	return runs[0], true, nil
}

func (r *Registry) create(ctx context.Context, n NewRun) (id int64, err error) {
	if !utf8.ValidString(n.Origin.Path) {
		return 0, errors.New("the path of the source is not valid UTF-8")
	}
	tx, err := r.db.Begin(ctx)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, tx.Rollback()) }()
	if n.Claim {
		if err := r.claimable(ctx, tx, n); err != nil {
			return 0, err
		}
	}
	if err := r.enter(ctx, tx, n); err != nil {
		return 0, err
	}
	if id, err = r.insert(ctx, tx, n); err != nil {
		return 0, err
	}
	if n.Claim {
		if _, err := tx.Exec(ctx, "UPDATE "+r.table+" SET retried_by = ? WHERE id = ?", id, n.Parent); err != nil {
			return 0, err
		}
	}
	return id, tx.Commit(ctx)
}

// claimable locks the parent until the transaction ends and returns an error unless it may be claimed.
func (r *Registry) claimable(ctx context.Context, tx *database.Tx, n NewRun) error {
	// The lock comes first: a statement that follows sees what the winner of a race has committed.
	_, err := tx.Exec(ctx, "UPDATE "+r.table+" SET retried_by = retried_by WHERE id = ? AND namespace = ?", n.Parent, r.namespace)
	if err != nil {
		return err
	}
	var by int64
	err = tx.QueryRow(ctx, "SELECT retried_by FROM "+r.table+" WHERE id = ? AND namespace = ?", n.Parent, r.namespace).Scan(&by)
	if errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("run %d: %w", n.Parent, ErrUnknown)
	}
	if err != nil || by == 0 {
		return err
	}
	var status string
	err = tx.QueryRow(ctx, "SELECT status FROM "+r.table+" WHERE id = ?", by).Scan(&status)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	active := err == nil && !run.Status(status).Terminal()
	if active || !n.Force {
		return &Claimed{By: by, Active: active}
	}
	return nil
}

func (r *Registry) insert(ctx context.Context, tx *database.Tx, n NewRun) (id int64, err error) {
	origin, err := encode(n.Origin)
	if err != nil {
		return 0, err
	}
	warnings, err := encode(append([]string{}, n.Warnings...))
	if err != nil {
		return 0, err
	}
	if n.At.IsZero() {
		n.At = time.Now()
	}
	uid := make([]byte, 16)
	// crypto/rand never fails.
	_, _ = rand.Read(uid)
	insert := "INSERT INTO " + r.table + ` (uid, namespace, importer, connection, definition, hash, origin, dry_run,
		status, warnings, parent, idempotency_key, request, user_id, filename, created_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
	args := []any{
		hex.EncodeToString(uid), r.namespace, clean(n.Importer), clean(n.Connection), clean(string(n.Definition)), clean(n.Hash),
		origin, n.DryRun, string(run.Pending), warnings, n.Parent,
		sql.NullString{String: clean(n.IdempotencyKey), Valid: n.IdempotencyKey != ""},
		n.Request,
		clean(n.User), clean(n.Filename), stored(n.At),
	}
	if r.db.Dialect() == database.MySQL {
		result, err := tx.Exec(ctx, insert, args...)
		if err != nil {
			return 0, err
		}
		return result.LastInsertId()
	}
	err = tx.QueryRow(ctx, insert+" RETURNING id", args...).Scan(&id)
	return id, err
}
