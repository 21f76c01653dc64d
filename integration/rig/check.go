package rig

import (
	"database/sql"
	"encoding/json"
	"strconv"
	"testing"

	"ingest/shared/database"
)

// Check fails the test for everything that contradicts the invariants of a terminal run (see Books.Problems) whose
// ledger is in the connection `default`.
func (s *System) Check(id int64) {
	s.t.Helper()
	s.CheckLedger(id, s.Database())
}

// CheckLedger is Check for a run whose destination is another database.
func (s *System) CheckLedger(id int64, ledgerURL string) {
	s.t.Helper()
	for _, problem := range s.Books(id, ledgerURL).Problems() {
		s.t.Errorf("run %d: %s", id, problem)
	}
}

// Books reads what registry, ledger and command line say about a run.
func (s *System) Books(id int64, ledgerURL string) Books {
	s.t.Helper()
	uid, books := s.registry(id)
	ledger := open(s.t, ledgerURL)
	defer shut(s.t, ledger)
	books.Heads = heads(s.t, ledger, uid)
	books.Chunks = chunks(s.t, ledger, uid)
	books.Shown = s.Status(id)
	var summary struct {
		Data ErrorSummary `json:"data"`
	}
	text := s.Must(0, "errors", strconv.FormatInt(id, 10), "--output", "json")
	if err := json.Unmarshal([]byte(text), &summary); err != nil {
		s.t.Fatalf("read the error summary: %v\n%s", err, text)
	}
	books.Errors = summary.Data
	return books
}

func (s *System) registry(id int64) (string, Books) {
	s.t.Helper()
	var uid string
	db := open(s.t, s.Database())
	defer shut(s.t, db)
	found := query(s.t, db, `SELECT uid, status, reason, parent, final FROM ingest_runs WHERE id = ?`,
		func(scan func(...any)) Books {
			var books Books
			var parent int64
			var final sql.NullString
			scan(&uid, &books.Status, &books.Reason, &parent, &final)
			books.Retry = parent != 0
			if final.Valid {
				books.Final = &Final{}
				if err := json.Unmarshal([]byte(final.String), books.Final); err != nil {
					s.t.Fatalf("read the final numbers of run %d: %v\n%s", id, err, final.String)
				}
			}
			return books
		}, id)
	if len(found) != 1 {
		s.t.Fatalf("the registry has %d runs with id %d", len(found), id)
	}
	return uid, found[0]
}

func heads(t testing.TB, db *database.DB, uid string) []Head {
	t.Helper()
	return query(t, db, `SELECT "partition", next_chunk, closed, COALESCE(sealed_chunks, -1), COALESCE(sealed_rows, -1),
		created, updated, unchanged, skipped, failed FROM ingest_partitions WHERE uid = ? ORDER BY "partition"`,
		func(scan func(...any)) Head {
			var h Head
			scan(&h.Partition, &h.Next, &h.Closed, &h.SealedChunks, &h.SealedRows,
				&h.Counts.Created, &h.Counts.Updated, &h.Counts.Unchanged, &h.Counts.Skipped, &h.Counts.Failed)
			return h
		}, uid)
}

func chunks(t testing.TB, db *database.DB, uid string) []Chunk {
	t.Helper()
	return query(t, db, `SELECT "partition", chunk, first_row, last_row, created, updated, unchanged, skipped, failed,
		COALESCE(histogram, '') FROM ingest_chunks WHERE uid = ? ORDER BY "partition", chunk`,
		func(scan func(...any)) Chunk {
			var c Chunk
			var histogram string
			scan(&c.Partition, &c.Number, &c.First, &c.Last,
				&c.Counts.Created, &c.Counts.Updated, &c.Counts.Unchanged, &c.Counts.Skipped, &c.Counts.Failed, &histogram)
			if err := decodeHistogram(histogram, &c); err != nil {
				t.Fatal(err)
			}
			return c
		}, uid)
}
