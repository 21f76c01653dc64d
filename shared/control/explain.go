package control

import (
	"context"
	"fmt"

	"ingest/shared/chunk"
	"ingest/shared/importer"
	"ingest/shared/ledger"
	"ingest/shared/pipeline"
	"ingest/shared/row"
	"ingest/shared/run"
)

// Explanation is what is known of one row of a run.
type Explanation struct {
	RunID     int64  `json:"run_id"`
	Importer  string `json:"importer"`
	DryRun    bool   `json:"dry_run"`
	RowNumber int64  `json:"row_number"`
	Line      int64  `json:"line"`
	// Status is created, updated, unchanged, skipped or failed; successful where it is one of the first three or skipped and
	// nobody knows which; not_processed, or waiting while the run goes on.
	Status string `json:"status"`
	// Note says what is not known, and why; null when all is.
	Note *string `json:"note"`
	// Partition and Chunk are where the row is.
	Partition int   `json:"partition"`
	Chunk     int64 `json:"chunk"`
	// Attempts is how often its chunk was begun; null when Redis does not know it, or not any more.
	Attempts *int64 `json:"attempts"`
	// ReadFrom is the ledger, which kept the row, or the source, which was read again.
	ReadFrom string `json:"read_from"`
	// Columns are the primary names of the source's columns, in its order, Data the cells as read.
	Columns []string          `json:"columns"`
	Data    map[string]string `json:"data"`
	// Errors are those the run wrote down for the row; null when it did not fail.
	Errors *RowErrors `json:"errors"`
	Way
}

// The statuses of an explained row beside those that a logged row has.
const (
	RowCreated      = "created"
	RowUpdated      = "updated"
	RowUnchanged    = "unchanged"
	RowSkipped      = "skipped"
	RowNotProcessed = "not_processed"
	RowWaiting      = "waiting"
)

// Where an explained row comes from.
const (
	FromLedger = "ledger"
	FromSource = "source"
)

// Explain says what became of one row of a run and why: the row as read, what each part of the definition that the run began
// with made of it, and where it went. A row that the ledger did not keep is read from the source again, from its beginning;
// without that it is a refusal.
func (c *Control) Explain(ctx context.Context, id, number int64) (Explanation, error) {
	r, err := c.get(ctx, id)
	if err != nil {
		return Explanation{}, err
	}
	if r.Manifest == nil {
		return Explanation{}, refuse(NotFound, nil, "Ingest run #%d has read no row.", id)
	}
	if r.Manifest.Header == nil || number < 1 {
		return Explanation{}, noRow(r, number)
	}
	definition, err := definitionOf(r)
	if err != nil {
		return Explanation{}, err
	}
	program, err := pipeline.Compile(definition, pipeline.Met(*r.Manifest, c.extensions))
	if err != nil {
		return Explanation{}, refuse(Invalid, err, "%s", err.Error())
	}
	db, err := c.databases.Get(r.Connection)
	if err != nil {
		return Explanation{}, refuse(Invalid, err, "%s", err.Error())
	}
	e := explaining{control: c, run: r, definition: definition, program: program, book: ledger.New(db)}
	names := pipeline.PrimaryNames(definition, r.Manifest.Header)
	e.out = Explanation{
		RunID: id, Importer: r.Importer, DryRun: r.DryRun, RowNumber: number, ReadFrom: FromLedger, Columns: named(names),
		Way: wayOf(pipeline.Trace{}),
	}
	in, err := e.find(ctx, number)
	if err != nil {
		return Explanation{}, err
	}
	e.out.Line, e.out.Data = in.Line, dataOf(in, names, pipeline.Meant(r.Manifest.Header))
	var trace pipeline.Trace
	if in.Cells != nil || in.Fault != "" {
		trace = program.Trace(in, definition)
		e.out.Way = wayOf(trace)
	}
	return e.out, e.outcome(ctx, trace)
}

// explaining is an explanation that is being made.
type explaining struct {
	control    *Control
	run        run.Run
	definition importer.Definition
	program    *pipeline.Program
	book       *ledger.Ledger
	out        Explanation
}

