package ledger

import (
	"errors"
	"strings"
	"testing"

	"ingest/shared/database"
	"ingest/shared/database/dbtest"
)

// TestRehearsedRowsAreFoundByIndex: a chunk of a dry run does not read all rows that the run has kept for each of its own.
func TestRehearsedRowsAreFoundByIndex(t *testing.T) {
	t.Parallel()
	db, err := database.Open(database.Config{Name: "warehouse", URL: dbtest.SQLite(t)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if err := database.Migrate(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	rows, err := db.Query(t.Context(), "EXPLAIN QUERY PLAN "+New(db).meeting(), "[]", "u", "u", "u")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for rows.Next() {
		var id, parent, unused int
		var step string
		if err := rows.Scan(&id, &parent, &unused, &step); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(step, "ingest_dry_") {
			continue
		}
		if found++; !strings.Contains(step, "(uid=? AND ") {
			t.Errorf("it reads all rows of the run: %s", step)
		}
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		t.Fatal(err)
	}
	if found != 4 {
		t.Errorf("%d steps read what the run has kept, want 4", found)
	}
}
