package control

import (
	"fmt"
	"slices"
	"strings"

	"ingest/shared/column"
	"ingest/shared/destination"
	"ingest/shared/importer"
)

// compareRelation looks at what a relation of a table needs of the others.
func (f *fit) compareRelation(r written, table column.Table, relation importer.Relation, position int) {
	at := []string{"relations", fmt.Sprint(position)}
	if r.parent != "" {
		at = append(slices.Clone(r.at[:2]), at...)
	}
	if relation.Many() {
		at = append(at, "many")
	}
	place := func(message, key string) importer.Problem { return f.At(message, append(slices.Clone(at), key)...) }

	related, known := f.tables[relation.Table]
	if known {
		f.compareRelated(relation, related, place)
	}
	if relation.Many() {
		f.comparePivot(relation, table, related, known, place)
		return
	}
	refers := column.Column{Type: column.Type{Native: "bigint"}}
	if known {
		var err error
		if refers, err = stored(relation, table, related); err != nil {
			f.problem(place(err.Error(), "key"), "")
			return
		}
	}
	c, ok := f.has(table, relation.To, referring(refers), place(lacks(table, relation.To), "to"))
	if ok && known && c.Type.Kind != refers.Type.Kind {
		f.warn(place(fmt.Sprintf("the column '%s' of the table '%s' is %s, but the column '%s' of '%s', whose value goes into it, is %s",
			c.Name, table.Name, c.Type.Native, refers.Name, related.Name, refers.Type.Native), "to"), "")
	}
}

// referring is the type of a column that refers to another: SQLite's integer has 64 bits, which a field's has not.
func referring(to column.Column) string {
	if to.Type.Kind == column.Integer && to.Type.Bits == 64 {
		return "bigint"
	}
	return to.Type.Native
}

// stored is the column of the related table whose value is stored.
func stored(relation importer.Relation, own, related column.Table) (column.Column, error) {
	if relation.Key == "" {
		return destination.Referred(own, relation.To, related)
	}
	if c, ok := related.Column(relation.Key); ok {
		return c, nil
	}
	return column.Column{}, fmt.Errorf("the table '%s' has no column '%s'", related.Name, relation.Key)
}

// compareRelated looks at the table that rows are looked for in.
func (f *fit) compareRelated(relation importer.Relation, related column.Table, place func(message, key string) importer.Problem) {
	if _, ok := related.Column(relation.Match); !ok {
		f.problem(place(lacks(related, relation.Match), "match"), destination.AddColumn(f.db, related, relation.Match, "text"))
		return
	}
	index := destination.MissingIndex(related, []string{relation.Match}, f.db.Quote)
	switch {
	case !relation.CreateIfMissing && index != nil:
		f.warn(place(fmt.Sprintf("the column '%s' of the table '%s' has no unique index: of several rows with a value the one with the least key is taken",
			relation.Match, related.Name), "match"), "")
	case relation.CreateIfMissing && index != nil:
		f.problem(place("create_if_missing: "+index.Error(), "match"), "")
	}
	if !relation.CreateIfMissing {
		return
	}
	if lacking := needed(related, append(f.stamps(), relation.Match)); len(lacking) > 0 {
		f.problem(place(fmt.Sprintf("create_if_missing cannot make rows of the table '%s': NOT NULL and without a default are %s",
			related.Name, strings.Join(lacking, ", ")), "table"), "give them defaults")
	}
}

func (f *fit) comparePivot(relation importer.Relation, own, related column.Table, known bool, place func(message, key string) importer.Problem) {
	pivot, there := f.tables[relation.Pivot]
	if !known || !there {
		return
	}
	ownColumn, otherColumn, _, _, err := destination.PivotColumns(relation, pivot, own, related)
	if err != nil {
		f.problem(place(err.Error(), "pivot"), "")
		return
	}
	pair := []string{ownColumn.Name, otherColumn.Name}
	if err := destination.MissingIndex(pivot, pair, f.db.Quote); err != nil {
		f.problem(place(err.Error(), "pivot"), "")
	}
	if lacking := needed(pivot, append(f.stamps(), pair...)); len(lacking) > 0 {
		f.problem(place(fmt.Sprintf("no row of the pivot table '%s' can be made: NOT NULL and without a default are %s",
			pivot.Name, strings.Join(lacking, ", ")), "pivot"), "give them defaults")
	}
}
