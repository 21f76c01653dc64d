// Package apply takes one chunk to its commit.
//
// Its promise is the system's second one: a chunk takes effect in the destination at most once, whatever is killed,
// paused, repeated or delayed. The first statement of the transaction is the head's compare-and-set, the last writes
// the outcome; in between the rows are written as if row by row. A bad row never costs its neighbours.
package apply

import (
	"context"
	"errors"
	"fmt"

	"ingest/shared/chunk"
	"ingest/shared/column"
	"ingest/shared/database"
	"ingest/shared/destination"
	"ingest/shared/importer"
	"ingest/shared/ledger"
	"ingest/shared/pipeline"
	"ingest/shared/row"
	"ingest/shared/run"
)

// Job is a run as a worker applies it: compiled once, used for all of its chunks, safe for concurrent use.
type Job struct {
	uid         string
	dryRun      bool
	program     *pipeline.Program
	db          *database.DB
	book        *ledger.Ledger
	writer      destination.Writer
	logRows     string
	FailedLimit int64
}

// Verdict says what became of a chunk.
type Verdict int

// The verdicts.
const (
	// Applied: the chunk took effect, now or in an earlier attempt: acknowledge it.
	Applied Verdict = iota + 1
	// LetGo: the run was stopped or its ledger is gone: leave the partition alone.
	LetGo
	// Behind: the ledger expects an earlier chunk: the partition has to be emitted again from Result.Head.
	Behind
)

// Result is what became of a chunk. Totals are the partition's, with this chunk.
type Result struct {
	Verdict Verdict
	Outcome chunk.Outcome
	Totals  run.Counts
	Head    ledger.Head
}

// Broken is an error that no repetition can mend: it ends the run with its text.
type Broken struct{ Reason string }

func (b *Broken) Error() string { return b.Reason }

// NewJob compiles a run; nil without an error for a run of an empty source, which has no chunk.
func NewJob(uid string, definition, manifest []byte, dryRun bool, failedLimit int64, db *database.DB) (*Job, error) {
	d, err := importer.FromSnapshot(definition)
	if err != nil {
		return nil, &Broken{Reason: err.Error()}
	}
	m, err := run.DecodeManifest(manifest)
	if err != nil {
		return nil, fmt.Errorf("this worker cannot work on the run: %w", err)
	}
	if m.Header == nil {
		return nil, nil //nolint:nilnil // there is nothing to apply
	}
	program, err := pipeline.Compile(d, m.Header, m.Table, m.Started)
	if err != nil {
		return nil, &Broken{Reason: err.Error()}
	}
	writer, err := destination.New(db, destination.Target{
		Table: m.Table, Columns: program.Columns(), Key: program.Key(), OnDuplicate: d.OnDuplicate,
		Label:     func(i int) (source, words string) { return program.Source(i), program.Words(i) },
		Duplicate: pipeline.Duplicate(program.KeyNames()),
	})
	if err != nil {
		return nil, &Broken{Reason: err.Error()}
	}
	if d.MaxFailedRows != nil {
		failedLimit = *d.MaxFailedRows
	}
	return &Job{
		uid: uid, dryRun: dryRun, program: program, db: db, book: ledger.New(db), writer: writer,
		logRows: m.LogRows, FailedLimit: failedLimit,
	}, nil
}

// Ledger is the ledger of the run's destination.
func (j *Job) Ledger() *ledger.Ledger { return j.book }

// Apply applies chunk n of a partition. An error is a *Broken or one of the database's: when it is transient, nothing
// took effect, or it did and the next attempt says so.
func (j *Job) Apply(ctx context.Context, partition int, n int64, payload []byte) (Result, error) {
	rows, hash, err := chunk.Decode(payload)
	if err != nil || len(rows) == 0 {
		return Result{}, &Broken{Reason: fmt.Sprintf("Chunk %d of partition %d is damaged.", n, partition)}
	}
	good := j.check(rows)
	tx, err := j.db.Begin(ctx)
	if err != nil {
		return Result{}, fmt.Errorf("begin chunk %d of partition %d: %w", n, partition, err)
	}
	defer tx.Rollback() // after a commit it does nothing, before one nothing is lost
	won, err := j.book.Advance(ctx, tx, j.uid, partition, n)
	if err != nil {
		return Result{}, fmt.Errorf("advance the head of partition %d: %w", partition, err)
	}
	if !won {
		if err := tx.Rollback(); err != nil {
			return Result{}, fmt.Errorf("roll back chunk %d of partition %d: %w", n, partition, err)
		}
		return j.why(ctx, partition, n, hash)
	}
	results, err := j.write(ctx, tx, good.values)
	if err != nil {
		return Result{}, fmt.Errorf("write chunk %d of partition %d: %w", n, partition, err)
	}
	outcome := good.outcome(rows, hash, results)
	outcome.Keep(j.logRows, rows)
	totals, err := j.book.Record(ctx, tx, j.uid, partition, n, outcome)
	if err != nil {
		return Result{}, fmt.Errorf("record chunk %d of partition %d: %w", n, partition, err)
	}
	if err := tx.Commit(ctx); err != nil {
		return Result{}, fmt.Errorf("commit chunk %d of partition %d: %w", n, partition, err)
	}
	return Result{Verdict: Applied, Outcome: outcome, Totals: totals}, nil
}

