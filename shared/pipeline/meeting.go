package pipeline

import (
	"fmt"
	"slices"
	"strings"

	"ingest/shared/column"
	"ingest/shared/importer"
)

// Meeting says how rows with different keys can meet: then one partition has to keep their order.
type Meeting struct {
	// Reason is for people: "rows with different keys can meet in …". Empty means that they cannot.
	Reason string
	// Blind says that nobody can tell from the values of two rows whether they meet.
	Blind bool
	// Watches are what rows read of what others write.
	Watches *Watches
}

// Meeting says how rows can meet in the tables that the definition names, which the catalog describes.
func (p *Program) Meeting(d importer.Definition, tables map[string]column.Table) Meeting {
	m := Meeting{Watches: p.Watches(d, tables)}
	for _, t := range p.targets {
		m.inTarget(t)
		for _, n := range t.Nested {
			m.inTable(n.Target.Table, n.Definition.Parent, n.Target.columns)
			m.throughRelations(n.Target, tables)
		}
		m.throughRelations(t, tables)
	}
	if m.Watches.Table != "" {
		m.add(m.Watches.Blind, "a rule or a relation reads the table %s, which the run writes", m.Watches.Table)
	}
	if m.Watches.Twice != "" {
		m.add(true, "several parts of a row write the table %s", m.Watches.Twice)
	}
	if t, other := p.referring(); t != nil {
		m.add(true, "the tables %s and %s refer to each other", t.Table.Name, other.Table.Name)
	}
	return m
}

// refers says whether a row of one table can need or be a row of the other.
func (t *Target) refers(other *Target) bool {
	same := func(schema, name string) bool { return schema == other.Table.Schema && name == other.Table.Name }
	return same(t.Table.Schema, t.Table.Name) ||
		slices.ContainsFunc(t.Table.Foreign, func(key column.ForeignKey) bool { return same(key.Schema, key.Table) })
}

// Refer says whether targets refer to each other: then the order of rows counts between them, too.
func (p *Program) Refer() bool {
	t, _ := p.referring()
	return t != nil
}

// referring are the first two targets that refer to each other, nil if none do.
func (p *Program) referring() (t, other *Target) {
	for i, t := range p.targets {
		for _, other := range p.targets[i+1:] {
			if t.refers(other) || other.refers(t) {
				return t, other
			}
		}
	}
	return nil, nil
}

func (m *Meeting) add(blind bool, format string, args ...any) {
	if m.Reason == "" {
		m.Reason = fmt.Sprintf(format, args...)
	}
	m.Blind = m.Blind || blind
}

const canMeet = "rows with different keys can meet in "

func (m *Meeting) inTarget(t *Target) {
	if len(t.Table.Meets) > 0 {
		m.add(true, canMeet+"%s", strings.Join(t.Table.Meets, ", "))
	}
	key := t.KeyColumns()
	for _, i := range t.key {
		if routed := t.Routed(i); routed.Fold == column.FoldUnknown {
			m.add(false, "the collation of column %s may hold different keys equal", routed.Name)
		}
		if b, ok := t.lookedUp(i); ok && !b.distinct() {
			m.add(true, "rows of the table %s can have the same %s", b.Related.Name, b.Relation.Key)
		}
	}
	for _, index := range t.Table.Unique {
		if len(key) > 0 && covers(index, key) {
			continue // rows that differ in the key differ in the index, too
		}
		// Of several rows with one key nobody reads what all of them give up.
		blind, meets := t.Unindexed() || slices.ContainsFunc(t.key, t.looksUp), false
		for i, c := range t.columns {
			if slices.Contains(index.Columns, c.Name) {
				meets, blind = true, blind || t.looksUp(i)
			}
		}
		if meets {
			m.add(blind, canMeet+"the unique index %s", index.Name)
		}
	}
	if t.Unindexed() {
		m.add(false, "the key has no unique index in the table %s", t.Table.Name)
	}
}

// inTable looks at a table whose rows belong to one row of a target by a column.
func (m *Meeting) inTable(table column.Table, owner string, written []column.Column) {
	if len(table.Meets) > 0 {
		m.add(true, canMeet+"%s of %s", strings.Join(table.Meets, ", "), table.Name)
	}
	for _, index := range table.Unique {
		if !slices.Contains(index.Columns, owner) && slices.ContainsFunc(written, func(c column.Column) bool {
			return slices.Contains(index.Columns, c.Name)
		}) {
			m.add(true, canMeet+"the unique index %s of %s", index.Name, table.Name)
		}
	}
}

func (m *Meeting) throughRelations(t *Target, tables map[string]column.Table) {
	for _, b := range t.Belongs {
		if b.Relation.CreateIfMissing && len(b.Related.Meets) > 0 {
			m.add(true, canMeet+"%s of %s", strings.Join(b.Related.Meets, ", "), b.Related.Name)
		}
	}
	for _, many := range t.Many {
		if many.Relation.CreateIfMissing && len(many.Related.Meets) > 0 {
			m.add(true, canMeet+"%s of %s", strings.Join(many.Related.Meets, ", "), many.Related.Name)
		}
		// Which column refers to whom is the destination's to find out: an index over both, or over a key of the pivot's own,
		// keeps rows apart whatever it is.
		through := tables[many.Relation.Pivot]
		if len(through.Meets) > 0 {
			m.add(true, canMeet+"%s of %s", strings.Join(through.Meets, ", "), through.Name)
		}
		for _, index := range through.Unique {
			filled := !slices.ContainsFunc(index.Columns, func(name string) bool {
				c, _ := through.Column(name)
				return !c.Default
			})
			if len(index.Columns) < 2 && !filled {
				m.add(true, canMeet+"the unique index %s of %s", index.Name, through.Name)
			}
		}
	}
}

func covers(index column.Index, key []string) bool {
	return !slices.ContainsFunc(key, func(name string) bool { return !slices.Contains(index.Columns, name) })
}
