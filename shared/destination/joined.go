package destination

import (
	"errors"
	"fmt"

	"ingest/shared/column"
	"ingest/shared/importer"
)

// children draws the tables of nested rows.
func (g *drawing) children(all []importer.Nested, owns []string) error {
	for _, n := range all {
		b, err := g.rows(n.Table, n.Fields)
		if err != nil {
			return err
		}
		if err := g.related(n.Relations, []*blueprint{b}); err != nil {
			return err
		}
		if b == nil {
			continue
		}
		parent := *g.known[owns[0]]
		key, err := g.referred(b.Table, n.Parent, parent)
		if err != nil {
			return err
		}
		g.refer(b, n.Parent, parent, key, len(owns) == 1)
		columns, err := keyColumns(n.Key, n.KeyColumn)
		if err != nil {
			return err
		}
		if len(columns) > 0 {
			b.unique(append([]string{n.Parent}, columns...)...)
		}
	}
	return nil
}

// errOwn names no table: no single one gives the column its name.
var errOwn = errors.New("with table_when the column of a made pivot table that refers to the row itself is called after none of the tables: name it with 'own'")

// pivots draws the tables that join rows with those that relations find.
func (g *drawing) pivots(relations []importer.Relation, owns []string) error {
	for _, r := range relations {
		if !r.Many() {
			continue
		}
		b := g.begin(r.Pivot)
		if b == nil {
			continue
		}
		if len(owns) > 1 && r.Own == "" {
			return errOwn
		}
		own, other := *g.known[owns[0]], *g.known[r.Table]
		names := []string{r.Own, r.Other}
		for i, to := range []column.Table{own, other} {
			if names[i] == "" {
				names[i] = singular(to.Name) + "_id"
			}
		}
		if names[0] == names[1] {
			return fmt.Errorf("both columns of the table '%s' would be called '%s': name them with 'own' and 'other'", b.Name, names[0])
		}
		ownKey, err := g.referred(b.Table, names[0], own)
		if err != nil {
			return err
		}
		otherKey, err := g.key(r, b.Table, names[1])
		if err != nil {
			return err
		}
		g.refer(b, names[0], own, ownKey, len(owns) == 1)
		g.refer(b, names[1], other, otherKey, true)
		b.unique(names...)
	}
	return nil
}

// refer adds a column for the key of another table, with a foreign key where the other table allows one. Rows that can be
// in several tables have none (foreign is false): it would fit one of the tables only.
func (g *drawing) refer(b *blueprint, name string, to column.Table, key column.Column, foreign bool) {
	g.put(b, column.Column{Name: name, Type: column.Type{Native: key.Type.Native}, Collation: key.Collation, NotNull: true})
	if _, ok := to.UniqueOn([]string{key.Name}); ok && foreign {
		b.Foreign = append(b.Foreign, column.ForeignKey{
			Columns: []string{name}, Schema: to.Schema, Table: to.Name, References: []string{key.Name},
		})
	}
}
