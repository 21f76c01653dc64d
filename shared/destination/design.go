package destination

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"ingest/shared/column"
	"ingest/shared/database"
	"ingest/shared/importer"
)

// drawing collects the tables that a definition needs.
type drawing struct {
	dialect    database.Dialect
	timestamps bool
	// known are the tables there will be, by the name that the definition has for them.
	known   map[string]*column.Table
	missing []*blueprint
}

// catalog says what a table is like, as database.DB does.
type catalog interface {
	Table(ctx context.Context, name string) (column.Table, error)
}

// Unclear is why nobody can say what the missing tables of a definition would have to be like, for people. Trying again
// does not help.
type Unclear struct{ err error }

func (u *Unclear) Error() string { return u.err.Error() }

func (u *Unclear) Unwrap() error { return u.err }

// design returns the tables of a definition that are missing, parents first. The error is an *Unclear, or the catalog could
// not be read.
//
// They are looked up in tables: a database, or a transaction in it.
func design(ctx context.Context, dialect database.Dialect, tables catalog, d importer.Definition) ([]*blueprint, error) {
	g := &drawing{dialect: dialect, timestamps: d.Destination.Timestamps, known: map[string]*column.Table{}}
	own := []string{d.Destination.Table}
	for _, choice := range d.TableWhen {
		if !slices.Contains(own, choice.Table) {
			own = append(own, choice.Table)
		}
	}
	if err := g.describe(ctx, tables, append(others(d.Relations, d.Nested), own...)); err != nil {
		return nil, err
	}
	if err := g.draw(d, own); err != nil {
		return nil, &Unclear{err}
	}
	return g.missing, nil
}

// draw draws what is missing; own are the tables of the rows themselves.
func (g *drawing) draw(d importer.Definition, own []string) error {
	for _, draw := range []func() error{
		func() error { return g.mains(own, d) },
		func() error { return g.children(d.Nested, own) },
		func() error { return g.pivots(d.Relations, own) },
	} {
		if err := draw(); err != nil {
			return err
		}
	}
	for _, nested := range d.Nested {
		if err := g.pivots(nested.Relations, []string{nested.Table}); err != nil {
			return err
		}
	}
	return g.stamp()
}

// others are the tables beside the destination's.
func others(relations []importer.Relation, nested []importer.Nested) (names []string) {
	for _, r := range relations {
		names = append(names, r.Table)
		if r.Many() {
			names = append(names, r.Pivot)
		}
	}
	for _, n := range nested {
		names = append(append(names, n.Table), others(n.Relations, nil)...)
	}
	return names
}

// describe reads which tables there are.
func (g *drawing) describe(ctx context.Context, tables catalog, names []string) error {
	for _, name := range names {
		table, err := tables.Table(ctx, name)
		if errors.Is(err, database.ErrNoTable) {
			continue
		}
		if err != nil {
			return err
		}
		g.known[name] = &table
	}
	return nil
}

// begin returns the blueprint of a table, nil if it is known already.
func (g *drawing) begin(name string) *blueprint {
	if g.known[name] != nil {
		return nil
	}
	b := &blueprint{Table: column.Table{Name: name}}
	if schema, bare, found := strings.Cut(name, "."); found && schema != "" && bare != "" {
		b.Schema, b.Name = schema, bare
	}
	g.known[name], g.missing = &b.Table, append(g.missing, b)
	return b
}

// drawn is the blueprint of a table, nil for one that exists.
func (g *drawing) drawn(name string) *blueprint {
	for _, b := range g.missing {
		if g.known[name] == &b.Table {
			return b
		}
	}
	return nil
}

// add adds a column of one of the types that fields have, unless there is one of its name.
func (g *drawing) add(b *blueprint, name, fieldType string) error {
	native, err := nativeType(g.dialect, fieldType)
	if err != nil {
		return fmt.Errorf("field '%s': %w", name, err)
	}
	g.put(b, column.Column{Name: name, Type: column.Type{Native: native}})
	return nil
}

// put adds a column unless there is one of its name.
func (g *drawing) put(b *blueprint, c column.Column) {
	if !slices.ContainsFunc(b.Columns, func(known column.Column) bool {
		return known.Name == c.Name || g.dialect != database.Postgres && strings.EqualFold(known.Name, c.Name)
	}) {
		b.Columns = append(b.Columns, c)
	}
}

