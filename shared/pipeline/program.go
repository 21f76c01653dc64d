// Package pipeline turns a row as read into the values of destination columns, or into the messages of a failed
// row.
//
// It is pure and deterministic: a Program depends on definition, header and table alone, so every worker gives
// every row the same outcome, and the splitter routes a row by the same key that the worker writes. A Program is
// compiled once per run; applying it to a good row allocates nothing but the texts that have to change.
package pipeline

import (
	"slices"
	"time"

	"ingest/shared/column"
	"ingest/shared/expression"
	"ingest/shared/extend"
	"ingest/shared/importer"
	"ingest/shared/run"
)

// Program is a compiled importer for one header and its tables. It is immutable and safe for concurrent use.
type Program struct {
	header int
	pad    bool
	// guarded says that the source is a file of failed rows, whose cells may have a ' before a formula.
	guarded bool
	// messageAt is where such a file says why its rows failed, -1 in others.
	messageAt int
	nulls     []string
	checks    []check
	lookups   []Lookup
	phrases   *phrases
	// targets are the tables rows go to: the destination's, then one for each of choices.
	targets []*Target
	choices []*expression.Expression
	// stamp is when the run began, where its rows are stamped with it; empty otherwise.
	stamp    string
	warnings []string

	// virtual are the columns from the address header on; reads are the cells expressions look at, slots how many
	// columns of both kinds; computes says whether there are expressions.
	virtual  []virtual
	nothing  computed
	reads    []read
	slots    int
	computes bool
	skip     *expression.Expression
	skipped  *Failure
}

// Error is why an importer cannot be applied to a source. Its message is for people.
type Error struct{ Message string }

// Error returns the message.
func (e *Error) Error() string { return e.Message }

// Setting is what an importer meets in a run.
type Setting struct {
	// Header is the source's, as read.
	Header []string
	// Table is the destination's, Tables are all that the definition names, by these names.
	Table  column.Table
	Tables map[string]column.Table
	// Started is when the run began, zero where that is not known.
	Started time.Time
	// Extensions are the program's.
	Extensions extend.Extensions
}

// Met is the setting that a manifest has fixed, in a program with these extensions.
func Met(m run.Manifest, x extend.Extensions) Setting {
	return Setting{Header: m.Header, Table: m.Table, Tables: m.Tables, Started: m.Started, Extensions: x}
}

// Compile makes the program. Every error is an *Error. Nothing of the arguments is kept that the caller could change.
func Compile(d importer.Definition, in Setting) (*Program, error) {
	names, err := newNames(meant(in.Header), sources(d))
	if err != nil {
		return nil, err
	}
	names.extensions = in.Extensions
	p := newProgram(d, len(in.Header))
	p.guarded, p.messageAt = guarded(in.Header), MessageAt(in.Header)
	names.virtual = p.addVirtual
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
	zone, err := time.LoadLocation(d.Timezone)
	if err != nil {
		return nil, &Error{"The timezone '" + d.Timezone + "' is not known here."}
	}
	b := building{
		program: p, definition: d, setting: in, computing: computing, scope: scope{
			names: names, phrases: p.phrases, zone: zone, program: p, tables: in.Tables, extensions: in.Extensions,
		},
	}
	if d.Destination.Timestamps {
		p.stamp = in.Started.UTC().Format(time.RFC3339Nano)
	}
	if err := b.targets(); err != nil {
		return nil, err
	}
	for _, rules := range d.Rules {
		check, err := newCheck(rules, b.scope)
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

func newProgram(d importer.Definition, header int) *Program {
	p := &Program{
		header: header, pad: d.Format.ShortRows == "pad", messageAt: -1, nulls: slices.Clone(d.Format.Nulls), skipped: &Failure{Skip: true},
	}
	if d.Format.Nulls == nil {
		p.nulls = []string{""}
	}
	return p
}

func (p *Program) addVirtual(v virtual) int {
	p.virtual = append(p.virtual, v)
	return p.header + len(p.virtual) - 1
}

// sources are the columns that a definition maps, as fields: names and aliases.
func sources(d importer.Definition) []importer.Field {
	list := slices.Clone(d.Fields)
	for _, r := range d.Relations {
		list = append(list, importer.Field{From: r.From})
	}
	for _, n := range d.Nested {
		list = append(list, importer.Field{From: n.From})
	}
	return list
}

// Warnings are what the run should tell once: header cells without a name, columns that nothing reads.
func (p *Program) Warnings() []string { return slices.Clone(p.warnings) }

// Targets are the tables that rows go to; the first is the destination's. The result is shared: do not change it.
func (p *Program) Targets() []*Target { return p.targets }

// Width is the greatest number of columns of a target.
func (p *Program) Width() int {
	width := 0
	for _, t := range p.targets {
		width = max(width, len(t.columns))
	}
	return width
}
