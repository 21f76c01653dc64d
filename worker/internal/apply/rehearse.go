package apply

import (
	"context"
	"encoding/json"
	"fmt"
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

// prepare writes what earlier chunks would have left for these rows to meet.
func (r *rehearsal) prepare(ctx context.Context, tx *database.Tx, rows [][]column.Value) error {
	var forms []int64
	for _, row := range rows {
		forms = append(forms, r.forms(row)...)
	}
	slices.Sort(forms)
	bodies, err := r.book.Rehearsed(ctx, tx, r.uid, slices.Compact(forms))
	if err != nil || len(bodies) == 0 {
		return err
	}
	kept := make([][]column.Value, len(bodies))
	for i, body := range bodies {
		if kept[i], err = decodeValues(body); err != nil {
			return err
		}
	}
	results, err := r.again.Write(ctx, tx, kept)
	if err != nil {
		return fmt.Errorf("write %d rehearsed rows: %w", len(kept), err)
	}
	if refused(results) {
		return &Broken{Reason: "The table was changed by somebody else while the dry run looked at it: start it again."}
	}
	return nil
}

// keep keeps the rows that would have taken effect. The table is again what it was before the chunk.
func (r *rehearsal) keep(ctx context.Context, tx *database.Tx, good checked, results []destination.Result) error {
	var effective [][]column.Value
	var kept []ledger.Rehearsed
	for i, result := range results {
		if result.Outcome != destination.Created && result.Outcome != destination.Updated {
			continue
		}
		row := good.values[i]
		body, err := encodeValues(row)
		if err != nil {
			return err
		}
		effective = append(effective, row)
		kept = append(kept, ledger.Rehearsed{
			ID: r.id(row, good.numbers[i]), Forms: r.forms(row), Row: good.numbers[i], Body: body,
			Whole: !r.ordered() && len(r.key) > 0 && !slices.ContainsFunc(row, func(v column.Value) bool { return v.State == column.Absent }),
		})
	}
	if len(kept) == 0 {
		return nil
	}
	if r.ordered() {
		// What a row takes away from the table can be met as well: the value that it overwrites is free for others.
		before, err := r.writer.Read(ctx, tx, effective)
		if err != nil {
			return err
		}
		for i, row := range before {
			if row != nil {
				kept[i].Forms = append(kept[i].Forms, r.forms(row)...)
			}
		}
	}
	return r.book.Rehearse(ctx, tx, r.uid, r.last(kept))
}

// last leaves out what a later row of the chunk makes whole.
func (r *rehearsal) last(kept []ledger.Rehearsed) []ledger.Rehearsed {
	whole := map[string]bool{}
	var out []ledger.Rehearsed
	for _, row := range slices.Backward(kept) {
		if !whole[row.ID] {
			out = append(out, row)
		}
		whole[row.ID] = whole[row.ID] || row.Whole
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
	if r.anywhere {
		forms = append(forms, 0)
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
