package apply

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"ingest/shared/column"
	"ingest/shared/database"
	"ingest/shared/destination"
	"ingest/shared/importer"
	"ingest/shared/ledger"
	"ingest/shared/pipeline"
	"ingest/shared/records"
	"ingest/shared/row"
)

// rehearsal makes a dry run exact across chunks: the rows that would have taken effect are kept in the ledger, and those
// that can meet a chunk's are written again before it, in the savepoint that is rolled back behind it. They are written by
// the same writer, in the order of the file, so that the table is then what the real run would have made of it as far as
// this chunk can see.
type rehearsal struct {
	forms
	uid   string
	book  *ledger.Ledger
	again *records.Writer
	// anywhere says that rows can meet in ways that nobody can tell from their values.
	anywhere bool
}

// newRehearsal returns nil when no two rows of the run can meet.
func newRehearsal(
	uid string, db *database.DB, d importer.Definition, p *pipeline.Program, tables map[string]column.Table, m pipeline.Meeting,
) (*rehearsal, error) {
	r := &rehearsal{uid: uid, book: ledger.New(db), forms: newForms(p.Targets(), m.Watches), anywhere: m.Blind}
	if !r.keyed() && !r.ordered() && !r.anywhere && m.Watches.Idle() {
		return nil, nil //nolint:nilnil // there is nothing to rehearse
	}
	if len(d.Key) > 0 && d.OnDuplicate != importer.UpdateIfNewer {
		d.OnDuplicate = importer.Update
	}
	var err error
	r.again, err = records.New(db, d, p, tables)
	return r, err
}

// scene is one chunk of a rehearsal.
type scene struct {
	*rehearsal
	// partial are the rows that do not bring a value for every column.
	partial checked
	// met are the forms of what has to be in the table; with all it is everything that was kept.
	met map[int64]bool
	all bool
	// found are the rows of the table that a partial row may overwrite, by id, as the chunk meets them.
	found map[string][]column.Value
	rows  []pipeline.Record
	kept  []ledger.Rehearsed
}

func (r *rehearsal) scene(rows []row.Row, first checked) *scene {
	s := &scene{rehearsal: r, met: map[int64]bool{}, all: r.anywhere}
	if s.all {
		return s
	}
	next := 0
	for i, in := range rows {
		var record *pipeline.Record
		if first.failures[i] == nil {
			record = &first.records[next]
			if r.ordered() && !whole(record.Values) {
				s.partial.records = append(s.partial.records, *record)
				s.partial.numbers = append(s.partial.numbers, first.numbers[next])
			}
			s.meets(r.of(record))
			next++
		}
		if r.watches.Table != "" {
			r.watches.Asks(in, func(form string) { s.met[watched(form)] = true })
			if record != nil {
				for _, form := range r.watches.Looks(record) {
					s.met[watched(form)] = true
				}
			}
		}
	}
	return s
}

// meets adds forms and says whether one of them is new.
func (s *scene) meets(forms []int64) (more bool) {
	for _, form := range forms {
		more = more || !s.met[form]
		s.met[form] = true
	}
	return more
}

// play writes the chunk as the real run would have met it, behind the savepoint mark. What a row meets can depend on what
// the table holds beside its own values; then the play begins again with that in it.
func (s *scene) play(ctx context.Context, tx *database.Tx, write func() (played, error), mark string) (played, error) {
	for {
		if err := s.prepare(ctx, tx); err != nil {
			return played{}, err
		}
		more := false
		state := maps.Clone(s.found)
		for i := range s.partial.records {
			record := &s.partial.records[i]
			id := s.id(record, s.partial.numbers[i])
			state[id] = overlaid(state[id], record.Values)
			more = s.meets(s.values(record, state[id])) || more
		}
		if !more || s.all {
			good, err := write()
			if err != nil {
				return played{}, err
			}
			if err := s.look(ctx, tx, good); err != nil {
				return played{}, err
			}
			if s.all || !s.ordered() {
				return good, nil
			}
			for _, row := range s.kept {
				more = s.meets(row.Forms) || more
			}
			unsure := len(s.partial.records) > 0 && refused(good.results) // by a default that nobody here knows
			if !more && !unsure {
				return good, nil
			}
			s.all = unsure
		}
		if err := tx.RollbackTo(ctx, mark); err != nil {
			return played{}, fmt.Errorf("begin the rehearsal of a chunk again: %w", err)
		}
	}
}

// prepare writes what earlier chunks would have left for the rows to meet.
func (s *scene) prepare(ctx context.Context, tx *database.Tx) error {
	s.found = map[string][]column.Value{}
	if len(s.met) == 0 && !s.all {
		return nil
	}
	var forms []int64
	if !s.all {
		forms = slices.Sorted(maps.Keys(s.met))
	}
	bodies, err := s.book.Rehearsed(ctx, tx, s.uid, forms)
	if err != nil {
		return err
	}
	kept := make([]pipeline.Record, len(bodies))
	for i, body := range bodies {
		if kept[i], err = decodeRecord(body); err != nil {
			return err
		}
	}
	if err := s.repeat(ctx, tx, kept); err != nil {
		return err
	}
	s.found, err = s.stored(ctx, tx, s.partial)
	return err
}

