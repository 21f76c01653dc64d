package pipeline

import (
	"slices"
	"strings"
	"time"

	"ingest/shared/column"
	"ingest/shared/expression"
	"ingest/shared/importer"
)

// Target is one table that rows go to: the columns there are values for, and what hangs on its rows.
type Target struct {
	// Table is what the catalog says.
	Table column.Table
	// Compare is the position in Columns of the time that update_if_newer compares, -1 without it; CompareOnly says that
	// it is there for nothing else.
	Compare     int
	CompareOnly bool
	// Belongs are columns whose values have to be looked up in other tables.
	Belongs []Belongs
	// Many are lists that become rows of pivot tables.
	Many []Many
	// Nested are lists that become rows of other tables.
	Nested []Nested

	fields   []field
	columns  []column.Column
	key      []int
	keyNames []string
}

// field is one destination column that there is a value for.
type field struct {
	origin
	cell     int
	source   string
	words    string
	required string
	// column is what the value is converted for: the destination's, or that of the related table which it is looked up by.
	column column.Column
	// zone is where times without one are.
	zone  *time.Location
	steps []transform
	// needed says that a row without a value fails.
	needed bool
	// validators judge what the transforms made of the cell.
	validators []validator
}

// Columns are the destination columns that there are values for, in field order, then those of relations. The result is
// shared: do not change it.
func (t *Target) Columns() []column.Column { return t.columns }

// Key are the positions in Columns of the key's columns, in key order; nil without a key. The result is shared.
func (t *Target) Key() []int { return t.key }

// KeyColumns are the names of the key's columns, in key order.
func (t *Target) KeyColumns() []string {
	names := make([]string, len(t.key))
	for i, k := range t.key {
		names[i] = t.columns[k].Name
	}
	return names
}

// Unindexed says that there is a key, and no unique index in the table that would keep rows of one key apart.
func (t *Target) Unindexed() bool {
	_, indexed := t.Table.UniqueOn(t.KeyColumns())
	return len(t.key) > 0 && !indexed
}

