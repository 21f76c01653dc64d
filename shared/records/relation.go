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

// finder turns values of the related table's column into keys of its rows: the one value of a belongs-to, or the list of
// many.
type finder struct {
	relation importer.Relation
	lookup   *destination.Lookup
	source   string
	// missing is the message of a value that no row has.
	missing string
	// at is the position of a belongs-to's column, into the column itself, required what is said where NULL is refused.
	at       int
	into     column.Column
	required string
	// list is the position of many's list, -1 for a belongs-to.
	list int
	// slot is the position among the finders of its table.
	slot int
	// place is the column of the related table that has the keys.
	place string
	// meets says that rows which are created can meet in other ways than by equal texts: then their order counts.
	meets bool
}

// pivot joins the rows of a table with those that a list names.
type pivot struct {
	finder
	links *destination.Links
}

func (b builder) finder(related column.Table, match, key column.Column, r importer.Relation, source, words string) (finder, error) {
	f := finder{
		relation: r, source: source, list: -1, place: fmt.Sprintf("%q.%q.%q", related.Schema, related.Name, key.Name),
		meets: len(related.Meets) > 0 || len(related.Unique) > 2 || match.Fold != column.FoldExact || match.Type.Kind == column.Other,
	}
	var err error
	f.lookup, err = destination.NewLookup(b.db, destination.LookupTarget{
		Table: related, Match: match, Key: key, Create: r.CreateIfMissing,
		Fixed: fixed(b.program.Stamps(related, []column.Column{match})),
		Label: func(int) (string, string) { return source, words },
	})
	return f, err
}

// belong makes the finder of a belongs-to.
func (b builder) belong(target *pipeline.Target, related pipeline.Belongs) (finder, error) {
	key, err := relatedKey(related.Relation, target.Table, related.Related)
	if err != nil {
		return finder{}, err
	}
	source, words := target.Source(related.At), target.Words(related.At)
	f, err := b.finder(related.Related, related.Match, key, related.Relation, source, words)
	f.missing, f.required = related.Missing, related.Required
	f.at, f.into = related.At, target.Columns()[related.At]
	return f, err
}

// relatedKey is the column whose value is stored: as the relation says, else as a foreign key does, else the primary key.
func relatedKey(r importer.Relation, own, related column.Table) (column.Column, error) {
	if r.Key == "" {
		return destination.Referred(own, r.To, related)
	}
	key, ok := related.Column(r.Key)
	if !ok {
		return key, fmt.Errorf("the table '%s' has no column '%s' (relation '%s')", r.Table, r.Key, r.From[0])
	}
	return key, nil
}

// join makes the pivot of many; referred is the column of the table itself that it refers to.
func (b builder) join(target *pipeline.Target, many pipeline.Many, list int) (p pivot, referred column.Column, err error) {
	through := b.tables[many.Relation.Pivot]
	own, other, referred, key, err := destination.PivotColumns(many.Relation, through, target.Table, many.Related)
	if err != nil {
		return p, referred, err
	}
	if p.finder, err = b.finder(many.Related, many.Match, key, many.Relation, many.Source, many.Words); err != nil {
		return p, referred, err
	}
	p.missing, p.list = many.Missing, list
	p.links, err = destination.NewLinks(b.db, destination.LinkTarget{
		Table: through, Own: own, Other: other, Fixed: fixed(b.program.Stamps(through, []column.Column{own, other})),
	})
	return p, referred, err
}

// asks are the values of a record that have to be found.
func (f *finder) asks(r *pipeline.Record) []column.Value {
	switch {
	case f.list >= 0:
		return r.Many[f.list]
	case r.Values[f.at].State == column.Set:
		return r.Values[f.at : f.at+1]
	default:
		return nil
	}
}

// resolve looks for what the records name, creates what has to be created for those that nothing is wrong with, and puts
// the keys in.
func (t *table) resolve(ctx context.Context, tx *database.Tx, w *work) error {
	finders := t.finders()
	w.found = make([]keys, len(finders))
	w.created = make([]keys, len(finders))
	for _, f := range finders {
		if err := f.find(ctx, tx, w); err != nil {
			return err
		}
	}
	for _, f := range finders {
		if f.relation.CreateIfMissing {
			if err := f.create(ctx, tx, w); err != nil {
				return err
			}
		}
	}
	for i := range w.records {
		if w.problems[i] == nil {
			for _, f := range finders {
				f.put(w, i)
			}
		}
	}
	return nil
}

func (f *finder) find(ctx context.Context, tx *database.Tx, w *work) error {
	var values []column.Value
	seen := map[string]bool{}
	for i := range w.records {
		for _, value := range f.asks(&w.records[i]) {
			if !seen[value.Text] {
				seen[value.Text] = true
				values = append(values, value)
			}
		}
	}
	w.found[f.slot], w.created[f.slot] = keys{}, keys{}
	if err := f.look(ctx, tx, values, w.found[f.slot]); err != nil {
		return err
	}
	if f.relation.CreateIfMissing || f.relation.OnMissing != importer.MissingFail {
		return nil
	}
	for i := range w.records {
		for _, value := range f.asks(&w.records[i]) {
			if _, ok := w.found[f.slot][value.Text]; !ok {
				w.fail(i, f.source, f.missing)
			}
		}
	}
	return nil
}

