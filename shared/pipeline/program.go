// Package pipeline turns a row as read into the values of destination columns, or into the messages of a failed
// row.
//
// It is pure and deterministic: a Program depends on definition, header and table alone, so every worker gives
// every row the same outcome, and the splitter routes a row by the same key that the worker writes. A Program is
// compiled once per run; applying it to a good row allocates nothing but the texts that have to change.
package pipeline

import (
	"slices"

	"ingest/shared/column"
	"ingest/shared/importer"
)

// Program is a compiled importer for one header and one table. It is immutable and safe for concurrent use.
type Program struct {
	header int
	pad    bool
	// guarded says that the source is a file of failed rows, whose cells may have a ' before a formula.
	guarded  bool
	nulls    []string
	checks   []check
	phrases  *phrases
	fields   []field
	columns  []column.Column
	key      []int
	keyNames []string
	warnings []string
}

// field is one destination column that the source has a column for.
type field struct {
	cell     int
	source   string
	words    string
	required string
	column   column.Column
	steps    []transform
	// validators judge what the transforms made of the cell.
	validators []validator
}

// Error is why an importer cannot be applied to a source. Its message is for people.
type Error struct{ Message string }

// Error returns the message.
func (e *Error) Error() string { return e.Message }

// Compile makes the program. The header is the source's, as read; the table is the destination's. Every error is
// an *Error. Nothing of the arguments is kept that the caller could change.
func Compile(d importer.Definition, header []string, table column.Table) (*Program, error) {
	if err := checkTargets(d, table); err != nil {
		return nil, err
	}
	names, err := newNames(meant(header), d.Fields)
	if err != nil {
		return nil, err
	}
	p := &Program{
		header: len(header), pad: d.Format.ShortRows == "pad", guarded: guarded(header), nulls: slices.Clone(d.Format.Nulls),
	}
	if d.Format.Nulls == nil {
		p.nulls = []string{""}
	}
	if err := checkHeader(d, names); err != nil {
		return nil, err
	}
	p.phrases = newPhrases(d, names)
	s := scope{names: names, phrases: p.phrases}
	for _, f := range d.Fields {
		if err := p.addField(f, s, table); err != nil {
			return nil, err
		}
	}
	if len(p.fields) == 0 {
		return nil, &Error{"None of the mapped columns were found in the source file headers."}
	}
	p.addKey(d)
	for _, rules := range d.Rules {
		check, err := newCheck(rules, s)
		if err != nil {
			return nil, err
		}
		p.checks = append(p.checks, check)
	}
	p.warnings = names.warnings()
	return p, nil
}

func (p *Program) addField(f importer.Field, s scope, table column.Table) error {
	cell, ok := s.names.field(f)
	if !ok {
		return nil
	}
	target, _ := table.Column(f.To)
	source := f.From[0]
	words := p.phrases.words(source)
	compiled := field{
		cell: cell, source: source, words: words, column: target,
		required: sentence(p.phrases.message(source, "required", lines["required"]), words),
	}
	for _, t := range f.Transform {
		step, err := newTransform(t, s)
		if err != nil {
			return untransformable(f, err)
		}
		compiled.steps = append(compiled.steps, step)
	}
	for _, v := range f.Validate {
		judge, err := newValidator(v)
		if err != nil {
			return &Error{"The field '" + source + "' cannot be validated: " + err.Error() + "."}
		}
		compiled.validators = append(compiled.validators, judge)
	}
	p.fields = append(p.fields, compiled)
	p.columns = append(p.columns, target)
	return nil
}

// addKey relies on checkHeader: every key column is mapped and present.
func (p *Program) addKey(d importer.Definition) {
	for _, name := range d.Key {
		f, _ := d.KeyField(name)
		p.key = append(p.key, slices.IndexFunc(p.columns, func(c column.Column) bool { return c.Name == f.To }))
		p.keyNames = append(p.keyNames, f.From[0])
	}
}

// Warnings are what the run should tell once: header cells without a name, columns that nothing reads.
func (p *Program) Warnings() []string { return slices.Clone(p.warnings) }

// Columns are the destination columns that are mapped and present in the header, in field order. The result is
// shared: do not change it.
func (p *Program) Columns() []column.Column { return p.columns }

// Key are the positions in Columns of the key's columns, in key order; nil without a key. The result is shared.
func (p *Program) Key() []int { return p.key }

// KeyNames are the primary source names of the key, in key order, as Duplicate wants them. The result is shared.
func (p *Program) KeyNames() []string { return p.keyNames }

// Source is the primary source name of Columns()[i]: what validation messages are filed under.
func (p *Program) Source(i int) string { return p.fields[i].source }

// Words is the source name of Columns()[i] as messages say it.
func (p *Program) Words(i int) string { return p.fields[i].words }
