package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"ingest/shared/column"
	"ingest/shared/destination"
	"ingest/shared/extend"
	"ingest/shared/failpoint"
	"ingest/shared/importer"
	"ingest/shared/ledger"
	"ingest/shared/metrics"
	"ingest/shared/pipeline"
	"ingest/shared/row"
)

// outlet is where the rows of a run go that is not written into a database.
type outlet struct {
	sink     extend.Sink
	run      int64
	importer string
	// tables are the names of the program's targets as the definition has them.
	tables      []string
	onDuplicate string
}

func newOutlet(d importer.Definition, sink extend.Sink, id int64) *outlet {
	o := &outlet{sink: sink, run: id, importer: d.Slug, tables: []string{d.Destination.Table}}
	for _, choice := range d.TableWhen {
		o.tables = append(o.tables, choice.Table)
	}
	if len(d.Key) > 0 {
		o.onDuplicate = string(d.OnDuplicate)
	}
	return o
}

// undelivered is an error of a sink: it did not take a chunk, now.
type undelivered struct{ err error }

func (u *undelivered) Error() string { return "deliver the chunk: " + u.err.Error() }

func (u *undelivered) Unwrap() error { return u.err }

// handOver takes a chunk to a sink and records it then: a sink has no part in a transaction. A chunk that is recorded already, or
// whose head is closed, is not delivered again.
func (j *Job) handOver(
	ctx context.Context, partition int, n int64, rows []row.Row, hash string, first checked, watch *metrics.Watch,
) (Result, error) {
	failed := func(err error) error { return fmt.Errorf("chunk %d of partition %d: %w", n, partition, err) }
	if !j.dryRun {
		if open, err := j.expects(ctx, partition, n); err != nil {
			return Result{}, failed(err)
		} else if !open {
			return j.why(ctx, partition, n, hash)
		}
	}
	good, err := j.deliver(ctx, partition, n, first)
	if err != nil {
		return Result{}, failed(err)
	}
	outcome := j.outcome(good, rows, hash)
	watch.Lap(metrics.Write)
	failpoint.Hit("worker.written")
	totals, won, err := j.book.Once(ctx, j.uid, partition, n, outcome)
	if err != nil {
		return Result{}, failed(err)
	}
	var result Result
	if won {
		result = j.applied(outcome, totals, watch)
	} else {
		result, err = j.why(ctx, partition, n, hash)
	}
	result.Bug = good.bug
	return result, err
}

// deliver gives the rows to the sink; in a dry run it only says that they would be new.
func (j *Job) deliver(ctx context.Context, partition int, n int64, first checked) (played, error) {
	good := played{checked: first, results: make([]destination.Result, len(first.records))}
	if j.dryRun {
		for i := range good.results {
			good.results[i].Outcome = destination.Created
		}
		return good, nil
	}
	for target, table := range j.outlet.tables {
		if slices.Index(j.outlet.tables, table) < target {
			continue // its rows went with those of the first target that has the table
		}
		if err := j.hand(ctx, j.batch(target, partition, n, first), good.results); err != nil {
			return good, err
		}
	}
	return good, nil
}

// expects says whether the head of a partition is open and waits for this chunk.
func (j *Job) expects(ctx context.Context, partition int, n int64) (bool, error) {
	head, err := j.book.Head(ctx, j.uid, partition)
	if errors.Is(err, ledger.ErrNoHead) {
		return false, nil
	}
	return err == nil && expected(head, n), err
}

func expected(head ledger.Head, n int64) bool { return !head.Closed && head.Next == n }

// batch are the rows of one table.
type batch struct {
	chunk extend.Chunk
	// of are the positions of the rows among all of the chunk's.
	of []int
}

func (j *Job) batch(target, partition int, n int64, good checked) batch {
	o, t := j.outlet, j.program.Targets()[target]
	b := batch{chunk: extend.Chunk{
		Run: o.run, UID: j.uid, Importer: o.importer, Key: fmt.Sprintf("%s-%d-%d", j.uid, partition, n), Partition: partition, Number: n,
		Table: o.tables[target], OnDuplicate: o.onDuplicate, KeyColumns: t.Key(),
	}}
	if target > 0 {
		b.chunk.Key += fmt.Sprintf("-%d", target)
	}
	for _, c := range t.Columns() {
		b.chunk.Columns, b.chunk.Types = append(b.chunk.Columns, c.Name), append(b.chunk.Types, string(c.Type.Kind))
	}
	into := room{
		values: make([]extend.Value, 0, len(t.Columns())*len(good.records)), given: make([]*extend.Value, 0, len(t.Columns())*len(good.records)),
	}
	b.chunk.Rows, b.of = make([]extend.Record, 0, len(good.records)), make([]int, 0, len(good.records))
	for i, record := range good.records {
		if o.tables[record.Target] == o.tables[target] {
			b.chunk.Rows = append(b.chunk.Rows, into.delivered(record, good.numbers[i]))
			b.of = append(b.of, i)
		}
	}
	return b
}

// room is memory for the values of a batch: one allocation for each would cost more than anything else that is done with them.
type room struct {
	values []extend.Value
	given  []*extend.Value
}

func (r *room) delivered(of pipeline.Record, number int64) extend.Record {
	from := len(r.given)
	for _, value := range of.Values {
		if value.State == column.Absent {
			r.given = append(r.given, nil)
			continue
		}
		r.values = append(r.values, extend.Value{Text: value.Text, Null: value.State == column.Null})
		r.given = append(r.given, &r.values[len(r.values)-1])
	}
	return extend.Record{Number: number, Values: r.given[from:len(r.given):len(r.given)]}
}

// hand gives one batch to the sink.
func (j *Job) hand(ctx context.Context, b batch, results []destination.Result) (err error) {
	if len(b.of) == 0 {
		return nil
	}
	defer func() {
		if p := recover(); p != nil {
			err = &Broken{Reason: "The destination has a bug: it panicked at a chunk.", Bug: bugOf(p)}
		}
	}()
	messages, err := j.outlet.sink.Write(ctx, b.chunk)
	switch {
	case extend.IsPermanent(err):
		return &Broken{Reason: "The destination refused: " + extend.Message(err)}
	case err != nil:
		return &undelivered{err}
	case messages != nil && len(messages) != len(b.of):
		return &Broken{Reason: fmt.Sprintf("The destination has a bug: it answered %d of %d rows.", len(messages), len(b.of))}
	}
	for i, at := range b.of {
		results[at].Outcome = destination.Created
		if messages != nil && messages[i] != "" {
			results[at] = destination.Result{Outcome: destination.Failed, Message: extend.Message(errors.New(messages[i]))}
		}
	}
	return nil
}

// Undelivered is what a sink said when it did not take a chunk, "" for other errors.
func Undelivered(err error) string {
	var u *undelivered
	if errors.As(err, &u) {
		return extend.Message(u.err)
	}
	return ""
}

// Pause is how long a sink asked to be left alone, 0 for other errors.
func Pause(err error) time.Duration { return extend.Pause(err) }
