package apply

import (
	"cmp"
	"context"
	"fmt"
	"runtime/debug"
	"slices"

	"ingest/shared/column"
	"ingest/shared/failpoint"
	"ingest/shared/pipeline"
	"ingest/shared/row"
)

// Apart says how a chunk is applied that ended its worker, or took too long, again and again: row by row, so that it is
// known which of them does.
type Apart struct {
	// Slow says that a row whose statement takes too long fails.
	Slow bool
	// Condemned are the numbers of rows that fail without being tried.
	Condemned map[int64]bool
	// Trying is told the number of a row before anything is done with it, 0 when all of them are done; nil = nobody is.
	Trying func(ctx context.Context, number int64) error
}

func (a *Apart) try(ctx context.Context, number int64) error {
	if a.Trying == nil {
		return nil
	}
	return a.Trying(ctx, number)
}

// checked are rows of a chunk after the pipeline: by position why a row is not written, and the records and numbers of the
// others.
type checked struct {
	failures []*pipeline.Failure
	records  []pipeline.Record
	numbers  []int64
	// bug is the stack of the first panic.
	bug string
}

// bad says whether the pipeline failed a row.
func (c checked) bad() bool {
	return slices.ContainsFunc(c.failures, func(f *pipeline.Failure) bool { return f != nil && !f.Skip })
}

// add puts the rows that follow behind.
func (c *checked) add(o checked) {
	c.failures, c.records = append(c.failures, o.failures...), append(c.records, o.records...)
	c.numbers, c.bug = append(c.numbers, o.numbers...), cmp.Or(c.bug, o.bug)
}

const condemned = "The row could not be processed (it ended the worker again and again)."

// check applies the pipeline to every row.
func (j *Job) check(ctx context.Context, rows []row.Row, answers pipeline.Answers, apart *Apart) (checked, error) {
	width := j.program.Width()
	cells := make([]column.Value, width*len(rows))
	out := checked{
		failures: make([]*pipeline.Failure, len(rows)), records: make([]pipeline.Record, 0, len(rows)),
		numbers: make([]int64, 0, len(rows)),
	}
	for i, r := range rows {
		if apart != nil && apart.Condemned[r.Number] {
			out.failures[i] = &pipeline.Failure{Message: condemned}
			continue
		}
		if apart != nil {
			if err := apart.try(ctx, r.Number); err != nil {
				return out, err
			}
		}
		into := pipeline.Record{Values: cells[i*width : (i+1)*width : (i+1)*width]}
		var bug string
		if out.failures[i], bug = j.apply(r, answers, &into); out.failures[i] == nil {
			out.records, out.numbers = append(out.records, into), append(out.numbers, r.Number)
		}
		out.bug = cmp.Or(out.bug, bug)
	}
	return out, nil
}

// apply keeps a panic of the pipeline to its row. bug is where it happened; what it says may quote a cell.
func (j *Job) apply(r row.Row, answers pipeline.Answers, into *pipeline.Record) (failed *pipeline.Failure, bug string) {
	defer func() {
		if p := recover(); p != nil {
			failed = &pipeline.Failure{Message: pipeline.Unprocessed}
			bug = bugOf(p)
		}
	}()
	failpoint.Row(r.Cells)
	return j.program.Apply(r, answers, into), ""
}

// bugOf says where a panic happened; called while it is recovered.
func bugOf(panicked any) string { return fmt.Sprintf("%T\n%s", panicked, debug.Stack()) }