// stamp adds the timestamps to every table.
func (g *drawing) stamp() error {
	for _, b := range g.missing {
		for _, name := range []string{"created_at", "updated_at"} {
			if !g.timestamps {
				return nil
			}
			if err := g.add(b, name, "datetime"); err != nil {
				return err
			}
		}
	}
	return nil
}

// primary adds a primary key of numbers.
func (g *drawing) primary(b *blueprint, name string) error {
	b.Unique = append(b.Unique, column.Index{Columns: []string{name}, Primary: true})
	return g.add(b, name, "bigint")
}

// mains draws the tables of the rows themselves, and those that their relations look into.
func (g *drawing) mains(own []string, d importer.Definition) error {
	drawn := make([]*blueprint, len(own))
	for i, name := range own {
		var err error
		if drawn[i], err = g.rows(name, d.Fields); err != nil {
			return err
		}
	}
	key, err := keyColumns(d.Key, d.KeyColumn)
	if err != nil {
		return err
	}
	for _, b := range drawn {
		if b != nil && len(key) > 0 && !d.Destination.NoUniqueIndex {
			b.unique(key...)
		}
	}
	return g.related(d.Relations, drawn)
}

// rows draws a table for fields; nil if it exists.
func (g *drawing) rows(name string, fields []importer.Field) (*blueprint, error) {
	b := g.begin(name)
	if b == nil {
		return nil, nil //nolint:nilnil // there is nothing to make
	}
	if !slices.ContainsFunc(fields, func(f importer.Field) bool { return strings.EqualFold(f.To, "id") }) {
		b.identity = "id"
		if err := g.primary(b, "id"); err != nil {
			return nil, err
		}
	}
	for _, field := range fields {
		if err := g.add(b, field.To, field.Type); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// keyColumns are the columns of a key, as the definition finds them.
func keyColumns(key []string, find func(name string) (importer.KeyColumn, bool)) ([]string, error) {
	var columns []string
	for _, name := range key {
		found, ok := find(name)
		if !ok {
			return nil, fmt.Errorf("the key column '%s' is not mapped by any field", name)
		}
		columns = append(columns, found.To)
	}
	return columns, nil
}

// related draws the tables that relations look into, and the columns that they fill.
func (g *drawing) related(relations []importer.Relation, owns []*blueprint) error {
	for _, r := range relations {
		if err := g.lookedInto(r); err != nil {
			return err
		}
		for _, own := range owns {
			if own == nil || r.Many() {
				continue
			}
			key, err := g.key(r, own.Table, r.To)
			if err != nil {
				return err
			}
			g.put(own, column.Column{Name: r.To, Type: column.Type{Native: key.Type.Native}, Collation: key.Collation})
		}
	}
	return nil
}

// lookedInto draws a related table. One that is drawn already for another relation gets what this one matches.
func (g *drawing) lookedInto(r importer.Relation) error {
	b := g.begin(r.Table)
	if b == nil {
		if b = g.drawn(r.Table); b == nil || !b.related {
			return nil
		}
	} else {
		b.related = true
		key := r.Key
		if key == "" || key == r.Match {
			key = "id"
		}
		if key != r.Match { // the database must not make up what is matched
			b.identity = key
		}
		if err := g.primary(b, key); err != nil {
			return err
		}
	}
	b.unique(r.Match)
	return g.add(b, r.Match, "text")
}

// key is the column of the related table whose value a relation stores in a column of a table.
func (g *drawing) key(r importer.Relation, table column.Table, name string) (column.Column, error) {
	to := *g.known[r.Table]
	if r.Key == "" {
		return g.referred(table, name, to)
	}
	c, ok := to.Column(r.Key)
	if !ok {
		return c, fmt.Errorf("the table '%s' has no column '%s'", to.Name, r.Key)
	}
	return c, nil
}

// referred is Referred, where the id that fields fill in a table that is drawn is as good as a primary key.
func (g *drawing) referred(table column.Table, name string, to column.Table) (column.Column, error) {
	c, err := Referred(table, name, to)
	if err != nil && slices.ContainsFunc(g.missing, func(b *blueprint) bool { return b.Schema == to.Schema && b.Name == to.Name }) {
		if id, ok := to.Column("id"); ok {
			if _, ok := to.UniqueOn([]string{"id"}); ok {
				return id, nil
			}
		}
	}
	return c, err
}
