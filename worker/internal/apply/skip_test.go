package apply_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ingest/shared/run"
	"ingest/worker/internal/apply"
)

// TestSkippedRowsOfAWholeChunk neither make their chunk fall nor fall with it, in dry runs and row by row too.
func TestSkippedRowsOfAWholeChunk(t *testing.T) {
	t.Parallel()
	skipping := definition + "transaction: chunk\nskip_when: 'row.sku == \"total\"'\n"
	for _, dryRun := range []bool{false, true} {
		for _, alone := range []bool{false, true} {
			b := benchOf(t, skipping, dryRun)
			var tried []int64
			var apart *apply.Apart
			if alone {
				apart = &apply.Apart{Trying: func(_ context.Context, number int64) error {
					tried = append(tried, number)
					return nil
				}}
			}
			for i, c := range []struct {
				rows []byte
				want run.Counts
				said []string
			}{
				{payload(1, "total,many", "a,1", "b,2"), run.Counts{Created: 2, Skipped: 1}, nil},
				{payload(4, "c,1", "total,1", "d,many", "total,2"), run.Counts{Failed: 2, Skipped: 2}, []string{
					"Rolled back: row 6 of the same chunk failed.", "The stock field must be an integer.",
				}},
				{payload(8, "total,1", "total,2"), run.Counts{Skipped: 2}, nil},
			} {
				tried = nil
				result, err := b.job.Apply(t.Context(), 0, int64(i+1), c.rows, apart)
				if err != nil {
					t.Fatal(err)
				}
				var said []string
				for _, row := range result.Outcome.Logged {
					said = append(said, row.Message)
				}
				if diff := cmp.Diff(c.want, result.Outcome.Counts) + cmp.Diff(c.said, said); diff != "" {
					t.Errorf("chunk %d, dry run %t, apart %t (-want +got):\n%s", i+1, dryRun, alone, diff)
				}
				if alone && tried[len(tried)-1] != 0 {
					t.Errorf("chunk %d leaves its last row suspected: %v", i+1, tried)
				}
			}
			if !dryRun {
				b.expect(t, "a=1 b=2", 3)
			}
		}
	}
}
