// Package apply takes one chunk to its commit.
//
// Its promise is the system's second one: a chunk takes effect in the destination at most once, whatever is killed,
// paused, repeated or delayed. The first statement of the transaction is the head's compare-and-set, the last writes
// the outcome; in between the rows are written as if row by row. A bad row never costs its neighbours.
package apply

import (
	"context"
	"fmt"
	"slices"

	"ingest/shared/chunk"
	"ingest/shared/database"
	"ingest/shared/destination"
	"ingest/shared/extend"
	"ingest/shared/importer"
	"ingest/shared/ledger"
	"ingest/shared/metrics"
	"ingest/shared/pipeline"
	"ingest/shared/records"
	"ingest/shared/row"
	"ingest/shared/run"
)

// Job is a run as a worker applies it: compiled once, used for all of its chunks, safe for concurrent use.
type Job struct {
	// rehearsal is nil unless rows of a dry run can meet.
	rehearsal *rehearsal
	uid       string
	dryRun    bool
	program   *pipeline.Program
	db        *database.DB
	book      *ledger.Ledger
	writer    *records.Writer
	// lookups are those of the program's rules, watches what rows read of what others write.
	lookups []*destination.Lookup
	watches *pipeline.Watches
	logRows string
	// whole says that one bad row fails its chunk.
	whole bool
	// staging is nil unless one bad row fails the run.
	staging *staging
	// locks are the tables whose chunks go one after the other.
	locks       []string
	metrics     *metrics.Metrics
	FailedLimit int64
	// Importer is the importer's name; RowsPerSecond is how many rows all of its runs together may begin with, 0 = any.
	Importer      string
	RowsPerSecond int64
	// outlet is nil unless the rows go to a sink.
	outlet *outlet
}

// Parts are what a Job works with, whatever its run.
type Parts struct {
	DB *database.DB
	// FailedLimit is for importers that set none.
	FailedLimit int64
	Extensions  extend.Extensions
	Metrics     *metrics.Metrics
	// Sink is where the rows go that go into no table; then DB has the ledger only. Run is the run's number.
	Sink extend.Sink
	Run  int64
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
	// Bug is where the pipeline panicked at a row, for the log; empty when it did not. It holds no value.
	Bug string
}

// NewJob compiles a run; nil without an error for a run of an empty source, which has no chunk.
func NewJob(uid string, definition, manifest []byte, dryRun bool, p Parts) (*Job, error) {
	d, err := importer.FromSnapshot(definition)
	if err != nil {
		return nil, broken(err)
	}
	m, err := run.DecodeManifest(manifest)
	if err != nil {
		return nil, fmt.Errorf("this worker cannot work on the run: %w", err)
	}
	if m.Header == nil {
		return nil, nil //nolint:nilnil // there is nothing to apply
	}
	program, err := pipeline.Compile(d, pipeline.Met(m, p.Extensions))
	if err != nil {
		return nil, broken(err)
	}
	if d.MaxFailedRows != nil {
		p.FailedLimit = *d.MaxFailedRows
	}
	j := &Job{
		uid: uid, dryRun: dryRun, program: program, db: p.DB, book: ledger.New(p.DB),
		logRows: m.LogRows, whole: d.Transaction == importer.TransactionChunk, metrics: p.Metrics, FailedLimit: p.FailedLimit, locks: m.Locks,
		Importer: d.Slug, RowsPerSecond: d.MaxRowsPerSecond,
	}
	if p.Sink != nil {
		j.outlet = newOutlet(d, p.Sink, p.Run)
		return j, nil
	}
	return j, j.intoTables(d, m)
}

// intoTables makes what the rows need that are written into a database.
func (j *Job) intoTables(d importer.Definition, m run.Manifest) (err error) {
	if j.writer, err = records.New(j.db, d, j.program, m.Tables); err != nil {
		return broken(err)
	}
	if j.lookups, err = lookupsOf(j.db, j.program); err != nil {
		return broken(err)
	}
	meeting := j.program.Meeting(d, m.Tables)
	if j.watches = meeting.Watches; m.Staged {
		j.staging = &staging{partitions: m.Partitions, rows: m.ChunkRows, bytes: m.ChunkBytes}
		if j.staging.missing, err = j.writer.NewMissing(j.db, d, j.program); err != nil {
			return broken(err)
		}
		return nil
	}
	if !j.dryRun {
		return nil
	}
	if j.rehearsal, err = newRehearsal(j.uid, j.db, d, j.program, m.Tables, meeting); err != nil {
		return broken(err)
	}
	return nil
}