// look adds the keys of the rows that have the values.
func (f *finder) look(ctx context.Context, tx *database.Tx, values []column.Value, into keys) error {
	if len(values) == 0 {
		return nil
	}
	found, err := f.lookup.Find(ctx, tx, values)
	if err != nil {
		return fmt.Errorf("look for what '%s' names: %w", f.source, err)
	}
	for i, key := range found {
		if key.State == column.Set {
			into[values[i].Text] = key
		}
	}
	return nil
}

// create makes the rows that records name and nobody has.
func (f *finder) create(ctx context.Context, tx *database.Tx, w *work) error {
	found := w.found[f.slot]
	var values []column.Value
	seen := map[string]bool{}
	for i := range w.records {
		if w.problems[i] != nil {
			continue
		}
		for _, value := range f.asks(&w.records[i]) {
			if _, ok := found[value.Text]; !ok && !seen[value.Text] {
				seen[value.Text] = true
				values = append(values, value)
			}
		}
	}
	if len(values) == 0 {
		return nil
	}
	refused := map[string]destination.Result{}
	results, err := f.lookup.Create(ctx, tx, values)
	if err != nil {
		return fmt.Errorf("create what '%s' names: %w", f.source, err)
	}
	if err := f.look(ctx, tx, values, found); err != nil {
		return err
	}
	for i, result := range results {
		text := values[i].Text
		if key, ok := found[text]; ok && result.Outcome == destination.Created {
			w.created[f.slot][text] = key
		}
		if result.Outcome == destination.Failed {
			refused[text] = result
			w.unsure = w.unsure || f.meets
		}
	}
	for i := range w.records {
		if w.problems[i] != nil {
			continue
		}
		for _, value := range f.asks(&w.records[i]) {
			if _, ok := found[value.Text]; ok {
				continue
			}
			if result, ok := refused[value.Text]; ok {
				w.fail(i, f.source, result.Message)
				continue
			}
			w.fail(i, f.source, f.missing)
		}
	}
	return nil
}

// put puts the keys of a record in.
func (f *finder) put(w *work, i int) {
	found := w.found[f.slot]
	if f.list >= 0 {
		asked := f.asks(&w.records[i])
		if asked == nil {
			w.lists[i] = append(w.lists[i], nil)
			return
		}
		list := make([]column.Value, 0, len(asked))
		for _, value := range asked {
			if key, ok := found[value.Text]; ok {
				list = append(list, key)
			}
		}
		w.lists[i] = append(w.lists[i], list)
		return
	}
	value := &w.values[i][f.at]
	if value.State == column.Set {
		key, ok := found[value.Text]
		if ok {
			converted, problem := column.ConvertTo(key.Text, &f.into)
			if problem != "" {
				w.fail(i, f.source, f.missing)
				return
			}
			key = converted
		} else {
			key = column.Value{State: column.Null}
		}
		*value = key
	}
	if value.State == column.Null && f.into.NotNull {
		w.fail(i, f.source, f.required)
	}
}

// tidy removes what was created for records that did not take effect, unless another one names it, be it in another way: then
// it has to be as the first of those spells it.
func (t *table) tidy(ctx context.Context, tx *database.Tx, w *work, results []destination.Result) error {
	if !slices.ContainsFunc(w.created, func(created keys) bool { return len(created) > 0 }) {
		return nil
	}
	type row struct{ place, key string }
	used := map[row]string{}
	finders := t.finders()
	for i := range w.records {
		if !takes(results[i]) {
			continue
		}
		for _, f := range finders {
			for _, value := range f.asks(&w.records[i]) {
				key, ok := w.found[f.slot][value.Text]
				if _, known := used[row{f.place, key.Text}]; ok && !known {
					used[row{f.place, key.Text}] = value.Text
				}
			}
		}
	}
	for _, f := range finders {
		var unused []column.Value
		for text, key := range w.created[f.slot] {
			spelled, ok := used[row{f.place, key.Text}]
			if !ok {
				unused = append(unused, key)
			}
			w.unsure = w.unsure || ok && spelled != text
		}
		if len(unused) == 0 {
			continue
		}
		if err := f.lookup.Remove(ctx, tx, unused); err != nil {
			return fmt.Errorf("remove what '%s' created for nothing: %w", f.source, err)
		}
	}
	return nil
}

// join writes the rows of the pivot table for the records that took effect. broken says that one of them was refused.
func (p *pivot) join(ctx context.Context, tx *database.Tx, w *work, results []destination.Result) (broken bool, err error) {
	var sets []destination.LinkSet
	var of []int
	for i := range w.records {
		if list := w.listOf(i, p.list); list != nil && takes(results[i]) {
			sets = append(sets, destination.LinkSet{
				Own: results[i].Own, Others: list, Replace: p.relation.Sync == importer.SyncReplace,
			})
			of = append(of, i)
		}
	}
	if len(sets) == 0 {
		return false, nil
	}
	linked, err := p.links.Sync(ctx, tx, sets)
	if err != nil {
		return false, fmt.Errorf("join what '%s' names: %w", p.source, err)
	}
	for k, link := range linked {
		result := &results[of[k]]
		switch {
		case link.Failed != nil:
			*result, broken = fallen(p.source, link.Failed.Message), true
		case link.Changed && result.Outcome == destination.Unchanged:
			result.Outcome = destination.Updated
		}
	}
	return broken, nil
}
