package apply

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/cespare/xxhash/v2"

	"ingest/shared/column"
	"ingest/shared/database"
	"ingest/shared/destination"
	"ingest/shared/importer"
	"ingest/shared/ledger"
	"ingest/shared/pipeline"
)

// rehearsal makes a dry run exact across chunks: the rows that would have taken effect are kept in the ledger, and those
// that can meet a chunk's are written again before it, in the savepoint that is rolled back behind it. They are written by
// the same writer, in the order of the file, so that the table is then what the real run would have made of it as far as
// this chunk can see.
type rehearsal struct {
	uid     string
	book    *ledger.Ledger
	writer  destination.Writer
	again   destination.Writer
	columns []column.Column
	key     []int
	// others are the unique indexes beside the key's, as positions in columns: rows with different keys can meet in them.
	others [][]int
	// anywhere says that rows can meet in ways that nobody can tell from their values.
	anywhere bool
}

// newRehearsal returns nil when no two rows of the run can meet.
func newRehearsal(uid string, db *database.DB, target destination.Target, writer destination.Writer) (*rehearsal, error) {
	r := &rehearsal{
		uid: uid, book: ledger.New(db), writer: writer, columns: target.Columns, key: target.Key, anywhere: len(target.Table.Meets) > 0,
	}
	key := make([]string, len(target.Key))
	for i, k := range target.Key {
		key[i] = target.Columns[k].Name
	}
	own, _ := target.Table.UniqueOn(key)
	for _, index := range target.Table.Unique {
		var mapped []int
		for i, c := range target.Columns {
			if slices.Contains(index.Columns, c.Name) {
				mapped = append(mapped, i)
			}
		}
		if index.Name != own.Name && len(mapped) > 0 {
			r.others = append(r.others, mapped)
		}
	}
	if len(key) == 0 && len(r.others) == 0 && !r.anywhere {
		return nil, nil //nolint:nilnil // there is nothing to rehearse
	}
	if len(key) > 0 {
		target.OnDuplicate = importer.Update
	}
	var err error
	r.again, err = destination.New(db, target)
	return r, err
}

// ordered says that rows with different keys can meet.
func (r *rehearsal) ordered() bool { return r.anywhere || len(r.others) > 0 }

// scene is one chunk of a rehearsal.
type scene struct {
	*rehearsal
	good checked
	// partial are the rows that do not bring a value for every column.
	partial checked
	// met are the forms of what has to be in the table; with all it is everything that was kept.
	met map[int64]bool
	all bool
	// found are the rows of the table that a partial row may overwrite, by id, as the chunk meets them.
	found map[string][]column.Value
	rows  [][]column.Value
	kept  []ledger.Rehearsed
}