// write writes the rows; a dry run takes them back at once.
func (j *Job) write(ctx context.Context, tx *database.Tx, rows [][]column.Value) ([]destination.Result, error) {
	if len(rows) == 0 {
		return nil, nil
	}
	if !j.dryRun {
		return j.writer.Write(ctx, tx, rows)
	}
	const mark = "dry"
	if err := tx.Savepoint(ctx, mark); err != nil {
		return nil, fmt.Errorf("mark the dry run: %w", err)
	}
	results, err := j.writer.Write(ctx, tx, rows)
	if err != nil {
		return nil, err
	}
	if err := tx.RollbackTo(ctx, mark); err != nil {
		return nil, fmt.Errorf("take the dry run back: %w", err)
	}
	return results, nil
}

// why looks for the reason a head did not advance, in the only order that never loses or repeats a chunk.
func (j *Job) why(ctx context.Context, partition int, n int64, hash string) (Result, error) {
	outcome, totals, found, err := j.book.Applied(ctx, j.uid, partition, n)
	if err != nil {
		return Result{}, fmt.Errorf("look for chunk %d of partition %d: %w", n, partition, err)
	}
	if found {
		if outcome.Hash != hash {
			return Result{}, &Broken{Reason: fmt.Sprintf(
				"The ledger is damaged: chunk %d of partition %d took effect with other rows.", n, partition)}
		}
		return Result{Verdict: Applied, Outcome: outcome, Totals: totals}, nil
	}
	heads, err := j.book.Heads(ctx, j.uid)
	if err != nil {
		return Result{}, fmt.Errorf("read the heads: %w", err)
	}
	for _, head := range heads {
		switch {
		case head.Partition != partition:
		case head.Closed:
			return Result{Verdict: LetGo}, nil
		case head.Next < n:
			return Result{Verdict: Behind, Head: head}, nil
		case head.Next == n:
			// Another transaction stood before this one and was rolled back since: try again.
			return Result{}, errors.Join(errAgain, ctx.Err())
		default:
			return Result{}, &Broken{Reason: fmt.Sprintf(
				"The ledger is damaged: partition %d expects chunk %d, but chunk %d is not in it.", partition, head.Next, n)}
		}
	}
	return Result{Verdict: LetGo}, nil
}

var errAgain = errors.New("the head was held by another transaction")

// Again says whether an error asks for the same chunk to be tried again.
func Again(err error) bool { return errors.Is(err, errAgain) || database.Transient(err) }

// checked are the rows of a chunk after the pipeline: by position why a row is not written, and the values of the others.
type checked struct {
	failures []*pipeline.Failure
	values   [][]column.Value
}

// check applies the pipeline to every row.
func (j *Job) check(rows []row.Row) checked {
	width := len(j.program.Columns())
	cells := make([]column.Value, width*len(rows))
	out := checked{failures: make([]*pipeline.Failure, len(rows)), values: make([][]column.Value, 0, len(rows))}
	for i, r := range rows {
		into := cells[i*width : (i+1)*width : (i+1)*width]
		if out.failures[i] = j.apply(r, into); out.failures[i] == nil {
			out.values = append(out.values, into)
		}
	}
	return out
}

// apply keeps a panic of the pipeline to its row.
func (j *Job) apply(r row.Row, into []column.Value) (failed *pipeline.Failure) {
	defer func() {
		if recover() != nil {
			failed = &pipeline.Failure{Message: "The row could not be processed (internal error)."}
		}
	}()
	return j.program.Apply(r, into)
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

// Reason is the text of an error that ends the run by itself, "" for others.
func Reason(err error) string {
	var broken *Broken
	if errors.As(err, &broken) {
		return broken.Reason
	}
	return ""
}

// Connection is the name of the destination's connection in a definition.
func Connection(definition []byte) (string, error) {
	d, err := importer.FromSnapshot(definition)
	if err != nil {
		return "", err
	}
	return d.Destination.Connection, nil
}
