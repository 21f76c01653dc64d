// Package registry keeps which runs exist, their status and their final numbers: the table ingest_runs.
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

	"ingest/shared/database"
	"ingest/shared/run"
)

var ErrUnknown = errors.New("unknown run")

type Registry struct {
	db        *database.DB
	namespace string
}

type Claimed struct {
	By     int64
	Active bool
}

func (c *Claimed) Error() string { return fmt.Sprintf("already retried as run %d", c.By) }

type NewRun struct {
	Importer, Connection           string
	Definition                     json.RawMessage
	Hash                           string
	Origin                         run.Origin
	DryRun                         bool
	Parent                         int64
	Claim, Force                   bool
	User, Filename, IdempotencyKey string
	Warnings                       []string
}
type Filter struct {
	Status, Importer string
	Limit, Offset    int
}

func New(db *database.DB, ns string) *Registry { return &Registry{db, ns} }

func (r *Registry) Create(ctx context.Context, n NewRun) (run.Run, bool, error) {
	tx, err := r.db.Begin(ctx)
	if err != nil {
		return run.Run{}, false, err
	}
	defer tx.Rollback()
	var b [16]byte
	rand.Read(b[:])
	origin, _ := json.Marshal(n.Origin)
	warn, _ := json.Marshal(n.Warnings)
	if n.Warnings == nil {
		warn = []byte("[]")
	}
	var id int64
	var key any
	if n.IdempotencyKey != "" {
		key = n.IdempotencyKey
	}
	err = tx.QueryRow(ctx, `INSERT INTO ingest_runs (uid, namespace, importer, connection, definition, hash, origin, dry_run, status, warnings, parent, idempotency_key, user_id, filename, created_at)
		VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?) RETURNING id`, hex.EncodeToString(b[:]), r.namespace, n.Importer, n.Connection, string(n.Definition), n.Hash, string(origin), n.DryRun, "pending", string(warn), n.Parent, key, n.User, n.Filename, stamp(time.Now())).Scan(&id)
	if err != nil {
		return run.Run{}, false, err
	}
	if n.Claim {
		q := "UPDATE ingest_runs SET retried_by = ? WHERE id = ? AND retried_by = 0"
		if n.Force {
			q = "UPDATE ingest_runs SET retried_by = ? WHERE id = ?"
		}
		res, err := tx.Exec(ctx, q, id, n.Parent)
		if err != nil {
			return run.Run{}, false, err
		}
		if c, _ := res.RowsAffected(); c != 1 {
			var by int64
			tx.QueryRow(ctx, "SELECT retried_by FROM ingest_runs WHERE id = ?", n.Parent).Scan(&by)
			return run.Run{}, false, &Claimed{By: by}
		}
	}
	if err := tx.Commit(ctx); err != nil {
		return run.Run{}, false, err
	}
	got, err := r.Get(ctx, id)
	return got, false, err
}

const cols = `id, uid, namespace, importer, connection, definition, hash, origin, manifest, dry_run, status, reason, warnings, parent, retried_by, user_id, filename, created_at, started_at, completed_at, final`

func scan(row interface{ Scan(...any) error }) (run.Run, error) {
	var r run.Run
	var def, origin, warn string
	var manifest, final sql.NullString
	var created, started, completed moment
	err := row.Scan(&r.ID, &r.UID, &r.Namespace, &r.Importer, &r.Connection, &def, &r.Hash, &origin, &manifest, &r.DryRun, &r.Status, &r.Reason, &warn, &r.Parent, &r.RetriedBy, &r.User, &r.Filename, &created, &started, &completed, &final)
	if err != nil {
		return r, err
	}
	r.Definition = json.RawMessage(def)
	r.CreatedAt, r.StartedAt, r.CompletedAt = created.t, started.t, completed.t
	err = errors.Join(json.Unmarshal([]byte(origin), &r.Origin), json.Unmarshal([]byte(warn), &r.Warnings))
	if manifest.Valid {
		m, e := run.DecodeManifest([]byte(manifest.String))
		r.Manifest, err = &m, errors.Join(err, e)
	}
	if final.Valid {
		r.Final = &run.Final{}
		err = errors.Join(err, json.Unmarshal([]byte(final.String), r.Final))
	}
	return r, err
}