// Locks names the tables, each once and in order, in which nothing keeps rows of one key apart but that chunks write them
// one after the other.
func (p *Program) Locks() []string {
	var names []string
	for _, t := range p.targets {
		if name := qualified(t.Table); t.Unindexed() {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func qualified(t column.Table) string {
	if t.Schema == "" {
		return t.Name
	}
	return t.Schema + "." + t.Name
}

// KeyNames are the primary source names of the key, in key order, as Duplicate wants them. The result is shared.
func (t *Target) KeyNames() []string { return t.keyNames }

// Source is the primary source name of Columns()[i]: what validation messages are filed under.
func (t *Target) Source(i int) string { return t.fields[i].source }

// Words is the source name of Columns()[i] as messages say it.
func (t *Target) Words(i int) string { return t.fields[i].words }

// Routed is the column whose canonical texts tell values of Columns()[i] apart: the column itself, or the one of the
// related table that it is looked up by.
func (t *Target) Routed(i int) column.Column { return t.fields[i].column }

// building is what a program's targets are compiled with.
type building struct {
	program    *Program
	definition importer.Definition
	setting    Setting
	computing  *computing
	scope      scope
	// prefix is put before the source names of nested fields.
	prefix string
}

// targets compiles the destination's table and those of table_when.
func (b building) targets() error {
	d := b.definition
	main, err := b.target(d, b.setting.Table)
	if err != nil {
		return err
	}
	b.program.targets = []*Target{main}
	for _, choice := range d.TableWhen {
		condition, err := b.computing.compile(choice.When, "table_when for '"+choice.Table+"'", false, expression.Bool)
		if err != nil {
			return err
		}
		table, err := b.table(choice.Table)
		if err != nil {
			return err
		}
		other := d
		other.Destination.Table = choice.Table
		target, err := b.target(other, table)
		if err != nil {
			return err
		}
		b.program.choices, b.program.targets = append(b.program.choices, condition), append(b.program.targets, target)
	}
	return nil
}

func (b building) table(name string) (column.Table, error) {
	table, ok := b.setting.Tables[name]
	if !ok {
		return table, &Error{"The table '" + name + "' is not known."}
	}
	return table, nil
}

func (b building) target(d importer.Definition, table column.Table) (*Target, error) {
	if err := checkTargets(d, table); err != nil {
		return nil, err
	}
	if d.Destination.Timestamps {
		if err := checkStamps(table); err != nil {
			return nil, err
		}
	}
	t := &Target{Table: table, Compare: -1}
	for _, f := range d.Fields {
		if err := b.addField(t, f); err != nil {
			return nil, err
		}
	}
	if d.Unmapped == importer.UnmappedPass {
		b.pass(t, d)
	}
	for _, r := range d.Relations {
		if err := b.addRelation(t, r); err != nil {
			return nil, err
		}
	}
	if len(t.fields) == 0 {
		return nil, &Error{"None of the mapped columns were found in the source file headers."}
	}
	for _, n := range d.Nested {
		if err := b.addNested(t, n); err != nil {
			return nil, err
		}
	}
	if err := b.addCompare(t, d); err != nil {
		return nil, err
	}
	b.addKey(t, d)
	return t, nil
}

func (b building) addField(t *Target, f importer.Field) error {
	compiled, ok, err := b.field(f, t.Table)
	if ok && err == nil {
		t.add(compiled, compiled.column)
	}
	return err
}

func (t *Target) add(f field, into column.Column) {
	t.fields, t.columns = append(t.fields, f), append(t.columns, into)
}

// field compiles a field for a column of the table; false when the source lacks its column.
func (b building) field(f importer.Field, table column.Table) (compiled field, ok bool, err error) {
	c := b.computing
	cell, ok := c.names.field(f)
	if !ok {
		return compiled, false, nil
	}
	if at, ok := c.names.cell(f); ok {
		c.names.mapped[at] = true
	}
	target, _ := table.Column(f.To)
	compiled = b.filled(f.Source(), cell, target)
	if compiled.origin, err = c.origin(f); err != nil {
		return compiled, false, err
	}
	if compiled.steps, err = b.steps(f); err != nil {
		return compiled, false, err
	}
	for _, v := range f.Validate {
		judge, err := newValidator(v, b.scope)
		if err != nil {
			return compiled, false, &Error{"The field '" + f.Source() + "' cannot be validated: " + err.Error() + "."}
		}
		compiled.validators = append(compiled.validators, judge)
	}
	return compiled, true, nil
}

func (b building) steps(f importer.Field) (steps []transform, err error) {
	for _, t := range f.Transform {
		step, err := b.computing.step(t, f, b.scope)
		if err != nil {
			return nil, err
		}
		steps = append(steps, step)
	}
	return steps, nil
}

// filled is a field that fills a column from a cell.
func (b building) filled(source string, cell int, into column.Column) field {
	source, words := b.named(source)
	return field{
		cell: cell, source: source, words: words, column: into, zone: b.scope.location(),
		required: b.sentence(source, words, "required"),
	}
}

// named is what messages call a source column.
func (b building) named(name string) (source, words string) {
	source = b.prefix + name
	if b.prefix == "" || b.program.phrases.names(source) {
		return source, b.program.phrases.words(source)
	}
	return source, Words(name)
}

// sentence is the message of a rule for a column.
func (b building) sentence(source, words, rule string) string {
	return sentence(b.program.phrases.message(source, rule, lines[rule]), words)
}

// pass adds the columns of the header that no field maps and the table has, under the same name.
func (b building) pass(t *Target, d importer.Definition) {
	n := b.computing.names
	for i, name := range n.header {
		name = strings.TrimSpace(name)
		target, ok := t.Table.Column(name)
		taken := slices.ContainsFunc(d.Fields, func(f importer.Field) bool { return f.To == name }) ||
			slices.ContainsFunc(d.Relations, func(r importer.Relation) bool {
				at, ok := n.cell(importer.Field{From: r.From})
				return r.To == name || ok && at == i
			}) || slices.ContainsFunc(d.Nested, func(list importer.Nested) bool {
			at, ok := n.cell(importer.Field{From: list.From})
			return ok && at == i
		})
		if !ok || target.Generated || taken || n.mapped[i] || strings.HasPrefix(name, "_") {
			continue
		}
		at, _ := n.find(name)
		t.add(b.filled(name, at, target), target)
	}
}

// addCompare adds what update_if_newer compares: the field that fills the column from that source, or one that is only
// compared, made like the field of the same source.
func (b building) addCompare(t *Target, d importer.Definition) error {
	if d.Compare == nil {
		return nil
	}
	target, ok := t.Table.Column(d.Compare.Column)
	if !ok {
		return &Error{"The table '" + t.Table.Name + "' has no column '" + d.Compare.Column + "' (compare)."}
	}
	from := importer.Field{From: []string{d.Compare.Source}}
	if i := slices.IndexFunc(d.Fields, func(f importer.Field) bool {
		return f.Source() == d.Compare.Source || slices.Contains(f.From, d.Compare.Source)
	}); i >= 0 {
		from = d.Fields[i]
	}
	if from.To == d.Compare.Column {
		if i := slices.IndexFunc(t.columns, func(c column.Column) bool { return c.Name == from.To }); i >= 0 {
			t.Compare, t.fields[i].needed = i, true
			return nil
		}
	}
	from.To = d.Compare.Column
	compiled, ok, err := b.field(from, t.Table)
	if err != nil {
		return err
	}
	if !ok {
		return &Error{"The column '" + d.Compare.Source + "' (compare) was not found in the source file headers."}
	}
	compiled.needed = true
	t.Compare, t.CompareOnly = len(t.columns), true
	t.add(compiled, target)
	return nil
}

// addKey relies on checkHeader: every key column is mapped and present.
func (b building) addKey(t *Target, d importer.Definition) {
	for _, name := range d.Key {
		key, _ := d.KeyColumn(name)
		t.key = append(t.key, slices.IndexFunc(t.columns, func(c column.Column) bool { return c.Name == key.To }))
		t.keyNames = append(t.keyNames, key.Source)
	}
}
