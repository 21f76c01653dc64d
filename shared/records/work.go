package records

import (
	"context"
	"slices"

	"ingest/shared/chunk"
	"ingest/shared/column"
	"ingest/shared/database"
	"ingest/shared/destination"
	"ingest/shared/pipeline"
)

// keys are keys of related rows by the values that they were looked up by.
type keys map[string]column.Value

// work is one attempt to write records.
type work struct {
	records []pipeline.Record
	// values are those of the records with the keys of related rows in them; lists are the keys of each of many.
	values [][]column.Value
	lists  [][][]column.Value
	// problems are why a record is not written.
	problems [][]chunk.FieldMessage
	// found and created are what the finders know, by their slots.
	found, created []keys
	// unsure says that something was not created which might have been for other records.
	unsure bool
}

func newWork(records []pipeline.Record, changes bool) *work {
	w := &work{
		records: records, values: make([][]column.Value, len(records)), lists: make([][][]column.Value, len(records)),
		problems: make([][]chunk.FieldMessage, len(records)),
	}
	for i, r := range records {
		w.values[i] = r.Values
		if changes {
			w.values[i] = slices.Clone(r.Values)
		}
	}
	return w
}

func (w *work) fail(i int, source, message string) {
	w.problems[i] = append(w.problems[i], chunk.FieldMessage{Column: source, Messages: []string{message}})
}

func (w *work) listOf(i, list int) []column.Value {
	if w.problems[i] != nil || list >= len(w.lists[i]) {
		return nil
	}
	return w.lists[i][list]
}

// fallen is the result of a record with one message.
func fallen(source, message string) destination.Result {
	return failed([]chunk.FieldMessage{{Column: source, Messages: []string{message}}})
}

func failed(problems []chunk.FieldMessage) destination.Result {
	failure := pipeline.Failed(problems)
	return destination.Result{Outcome: destination.Failed, Message: failure.Message, Fields: failure.Fields}
}

// write writes the rows of the lists of records that took effect. broken says that one of them was refused.
func (n *nested) write(
	ctx context.Context, tx *database.Tx, records []pipeline.Record, list int, results []destination.Result,
) (broken bool, err error) {
	var children []pipeline.Record
	var of []int
	for i := range records {
		if !takes(results[i]) {
			continue
		}
		for _, child := range records[i].Nested[list] {
			child.Values = slices.Clone(child.Values)
			child.Values[0] = results[i].Own
			children, of = append(children, child), append(of, i)
		}
	}
	if len(children) == 0 {
		return false, nil
	}
	written, err := n.table.write(ctx, tx, children)
	if err != nil {
		return false, err
	}
	problems := map[int][]chunk.FieldMessage{}
	for k, result := range written {
		parent := &results[of[k]]
		changed := result.Outcome == destination.Created || result.Outcome == destination.Updated
		if result.Outcome == destination.Failed {
			broken = true
			problems[of[k]] = append(problems[of[k]], n.problem(result)...)
		} else if changed && parent.Outcome == destination.Unchanged {
			parent.Outcome = destination.Updated
		}
	}
	for i, list := range problems {
		results[i] = failed(list)
	}
	return broken, nil
}

// problem is why a row of the list was refused; what names no column is filed under the list.
func (n *nested) problem(result destination.Result) []chunk.FieldMessage {
	if len(result.Fields) > 0 {
		return result.Fields
	}
	return []chunk.FieldMessage{{Column: n.Source, Messages: []string{result.Message}}}
}
