package destination

import (
	"strconv"

	"pgregory.net/rapid"

	"ingest/shared/column"
	"ingest/shared/database"
	"ingest/shared/importer"
)

// extra is what a target can ask for beside its rows.
type extra struct {
	fixed, own bool
	// compare is the column that update_if_newer compares, only that the one that is there to be compared.
	compare string
	only    bool
}

func drawExtra(r *rapid.T, strategy importer.OnDuplicate, l layout) extra {
	x := extra{fixed: rapid.Bool().Draw(r, "fixed"), own: rapid.Bool().Draw(r, "own")}
	if strategy == importer.UpdateIfNewer {
		x.compare = rapid.SampledFrom([]string{"c", "n", "b"}).Draw(r, "compare")
		x.only = x.compare == "n" || rapid.Bool().Draw(r, "only")
	}
	return x
}

// on adds it to a target.
func (x extra) on(t fataler, tg Target) Target {
	named := func(name string) column.Column {
		c, ok := tg.Table.Column(name)
		if !ok {
			t.Fatal("no column", name)
		}
		return c
	}
	if x.fixed {
		tg.Fixed = []Fixed{
			{Column: named("s"), Value: column.Value{Text: "begun", State: column.Set}},
			{Column: named("e"), Value: column.Value{Text: "now", State: column.Set}, Update: true},
		}
	}
	if x.own {
		id := named("id")
		tg.Own = &id
	}
	for i, c := range tg.Columns {
		if c.Name == x.compare {
			tg.Compare = i
		}
	}
	if x.only {
		tg.Compare, tg.CompareOnly = len(tg.Columns), true
		tg.Columns = append(tg.Columns, named(x.compare))
	}
	return tg
}

// rows have a value to compare.
func (x extra) rows(r *rapid.T, tg Target, rows [][]column.Value) [][]column.Value {
	if x.compare == "" {
		return rows
	}
	for i := range rows {
		value := cell(r, tg.Columns[tg.Compare], strconv.Itoa(rapid.IntRange(1, 9).Draw(r, "newer")))
		if x.only {
			rows[i] = append(rows[i], value)
		} else {
			rows[i][tg.Compare] = value
		}
	}
	return rows
}

// told checks that exactly rows with effect have their own value, and that it is the one of the row with their key.
func (x extra) told(t fataler, db *database.DB, tg Target, got Result, row []column.Value) {
	effect := got.Outcome == Created || got.Outcome == Updated || got.Outcome == Unchanged
	if want := x.own && effect; want != (got.Own.State == column.Set) {
		t.Fatal("own value", got.Own, "of a row that is", got.Outcome)
	}
	if got.Own.State != column.Set || row[0].State == column.Absent {
		return
	}
	p, err := newPlan(db, tg)
	if err != nil {
		t.Fatal(err)
	}
	w, id, found := twin{plan: p, db: db}, *tg.Own, 0
	query := "SELECT count(*) FROM " + p.table + " WHERE " + w.same(id) + " AND " + w.same(tg.Columns[0])
	if err := db.QueryRow(t.Context(), query, w.arg(id, got.Own), w.arg(tg.Columns[0], row[0])).Scan(&found); err != nil || found != 1 {
		t.Fatal("own value", got.Own, "of row", row, ":", found, err)
	}
}
