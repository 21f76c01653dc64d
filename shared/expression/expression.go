// Package expression computes with the cells of a row: conditions, computed fields, composite keys.
//
// The syntax is expr-lang's, read by its parser; what it means is decided here, so that it can be promised: numbers
// are decimals and never floats, an evaluation ends within a fixed budget of work and memory, an error names what it
// was about and never holds a cell, and nothing can be reached but the row, the value, the parameters and the time the
// run began. The package is pure; an Expression is immutable and safe for concurrent use, a State is for one goroutine.
package expression

import (
	"errors"
	"fmt"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"

	"ingest/shared/column"
)

// The limits of an expression.
const (
	// MaxText is the length of the text of an expression in bytes.
	MaxText = 4 << 10
	// maxNodes bounds how many operators, names and literals it has.
	maxNodes = 1000
	// MaxResult is the length of the result in bytes.
	MaxResult = 8 << 20
)

// Scope is what an expression may name beside its own variables.
type Scope struct {
	// Value says that there is a value: the expression is a transform.
	Value bool
	// Params are the run's parameters by name; one without a value is NULL.
	Params map[string]column.Value
	// Started is when the run began, as run.started_at gives it; "" = not known.
	Started string
	// Column returns where State.Columns has a source column. Nil where an expression is only checked.
	Column func(name string) int
}

// Error is what is wrong with the text of an expression.
type Error struct {
	// Offset is the byte it is about.
	Offset  int
	Message string
	Hint    string
	// Name is what is unknown, and Known what could have been meant.
	Name  string
	Known []string
}

// Error is the message with its hint.
func (e *Error) Error() string {
	if e.Hint != "" {
		return e.Message + " (" + e.Hint + ")"
	}
	return e.Message
}

// Expression is a compiled expression.
type Expression struct {
	root    compiled
	columns []string
	vars    int
}

// Columns are the source columns it reads, in the order they are met.
func (e *Expression) Columns() []string { return e.columns }

// Compile reads and type-checks an expression that gives one of the wanted kinds. The error is an *Error.
func Compile(text string, scope Scope, want Kind) (*Expression, error) {
	tree, err := parse(text)
	if err != nil {
		return nil, err
	}
	c := compiler{text: text, scope: scope}
	root := c.node(tree)
	if c.err == nil && root.kinds&want == 0 {
		c.failf(nil, "this must be %s, not %s", want, root.kinds)
	}
	if c.err != nil {
		return nil, c.err
	}
	return &Expression{root: root, columns: c.columns, vars: c.most}, nil
}

// parse keeps what the parser, which is not ours, may do to itself.
func parse(text string) (root ast.Node, err error) {
	if len(text) > MaxText {
		return nil, &Error{Message: fmt.Sprintf("an expression has at most %d bytes, this one has %d", MaxText, len(text))}
	}
	if strings.TrimSpace(text) == "" {
		return nil, &Error{Message: "the expression is empty"}
	}
	defer func() {
		if recover() != nil {
			root, err = nil, &Error{Message: "the expression cannot be read"}
		}
	}()
	tree, err := parser.ParseWithConfig(text, &conf.Config{MaxNodes: maxNodes})
	if err != nil {
		var problem *file.Error
		if !errors.As(err, &problem) {
			return nil, &Error{Message: err.Error()}
		}
		message, hint := spelled(problem.Message)
		return nil, &Error{Offset: offset(text, problem.From), Message: message, Hint: hint}
	}
	return tree.Node, nil
}

// spelled is the parser's message in our words.
func spelled(message string) (text, hint string) {
	met, unexpected := strings.CutPrefix(message, "unexpected token ")
	switch {
	case strings.Contains(message, "exceeds maximum allowed nodes"):
		return fmt.Sprintf("an expression has at most %d operators, names and literals", maxNodes), ""
	case met == "EOF" || message == "unexpected end of expression":
		return "the expression ends too early", ""
	case met == `Operator("=")`:
		return "= does not compare", "two are equal when =="
	case unexpected:
		// The parser writes what kind of token it is: Operator("=").
		if _, quoted, ok := strings.Cut(met, "("); ok {
			met = strings.TrimSuffix(quoted, ")")
		}
		return met + " does not belong here", ""
	default:
		return message, ""
	}
}

// offset is the byte at which the n-th character of the text begins.
func offset(text string, n int) int {
	for i := range text {
		if n == 0 {
			return i
		}
		n--
	}
	return len(text)
}

// Eval computes the value. problem says why there is none, as a clause without the name of the field: "row.price is
// not a number"; empty when all went well. It never panics.
func (e *Expression) Eval(s *State) (value Value, problem string) {
	s.begin(e.vars)
	value = e.root.run(s)
	if s.problem != "" {
		return Value{}, s.problem
	}
	return value, ""
}

// Truth is Eval for a condition.
func (e *Expression) Truth(s *State) (truth bool, problem string) {
	value, problem := e.Eval(s)
	if problem == "" && value.kind != Bool {
		return false, "it is " + value.kind.String() + ", not true or false"
	}
	return value.truth, problem
}

// Cell is Eval for what becomes a cell: NULL, or the value as text.
func (e *Expression) Cell(s *State) (cell column.Value, problem string) {
	value, problem := e.Eval(s)
	if problem != "" || value.kind == Null {
		return column.Value{State: column.Null}, problem
	}
	text := value.String()
	if len(text) > MaxResult {
		return column.Value{}, tooLong
	}
	return column.Value{Text: text, State: column.Set}, ""
}
