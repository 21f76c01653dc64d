package pipeline

import (
	"encoding/binary"
	"fmt"
	"strings"

	"ingest/shared/column"
	"ingest/shared/row"
)

// Record is what a row becomes: the values of the columns of a target, and what hangs on them.
type Record struct {
	// Target is the position in Program.Targets.
	Target int
	// Values are those of the target's columns; of a column in Target.Belongs it is the value to look up.
	Values []column.Value
	// Many has a list for each of Target.Many, nil where the source lacks the column.
	Many [][]column.Value
	// Nested has the rows for each of Target.Nested; their Target is 0.
	Nested [][]Record
}

// Apply fills into, whose Values have room for Width, with what the row becomes and returns nil, or returns why the row
// is not written – it failed or is to be skipped –; into is then without meaning. Row and values share memory: a value
// may be a part of a cell.
func (p *Program) Apply(in row.Row, answers Answers, into *Record) *Failure {
	if in.Fault != "" {
		return &Failure{Message: in.Fault}
	}
	if !p.fits(in.Cells) {
		return &Failure{Message: fmt.Sprintf("The row has %s, the header has %d.", columns(len(in.Cells)), p.header)}
	}
	if failure := p.unmended(in.Cells); failure != nil {
		return failure
	}
	r, problem := p.open(in, answers)
	if problem != nil {
		return problem
	}
	if skip, problem := p.skips(r); problem != nil {
		return problem
	} else if skip {
		return p.skipped
	}
	var found failures
	for i := range p.checks {
		p.checks[i].apply(r.cell(p.checks[i].cell), r, &found)
	}
	if found != nil {
		return found.failure()
	}
	if into.Target, problem = p.choose(r); problem != nil {
		return problem
	}
	target := p.targets[into.Target]
	into.Values = into.Values[:len(target.columns)]
	target.fill(p, r, into, &found)
	return found.failure()
}

// choose is the target of a row: that of the first condition of table_when that is true.
func (p *Program) choose(r record) (target int, problem *Failure) {
	for i, choice := range p.choices {
		truth, why := choice.Truth(r.state)
		if why != "" {
			return 0, &Failure{Message: "The condition table_when for '" + p.targets[i+1].Table.Name + "' " + couldNot + why + "."}
		}
		if truth {
			return i + 1, nil
		}
	}
	return 0, nil
}

func (t *Target) fill(p *Program, r record, into *Record, found *failures) {
	for i := range t.fields {
		into.Values[i] = t.fields[i].fill(p, r, found)
	}
	for i := range t.Many {
		into.Many = append(into.Many, t.Many[i].values(p, r, found))
	}
	for i := range t.Nested {
		into.Nested = append(into.Nested, t.Nested[i].records(p, r, found))
	}
}

// fill makes the value of a field, or adds why there is none.
func (f *field) fill(p *Program, r record, found *failures) column.Value {
	value, wrong, problem := f.transformed(r)
	if wrong == nil && problem == "" && !f.leftOut(value, r) {
		before := len(*found)
		for _, judge := range f.validators {
			if message := judge(value); message != "" {
				found.add(f.source, message)
				before = -1
			}
		}
		if before < 0 {
			return value
		}
		value, problem = f.convert(value)
	}
	switch {
	case wrong != nil:
		found.add(f.source, p.phrases.complaint(f, wrong))
	case problem != "":
		found.add(f.source, p.phrases.problem(f, problem))
	case value.State == column.Null && f.column.NotNull, value.State != column.Set && f.needed:
		found.add(f.source, f.required)
	}
	return value
}

func columns(n int) string {
	if n == 1 {
		return "1 column"
	}
	return fmt.Sprintf("%d columns", n)
}

// fits says whether a row has as many cells as the header; surplus empty ones do not count.
func (p *Program) fits(cells []string) bool {
	if len(cells) < p.header {
		return p.pad
	}
	for _, surplus := range cells[p.header:] {
		if surplus != "" {
			return false
		}
	}
	return true
}

// transformed is the field's value after the transforms, or what is wrong with it. Without a transform the text is looked
// at when it is converted.
func (f *field) transformed(r record) (column.Value, *complaint, column.Problem) {
	v, problem := f.value(r)
	if problem != "" || len(f.steps) == 0 || v.State == column.Absent {
		return v, nil, problem
	}
	if problem := column.Readable(v.Text); problem != "" {
		return v, nil, problem
	}
	for _, step := range f.steps {
		var wrong *complaint
		if v, wrong = step(v, r); wrong != nil {
			return v, wrong, ""
		}
	}
	return v, nil, ""
}

func (f *field) convert(v column.Value) (column.Value, column.Problem) {
	if v.State != column.Set {
		return v, ""
	}
	return column.ConvertIn(v.Text, &f.column, f.zone)
}

// Route appends the routing form of the row's key to buf. Rows whose keys are equal in the destination have equal
// forms; the converse need not hold. It answers false, and buf as it was, for a row that meets no other: the
// importer has no key, a key column is NULL or absent or does not convert.
func (p *Program) Route(in row.Row, buf []byte) (form []byte, ok bool) {
	if len(p.targets[0].key) == 0 || in.Fault != "" {
		return buf, false
	}
	r, failed := p.open(in, nil)
	if failed != nil {
		return buf, false
	}
	at, failed := p.choose(r)
	if failed != nil {
		return buf, false
	}
	target, start := p.targets[at], len(buf)
	// A transform that panics here does so when the row is applied, too, and fails it there.
	defer func() {
		if recover() != nil {
			form, ok = buf[:start], false
		}
	}()
	for _, i := range target.key {
		f := &target.fields[i]
		value, wrong, problem := f.transformed(r)
		if wrong == nil && problem == "" {
			value, problem = f.convert(value)
		}
		if wrong != nil || problem != "" || value.State != column.Set {
			return buf[:start], false
		}
		text := routed(value.Text, &f.column)
		buf = binary.AppendUvarint(buf, uint64(len(text)))
		from := len(buf)
		buf = append(buf, text...)
		if f.column.Fold == column.FoldNoCase {
			lowerASCII(buf[from:])
		}
	}
	return buf, true
}

// routed is a canonical text made coarser where the database may hold more texts equal than Convert does.
func routed(text string, c *column.Column) string {
	switch c.Type.Kind {
	case column.Float:
		// Single precision rounds equal values equally, whatever the column's own is.
		single, problem := column.Convert(text, column.Column{Type: column.Type{Kind: column.Float, Bits: 32}})
		if problem != "" {
			return text[:1]
		}
		return single.Text
	case column.JSON, column.Other:
		return ""
	}
	if c.Fold == column.FoldRTrim {
		return strings.TrimRight(text, " ")
	}
	return text
}

func lowerASCII(text []byte) {
	for i, c := range text {
		if c >= 'A' && c <= 'Z' {
			text[i] = c + 'a' - 'A'
		}
	}
}
