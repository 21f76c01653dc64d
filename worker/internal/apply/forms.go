package apply

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/cespare/xxhash/v2"

	"ingest/shared/column"
	"ingest/shared/pipeline"
)

// forms are what rows can meet each other by, made coarse: two rows without a form in common cannot meet.
type forms struct {
	targets []*pipeline.Target
	// others are, for each target, the unique indexes beside the key's, as positions in its columns.
	others  [][][]int
	watches *pipeline.Watches
}

func newForms(targets []*pipeline.Target, watches *pipeline.Watches) forms {
	f := forms{targets: targets, watches: watches}
	for _, t := range targets {
		columns := t.Columns()
		own, indexed := t.Table.UniqueOn(t.KeyColumns())
		var others [][]int
		for _, index := range t.Table.Unique {
			var mapped []int
			for i, c := range columns {
				if slices.Contains(index.Columns, c.Name) && (!t.CompareOnly || i != t.Compare) {
					mapped = append(mapped, i)
				}
			}
			if (!indexed || index.Name != own.Name) && len(mapped) > 0 {
				others = append(others, mapped)
			}
		}
		f.others = append(f.others, others)
	}
	return f
}

// keyed says that some target has a key, ordered that rows with different keys can meet in a unique index.
func (f forms) keyed() bool {
	return slices.ContainsFunc(f.targets, func(t *pipeline.Target) bool { return len(t.Key()) > 0 })
}

func (f forms) ordered() bool {
	return slices.ContainsFunc(f.others, func(others [][]int) bool { return len(others) > 0 })
}

// hasKey says that a record has a value for every column of its key.
func (f forms) hasKey(r *pipeline.Record) bool {
	key := f.targets[r.Target].Key()
	return len(key) > 0 && !slices.ContainsFunc(key, func(k int) bool { return r.Values[k].State != column.Set })
}

// of are the forms of a record with these values: its key, its values in other unique indexes, what it writes where others
// look.
func (f forms) of(r *pipeline.Record) []int64 {
	list := f.values(r, r.Values)
	if f.watches.Table == "" {
		return list
	}
	for _, text := range f.watches.Writes(r) {
		list = append(list, watched(text))
	}
	return list
}

// values are the forms of values in the place of a record's own.
func (f forms) values(r *pipeline.Record, values []column.Value) (list []int64) {
	t := f.targets[r.Target]
	if f.hasKey(r) {
		list = append(list, f.form(r.Target, 0, t.Key(), values))
	}
	for i, columns := range f.others[r.Target] {
		list = append(list, f.form(r.Target, i+1, columns, values))
	}
	return list
}

func watched(text string) int64 { return int64(xxhash.Sum64String("watched " + text)) }

func (f forms) form(target, index int, columns []int, values []column.Value) int64 {
	sum := xxhash.New()
	for _, c := range columns {
		text := pipeline.Coarse(values[c], f.targets[target].Routed(c))
		_, _ = fmt.Fprintf(sum, "%d %d %d:%s", target, index, len(text), text) // it never fails
	}
	return int64(sum.Sum64())
}

// id is what the versions of one row of a table share.
func (f forms) id(r *pipeline.Record, number int64) string {
	if !f.hasKey(r) {
		return "#" + strconv.FormatInt(number, 10)
	}
	text := ""
	if r.Target > 0 {
		text = strconv.Itoa(r.Target) + "!"
	}
	for _, k := range f.targets[r.Target].Key() {
		text += strconv.Itoa(len(r.Values[k].Text)) + ":" + r.Values[k].Text
	}
	if len(text) <= longestID {
		return text
	}
	return fmt.Sprintf("%s…%016x", text[:longestID/2], xxhash.Sum64String(text))
}

// longestID is what every database takes in an index.
const longestID = 500