func lookupsOf(db *database.DB, program *pipeline.Program) (list []*destination.Lookup, err error) {
	for _, l := range program.Lookups() {
		target := destination.LookupTarget{Table: l.Table, Match: l.Column, Key: l.Column}
		if l.Except != nil {
			target.Except = &destination.Except{Column: l.ExceptColumn, Value: *l.Except}
		}
		lookup, err := destination.NewLookup(db, target)
		if err != nil {
			return nil, err
		}
		list = append(list, lookup)
	}
	return list, nil
}

// Ledger is the ledger of the run's destination.
func (j *Job) Ledger() *ledger.Ledger { return j.book }

// Apply applies chunk n of a partition, apart where that is not nil: the effect is the same. An error is a *Broken or one
// of the database's: when it is transient, nothing took effect, or it did and the next attempt says so.
func (j *Job) Apply(ctx context.Context, partition int, n int64, payload []byte, apart *Apart) (Result, error) {
	if j.Merges(partition) {
		return j.merge(ctx, partition, n, apart)
	}
	watch := j.metrics.Watch()
	rows, hash, err := chunk.Decode(payload)
	if err != nil || len(rows) == 0 {
		return Result{}, &Broken{Reason: fmt.Sprintf("Chunk %d of partition %d is damaged.", n, partition)}
	}
	first, err := j.check(ctx, rows, nil, apart)
	if err != nil {
		return Result{}, err
	}
	watch.Lap(metrics.Check)
	if j.outlet != nil {
		return j.handOver(ctx, partition, n, rows, hash, first, &watch)
	}
	good := played{checked: first}
	result, err := j.once(ctx, partition, n, hash, &watch, func(tx *database.Tx) (chunk.Outcome, error) {
		if j.staging != nil {
			return j.stage(ctx, tx, partition, n, rows, hash, first, apart)
		}
		if err := j.lock(ctx, tx); err != nil {
			return chunk.Outcome{}, err
		}
		if good, err = j.write(ctx, tx, rows, first, apart); err != nil {
			return chunk.Outcome{}, err
		}
		return j.outcome(good, rows, hash), nil
	})
	result.Bug = good.bug
	return result, err
}

// outcome is what the ledger is to keep of a chunk.
func (j *Job) outcome(of played, rows []row.Row, hash string) chunk.Outcome {
	outcome := of.outcome(rows, hash, of.results)
	if j.whole && outcome.Counts.Failed > 0 {
		outcome = of.rolledBack(rows, outcome)
	}
	outcome.Keep(j.logRows, rows)
	return outcome
}

// write writes the rows and takes them back where they must not stay: in a dry run, and in a chunk that stands or falls
// as a whole when one of them was refused.
func (j *Job) write(ctx context.Context, tx *database.Tx, rows []row.Row, first checked, apart *Apart) (played, error) {
	if !j.dryRun && !j.whole {
		return j.play(ctx, tx, rows, first, apart)
	}
	const mark = "chunk"
	if err := tx.Savepoint(ctx, mark); err != nil {
		return played{}, fmt.Errorf("mark the chunk's beginning: %w", err)
	}
	if j.rehearsal != nil {
		return j.rehearse(ctx, tx, rows, first, apart, mark)
	}
	good, err := j.play(ctx, tx, rows, first, apart)
	if err != nil {
		return played{}, err
	}
	if j.stays(good) && !j.dryRun {
		return good, nil
	}
	if err := tx.RollbackTo(ctx, mark); err != nil {
		return played{}, fmt.Errorf("take the chunk back: %w", err)
	}
	return good, nil
}

// rehearse writes the rows behind the savepoint and takes them back, as the real run would have met them.
func (j *Job) rehearse(
	ctx context.Context, tx *database.Tx, rows []row.Row, first checked, apart *Apart, mark string,
) (played, error) {
	scene := j.rehearsal.scene(rows, first)
	good, err := scene.play(ctx, tx, func() (played, error) { return j.play(ctx, tx, rows, first, apart) }, mark)
	if err != nil {
		return played{}, err
	}
	if err := tx.RollbackTo(ctx, mark); err != nil {
		return played{}, fmt.Errorf("take the rehearsal back: %w", err)
	}
	if !j.stays(good) {
		return good, nil
	}
	return good, scene.keep(ctx, tx)
}

// stays says that what was written is not undone by a bad row of the chunk.
func (j *Job) stays(good played) bool { return !j.whole || !good.bad() && !refused(good.results) }

func refused(results []destination.Result) bool {
	return slices.ContainsFunc(results, func(r destination.Result) bool { return r.Outcome == destination.Failed })
}
