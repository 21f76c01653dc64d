package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"ingest/shared/database"
)

// Rehearsed is a row of a dry run that would have taken effect. Rows that share a form can meet in the table; those of one
// id are the same row of it, by their numbers.
type Rehearsed struct {
	ID    string
	Forms []int64
	Row   int64
	Body  string
	// Whole says that nothing of earlier rows of the id is left when this one took effect.
	Whole bool
}

// Rehearse keeps rows that would have taken effect, in the chunk's transaction.
func (l *Ledger) Rehearse(ctx context.Context, tx *database.Tx, uid string, rows []Rehearsed) error {
	type line struct {
		ID   string `json:"id"`
		Row  int64  `json:"row,omitempty"`
		Body string `json:"body,omitempty"`
		Form int64  `json:"form,omitempty"`
	}
	var bodies, forms, whole []line
	for _, r := range rows {
		bodies = append(bodies, line{ID: r.ID, Row: r.Row, Body: r.Body})
		if r.Whole {
			whole = append(whole, line{ID: r.ID})
		}
		for _, form := range r.Forms {
			forms = append(forms, line{ID: r.ID, Form: form})
		}
	}
	for _, step := range []struct {
		statement string
		lines     []line
	}{
		{"DELETE FROM " + l.rehearsed + " WHERE uid = ? AND id IN (SELECT id FROM " + l.lines() + ")", whole},
		{"INSERT INTO " + l.rehearsed + ` (uid, id, "row", body) SELECT CAST(? AS ` + l.text + `), id, "row", body FROM ` + l.lines(), bodies},
		{"INSERT INTO " + l.forms + " (uid, form, id) SELECT CAST(? AS " + l.text + "), form, id FROM " + l.lines() +
			" WHERE TRUE " + l.db.OnConflict("uid, form, id", ""), forms},
	} {
		if len(step.lines) == 0 {
			continue
		}
		text, err := json.Marshal(step.lines)
		if err != nil {
			return fmt.Errorf("encode the rehearsed rows: %w", err)
		}
		if _, err := tx.Exec(ctx, step.statement, uid, string(text)); err != nil {
			return fmt.Errorf("keep the rehearsed rows of run %s: %w", uid, err)
		}
	}
	return nil
}

// lines is a JSON argument as a table.
func (l *Ledger) lines() string {
	switch l.db.Dialect() {
	case database.Postgres:
		return `json_to_recordset(CAST(? AS json)) AS given(id text, "row" bigint, body text, form bigint)`
	case database.MySQL:
		return `JSON_TABLE(?, '$[*]' COLUMNS (id VARCHAR(512) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PATH '$.id', "row" BIGINT PATH '$.row',
			body LONGTEXT PATH '$.body', form BIGINT PATH '$.form')) AS given`
	default:
		return `(SELECT value ->> 'id' AS id, value ->> 'row' AS "row", value ->> 'body' AS body, value ->> 'form' AS form FROM json_each(?)) AS given`
	}
}

// Rehearsed returns the bodies of the rows that can meet one with these forms, or one that can meet such a row, in the
// order in which they would have taken effect; of all rows for nil.
func (l *Ledger) Rehearsed(ctx context.Context, tx *database.Tx, uid string, forms []int64) (bodies []string, err error) {
	if forms == nil {
		return bodiesOf(tx.Query(ctx, "SELECT body FROM "+l.rehearsed+` WHERE uid = ? ORDER BY "row"`, uid))
	}
	type line struct {
		Form int64 `json:"form"`
	}
	lines := make([]line, len(forms))
	for i, form := range forms {
		lines[i].Form = form
	}
	text, err := json.Marshal(lines)
	if err != nil {
		return nil, fmt.Errorf("encode the forms: %w", err)
	}
	return bodiesOf(tx.Query(ctx, l.meeting(), string(text), uid, uid, uid))
}

// meeting is the query of Rehearsed. Nobody has counted these tables when it is planned – the run is just filling them –, and
// a plan that begins with all rows of the run takes minutes: so the order of its joins is told where it can be.
func (l *Ledger) meeting() string {
	join, byID := "JOIN", ""
	switch l.db.Dialect() {
	case database.SQLite:
		join, byID = "CROSS JOIN", " INDEXED BY ingest_dry_forms_id"
	case database.MySQL:
		join, byID = "STRAIGHT_JOIN", " FORCE INDEX (ingest_dry_forms_id)"
	case database.Postgres:
	}
	return `WITH RECURSIVE met(id) AS (
			SELECT f.id FROM ` + l.lines() + ` ` + join + ` ` + l.forms + ` AS f ON f.uid = ? AND f.form = given.form
			UNION SELECT other.id FROM met ` + join + ` ` + l.forms + ` AS own` + byID + ` ON own.uid = ? AND own.id = met.id
			` + join + ` ` + l.forms + ` AS other ON other.uid = own.uid AND other.form = own.form)
		SELECT r.body FROM met ` + join + ` ` + l.rehearsed + ` AS r ON r.uid = ? AND r.id = met.id ORDER BY r."row"`
}

func bodiesOf(rows *database.Rows, err error) (bodies []string, _ error) {
	if err != nil {
		return nil, fmt.Errorf("read the rehearsed rows: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var body string
		if err := rows.Scan(&body); err != nil {
			return nil, fmt.Errorf("read the rehearsed rows: %w", err)
		}
		bodies = append(bodies, body)
	}
	return bodies, rows.Err()
}

// EndRehearsal removes what a dry run has kept. It is idempotent.
func (l *Ledger) EndRehearsal(ctx context.Context, uid string) error {
	for _, table := range []string{l.forms, l.rehearsed} {
		if _, err := l.db.Exec(ctx, "DELETE FROM "+table+" WHERE uid = ?", uid); err != nil {
			return fmt.Errorf("remove the rehearsed rows of run %s: %w", uid, err)
		}
	}
	return nil
}
