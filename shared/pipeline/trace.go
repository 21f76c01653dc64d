package pipeline

import (
	"slices"
	"strings"

	"ingest/shared/column"
	"ingest/shared/importer"
	"ingest/shared/row"
)

// Trace is the way of one row through a program, for people: what each part of the definition made of it, and the Failure
// that Apply returns. What was not reached is missing. Values are the row's own: they share its memory.
type Trace struct {
	// Made are the columns of before_row, in order.
	Made []Made
	// Skipped says what skip_when decided; nil where there is none.
	Skipped *bool
	Rules   []Judged
	Fields  []Filled
	// Failure is nil for a row that is written.
	Failure *Failure
}

// Made is a source column that before_row made.
type Made struct {
	Column string
	Value  column.Value
}

// Judged is what a rule said to a cell. One that is not Looked at had nothing to say: the cell is blank, or an earlier rule
// of the column failed. Message is empty when it holds.
type Judged struct {
	Column  string
	Rule    string
	Looked  bool
	Message string
}

// Filled is what a column of the table gets: Read before the transforms, Value at the end.
type Filled struct {
	Source string
	Column column.Column
	Read   column.Value
	Steps  []Step
	Value  column.Value
	// Messages are those of transforms, validators and types; there is no Value then.
	Messages []string
}

// Step is one transform. The last one may have a Problem instead of an output.
type Step struct {
	Transform string
	In, Out   column.Value
	Problem   string
}

// Trace follows a row. d must be the definition of which the program was compiled.
func (p *Program) Trace(in row.Row, d importer.Definition) Trace {
	t := Trace{Failure: p.Apply(in, make([]column.Value, len(p.columns)))}
	if in.Fault != "" || !p.fits(in.Cells) {
		return t
	}
	r, problem := p.open(in)
	t.Made = p.made(r, d)
	if problem != nil {
		return t
	}
	if p.skip != nil {
		skip, problem := p.skips(r)
		if t.Skipped = &skip; problem != nil || skip {
			return t
		}
	}
	broken := false
	for i := range p.checks {
		judged := p.checks[i].trace(r, d.Rules[i].Rules)
		t.Rules = append(t.Rules, judged...)
		broken = broken || slices.ContainsFunc(judged, func(j Judged) bool { return j.Message != "" })
	}
	if broken {
		return t
	}
	for i := range p.fields {
		t.Fields = append(t.Fields, p.fields[i].trace(p, r, d))
	}
	return t
}

// made are the columns of before_row; one that could not be computed, and those behind it, are absent.
func (p *Program) made(r record, d importer.Definition) []Made {
	var list []Made
	for i := range p.virtual {
		if p.virtual[i].assigned != nil {
			list = append(list, Made{Column: d.BeforeRow[len(list)].Column, Value: r.virtual[i]})
		}
	}
	return list
}

// trace asks each rule alone. Which of them apply looks at is decided by the same kinds of rules, in the same order.
func (c *check) trace(r record, list []importer.Rule) []Judged {
	var out []Judged
	v, over, wrongType := r.cell(c.cell), false, false
	for _, rule := range list {
		if rules[rule.Name].family == marker {
			continue
		}
		alone := *c
		alone.steps = c.steps[len(out) : len(out)+1]
		family := alone.steps[0].family
		judged := Judged{Column: c.source, Rule: spelt(rule), Looked: !over && (present(v) || family == presence) && (family != size || !wrongType)}
		var found failures
		if judged.Looked {
			alone.apply(v, r, &found)
		}
		if found != nil {
			judged.Message = found[0].Messages[0]
			over = c.bail || family == presence
			wrongType = wrongType || family == typed
		}
		out = append(out, judged)
	}
	return out
}

// spelt is a rule as a definition writes it.
func spelt(r importer.Rule) string {
	if len(r.Args) == 0 {
		return r.Name
	}
	return r.Name + ":" + strings.Join(r.Args, ",")
}

func (f *field) trace(p *Program, r record, d importer.Definition) Filled {
	out := Filled{Source: f.source, Column: f.column}
	var problem column.Problem
	out.Read, problem = f.value(r)
	if problem == "" && out.Read.State != column.Absent && column.Readable(out.Read.Text) == "" {
		out.Steps = f.walk(p, r, out.Read, transformsOf(d, f))
	}
	var found failures
	out.Value = f.fill(p, r, &found)
	for _, field := range found {
		out.Messages = append(out.Messages, field.Messages...)
		out.Value = column.Value{}
	}
	return out
}

// walk applies the transforms one by one.
func (f *field) walk(p *Program, r record, v column.Value, transforms []importer.Transform) []Step {
	var steps []Step
	for i, apply := range f.steps {
		step := Step{In: v, Transform: transforms[i].Name}
		if text, ok := optionText(transforms[i].Options["value"]); ok && step.Transform == exprTransform {
			step.Transform += ": " + text
		}
		var wrong *complaint
		if v, wrong = apply(v, r); wrong != nil {
			step.Problem = p.phrases.complaint(f, wrong)
			return append(steps, step)
		}
		step.Out = v
		steps = append(steps, step)
	}
	return steps
}

// transformsOf are the transforms of a field of the program, which have one step each.
func transformsOf(d importer.Definition, f *field) []importer.Transform {
	for _, one := range d.Fields {
		if one.To == f.column.Name {
			return one.Transform
		}
	}
	return nil // passed on as it is
}