func (r *rehearsal) scene(good checked) *scene {
	s := &scene{rehearsal: r, good: good, met: map[int64]bool{}, all: r.anywhere}
	for i, row := range good.values {
		s.meets(r.forms(row))
		if r.ordered() && !whole(row) {
			s.partial.values, s.partial.numbers = append(s.partial.values, row), append(s.partial.numbers, good.numbers[i])
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
func (s *scene) play(ctx context.Context, tx *database.Tx, write func() ([]destination.Result, error), mark string) ([]destination.Result, error) {
	for {
		if err := s.prepare(ctx, tx); err != nil {
			return nil, err
		}
		more := false
		state := maps.Clone(s.found)
		for i, row := range s.partial.values {
			id := s.id(row, s.partial.numbers[i])
			state[id] = overlaid(state[id], row)
			more = s.meets(s.forms(state[id])) || more
		}
		if !more || s.all {
			results, err := write()
			if err != nil {
				return nil, err
			}
			if err := s.look(ctx, tx, results); err != nil {
				return nil, err
			}
			for _, row := range s.kept {
				more = s.meets(row.Forms) || more
			}
			unsure := len(s.partial.values) > 0 && refused(results) // by a default that nobody here knows
			if s.all || !s.ordered() || !more && !unsure {
				return results, nil
			}
			s.all = unsure
		}
		if err := tx.RollbackTo(ctx, mark); err != nil {
			return nil, fmt.Errorf("begin the rehearsal of a chunk again: %w", err)
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
	kept := make([][]column.Value, len(bodies))
	for i, body := range bodies {
		if kept[i], err = decodeValues(body); err != nil {
			return err
		}
	}
	if len(kept) > 0 {
		results, err := s.again.Write(ctx, tx, kept)
		if err != nil {
			return fmt.Errorf("write %d rehearsed rows: %w", len(kept), err)
		}
		if refused(results) {
			return &Broken{Reason: "The table was changed by somebody else while the dry run looked at it: start it again."}
		}
	}
	s.found, err = s.stored(ctx, tx, s.partial)
	return err
}

// stored are the rows of the table under the keys of rows, by id.
func (r *rehearsal) stored(ctx context.Context, tx *database.Tx, rows checked) (map[string][]column.Value, error) {
	found := map[string][]column.Value{}
	if len(rows.values) == 0 {
		return found, nil
	}
	stored, err := r.writer.Read(ctx, tx, rows.values)
	if err != nil {
		return nil, err
	}
	for i, row := range stored {
		if row != nil {
			found[r.id(rows.values[i], rows.numbers[i])] = row
		}
	}
	return found, nil
}

// look takes the rows that would have taken effect, while the table holds them: a row that was written in part has the
// rest of its values there.
func (s *scene) look(ctx context.Context, tx *database.Tx, results []destination.Result) error {
	s.rows, s.kept = nil, nil
	good := s.good
	var effective checked
	for i, result := range results {
		if result.Outcome == destination.Created || result.Outcome == destination.Updated {
			effective.values, effective.numbers = append(effective.values, good.values[i]), append(effective.numbers, good.numbers[i])
		}
	}
	left := map[string][]column.Value{}
	if s.ordered() {
		var err error
		if left, err = s.stored(ctx, tx, effective); err != nil {
			return err
		}
	}
	now := s.found
	for i, row := range effective.values {
		body, err := encodeValues(row)
		if err != nil {
			return err
		}
		id := s.id(row, effective.numbers[i])
		if now[id] == nil {
			now[id] = left[id]
		}
		now[id] = overlaid(now[id], row)
		s.rows = append(s.rows, row)
		s.kept = append(s.kept, ledger.Rehearsed{
			ID: id, Forms: append(s.forms(row), s.forms(now[id])...), Row: effective.numbers[i], Body: body,
			Whole: !s.ordered() && s.keyed(row) && whole(row),
		})
	}
	return nil
}

// keep keeps them. The table is again what it was before the chunk.
func (s *scene) keep(ctx context.Context, tx *database.Tx) error {
	if len(s.kept) == 0 {
		return nil
	}
	if s.ordered() {
		// What a row takes away from the table can be met as well: the value that it overwrites is free for others.
		before, err := s.writer.Read(ctx, tx, s.rows)
		if err != nil {
			return err
		}
		for i, row := range before {
			if row != nil {
				s.kept[i].Forms = append(s.kept[i].Forms, s.forms(row)...)
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

// id is what the versions of one row of the table share.
func (r *rehearsal) id(row []column.Value, number int64) string {
	if !r.keyed(row) {
		return "#" + strconv.FormatInt(number, 10)
	}
	sum := xxhash.New()
	text := ""
	for _, k := range r.key {
		text += strconv.Itoa(len(row[k].Text)) + ":" + row[k].Text
	}
	if len(text) <= longestID {
		return text
	}
	_, _ = sum.WriteString(text) // it never fails
	return fmt.Sprintf("%s…%016x", text[:longestID/2], sum.Sum64())
}

// longestID is what every database takes in an index.
const longestID = 500

func (r *rehearsal) keyed(row []column.Value) bool {
	return len(r.key) > 0 && !slices.ContainsFunc(r.key, func(k int) bool { return row[k].State != column.Set })
}

// forms are what a row can meet others by: its key and its values in other unique indexes, made coarse.
func (r *rehearsal) forms(row []column.Value) []int64 {
	var forms []int64
	if r.keyed(row) {
		forms = append(forms, r.form(0, r.key, row))
	}
	for i, columns := range r.others {
		forms = append(forms, r.form(i+1, columns, row))
	}
	return forms
}

func (r *rehearsal) form(index int, columns []int, row []column.Value) int64 {
	sum := xxhash.New()
	for _, c := range columns {
		text := pipeline.Coarse(row[c], r.columns[c])
		_, _ = fmt.Fprintf(sum, "%d %d:%s", index, len(text), text) // it never fails
	}
	return int64(sum.Sum64())
}

// encodeValues writes texts as strings, NULL as null and an absent value as 0.
func encodeValues(row []column.Value) (string, error) {
	values := make([]any, len(row))
	for i, value := range row {
		switch value.State {
		case column.Set:
			values[i] = value.Text
		case column.Null:
			values[i] = nil
		default:
			values[i] = 0
		}
	}
	text, err := json.Marshal(values)
	if err != nil {
		return "", fmt.Errorf("encode a rehearsed row: %w", err)
	}
	return string(text), nil
}

func decodeValues(text string) ([]column.Value, error) {
	var values []any
	if err := json.Unmarshal([]byte(text), &values); err != nil {
		return nil, fmt.Errorf("decode a rehearsed row: %w", err)
	}
	row := make([]column.Value, len(values))
	for i, value := range values {
		switch value := value.(type) {
		case string:
			row[i] = column.Value{Text: value, State: column.Set}
		case nil:
			row[i] = column.Value{State: column.Null}
		}
	}
	return row, nil
}
