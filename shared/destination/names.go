package destination

import (
	"fmt"
	"slices"
	"strings"

	"ingest/shared/column"
	"ingest/shared/importer"
)

// Referred returns which column of `to` the column `name` of a table refers to: what its foreign key says, else the
// primary key. The error is for people.
func Referred(table column.Table, name string, to column.Table) (column.Column, error) {
	for _, key := range table.Foreign {
		at := slices.Index(key.Columns, name)
		if at < 0 || at >= len(key.References) || !refersTo(key, to) {
			continue
		}
		if c, ok := to.Column(key.References[at]); ok {
			return c, nil
		}
	}
	for _, index := range to.Unique {
		if index.Primary && len(index.Columns) == 1 {
			if c, ok := to.Column(index.Columns[0]); ok {
				return c, nil
			}
		}
	}
	return column.Column{}, fmt.Errorf("the table '%s' has no primary key of one column, and no foreign key of '%s' in the table '%s' says which of its columns is meant",
		to.Name, name, table.Name)
}

// PivotColumns returns the columns of a pivot table that refer to the rows themselves, whose table is own, and to those of
// the related table, other, and the columns that they refer to: as the relation names them, else as the pivot's foreign
// keys say, else by the convention that a column is called after the table in the singular, product_id of products. The
// error is for people.
func PivotColumns(r importer.Relation, pivot, own, other column.Table) (ownColumn, otherColumn, ownRefers, otherRefers column.Column, err error) {
	ownColumn, err = pivotColumn(pivot, own, "own", r.Own, r.Other)
	if err == nil {
		otherColumn, err = pivotColumn(pivot, other, "other", r.Other, ownColumn.Name)
	}
	if err == nil {
		ownRefers, err = Referred(pivot, ownColumn.Name, own)
	}
	switch {
	case err != nil:
	case r.Key != "":
		var ok bool
		if otherRefers, ok = other.Column(r.Key); !ok {
			err = fmt.Errorf("the table '%s' has no column '%s'", other.Name, r.Key)
		}
	default:
		otherRefers, err = Referred(pivot, otherColumn.Name, other)
	}
	return ownColumn, otherColumn, ownRefers, otherRefers, err
}

// pivotColumn finds the column of a pivot table that refers to a table, which is none that is taken.
func pivotColumn(pivot, to column.Table, word, name, taken string) (column.Column, error) {
	if name != "" {
		c, ok := pivot.Column(name)
		if !ok {
			return c, fmt.Errorf("the table '%s' has no column '%s'", pivot.Name, name)
		}
		if name == taken {
			return c, fmt.Errorf("'own' and 'other' are both the column '%s' of the table '%s'", name, pivot.Name)
		}
		return c, nil
	}
	var candidates []string
	for _, key := range pivot.Foreign {
		if len(key.Columns) == 1 && key.Columns[0] != taken && refersTo(key, to) && !slices.Contains(candidates, key.Columns[0]) {
			candidates = append(candidates, key.Columns[0])
		}
	}
	conventional := singular(to.Name) + "_id"
	if len(candidates) != 1 {
		for _, c := range pivot.Columns {
			if strings.EqualFold(c.Name, conventional) && c.Name != taken && (len(candidates) == 0 || slices.Contains(candidates, c.Name)) {
				return c, nil
			}
		}
	}
	if len(candidates) == 1 {
		if c, ok := pivot.Column(candidates[0]); ok {
			return c, nil
		}
	}
	return column.Column{}, fmt.Errorf("which column of the table '%s' refers to '%s' is not clear: it has no single foreign key to it and no column '%s'; name it with '%s'",
		pivot.Name, to.Name, conventional, word)
}

func refersTo(key column.ForeignKey, to column.Table) bool {
	return key.Table == to.Name && key.Schema == to.Schema
}

// irregular are words whose singular does not follow from their ending.
var irregular = map[string]string{
	"people": "person", "children": "child", "men": "man", "women": "woman", "movies": "movie", "series": "series", "species": "species", "news": "news",
}

// singular is the name of one thing of a table: of its last word, which underscores separate from those before.
func singular(table string) string {
	start := strings.LastIndexByte(table, '_') + 1
	before, word := table[:start], table[start:]
	lower := strings.ToLower(word)
	if one, ok := irregular[lower]; ok {
		return before + one
	}
	ends := func(endings ...string) bool {
		return slices.ContainsFunc(endings, func(ending string) bool { return strings.HasSuffix(lower, ending) })
	}
	cut := func(n int) string { return before + word[:len(word)-n] }
	switch {
	case ends("ies") && len(word) > len("ties"):
		return cut(3) + "y"
	case ends("sses", "xes", "ches", "shes", "zzes", "tuses", "ruses", "buses"):
		return cut(2)
	case ends("s") && !ends("ss", "us", "is") && len(word) > 1:
		return cut(1)
	default:
		return table
	}
}
