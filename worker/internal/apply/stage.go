package apply

import (
	"context"

	"ingest/shared/chunk"
	"ingest/shared/database"
	"ingest/shared/records"
	"ingest/shared/row"
)

// staging is how a run is applied that stands or falls as a whole: the rows that pass the pipeline are kept in the ledger,
// and the one chunk of one more partition writes them all.
type staging struct {
	// partitions is how many stage rows; the merge is the one behind them.
	partitions int
	// rows and bytes close a batch of the merge, as they close a chunk.
	rows, bytes int
	// missing is nil where rows stay that the file no longer has.
	missing *records.Missing
}

// Merges says whether the chunk of a partition is the merge of the run.
func (j *Job) Merges(partition int) bool {
	return j.staging != nil && partition == j.staging.partitions
}

// stage keeps the rows that nothing is wrong with for the merge. The others have their outcome now, unless rules ask the
// database, which may have more to say, and that first.
func (j *Job) stage(
	ctx context.Context, tx *database.Tx, partition int, n int64, rows []row.Row, hash string, first checked, apart *Apart,
) (chunk.Outcome, error) {
	out := chunk.Outcome{FirstRow: rows[0].Number, LastRow: rows[len(rows)-1].Number, Hash: hash}
	var staged chunk.Builder
	var decided []row.Row
	for i, r := range rows {
		failure := first.failures[i]
		judged := failure != nil && (failure.Skip || len(j.lookups) == 0 || apart != nil && apart.Condemned[r.Number])
		if !judged {
			staged.Append(r)
			continue
		}
		if decided = append(decided, r); failure.Skip {
			out.Counts.Skipped++
		} else {
			out.Fail(r, failure.Message, failure.Fields)
		}
	}
	out.Keep(j.logRows, decided)
	if apart != nil {
		if err := apart.Trying(ctx, 0); err != nil {
			return out, err
		}
	}
	if staged.Rows() == 0 {
		return out, nil
	}
	return out, j.book.Stage(ctx, tx, j.uid, partition, n, staged.Payload())
}
