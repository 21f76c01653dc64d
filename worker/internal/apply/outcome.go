package apply

import (
	"fmt"

	"ingest/shared/chunk"
	"ingest/shared/destination"
	"ingest/shared/row"
)

// rolledBack is the outcome of a chunk that falls as a whole: the bad rows with their reason, the others with the first of
// them. Rows that skip_when leaves out fall with nobody: they would not have been written anyway.
func (c checked) rolledBack(rows []row.Row, of chunk.Outcome) chunk.Outcome {
	out := chunk.Outcome{FirstRow: of.FirstRow, LastRow: of.LastRow, Hash: of.Hash}
	message := fmt.Sprintf("Rolled back: row %d of the same chunk failed.", of.Logged[0].Row.Number)
	bad := of.Logged
	for i, r := range rows {
		switch failure := c.failures[i]; {
		case failure != nil && failure.Skip:
			out.Counts.Skipped++
		case len(bad) > 0 && bad[0].Row.Number == r.Number:
			out.Fail(r, bad[0].Message, bad[0].Fields)
			bad = bad[1:]
		default:
			out.Fail(r, message, nil)
		}
	}
	return out
}

// outcome puts the results of the good rows and the failures together, in the order of the rows.
func (c checked) outcome(rows []row.Row, hash string, results []destination.Result) chunk.Outcome {
	out := chunk.Outcome{FirstRow: rows[0].Number, LastRow: rows[len(rows)-1].Number, Hash: hash}
	next := 0
	for i, r := range rows {
		if failure := c.failures[i]; failure != nil && failure.Skip {
			out.Counts.Skipped++
			continue
		} else if failure != nil {
			out.Fail(r, failure.Message, failure.Fields)
			continue
		}
		result := results[next]
		next++
		switch result.Outcome {
		case destination.Created:
			out.Counts.Created++
		case destination.Updated:
			out.Counts.Updated++
		case destination.Unchanged:
			out.Counts.Unchanged++
		case destination.Skipped:
			out.Counts.Skipped++
		case destination.Failed:
			out.Fail(r, result.Message, result.Fields)
		}
	}
	return out
}
