package apply

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"ingest/shared/chunk"
	"ingest/shared/database"
	"ingest/shared/destination"
	"ingest/shared/records"
	"ingest/shared/row"
	"ingest/shared/run"
)

const (
	// mergeHash stands for the rows of the merge: they are those of all chunks.
	mergeHash = "merge"
	// mergeMark and batchMark are the savepoints of the merge and of its batch.
	mergeMark, batchMark = "merge", "batch"
	// enoughRows and enoughBytes are how many refused rows a merge tells before it gives up.
	enoughRows, enoughBytes = 1000, 16 << 20
)

// merge writes all staged rows in their order, in one transaction and with the writer of every other chunk. If one of them
// fails, or one has failed before, nothing stays but the outcome: the rows that failed. What the database refuses is told
// all at once, so the merge goes on behind the first.
func (j *Job) merge(ctx context.Context, partition int, n int64, apart *Apart) (Result, error) {
	m := merging{job: j, apart: apart}
	watch := j.metrics.Watch()
	result, err := j.once(ctx, partition, n, mergeHash, &watch, func(tx *database.Tx) (chunk.Outcome, error) {
		if err := j.lock(ctx, tx); err != nil {
			return chunk.Outcome{}, err
		}
		m.tx, m.out = tx, chunk.Outcome{Hash: mergeHash}
		err := m.run(ctx)
		return m.out, err
	})
	result.Bug = m.bug
	return result, err
}

// merging is a merge that is being made.
type merging struct {
	job   *Job
	tx    *database.Tx
	apart *Apart
	out   chunk.Outcome
	// merged is how many rows were written, keys how many of them have one, bytes the size of those that failed.
	merged, keys, bytes int
	bug                 string
}

func (m *merging) run(ctx context.Context) error {
	j := m.job
	staged, failed, err := m.before(ctx)
	if err != nil {
		return err
	}
	if err := m.tx.Savepoint(ctx, mergeMark); err != nil {
		return fmt.Errorf("mark the beginning of the merge: %w", err)
	}
	if j.staging.missing != nil {
		if err := j.staging.missing.Begin(ctx, m.tx); err != nil {
			return err
		}
	}
	told, err := m.write(ctx)
	if err != nil {
		return err
	}
	if told && int64(m.merged) != staged {
		return &Broken{Reason: fmt.Sprintf("The ledger is damaged: %d rows were staged, %d are there.", staged, m.merged)}
	}
	failed += m.out.Counts.Failed
	if failed == 0 {
		if err := m.take(ctx); err != nil {
			return err
		}
	}
	if failed > 0 || j.dryRun {
		if err := m.tx.RollbackTo(ctx, mergeMark); err != nil {
			return fmt.Errorf("take the merge back: %w", err)
		}
	}
	if failed > 0 {
		m.out.Counts = run.Counts{Failed: m.out.Counts.Failed}
		return nil
	}
	if j.logRows == run.LogAll {
		return j.book.LogStaged(ctx, m.tx, j.uid, j.staging.partitions)
	}
	return nil
}

// before counts the rows that are staged and those that failed before they were.
func (m *merging) before(ctx context.Context) (staged, failed int64, err error) {
	heads, err := m.job.book.Heads(ctx, m.job.uid)
	if err != nil {
		return 0, 0, err
	}
	for _, head := range heads {
		if !m.job.Merges(head.Partition) {
			staged += head.SealedRows - head.Counts.Processed()
			failed += head.Counts.Failed
		}
	}
	return staged, failed, nil
}

// write writes all rows in batches. whole is false when so many were refused that it gave up.
func (m *merging) write(ctx context.Context) (whole bool, err error) {
	var batch []row.Row
	size := 0
	for r, err := range m.job.book.Staged(ctx, m.job.uid, m.job.staging.partitions) {
		if err != nil {
			return false, err
		}
		batch, size = append(batch, r), size+sizeOf(r)
		if len(batch) < m.job.staging.rows && size < m.job.staging.bytes {
			continue
		}
		if err := m.batch(ctx, batch); err != nil {
			return false, err
		}
		if batch, size = nil, 0; m.out.Counts.Failed >= enoughRows || m.bytes >= enoughBytes {
			return false, nil
		}
	}
	if len(batch) == 0 {
		return true, nil
	}
	return true, m.batch(ctx, batch)
}

func sizeOf(r row.Row) (bytes int) {
	for _, cell := range r.Cells {
		bytes += len(cell) + 1
	}
	return bytes
}

// batch writes consecutive rows as a chunk of them is written. Its savepoint gives up those of its statements: thousands
// that stay open would slow the database down.
func (m *merging) batch(ctx context.Context, rows []row.Row) error {
	j := m.job
	first, err := j.check(ctx, rows, nil, m.apart)
	if err != nil {
		return err
	}
	if err := m.tx.Savepoint(ctx, batchMark); err != nil {
		return fmt.Errorf("mark the beginning of a batch: %w", err)
	}
	good, err := j.play(ctx, m.tx, rows, first, m.apart)
	if err != nil {
		return err
	}
	part := good.outcome(rows, mergeHash, good.results)
	if j.logRows == run.LogNone {
		part.Keep(run.LogNone, rows)
	}
	for i := range part.Logged {
		cells := slices.Clone(part.Logged[i].Row.Cells)
		for k := range cells {
			cells[k] = strings.Clone(cells[k]) // or it would keep all of its chunk
		}
		part.Logged[i].Row.Cells = cells
		m.bytes += sizeOf(part.Logged[i].Row)
	}
	m.merged, m.bug = m.merged+len(rows), cmp.Or(m.bug, good.bug)
	m.out.Add(part)
	if j.staging.missing != nil && m.out.Counts.Failed == 0 {
		keys, err := j.staging.missing.Note(ctx, m.tx, good.records)
		if err != nil {
			return err
		}
		m.keys += keys
	}
	if err := m.tx.Release(ctx, batchMark); err != nil {
		return fmt.Errorf("release the mark of a batch: %w", err)
	}
	return nil
}

// take takes the rows of the table that the file no longer has.
func (m *merging) take(ctx context.Context) (err error) {
	missing := m.job.staging.missing
	if missing == nil {
		return nil
	}
	if m.keys == 0 {
		return &Broken{Reason: records.NothingThere}
	}
	m.out.Missing, err = missing.Take(ctx, m.tx)
	if refused := (*destination.Refused)(nil); errors.As(err, &refused) {
		return &Broken{Reason: refused.Reason}
	}
	if err != nil {
		return err
	}
	return missing.End(ctx, m.tx)
}