func (r *Registry) Get(ctx context.Context, id int64) (run.Run, error) {
	got, err := scan(r.db.QueryRow(ctx, "SELECT "+cols+" FROM ingest_runs WHERE namespace = ? AND id = ?", r.namespace, id))
	if errors.Is(err, sql.ErrNoRows) {
		return got, ErrUnknown
	}
	return got, err
}

func (r *Registry) list(ctx context.Context, where string, args ...any) ([]run.Run, error) {
	rows, err := r.db.Query(ctx, "SELECT "+cols+" FROM ingest_runs WHERE "+where, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []run.Run
	for rows.Next() {
		got, err := scan(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, got)
	}
	return out, rows.Err()
}

func (r *Registry) List(ctx context.Context, f Filter) ([]run.Run, int64, error) {
	out, err := r.list(ctx, "namespace = ? AND (? = '' OR status = ?) AND (? = '' OR importer = ?) ORDER BY id DESC LIMIT ? OFFSET ?", r.namespace, f.Status, f.Status, f.Importer, f.Importer, f.Limit, f.Offset)
	return out, int64(len(out)), err
}
func (r *Registry) Active(ctx context.Context) ([]run.Run, error) {
	return r.list(ctx, "namespace = ? AND status IN ('pending','processing','cancelling') ORDER BY id", r.namespace)
}
func (r *Registry) Fix(ctx context.Context, id int64, m run.Manifest) (run.Manifest, error) {
	text, err := m.Encode()
	if err != nil {
		return m, err
	}
	if _, err := r.db.Exec(ctx, "UPDATE ingest_runs SET manifest = ? WHERE id = ? AND manifest IS NULL AND status IN ('pending','processing') AND reason = ''", string(text), id); err != nil {
		return m, err
	}
	got, err := r.Get(ctx, id)
	if err != nil {
		return m, err
	}
	if got.Manifest == nil {
		return m, errors.New("the run was stopped")
	}
	return *got.Manifest, nil
}
func (r *Registry) cas(ctx context.Context, q string, args ...any) (bool, error) {
	res, err := r.db.Exec(ctx, q, args...)
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n == 1, err
}
func (r *Registry) Begin(ctx context.Context, id int64, at time.Time) (bool, error) {
	return r.cas(ctx, "UPDATE ingest_runs SET status = 'processing', started_at = ? WHERE id = ? AND status = 'pending'", stamp(at), id)
}
func (r *Registry) Cancel(ctx context.Context, id int64) (run.Status, bool, error) {
	won, err := r.cas(ctx, "UPDATE ingest_runs SET status = 'cancelling' WHERE id = ? AND status IN ('pending','processing') AND reason = ''", id)
	if err != nil {
		return "", false, err
	}
	got, err := r.Get(ctx, id)
	return got.Status, won, err
}
func (r *Registry) Fail(ctx context.Context, id int64, reason string) (bool, error) {
	return r.cas(ctx, "UPDATE ingest_runs SET reason = ? WHERE id = ? AND status IN ('pending','processing') AND reason = ''", reason, id)
}
func (r *Registry) Finish(ctx context.Context, id int64, s run.Status, f run.Final, at time.Time) (bool, error) {
	text, _ := json.Marshal(f)
	from := "status = 'processing' AND reason = ''"
	switch s {
	case run.Failed:
		from = "status IN ('pending','processing') AND reason <> ''"
	case run.Cancelled:
		from = "status = 'cancelling'"
	}
	return r.cas(ctx, "UPDATE ingest_runs SET status = ?, final = ?, completed_at = ? WHERE id = ? AND "+from, string(s), string(text), stamp(at), id)
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000Z") }

type moment struct{ t time.Time }

func (m *moment) Scan(v any) (err error) {
	switch x := v.(type) {
	case time.Time:
		m.t = x
	case string:
		m.t, err = time.Parse(time.RFC3339Nano, x)
	}
	return err
}
