package ledger_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"ingest/shared/chunk"
	"ingest/shared/database"
	"ingest/shared/ledger"
	"ingest/shared/row"
	"ingest/shared/run"
)

// stage stages rows as chunk n of a partition, in a transaction of its own.
func stage(t *testing.T, db *database.DB, book *ledger.Ledger, partition int, n int64, numbers ...int64) {
	t.Helper()
	var b chunk.Builder
	for _, number := range numbers {
		b.Append(row.Row{Number: number, Line: number + 1, Cells: []string{fmt.Sprint("cell ", number), "\xff"}})
	}
	tx, err := db.Begin(t.Context())
	must(t, err)
	defer tx.Rollback()
	must(t, book.Stage(t.Context(), tx, uid, partition, n, b.Payload()))
	must(t, tx.Commit(t.Context()))
}

func stagedNumbers(t *testing.T, book *ledger.Ledger, partitions int) (numbers []int64) {
	t.Helper()
	for r, err := range book.Staged(t.Context(), uid, partitions) {
		must(t, err)
		if r.Cells[0] != fmt.Sprint("cell ", r.Number) || r.Cells[1] != "\xff" || r.Line != r.Number+1 {
			t.Errorf("row %d came back as %+v", r.Number, r)
		}
		numbers = append(numbers, r.Number)
	}
	return numbers
}

func TestStagedRowsComeByNumberAcrossPartitions(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, db *database.DB, book *ledger.Ledger) {
		// Partitions without rows, and chunks of which nothing was staged, are passed over.
		stage(t, db, book, 0, 1, 1, 2, 9)
		stage(t, db, book, 0, 7, 11)
		stage(t, db, book, 2, 2, 3, 10)
		stage(t, db, book, 2, 3, 12)
		want := []int64{1, 2, 3, 9, 10, 11, 12}
		for range 2 {
			if got := stagedNumbers(t, book, 4); !slices.Equal(got, want) {
				t.Fatalf("%v, want %v", got, want)
			}
		}
		_, err := db.Exec(t.Context(), "UPDATE "+db.Ledger("ingest_staged")+" SET payload = ? WHERE chunk = 3", []byte{9})
		must(t, err)
		var last error
		for _, last = range book.Staged(t.Context(), uid, 4) {
		}
		if last == nil || !strings.Contains(last.Error(), "unknown version") {
			t.Errorf("a damaged payload: %v", last)
		}
	})
}

func TestNothingIsLeftOfAStaging(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(t *testing.T, book *ledger.Ledger) error{
		"its end": func(t *testing.T, book *ledger.Ledger) error { return book.EndStaging(t.Context(), uid) },
		"a prune": func(t *testing.T, book *ledger.Ledger) error { return book.Prune(t.Context(), uid) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			each(t, func(t *testing.T, db *database.DB, book *ledger.Ledger) {
				stage(t, db, book, 0, 1, 1)
				stage(t, db, book, 1, 1, 2)
				must(t, end(t, book))
				must(t, end(t, book))
				if left := stagedNumbers(t, book, 2); len(left) != 0 {
					t.Errorf("%v are left", left)
				}
			})
		})
	}
}

// TestStagedRowsAreLogged with those that their chunk has logged already, by number.
func TestStagedRowsAreLogged(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, db *database.DB, book *ledger.Ledger) {
		must(t, book.Create(t.Context(), uid, 2))
		o := chunk.Outcome{FirstRow: 1, LastRow: 3, Hash: "x", Counts: run.Counts{Skipped: 1}}
		o.Logged = []chunk.Logged{{Row: row.Row{Number: 2}, Status: chunk.StatusSuccessful}}
		apply(t, db, book, 0, 1, o)
		stage(t, db, book, 0, 1, 1, 3)
		tx, err := db.Begin(t.Context())
		must(t, err)
		must(t, book.LogStaged(t.Context(), tx, uid, 2))
		must(t, tx.Commit(t.Context()))
		var numbers []int64
		for logged, err := range book.Logged(t.Context(), uid, 2, ledger.Filter{}) {
			must(t, err)
			numbers = append(numbers, logged.Row.Number)
		}
		if !slices.Equal(numbers, []int64{1, 2, 3}) {
			t.Errorf("logged are %v", numbers)
		}
	})
}

// TestVerifyOfAMerge: the rows of the merge are those of all other partitions, and there are no more of them.
func TestVerifyOfAMerge(t *testing.T) {
	t.Parallel()
	for merged, want := range map[int64]string{4: "", 5: "are more than its seal of 1 and 5"} {
		t.Run(fmt.Sprint(merged), func(t *testing.T) {
			t.Parallel()
			each(t, func(t *testing.T, db *database.DB, book *ledger.Ledger) {
				must(t, book.Create(t.Context(), uid, 3))
				apply(t, db, book, 0, 1, chunk.Outcome{FirstRow: 1, LastRow: 3, Hash: "x", Counts: run.Counts{Skipped: 1}})
				apply(t, db, book, 1, 1, chunk.Outcome{FirstRow: 4, LastRow: 5, Hash: "x"})
				apply(t, db, book, 2, 1, chunk.Outcome{FirstRow: 1, LastRow: 6, Hash: "merge", Counts: run.Counts{Created: 2*merged - 4}, Missing: 7})
				must(t, book.Seal(t.Context(), uid, []int64{1, 1, 1}, []int64{3, 2, 0}))
				got, err := book.Verify(t.Context(), uid, 2)
				must(t, err)
				if problems := strings.Join(got.Problems, "\n"); want == "" && problems != "" || !strings.Contains(problems, want) {
					t.Errorf("problems %q, want %q", problems, want)
				}
				o, _, found, err := book.Applied(t.Context(), uid, 2, 1)
				if must(t, err); !found || o.Missing != 7 {
					t.Errorf("the outcome of the merge: %+v", o)
				}
			})
		})
	}
}
