package apply

import (
	"context"
	"fmt"

	"ingest/shared/column"
	"ingest/shared/database"
	"ingest/shared/destination"
	"ingest/shared/pipeline"
	"ingest/shared/row"
)

// played is a chunk after its rows were written: what the pipeline says of each row and what became of the others.
type played struct {
	checked
	results []destination.Result
}

// play writes the rows of a chunk, which the pipeline has looked at without asking the database. Where rows look for what
// others of the chunk write, they go in parts: none of a part looks for what another of it writes.
func (j *Job) play(ctx context.Context, tx *database.Tx, rows []row.Row, first checked, apart *Apart) (played, error) {
	if len(j.lookups) == 0 && j.watches.Idle() {
		results, err := j.send(ctx, tx, first, apart)
		return played{first, results}, err
	}
	parts, err := j.parts(ctx, tx, rows, first, apart)
	if err != nil {
		return played{}, err
	}
	var out played
	for _, part := range parts {
		good := part.checked
		if len(j.lookups) > 0 {
			answers, err := j.ask(ctx, tx, part.rows)
			if err != nil {
				return played{}, err
			}
			if good, err = j.check(ctx, part.rows, answers, apart); err != nil {
				return played{}, err
			}
		}
		results, err := j.send(ctx, tx, good, apart)
		if err != nil {
			return played{}, err
		}
		out.add(good)
		out.results = append(out.results, results...)
	}
	return out, nil
}

// send writes records, one by one where the chunk is taken apart.
func (j *Job) send(ctx context.Context, tx *database.Tx, good checked, apart *Apart) ([]destination.Result, error) {
	if apart == nil {
		if len(good.records) == 0 {
			return nil, nil
		}
		return j.writer.Write(ctx, tx, good.records)
	}
	if apart.Slow {
		tx.BlameRows()
	}
	results := make([]destination.Result, 0, len(good.records))
	for i, number := range good.numbers {
		if err := apart.try(ctx, number); err != nil {
			return nil, err
		}
		one, err := j.writer.Write(ctx, tx, good.records[i:i+1])
		if err != nil {
			return nil, err
		}
		results = append(results, one...)
	}
	// Or the last row would be suspected of what happens to the commit.
	return results, apart.try(ctx, 0)
}

// part are consecutive rows of a chunk.
type part struct {
	rows []row.Row
	checked
}

// parts cuts a chunk where a row looks for what one before it writes or takes away.
func (j *Job) parts(ctx context.Context, tx *database.Tx, rows []row.Row, first checked, apart *Apart) ([]part, error) {
	stored := make([][]column.Value, len(first.records))
	if j.watches.Replaces && !j.watches.Blind {
		var err error
		if stored, err = j.writer.Read(ctx, tx, first.records); err != nil {
			return nil, err
		}
	}
	var parts []part
	sequence := j.watches.Sequence()
	next := 0
	for i, r := range rows {
		var record *pipeline.Record
		at := next
		if first.failures[i] == nil {
			record = &first.records[next]
			next++
		}
		var before []column.Value
		if record != nil {
			before = stored[at]
		}
		if cut := sequence.Next(r, record, before); cut || i == 0 || apart != nil {
			parts = append(parts, part{})
		}
		last := &parts[len(parts)-1]
		last.rows = append(last.rows, r)
		last.failures = append(last.failures, first.failures[i])
		if record == nil {
			continue
		}
		last.records, last.numbers = append(last.records, *record), append(last.numbers, first.numbers[at])
	}
	return parts, nil
}

// ask finds out what the rules of rows ask of the database.
func (j *Job) ask(ctx context.Context, tx *database.Tx, rows []row.Row) (pipeline.Answers, error) {
	known := make([]map[string]bool, len(j.lookups))
	asked := make([][]column.Value, len(j.lookups))
	for i := range known {
		known[i] = map[string]bool{}
	}
	for _, r := range rows {
		j.program.Asks(r, func(lookup int, value column.Value) {
			if _, ok := known[lookup][value.Text]; !ok {
				known[lookup][value.Text] = false
				asked[lookup] = append(asked[lookup], value)
			}
		})
	}
	for i, values := range asked {
		if len(values) == 0 {
			continue
		}
		found, err := j.lookups[i].Find(ctx, tx, values)
		if err != nil {
			return nil, fmt.Errorf("look into the table '%s': %w", j.program.Lookups()[i].Name, err)
		}
		for k, key := range found {
			known[i][values[k].Text] = key.State != column.Absent
		}
	}
	return func(lookup int, value string) bool { return known[lookup][value] }, nil
}
