package control

import (
	"fmt"
	"slices"
	"strings"

	"ingest/shared/column"
	"ingest/shared/destination"
	"ingest/shared/importer"
	"ingest/shared/records"
)

// written is what is written into a table, and where the definition says it.
type written struct {
	table     string
	at        []string
	fields    []importer.Field
	relations []importer.Relation
	key       []string
	keyAt     []string
	// nested rows have the column of their parent.
	parent string
}

// compare looks at every table that there is.
func (f *fit) compare() {
	own := written{
		table: f.d.Destination.Table, at: []string{"destination", "table"}, fields: f.d.Fields, relations: f.d.Relations,
		key: keyTargets(f.d), keyAt: []string{"key"},
	}
	f.compareRows(own)
	for i, choice := range f.d.TableWhen {
		own.table, own.at = choice.Table, []string{"table_when", fmt.Sprint(i), "table"}
		f.compareRows(own)
	}
	for i, n := range f.d.Nested {
		f.compareNested(n, fmt.Sprint(i))
	}
	for _, rules := range f.d.Rules {
		for _, r := range rules.Rules {
			if r.Table() != "" {
				f.compareRule(rules.Column, r.Args)
			}
		}
	}
}

func (f *fit) compareRows(r written) {
	table, known := f.tables[r.table]
	if !known {
		return
	}
	for _, field := range r.fields {
		f.compareField(r, table, field)
	}
	for i, relation := range r.relations {
		f.compareRelation(r, table, relation, i)
	}
	for _, name := range f.stamps() {
		f.has(table, name, "datetime", f.At(lacks(table, name), "destination", "timestamps"))
	}
	if c := f.d.Compare; c != nil && r.parent == "" {
		f.has(table, c.Column, "datetime", f.At(lacks(table, c.Column), "compare", "column"))
	}
	if m := f.d.Missing; m != nil && r.parent == "" {
		for _, s := range m.Set {
			if _, err := records.Setting(table, s, f.d.Timezone); err != nil {
				f.problem(f.At(err.Error(), "missing", "set", s.Column), "")
			}
		}
	}
	f.unfilled(r, table)
	missing := destination.MissingKeyIndex(f.d.Destination, table, r.key, f.db.Quote)
	if r.parent != "" {
		missing = destination.MissingIndex(table, r.key, f.db.Quote)
	}
	if missing != nil {
		f.problem(f.At(missing.Error(), r.keyAt...), "")
	}
}

func (f *fit) compareNested(n importer.Nested, position string) {
	at := []string{"nested", position}
	r := written{
		table: n.Table, at: append(at, "table"), fields: n.Fields, relations: n.Relations, parent: n.Parent,
		keyAt: []string{"nested", position, "key"},
	}
	for _, name := range n.Key {
		if key, ok := n.KeyColumn(name); ok {
			r.key = append(r.key, key.To)
		}
	}
	if len(r.key) > 0 {
		r.key = append([]string{n.Parent}, r.key...)
	}
	if table, known := f.tables[n.Table]; known {
		parent := f.At(lacks(table, n.Parent), "nested", position, "parent")
		if main, known := f.tables[f.d.Destination.Table]; known {
			referred, err := destination.Referred(table, n.Parent, main)
			if err != nil {
				parent.Message = err.Error()
				f.problem(parent, "")
			} else {
				f.has(table, n.Parent, referring(referred), parent)
			}
		}
	}
	f.compareRows(r)
}

func lacks(table column.Table, name string) string {
	return fmt.Sprintf("the table '%s' has no column '%s'", table.Name, name)
}

// has says whether a table has a column that can be written; the problem is told with the statement that helps.
func (f *fit) has(table column.Table, name, fieldType string, at importer.Problem) (column.Column, bool) {
	c, ok := table.Column(name)
	switch {
	case !ok:
		f.problem(at, destination.AddColumn(f.db, table, name, fieldType))
	case c.Generated:
		at.Message = fmt.Sprintf("the column '%s' of the table '%s' is generated and cannot be written", name, table.Name)
		f.problem(at, "")
	}
	return c, ok && !c.Generated
}

// place is where a field of these rows has a key.
func (f *fit) place(r written, message, to, key string) importer.Problem {
	if r.parent == "" {
		return f.AtField(message, to, key)
	}
	return f.At(message, append(slices.Clone(r.at[:2]), "fields", to, key)...)
}

func (f *fit) compareField(r written, table column.Table, field importer.Field) {
	c, ok := f.has(table, field.To, field.Type, f.place(r, lacks(table, field.To), field.To, "to"))
	if !ok || field.Type == "" {
		return
	}
	wanted, err := importer.ColumnType(field.Type)
	if err != nil {
		return
	}
	if doubt := differs(wanted, c.Type); doubt != "" {
		f.warn(f.place(r, fmt.Sprintf("the field's type is %s, the column '%s' of the table '%s' is %s: %s",
			field.Type, field.To, table.Name, strings.ToLower(c.Type.Native), doubt), field.To, "type"), "the column decides what a value must be")
	}
}

// differs says what a column does otherwise than the type that a field wants, empty when nothing.
func differs(wanted, is column.Type) string {
	switch {
	case is.Kind == column.Other:
		return ""
	case wanted.Kind != is.Kind:
		return "values are those of the column"
	case wanted.Kind == column.Integer && is.Bits < wanted.Bits:
		return "it has room for smaller numbers only"
	case wanted.Kind == column.Decimal && is.Precision > 0 && wanted.Precision > 0 && is.Scale < wanted.Scale:
		return "it rounds to fewer decimal places"
	case wanted.Kind == column.Decimal && is.Precision > 0 && is.Precision-is.Scale < wanted.Precision-wanted.Scale:
		return "it has room for smaller numbers only"
	default:
		return ""
	}
}

// stamps are the columns that the engine fills by itself.
func (f *fit) stamps() []string {
	if !f.d.Destination.Timestamps {
		return nil
	}
	return []string{"created_at", "updated_at"}
}

// unfilled finds the columns without which no row can be made.
func (f *fit) unfilled(r written, table column.Table) {
	filled := append(f.stamps(), r.parent)
	for _, field := range r.fields {
		filled = append(filled, field.To)
	}
	for _, relation := range r.relations {
		filled = append(filled, relation.To)
	}
	for _, name := range needed(table, filled) {
		p := f.At(fmt.Sprintf("the column '%s' of the table '%s' is NOT NULL and has no default, and nothing fills it", name, table.Name), r.at...)
		if f.d.Unmapped == importer.UnmappedPass && r.parent == "" {
			f.warn(p, "a source that has a column of this name passes it")
			continue
		}
		f.problem(p, "fill it by a field, or give it a default")
	}
}

// needed are the columns of a table that have to be filled, but for those that are.
func needed(table column.Table, filled []string) (names []string) {
	for _, c := range table.Columns {
		if c.NotNull && !c.Default && !c.Generated && !slices.Contains(filled, c.Name) {
			names = append(names, c.Name)
		}
	}
	return names
}

func (f *fit) compareRule(source string, args []string) {
	table, known := f.tables[args[0]]
	if !known {
		return
	}
	name := source
	if len(args) > 1 && args[1] != "" {
		name = args[1]
	}
	names := []string{name}
	if len(args) > 2 {
		id := "id"
		if len(args) > 3 {
			id = args[3]
		}
		names = append(names, id)
	}
	for _, name := range names {
		if _, ok := table.Column(name); !ok {
			f.problem(f.At(lacks(table, name), "rules", source), "a rule that asks the table names it: exists:TABLE,COLUMN")
		}
	}
}
