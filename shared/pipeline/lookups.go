package pipeline

import (
	"fmt"
	"strings"
	"time"

	"ingest/shared/column"
	"ingest/shared/row"
)

// Lookup is a question that the rules unique and exists ask of the database: is there a row whose Column is a value?
type Lookup struct {
	// Name is the table as the definition names it.
	Name   string
	Table  column.Table
	Column column.Column
	// Except leaves out the rows whose ExceptColumn has this value; nil = none.
	Except       *column.Value
	ExceptColumn column.Column

	cell int
	zone *time.Location
}

// Answers says whether there is such a row, for a lookup by its position in Program.Lookups and a value of its column. It
// knows every value that Asks tells. Nil is for looking at rows where nobody can be asked: then the rules hold.
type Answers func(lookup int, value string) bool

// Lookups are what the rules of the program ask. The result is shared: do not change it.
func (p *Program) Lookups() []Lookup { return p.lookups }

// Asks tells what the rules ask of a row, before Apply needs the answers.
func (p *Program) Asks(in row.Row, ask func(lookup int, value column.Value)) {
	if len(p.lookups) == 0 || in.Fault != "" {
		return
	}
	r, problem := p.open(in, nil)
	if problem != nil {
		return
	}
	for i := range p.lookups {
		l := &p.lookups[i]
		if value, ok := l.value(r.cell(l.cell)); ok {
			ask(i, value)
		}
	}
}

// value is a cell as a value of the column; what is none is in no row.
func (l *Lookup) value(cell column.Value) (column.Value, bool) {
	if !present(cell) {
		return cell, false
	}
	value, problem := column.ConvertIn(cell.Text, &l.Column, l.zone)
	return value, problem == "" && value.State == column.Set
}

func buildExists(c ruleContext) (ruleTest, error) { return c.lookup(true) }
func buildUnique(c ruleContext) (ruleTest, error) { return c.lookup(false) }

// lookup builds the rules `exists:table,column` and `unique:table,column,except,id`; without a column it is the one of the
// source column's name.
func (c ruleContext) lookup(wanted bool) (ruleTest, error) {
	test := ruleTest{says: []saying{say(lines[c.name])}}
	if strings.TrimSpace(c.args[0]) == "" {
		return test, fmt.Errorf("needs the name of a table")
	}
	if c.scope.program == nil {
		return test, nil // only its spelling is looked at
	}
	l := Lookup{Name: c.args[0], cell: c.cell, zone: c.scope.location()}
	var ok bool
	if l.Table, ok = c.scope.tables[l.Name]; !ok {
		return test, fmt.Errorf("names the table '%s', which is not known", l.Name)
	}
	name := c.source
	if len(c.args) > 1 && c.args[1] != "" {
		name = c.args[1]
	}
	if l.Column, ok = l.Table.Column(name); !ok {
		return test, fmt.Errorf("names the column '%s', which the table '%s' does not have", name, l.Name)
	}
	if len(c.args) > 2 && !strings.EqualFold(c.args[2], "null") && c.args[2] != "" {
		id := "id"
		if len(c.args) > 3 {
			id = c.args[3]
		}
		if l.ExceptColumn, ok = l.Table.Column(id); !ok {
			return test, fmt.Errorf("names the column '%s', which the table '%s' does not have", id, l.Name)
		}
		value, problem := column.ConvertIn(c.args[2], &l.ExceptColumn, l.zone)
		if problem != "" {
			return test, fmt.Errorf("leaves out a row whose '%s' %s", id, strings.TrimSuffix(string(problem), "."))
		}
		l.Except = &value
	}
	p := c.scope.program
	at := len(p.lookups)
	p.lookups = append(p.lookups, l)
	test.judge = func(v column.Value, r record) int {
		if r.answers == nil {
			return 0 // nobody can be asked
		}
		value, ok := l.value(v)
		return verdict((ok && r.answers(at, value.Text)) == wanted, 1)
	}
	return test, nil
}
