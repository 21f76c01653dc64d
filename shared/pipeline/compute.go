package pipeline

import (
	"slices"
	"time"

	"ingest/shared/column"
	"ingest/shared/expression"
	"ingest/shared/extend"
	"ingest/shared/importer"
)

// computing compiles the expressions of a program.
type computing struct {
	program *Program
	names   *names
	scope   expression.Scope
}

func newComputing(p *Program, d importer.Definition, n *names, started time.Time) *computing {
	c := &computing{program: p, names: n}
	c.scope = expression.Scope{Params: map[string]column.Value{}, Column: c.slot}
	for _, param := range d.Params {
		value := column.Value{State: column.Null}
		if text, ok := d.Given[param.Name]; ok {
			value = column.Value{Text: text, State: column.Set}
		} else if param.Default != nil {
			value = column.Value{Text: *param.Default, State: column.Set}
		}
		c.scope.Params[param.Name] = value
	}
	if !started.IsZero() {
		c.scope.Started = started.UTC().Format(time.RFC3339)
	}
	return c
}

// slot is where expressions find a source column. One the header lacks is NULL for all rows.
func (c *computing) slot(name string) int {
	p := c.program
	_, address := c.names.column(name)
	if address < 0 {
		c.names.miss(name)
	}
	if address >= p.header {
		v := &p.virtual[address-p.header]
		if len(v.slots) == 0 {
			v.slots, p.slots = append(v.slots, p.slots), p.slots+1
		}
		return v.slots[0]
	}
	if i := slices.IndexFunc(p.reads, func(r read) bool { return r.address == address }); i >= 0 {
		return p.reads[i].slot
	}
	p.reads = append(p.reads, read{address: address, slot: p.slots})
	p.slots++
	return p.slots - 1
}

// compile compiles an expression of the definition, which was checked when it was read; what names it in an error.
func (c *computing) compile(text, what string, value bool, want expression.Kind) (*expression.Expression, error) {
	c.program.computes = true
	scope := c.scope
	scope.Value = value
	e, err := expression.Compile(text, scope, want)
	if err != nil {
		return nil, &Error{"The expression of " + what + " is wrong: " + err.Error() + "."}
	}
	return e, nil
}

// assign makes the columns of before_row. Each is a new address, so that an expression keeps seeing what its column
// was before it.
func (c *computing) assign(list []importer.Assignment) error {
	for _, a := range list {
		e, err := c.compile(a.Expr, "before_row for '"+a.Column+"'", false, expression.Any)
		if err != nil {
			return err
		}
		source, _ := c.names.column(a.Column)
		c.names.assigned[a.Column] = c.names.virtual(virtual{assigned: e, source: source})
		clear(c.names.paths) // which may lead into what the column was
	}
	return nil
}

// exprTransform is the transform that is an expression over the value and the row.
const exprTransform = "expr"

// step is a transform: one of the language's, or an expression, which leaves NULL alone like most of them.
func (c *computing) step(t importer.Transform, f importer.Field, s scope) (transform, error) {
	if t.Name != exprTransform {
		step, err := newTransform(t, s)
		if err != nil {
			return nil, untransformable(f, err)
		}
		return step, nil
	}
	text, _ := extend.OptionText(t.Options["value"])
	e, err := c.compile(text, "the field '"+f.Source()+"'", true, expression.Any)
	if err != nil {
		return nil, err
	}
	return func(v column.Value, r record) (column.Value, *complaint) {
		if v.State != column.Set {
			return v, nil
		}
		r.state.Value = v
		v, why := e.Cell(r.state)
		if why != "" {
			return v, &complaint{problem: column.Problem(couldNot + why + ".")}
		}
		return v, nil
	}, nil
}

// origin is where a field's value comes from, if it is no cell.
type origin struct {
	constant *column.Value
	computed *expression.Expression
	when     *expression.Expression
}

func (c *computing) origin(f importer.Field) (o origin, err error) {
	if f.Const != nil {
		o.constant = &column.Value{Text: *f.Const, State: column.Set}
	}
	if f.Expr != "" {
		if o.computed, err = c.compile(f.Expr, "the field '"+f.Source()+"'", false, expression.Any); err != nil {
			return o, err
		}
	}
	if f.When != "" {
		o.when, err = c.compile(f.When, "the condition of '"+f.Source()+"'", false, expression.Bool)
	}
	return o, err
}

// value is what a field has for a row before its transforms.
func (f *field) value(r record) (column.Value, column.Problem) {
	if f.when != nil {
		truth, why := f.when.Truth(r.state)
		if why != "" {
			return column.Value{}, column.Problem("has a condition that " + couldNot + why + ".")
		}
		if !truth {
			return column.Value{}, ""
		}
	}
	switch {
	case f.constant != nil:
		return *f.constant, ""
	case f.computed == nil:
		return r.cell(f.cell), ""
	}
	v, why := f.computed.Cell(r.state)
	if why != "" {
		return v, column.Problem(couldNot + why + ".")
	}
	return v, ""
}

// leftOut says whether a value is absent because of the field's condition: then there is nothing to validate, as where the
// source lacks the column.
func (f *field) leftOut(v column.Value, r record) bool {
	if v.State != column.Absent || f.when == nil {
		return false
	}
	truth, _ := f.when.Truth(r.state) // it could be told before
	return !truth
}

// skips says whether skip_when leaves a row out.
func (p *Program) skips(r record) (skip bool, problem *Failure) {
	if p.skip == nil {
		return false, nil
	}
	skip, why := p.skip.Truth(r.state)
	if why != "" {
		return false, &Failure{Message: "The condition skip_when " + couldNot + why + "."}
	}
	return skip, nil
}