// repeat writes kept rows again, those that look for what others write after them.
func (s *scene) repeat(ctx context.Context, tx *database.Tx, kept []pipeline.Record) error {
	cuts, err := s.cuts(ctx, tx, kept)
	if err != nil {
		return err
	}
	for _, n := range cuts {
		results, err := s.again.Write(ctx, tx, kept[:n])
		if err != nil {
			return fmt.Errorf("write %d rehearsed rows: %w", n, err)
		}
		if refused(results) {
			return &Broken{Reason: "The table was changed by somebody else while the dry run looked at it: start it again."}
		}
		kept = kept[n:]
	}
	return nil
}

// cuts are the lengths of the parts in which kept rows can be written; their rules have been asked.
func (s *scene) cuts(ctx context.Context, tx *database.Tx, kept []pipeline.Record) (cuts []int, err error) {
	if len(kept) == 0 || s.watches.Idle() {
		return []int{len(kept)}, nil
	}
	stored := make([][]column.Value, len(kept))
	if s.watches.Replaces && !s.watches.Blind {
		if stored, err = s.again.Read(ctx, tx, kept); err != nil {
			return nil, err
		}
	}
	sequence := s.watches.Sequence()
	for i := range kept {
		if sequence.Next(row.Row{Fault: "read before"}, &kept[i], stored[i]) || i == 0 {
			cuts = append(cuts, 0)
		}
		cuts[len(cuts)-1]++
	}
	return cuts, nil
}

// stored are the rows of the table under the keys of rows, by id.
func (s *scene) stored(ctx context.Context, tx *database.Tx, rows checked) (map[string][]column.Value, error) {
	found := map[string][]column.Value{}
	if len(rows.records) == 0 {
		return found, nil
	}
	stored, err := s.again.Read(ctx, tx, rows.records)
	if err != nil {
		return nil, err
	}
	for i, row := range stored {
		if row != nil {
			found[s.id(&rows.records[i], rows.numbers[i])] = row
		}
	}
	return found, nil
}

// look takes the rows that would have taken effect, while the table holds them: a row that was written in part has the
// rest of its values there.
func (s *scene) look(ctx context.Context, tx *database.Tx, good played) error {
	s.rows, s.kept = nil, nil
	var effective checked
	for i, result := range good.results {
		if result.Outcome == destination.Created || result.Outcome == destination.Updated {
			effective.records, effective.numbers = append(effective.records, good.records[i]), append(effective.numbers, good.numbers[i])
		}
	}
	left := map[string][]column.Value{}
	ordered := s.ordered() && !s.anywhere
	if ordered {
		var err error
		if left, err = s.stored(ctx, tx, effective); err != nil {
			return err
		}
	}
	now := s.found
	for i := range effective.records {
		record := &effective.records[i]
		body, err := encodeRecord(record)
		if err != nil {
			return err
		}
		id := s.id(record, effective.numbers[i])
		if now[id] == nil {
			now[id] = left[id]
		}
		now[id] = overlaid(now[id], record.Values)
		forms := append(s.of(record), s.values(record, now[id])...)
		if s.watches.Table != "" {
			for _, text := range s.watches.Looks(record) {
				forms = append(forms, watched(text))
			}
		}
		s.rows = append(s.rows, *record)
		s.kept = append(s.kept, ledger.Rehearsed{
			ID: id, Forms: forms, Row: effective.numbers[i], Body: body,
			Whole: !s.ordered() && s.watches.Idle() && s.hasKey(record) && whole(record.Values) && len(record.Many) == 0 && len(record.Nested) == 0,
		})
	}
	return nil
}

// keep keeps them. The table is again what it was before the chunk.
func (s *scene) keep(ctx context.Context, tx *database.Tx) error {
	if len(s.kept) == 0 {
		return nil
	}
	if (s.ordered() || s.watches.Replaces) && !s.anywhere {
		// What a row takes away from the table can be met as well: the value that it overwrites is free for others.
		before, err := s.again.Read(ctx, tx, s.rows)
		if err != nil {
			return err
		}
		for i, stored := range before {
			if stored == nil {
				continue
			}
			s.kept[i].Forms = append(s.kept[i].Forms, s.values(&s.rows[i], stored)...)
			for _, text := range s.watches.Replaced(s.rows[i].Target, stored) {
				s.kept[i].Forms = append(s.kept[i].Forms, watched(text))
			}
		}
	}
	return s.book.Rehearse(ctx, tx, s.uid, last(s.kept))
}

// whole says that a row brings a value for every column.
func whole(row []column.Value) bool {
	return !slices.ContainsFunc(row, func(v column.Value) bool { return v.State == column.Absent })
}

// overlaid is a row of the table after another one was written into it.
func overlaid(row, by []column.Value) []column.Value {
	out := slices.Clone(by)
	for i := range row {
		if out[i].State == column.Absent {
			out[i] = row[i]
		}
	}
	return out
}

// last leaves out what a later row of the chunk makes whole.
func last(kept []ledger.Rehearsed) []ledger.Rehearsed {
	done := map[string]bool{}
	var out []ledger.Rehearsed
	for _, row := range slices.Backward(kept) {
		if !done[row.ID] {
			out = append(out, row)
		}
		done[row.ID] = done[row.ID] || row.Whole
	}
	return out
}
