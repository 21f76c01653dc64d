package control

import (
	"fmt"
	"slices"
	"strings"

	"ingest/shared/column"
	"ingest/shared/destination"
	"ingest/shared/importer"
)

// mixed warns of pivot and nested rows that cannot tell which table of table_when they belong to: the first product and the
// first of the archived ones have the same id.
func (f *fit) mixed() {
	own := []string{f.d.Destination.Table}
	for _, choice := range f.d.TableWhen {
		if !slices.Contains(own, choice.Table) {
			own = append(own, choice.Table)
		}
	}
	if len(own) == 1 {
		return
	}
	warn := func(table string, path ...string) {
		f.warn(f.At(fmt.Sprintf("rows of %s that have the same key share their rows in '%s', and overwrite or remove them",
			"'"+strings.Join(own, "', '")+"'", table), path...), "an importer for each table, or keys that no two of the tables have")
	}
	for i, r := range f.d.Relations {
		if r.Many() && f.mixes(own, r.Pivot, func(pivot, table column.Table) (column.Column, column.Column, error) {
			column, _, refers, _, err := destination.PivotColumns(r, pivot, table, f.tables[r.Table])
			return column, refers, err
		}) {
			warn(r.Pivot, "relations", fmt.Sprint(i), "many", "pivot")
		}
	}
	for i, n := range f.d.Nested {
		if f.mixes(own, n.Table, func(nested, table column.Table) (column.Column, column.Column, error) {
			parent, _ := nested.Column(n.Parent)
			refers, err := destination.Referred(nested, n.Parent, table)
			return parent, refers, err
		}) {
			warn(n.Table, "nested", fmt.Sprint(i), "table")
		}
	}
}

// mixes says whether two of the tables have numbers as keys, which are in the same column of the joined table. What will be
// made has such a column, and such keys unless a field fills them.
func (f *fit) mixes(own []string, joined string, refer func(joined, table column.Table) (own, refers column.Column, err error)) bool {
	made := !slices.ContainsFunc(f.d.Fields, func(field importer.Field) bool { return strings.EqualFold(field.To, "id") })
	there, known := f.tables[joined]
	var columns []string
	for _, name := range own {
		table, described := f.tables[name]
		if !known || !described {
			if made {
				return true
			}
			continue
		}
		c, refers, err := refer(there, table)
		if err != nil || refers.Type.Kind != column.Integer {
			continue
		}
		if slices.Contains(columns, c.Name) {
			return true
		}
		columns = append(columns, c.Name)
	}
	return false
}
