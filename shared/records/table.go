package records

import (
	"context"
	"fmt"
	"slices"

	"ingest/shared/column"
	"ingest/shared/database"
	"ingest/shared/destination"
	"ingest/shared/importer"
	"ingest/shared/pipeline"
)

// table is one table that records go to, with what hangs on its rows.
type table struct {
	target  *pipeline.Target
	writer  destination.Writer
	belongs []finder
	many    []pivot
	nested  []nested
	// mark is the savepoint behind which records are written that have to stand or fall with what hangs on them.
	mark string
}

// nested are the rows of a list.
type nested struct {
	pipeline.Nested
	table *table
}

// builder makes the tables of a run.
type builder struct {
	db      *database.DB
	program *pipeline.Program
	tables  map[string]column.Table
}

func (b builder) table(target *pipeline.Target, on importer.OnDuplicate, duplicate string, depth int) (*table, error) {
	t := &table{target: target, mark: fmt.Sprintf("ingest_unit_%d", depth)}
	var own *column.Column
	refer := func(c column.Column) error {
		if own != nil && own.Name != c.Name {
			return fmt.Errorf("pivots and nested lists of the table '%s' refer to different columns of it ('%s' and '%s')",
				target.Table.Name, own.Name, c.Name)
		}
		own = &c
		return nil
	}
	for i, related := range target.Belongs {
		found, err := b.belong(target, related)
		if err != nil {
			return nil, err
		}
		found.slot = i
		t.belongs = append(t.belongs, found)
	}
	for i, many := range target.Many {
		joined, referred, err := b.join(target, many, i)
		if err != nil {
			return nil, err
		}
		if err := refer(referred); err != nil {
			return nil, err
		}
		joined.slot = len(t.belongs) + i
		t.many = append(t.many, joined)
	}
	for _, list := range target.Nested {
		referred, err := destination.Referred(list.Target.Table, list.Definition.Parent, target.Table)
		if err != nil {
			return nil, err
		}
		if err := refer(referred); err != nil {
			return nil, err
		}
		inner, err := b.table(list.Target, nestedStrategy(list.Target), "", depth+1)
		if err != nil {
			return nil, err
		}
		t.nested = append(t.nested, nested{list, inner})
	}
	to := destination.Target{
		Table: target.Table, Columns: target.Columns(), Key: target.Key(), OnDuplicate: on,
		Label:     func(i int) (source, words string) { return target.Source(i), target.Words(i) },
		Duplicate: duplicate, Own: own, Fixed: fixed(b.program.Stamps(target.Table, target.Columns())),
		CompareOnly: target.CompareOnly, NoUniqueIndex: depth == 0,
	}
	if on == importer.UpdateIfNewer {
		to.Compare = target.Compare
	}
	var err error
	t.writer, err = destination.New(b.db, to)
	return t, err
}

// nestedStrategy takes the place of the rows that are there: a list says how the rows of its parent are.
func nestedStrategy(t *pipeline.Target) importer.OnDuplicate {
	if len(t.Key()) == 0 {
		return importer.Skip
	}
	return importer.Update
}

func fixed(stamps []pipeline.Stamp) []destination.Fixed {
	list := make([]destination.Fixed, len(stamps))
	for i, s := range stamps {
		list[i] = destination.Fixed{Column: s.Column, Value: s.Value, Update: s.Update}
	}
	return list
}

// finders are those of relations of both kinds, by their slots.
func (t *table) finders() []*finder {
	list := make([]*finder, 0, len(t.belongs)+len(t.many))
	for i := range t.belongs {
		list = append(list, &t.belongs[i])
	}
	for i := range t.many {
		list = append(list, &t.many[i].finder)
	}
	return list
}

// hangs says that more than a row of this table depends on a record.
func (t *table) hangs() bool { return len(t.many) > 0 || len(t.nested) > 0 }

// alone says that records may have to be taken back and written alone.
func (t *table) alone() bool {
	return t.hangs() || slices.ContainsFunc(t.belongs, func(f finder) bool { return f.relation.CreateIfMissing })
}

// write writes records, each as a whole. Those whose children are refused are found by halving: until one is alone, all of
// its half are taken back.
func (t *table) write(ctx context.Context, tx *database.Tx, records []pipeline.Record) ([]destination.Result, error) {
	if len(t.belongs) == 0 && !t.hangs() {
		rows := make([][]column.Value, len(records))
		for i := range records {
			rows[i] = records[i].Values
		}
		return t.writer.Write(ctx, tx, rows)
	}
	if !t.alone() {
		results, _, err := t.attempt(ctx, tx, records)
		return results, err
	}
	if err := tx.Savepoint(ctx, t.mark); err != nil {
		return nil, fmt.Errorf("mark the beginning of %d records: %w", len(records), err)
	}
	results, broken, err := t.attempt(ctx, tx, records)
	if err != nil {
		return nil, err
	}
	if broken {
		if err := tx.RollbackTo(ctx, t.mark); err != nil {
			return nil, fmt.Errorf("take %d records back: %w", len(records), err)
		}
	}
	if err := tx.Release(ctx, t.mark); err != nil {
		return nil, fmt.Errorf("release the mark of %d records: %w", len(records), err)
	}
	if !broken || len(records) == 1 {
		return results, nil
	}
	half := len(records) / 2
	first, err := t.write(ctx, tx, records[:half])
	if err != nil {
		return nil, err
	}
	second, err := t.write(ctx, tx, records[half:])
	return append(first, second...), err
}

// attempt writes records and what hangs on them. broken says that it has to be done again with fewer of them, or taken back
// if there is but one: a record failed after its own row was written, or for what may be the fault of another.
func (t *table) attempt(ctx context.Context, tx *database.Tx, records []pipeline.Record) (results []destination.Result, broken bool, err error) {
	results = make([]destination.Result, len(records))
	w := newWork(records, len(t.belongs) > 0)
	if err := t.resolve(ctx, tx, w); err != nil {
		return nil, false, err
	}
	if w.unsure && len(records) > 1 {
		return nil, true, nil
	}
	var rows [][]column.Value
	var of []int
	for i := range records {
		if problems := w.problems[i]; problems != nil {
			results[i] = failed(problems)
			continue
		}
		rows, of = append(rows, w.values[i]), append(of, i)
	}
	if len(rows) > 0 {
		written, err := t.writer.Write(ctx, tx, rows)
		if err != nil {
			return nil, false, err
		}
		for i, at := range of {
			results[at] = written[i]
		}
	}
	for i := range t.many {
		more, err := t.many[i].join(ctx, tx, w, results)
		if err != nil {
			return nil, false, err
		}
		broken = broken || more
	}
	if broken {
		return results, true, nil
	}
	// Before the lists are looked at: what they name has to be what is left.
	if err := t.tidy(ctx, tx, w, results); err != nil {
		return nil, false, err
	}
	if w.unsure && len(records) > 1 {
		return nil, true, nil
	}
	for i := range t.nested {
		more, err := t.nested[i].write(ctx, tx, records, i, results)
		if err != nil {
			return nil, false, err
		}
		broken = broken || more
	}
	return results, broken, nil
}

// takes says that a record took effect, so that what hangs on it has to.
func takes(r destination.Result) bool {
	return r.Outcome == destination.Created || r.Outcome == destination.Updated || r.Outcome == destination.Unchanged
}