// find returns the row as read and notes where it is, and, for a row that failed, why.
func (e *explaining) find(ctx context.Context, number int64) (row.Row, error) {
	kept, at, found, err := e.book.Kept(ctx, e.run.UID, number)
	if err != nil {
		return row.Row{}, e.control.unavailable(err, "The ledger cannot be read")
	}
	if found {
		e.out.Partition, e.out.Chunk, e.out.Status = at.Partition, at.Chunk, kept.Status
		e.out.Errors = rowOf(chunk.Logged{Status: kept.Status, Message: kept.Message, Fields: kept.Fields}, nil, nil).Errors
	}
	if found && e.run.Manifest.LogRows != run.LogNone {
		return kept.Row, nil
	}
	in, at, there, err := e.control.reader.Find(ctx, e.run, number)
	switch {
	case err != nil && found && KindOf(err) == Invalid:
		// What the ledger kept is told all the same.
		e.out.Note = textOf(fmt.Sprintf("Its cells were not kept (log_rows: none) and cannot be read again: %s", err))
		return kept.Row, nil
	case KindOf(err) == Invalid:
		return in, refuse(Invalid, err, "Row %d was not kept by run #%d and cannot be read again: %s", number, e.run.ID, err)
	case err != nil:
		return in, e.control.unavailable(err, "The row cannot be read again")
	case !there:
		return in, noRow(e.run, number)
	}
	e.out.ReadFrom, e.out.Partition, e.out.Chunk = FromSource, at.Partition, at.Chunk
	return in, nil
}

func noRow(r run.Run, number int64) error {
	if r.Origin.Retry != nil {
		return refuse(NotFound, nil, "Ingest run #%d has no row %d: it took only some rows of run #%d.", r.ID, number, r.Parent)
	}
	return refuse(NotFound, nil, "Ingest run #%d has no row %d.", r.ID, number)
}

// outcome says what became of the row.
func (e *explaining) outcome(ctx context.Context, trace pipeline.Trace) error {
	out := &e.out
	if out.Status != chunk.StatusFailed {
		applied, _, found, err := e.book.Applied(ctx, e.run.UID, out.Partition, out.Chunk)
		if skipped := trace.Failure != nil && trace.Failure.Skip; err == nil && e.run.Manifest.Staged && !skipped {
			// Its chunk only staged it.
			applied, _, found, err = e.book.Applied(ctx, e.run.UID, e.run.Manifest.Merge(), 1)
			found = found && applied.Counts.Successful() > 0
		}
		switch {
		case err != nil:
			return e.control.unavailable(err, "The ledger cannot be read")
		case !found && e.run.Status.Terminal():
			out.Status = RowNotProcessed
		case !found:
			out.Status = RowWaiting
		default:
			e.successful(applied.Counts, trace)
		}
	}
	e.attempts(ctx)
	return nil
}

// successful says what became of a row of a chunk that took effect, and which did not fail: the ledger has that for the chunk
// only, not for each of its rows.
func (e *explaining) successful(counts run.Counts, trace pipeline.Trace) {
	if trace.Failure != nil && trace.Failure.Skip {
		e.out.Status = RowSkipped
		return
	}
	var kinds []string
	list := ""
	for _, one := range []struct {
		status string
		rows   int64
	}{
		{RowCreated, counts.Created}, {RowUpdated, counts.Updated}, {RowUnchanged, counts.Unchanged}, {RowSkipped, counts.Skipped},
	} {
		if one.rows == 0 {
			continue
		}
		kinds = append(kinds, one.status)
		if list != "" {
			list += ", "
		}
		list += fmt.Sprintf("%d %s", one.rows, one.status)
	}
	if len(kinds) == 1 {
		e.out.Status = kinds[0]
		return
	}
	e.out.Status = chunk.StatusSuccessful
	e.out.Note = textOf("The ledger counts what became of the rows of a chunk, not of each: " + list + ".")
}

// attempts is how often the chunk was begun, as long as it is the one that its partition stands at.
func (e *explaining) attempts(ctx context.Context) {
	progress, known := e.control.progress(ctx, e.run)
	if p := e.out.Partition; known && p < len(progress.Partitions) && progress.Partitions[p].Acked+1 == e.out.Chunk {
		attempts := progress.Partitions[p].Attempts
		e.out.Attempts = &attempts
	}
}
