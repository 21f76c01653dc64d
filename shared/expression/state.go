package expression

import "ingest/shared/column"

const (
	// budget is how much one evaluation may do: a unit is a byte looked at or written, or a step.
	budget = 32 << 20
	// stepCost and itemCost are what a step of a loop and a place in a list cost, nodeCost every part of the question
	// a step asks, largeCost a number that needs more than a machine word, equalCost a comparison, jsonCost a byte of JSON.
	stepCost  = 64
	itemCost  = 64
	nodeCost  = 8
	largeCost = 2048
	equalCost = 16
	jsonCost  = 4
)

// The problems that a budget makes.
const (
	tooMuch = "it takes too much work or memory"
	tooLong = "the result is longer than 8 MiB"
)

// State is what an evaluation works on. It may be used again and again, by one goroutine.
type State struct {
	// Columns are the source columns, where Scope.Column said they would be.
	Columns []column.Value
	// Value is the value of a transform.
	Value column.Value

	left    int
	problem string
	vars    []Value
	stack   []Value
	// room is where the stack begins, so that most calls allocate nothing.
	room [4]Value
}

func (s *State) begin(vars int) {
	s.left, s.problem = budget, ""
	if s.stack == nil {
		s.stack = s.room[:]
	}
	s.stack = s.stack[:0]
	if cap(s.vars) < vars {
		s.vars = make([]Value, vars)
	}
	s.vars = s.vars[:vars]
}

// fail notes the first problem. What is computed after it is without meaning and is not looked at.
func (s *State) fail(problem string) Value {
	if s.problem == "" {
		s.problem = problem
	}
	return Value{kind: Null}
}

// spend says whether the budget allows that much more.
func (s *State) spend(units int) bool {
	if units > s.left || units < 0 {
		s.left = 0
		s.fail(tooMuch)
		return false
	}
	s.left -= units
	return s.problem == ""
}

// written is a value of any kind as text.
func (s *State) written(v Value) string {
	text := v.String()
	if v.kind&(List|Table) != 0 {
		s.spend(jsonCost * len(text))
	}
	s.spend(len(text))
	return text
}

// text is the text of a value that has to be one.
func (s *State) text(v Value, name string) string {
	switch {
	case v.kind == Text:
		s.spend(len(v.text))
		return v.text
	case v.kind == Null:
		s.fail(name + " is NULL")
	default:
		s.fail(name + " is not text")
	}
	return ""
}

// number is the number that a value is or whose text it is.
func (s *State) number(v Value, name string) Number {
	switch v.kind {
	case Numeric:
		return v.number
	case Text:
		if !s.spend(len(v.text)) {
			return Number{}
		}
		n, ok := ParseNumber(v.text)
		if !ok {
			s.fail(name + " is not a number")
		}
		return n
	case Null:
		s.fail(name + " is NULL")
	default:
		s.fail(name + " is not a number")
	}
	return Number{}
}

func (s *State) truth(v Value, name string) bool {
	switch v.kind {
	case Bool:
		return v.truth
	case Null:
		s.fail(name + " is NULL")
	default:
		s.fail(name + " is not true or false")
	}
	return false
}

// whole is a number without a fraction, small enough to count with.
func (s *State) whole(v Value, name string) int {
	n := s.number(v, name)
	i, ok := n.Int()
	if !ok {
		s.fail(name + " is not a whole number")
	}
	return i
}

// result is a number that an operation gave, if it did.
func (s *State) result(n Number, ok bool) Value {
	if !ok {
		return s.fail("a number has too many digits")
	}
	if n.large != nil {
		s.spend(largeCost)
	}
	return Value{kind: Numeric, number: n}
}
