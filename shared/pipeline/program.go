// Package pipeline turns a row as read into the values of destination columns, or into the messages of a failed
// row.
//
// It is pure and deterministic: a Program depends on definition, header and table alone, so every worker gives
// every row the same outcome, and the splitter routes a row by the same key that the worker writes. A Program is
// compiled once per run; applying it to a good row allocates nothing but the texts that have to change.
package pipeline

import (
	"slices"
	"strings"
	"time"

	"ingest/shared/column"
	"ingest/shared/expression"
	"ingest/shared/importer"
	"ingest/shared/run"
)

// Program is a compiled importer for one header and one table. It is immutable and safe for concurrent use.
type Program struct {
	header int
	pad    bool
	// guarded says that the source is a file of failed rows, whose cells may have a ' before a formula.
	guarded bool
	// messageAt is where such a file says why its rows failed, -1 in others.
	messageAt int
	nulls     []string
	checks    []check
	phrases   *phrases
	fields    []field
	columns   []column.Column
	key       []int
	keyNames  []string
	warnings  []string

	// virtual are the columns from the address header on; reads are the cells expressions look at, slots how many
	// columns of both kinds; computes says whether there are expressions.
	virtual  []virtual
	reads    []read
	slots    int
	computes bool
	skip     *expression.Expression
	skipped  *Failure
}

// field is one destination column that there is a value for.
type field struct {
	origin
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

// Setting is what an importer meets in a run.
type Setting struct {
	// Header is the source's, as read.
	Header []string
	// Table is the destination's, Tables are the others that the definition names, by these names.
	Table  column.Table
	Tables map[string]column.Table
	// Started is when the run began, zero where that is not known.
	Started time.Time
}

// Met is the setting that a manifest has fixed.
func Met(m run.Manifest) Setting {
	return Setting{Header: m.Header, Table: m.Table, Tables: m.Tables, Started: m.Started}
}

// Compile makes the program. Every error is an *Error. Nothing of the arguments is kept that the caller could change.
func Compile(d importer.Definition, in Setting) (*Program, error) {
	header, table := in.Header, in.Table
	if err := checkTargets(d, table); err != nil {
		return nil, err
	}
	names, err := newNames(meant(header), d.Fields)
	if err != nil {
		return nil, err
	}
	p := &Program{
		header: len(header), pad: d.Format.ShortRows == "pad", guarded: guarded(header), messageAt: messageAt(header), nulls: slices.Clone(d.Format.Nulls),
	}
	if d.Format.Nulls == nil {
		p.nulls = []string{""}
	}
	p.skipped = &Failure{Skip: true}
	names.virtual = func(v virtual) int {
		p.virtual = append(p.virtual, v)
		return p.header + len(p.virtual) - 1
	}
	computing := newComputing(p, d, names, in.Started)
	if err := computing.assign(d.BeforeRow); err != nil {
		return nil, err
	}
	if d.SkipWhen != "" {
		if p.skip, err = computing.compile(d.SkipWhen, "skip_when", false, expression.Bool); err != nil {
			return nil, err
		}
	}
	if err := checkHeader(d, names); err != nil {
		return nil, err
	}
	p.phrases = newPhrases(d, names)
	s := scope{names: names, phrases: p.phrases}
	for _, f := range d.Fields {
		if err := p.addField(f, computing, s, table); err != nil {
			return nil, err
		}
	}
	if d.Unmapped == importer.UnmappedPass {
		p.pass(d, names, table)
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
	if d.StrictHeaders && len(names.missing) > 0 {
		return nil, strictly(names.missing[0])
	}
	p.warnings = names.warnings()
	return p, nil
}

func (p *Program) addField(f importer.Field, c *computing, s scope, table column.Table) (err error) {
	cell, ok := c.names.field(f)
	if !ok {
		return nil
	}
	if at, ok := c.names.cell(f); ok {
		c.names.mapped[at] = true
	}
	compiled := p.filled(f.Source(), f.To, cell, table)
	if compiled.origin, err = c.origin(f); err != nil {
		return err
	}
	for _, t := range f.Transform {
		step, err := c.step(t, f, s)
		if err != nil {
			return err
		}
		compiled.steps = append(compiled.steps, step)
	}
	for _, v := range f.Validate {
		judge, err := newValidator(v)
		if err != nil {
			return &Error{"The field '" + f.Source() + "' cannot be validated: " + err.Error() + "."}
		}
		compiled.validators = append(compiled.validators, judge)
	}
	p.fields = append(p.fields, compiled)
	return nil
}

// filled is a field that fills a column from a cell; the column is the program's from here on.
func (p *Program) filled(source, to string, cell int, table column.Table) field {
	target, _ := table.Column(to)
	p.columns = append(p.columns, target)
	words := p.phrases.words(source)
	return field{
		cell: cell, source: source, words: words, column: target,
		required: sentence(p.phrases.message(source, "required", lines["required"]), words),
	}
}

// pass adds the columns of the header that no field maps and the table has, under the same name.
func (p *Program) pass(d importer.Definition, n *names, table column.Table) {
	for i, name := range n.header {
		name = strings.TrimSpace(name)
		target, ok := table.Column(name)
		taken := slices.ContainsFunc(d.Fields, func(f importer.Field) bool { return f.To == name })
		if !ok || target.Generated || taken || n.mapped[i] || strings.HasPrefix(name, "_") {
			continue
		}
		at, _ := n.find(name)
		p.fields = append(p.fields, p.filled(name, name, at, table))
	}
}

// addKey relies on checkHeader: every key column is mapped and present.
func (p *Program) addKey(d importer.Definition) {
	for _, name := range d.Key {
		key, _ := d.KeyColumn(name)
		p.key = append(p.key, slices.IndexFunc(p.columns, func(c column.Column) bool { return c.Name == key.To }))
		p.keyNames = append(p.keyNames, key.Source)
	}
}

// Warnings are what the run should tell once: header cells without a name, columns that nothing reads.
func (p *Program) Warnings() []string { return slices.Clone(p.warnings) }

// Columns are the destination columns that there are values for, in field order. The result is
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
