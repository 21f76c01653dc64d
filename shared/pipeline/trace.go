package pipeline

import (
	"slices"
	"strings"

	"ingest/shared/column"
	"ingest/shared/extend"
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
	// Mapped is nil for a row that ended before.
	Mapped *Mapped
	// Failure is nil for a row that is written.
	Failure *Failure
}

// Made is a source column that before_row made.
type Made struct {
	Column string
	Value  column.Value
}

// Judged is what a rule said to a cell. One that is not Looked at had nothing to say: the cell is blank, an earlier rule of
// the column failed, or the rule looks into tables and nobody was asked. Message is empty when it holds.
type Judged struct {
	Column  string
	Rule    string
	Looked  bool
	Message string
}

// Mapped is what a row, or an object of a nested list, becomes in a table.
type Mapped struct {
	Table  string
	Fields []Filled
	Lists  []Filled
	Nested []Unfolded
}

// Filled is what a column of the table gets: Read before the transforms, Value at the end.
type Filled struct {
	Source string
	Column column.Column
	// Related is where the value is looked for, like categories.name: the column gets the key of the row that has it. Empty
	// for a column that gets the value itself.
	Related string
	Read    column.Value
	Steps   []Step
	Value   column.Value
	// Values are those of a list, which has no Value and the name of its pivot table for a Column.
	Values []column.Value
	// Messages are those of transforms, validators and types; there is no value then.
	Messages []string
}

// Step is one transform. The last one may have a Problem instead of an output.
type Step struct {
	Transform string
	In, Out   column.Value
	Problem   string
}

// Unfolded is a nested list: its objects, or why there are none.
type Unfolded struct {
	Source   string
	Table    string
	Rows     []Mapped
	Messages []string
}

// Trace follows a row. d must be the definition of which the program was compiled. Nobody is asked: rules that look into
// tables are not looked at.
func (p *Program) Trace(in row.Row, d importer.Definition) (t Trace) {
	defer func() {
		if recover() != nil {
			t = Trace{Failure: &Failure{Message: Unprocessed}}
		}
	}()
	t = Trace{Failure: p.Apply(in, nil, &Record{Values: make([]column.Value, p.Width())})}
	if in.Fault != "" || !p.fits(in.Cells) || p.unmended(in.Cells) != nil {
		return t
	}
	r, problem := p.open(in, nil)
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
	at, problem := p.choose(r)
	if problem != nil {
		return t
	}
	mapped := p.targets[at].trace(p, r, d)
	t.Mapped = &mapped
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
		judged := Judged{Column: c.source, Rule: spelt(rule), Looked: !over && looks(rule, v, family, wrongType)}
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

// looks says whether a rule, all before it passed, has something to say to a cell.
func looks(r importer.Rule, v column.Value, family family, wrongType bool) bool {
	return r.Table() == "" && (present(v) || family == presence) && (family != size || !wrongType)
}

func (t *Target) trace(p *Program, r record, d importer.Definition) Mapped {
	out := Mapped{Table: t.Table.Name}
	for i := range t.fields {
		f := &t.fields[i]
		filled := f.trace(p, r, transformsOf(d, t.columns[i].Name, f))
		filled.Column = t.columns[i]
		for _, b := range t.Belongs {
			if b.At == i {
				filled.Related = b.Relation.Table + "." + b.Relation.Match
			}
		}
		out.Fields = append(out.Fields, filled)
	}
	for i := range t.Many {
		out.Lists = append(out.Lists, t.Many[i].trace(p, r))
	}
	for i := range t.Nested {
		out.Nested = append(out.Nested, t.Nested[i].trace(p, r))
	}
	return out
}

func (f *field) trace(p *Program, r record, transforms []importer.Transform) Filled {
	out := Filled{Source: f.source}
	out.Read, out.Steps = f.walk(p, r, transforms)
	var found failures
	if out.Value = f.fill(p, r, &found); found != nil {
		out.Value, out.Messages = column.Value{}, found.texts()
	}
	return out
}

func (m *Many) trace(p *Program, r record) Filled {
	out := Filled{
		Source: m.Source, Column: column.Column{Name: m.Relation.Pivot}, Related: m.Relation.Table + "." + m.Relation.Match,
	}
	out.Read, out.Steps = m.field.walk(p, r, m.Relation.Transform)
	var found failures
	if out.Values = m.values(p, r, &found); found != nil {
		out.Values, out.Messages = nil, found.texts()
	}
	return out
}

// trace follows each object of the list that can be read.
func (n *Nested) trace(p *Program, r record) Unfolded {
	out := Unfolded{Source: n.Source, Table: n.Definition.Table}
	items, wrong := n.items(p, r)
	if wrong != nil {
		out.Messages = wrong.texts()
		return out
	}
	d := importer.Definition{Fields: n.Definition.Fields, Relations: n.Definition.Relations}
	for _, item := range items {
		inner, problem := n.object(p, item)
		if problem != nil {
			out.Messages = failures(problem.Fields).texts()
			return out
		}
		mapped := n.Target.trace(n.program, inner, d)
		// The first one is the key of the parent, which is not known yet.
		mapped.Fields = mapped.Fields[1:]
		out.Rows = append(out.Rows, mapped)
	}
	return out
}

// walk applies the transforms one by one.
func (f *field) walk(p *Program, r record, transforms []importer.Transform) (read column.Value, steps []Step) {
	read, problem := f.value(r)
	if problem != "" || read.State == column.Absent || column.Readable(read.Text) != "" {
		return read, nil
	}
	v := read
	for i, apply := range f.steps {
		step := Step{In: v, Transform: transforms[i].Name}
		if text, ok := extend.OptionText(transforms[i].Options["value"]); ok && step.Transform == exprTransform {
			step.Transform += ": " + text
		}
		var wrong *complaint
		if v, wrong = apply(v, r); wrong != nil {
			step.Problem = p.phrases.complaint(f, wrong)
			return read, append(steps, step)
		}
		step.Out = v
		steps = append(steps, step)
	}
	return read, steps
}

// transformsOf are the transforms of which a field was compiled: those of the field or the relation that fills its column,
// else, for a column that is only compared, of the field of the same source.
func transformsOf(d importer.Definition, to string, f *field) []importer.Transform {
	from := func(names []string) bool {
		// The source of a nested field begins with the name of its list.
		return slices.ContainsFunc(names, func(name string) bool { return strings.HasSuffix(f.source, name) })
	}
	for _, one := range d.Fields {
		if one.To == to && len(one.Transform) == len(f.steps) && from([]string{one.Source()}) {
			return one.Transform
		}
	}
	for _, one := range d.Relations {
		if one.To == to && len(one.Transform) == len(f.steps) {
			return one.Transform
		}
	}
	for _, one := range d.Fields {
		if len(one.Transform) == len(f.steps) && from(one.From) {
			return one.Transform
		}
	}
	if len(f.steps) > 0 {
		return make([]importer.Transform, len(f.steps))
	}
	return nil // passed on as it is
}

// texts are the messages alone.
func (f failures) texts() (all []string) {
	for _, field := range f {
		all = append(all, field.Messages...)
	}
	return all
}
