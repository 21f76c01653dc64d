package ledger_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"ingest/shared/chunk"
	"ingest/shared/database"
	"ingest/shared/ledger"
	"ingest/shared/run"
)

// TestAKeptRowIsFoundWhereItIs: every row by its number, whichever partition and chunk has it; others are not found.
func TestAKeptRowIsFoundWhereItIs(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, db *database.DB, book *ledger.Ledger) {
		type found struct {
			Logged chunk.Logged
			Place  run.Place
		}
		want := map[int64]found{}
		for i, o := range fill(t, db, book) {
			for _, logged := range o.Logged {
				want[logged.Row.Number] = found{logged, run.Place{Partition: i / perLane, Chunk: int64(i%perLane) + 1}}
			}
		}
		for number := range int64(2 + lanes*perLane*rowsPerChunk) {
			logged, at, ok, err := book.Kept(t.Context(), uid, number)
			must(t, err)
			expected, kept := want[number]
			if diff := cmp.Diff(expected, found{logged, at}); ok != kept || diff != "" {
				t.Errorf("row %d is found: %v\n%s", number, ok, diff)
			}
		}
		if _, _, ok, err := book.Kept(t.Context(), "another", 1); ok || err != nil {
			t.Errorf("a row of another run: %v, %v", ok, err)
		}
	})
}
