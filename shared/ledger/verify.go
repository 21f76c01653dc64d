package ledger

import (
	"context"
	"fmt"
	"slices"

	"ingest/shared/chunk"
	"ingest/shared/run"
)

// Verified is what the outcomes of a run say, recomputed, and where the ledger contradicts itself.
type Verified struct {
	// Chunks is the number of outcomes; Outcomes are their counts summed, Heads those of the heads.
	Chunks   int64
	Outcomes run.Counts
	Heads    run.Counts
	// Errors and Validation are the merged histograms of the outcomes.
	Errors     map[string]int64
	Validation map[string]int64
	// Problems are contradictions, for people; none means that the ledger is sound.
	Problems []string
}

// Verify recomputes the numbers of a run from its outcomes: chunks without a gap, rows in order, counts, histograms,
// and compares them with heads and seals. On a run that is not terminal it may see a chunk in the head and not yet
// among the outcomes. merge is the partition that merges what the others stage, -1 of a run that has none.
func (l *Ledger) Verify(ctx context.Context, uid string, merge int) (Verified, error) {
	v := Verified{Errors: map[string]int64{}, Validation: map[string]int64{}}
	heads, err := l.Heads(ctx, uid)
	if err != nil {
		return v, err
	}
	known := int64(0)
	if i := slices.IndexFunc(heads, func(h Head) bool { return h.Partition == merge && h.SealedChunks >= 0 }); i >= 0 {
		var rows int64 // those of all others
		for _, head := range heads {
			rows += max(0, head.SealedRows)
		}
		heads[i].SealedRows = rows
	}
	for _, head := range heads {
		v.Heads = v.Heads.Add(head.Counts)
		if err := l.verifyPartition(ctx, uid, head, merge >= 0, &v); err != nil {
			return v, err
		}
	}
	err = l.db.QueryRow(ctx, "SELECT COUNT(*) FROM "+l.chunks+" WHERE uid = ?", uid).Scan(&known)
	if err != nil {
		return v, fmt.Errorf("count the outcomes of run %s: %w", uid, err)
	}
	if known != v.Chunks {
		v.problem("%d outcomes belong to no partition of the run", known-v.Chunks)
	}
	return v, nil
}

func (v *Verified) problem(format string, args ...any) {
	v.Problems = append(v.Problems, fmt.Sprintf(format, args...))
}

func (l *Ledger) verifyPartition(ctx context.Context, uid string, head Head, staged bool, v *Verified) error {
	var sum run.Counts
	var last, row, chunks int64
	err := l.Outcomes(ctx, uid, head.Partition, 0, func(n int64, o chunk.Outcome) error {
		if n != last+1 {
			v.problem("partition %d: chunk %d follows chunk %d", head.Partition, n, last)
		}
		empty := staged && o.Counts == run.Counts{} // all its rows were staged, or taken back
		if !empty && (o.FirstRow <= row || o.LastRow < o.FirstRow) {
			v.problem("partition %d, chunk %d: rows %d to %d follow row %d", head.Partition, n, o.FirstRow, o.LastRow, row)
		}
		if err := o.Counts.Balance(o.Counts.Processed(), 0); err != nil {
			v.problem("partition %d, chunk %d: %v", head.Partition, n, err)
		}
		if span := o.LastRow - o.FirstRow + 1; !empty && (o.Counts.Processed() > span || o.Counts.Processed() == 0) {
			v.problem("partition %d, chunk %d: %d rows have an outcome, there are at most %d", head.Partition, n, o.Counts.Processed(), span)
		}
		var failed int64
		for message, count := range o.Errors {
			failed += count
			v.Errors[message] += count
		}
		for message, count := range o.Validation {
			v.Validation[message] += count
		}
		if failed != o.Counts.Failed {
			v.problem("partition %d, chunk %d: %d failed rows, %d messages", head.Partition, n, o.Counts.Failed, failed)
		}
		sum, last, row, chunks = sum.Add(o.Counts), n, o.LastRow, chunks+1
		return nil
	})
	if err != nil {
		return err
	}
	v.Chunks += chunks
	v.Outcomes = v.Outcomes.Add(sum)
	if head.Next != last+1 {
		v.problem("partition %d: the head waits for chunk %d, the last outcome is %d", head.Partition, head.Next, last)
	}
	if head.Counts != sum {
		v.problem("partition %d: the head says %+v, its outcomes say %+v", head.Partition, head.Counts, sum)
	}
	if head.SealedChunks >= 0 && (last > head.SealedChunks || sum.Processed() > head.SealedRows) {
		v.problem("partition %d: %d chunks and %d rows are more than its seal of %d and %d",
			head.Partition, last, sum.Processed(), head.SealedChunks, head.SealedRows)
	}
	return nil
}
