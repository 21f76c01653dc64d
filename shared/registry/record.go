package registry

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"ingest/shared/database"
	"ingest/shared/run"
)

// timeFormat is how times are stored where the database has no type for them; PostgreSQL reads it too.
const timeFormat = "2006-01-02T15:04:05.000000Z"

func stored(at time.Time) string { return at.UTC().Format(timeFormat) }

// columns is what is read of a run.
type columns string

// A light run has no definition, which can be large and which only those need that execute it.
const (
	whole columns = "definition, manifest"
	light columns = "'', manifest"
)

type query func(ctx context.Context, query string, args ...any) (*database.Rows, error)

func (r *Registry) read(ctx context.Context, ask query, what columns, where string, args ...any) (runs []run.Run, err error) {
	rows, err := ask(ctx, `SELECT id, uid, namespace, importer, connection, hash, origin, dry_run, status, reason,
		warnings, parent, retried_by, request, user_id, filename, created_at, started_at, completed_at, final, `+string(what)+
		" FROM "+r.table+" "+where, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		one, err := scan(rows)
		if err != nil {
			return nil, err
		}
		runs = append(runs, one)
	}
	return runs, rows.Err()
}

func scan(rows *database.Rows) (one run.Run, err error) {
	var origin, status, warnings, definition string
	var created, started, completed, final, manifest sql.NullString
	err = rows.Scan(&one.ID, &one.UID, &one.Namespace, &one.Importer, &one.Connection, &one.Hash, &origin, &one.DryRun,
		&status, &one.Reason, &warnings, &one.Parent, &one.RetriedBy, &one.Request, &one.User, &one.Filename,
		&created, &started, &completed, &final, &definition, &manifest)
	if err != nil {
		return one, err
	}
	one.Status = run.Status(status)
	if definition != "" {
		one.Definition = json.RawMessage(definition)
	}
	for _, part := range []struct {
		name string
		text sql.NullString
		into any
	}{
		{"origin", sql.NullString{String: origin, Valid: true}, &one.Origin},
		{"warnings", sql.NullString{String: warnings, Valid: true}, &one.Warnings},
		{"final", final, &one.Final},
		{"manifest", manifest, &one.Manifest},
	} {
		if !part.text.Valid {
			continue
		}
		if err := json.Unmarshal([]byte(part.text.String), part.into); err != nil {
			return one, fmt.Errorf("run %d: read its %s: %w", one.ID, part.name, err)
		}
	}
	for _, part := range []struct {
		text sql.NullString
		into *time.Time
	}{{created, &one.CreatedAt}, {started, &one.StartedAt}, {completed, &one.CompletedAt}} {
		if !part.text.Valid {
			continue
		}
		at, err := time.Parse(time.RFC3339Nano, part.text.String)
		if err != nil {
			return one, fmt.Errorf("run %d: read its times: %w", one.ID, err)
		}
		*part.into = at.UTC()
	}
	return one, nil
}

func encode(value any) (string, error) {
	text, err := json.Marshal(value)
	if err != nil {
		return "", fmt.Errorf("encode a run: %w", err)
	}
	return string(text), nil
}
