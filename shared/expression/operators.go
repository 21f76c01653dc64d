package expression

import (
	"regexp"
	"strings"

	"github.com/expr-lang/expr/ast"
)

const (
	// maxPattern and maxMatched bound what a pattern may cost to compile and to match.
	maxPattern = 1 << 10
	maxMatched = 1 << 16
	// matchCost is what a byte costs a pattern.
	matchCost = 16
	// maxExponent bounds the exponent of **.
	maxExponent = 100
)

func (c *compiler) unary(n *ast.UnaryNode) compiled {
	part := c.node(n.Node)
	name := described(part, "the value behind "+n.Operator)
	switch n.Operator {
	case "!", "not":
		c.needs(n.Node, part, Bool, "what stands behind "+n.Operator)
		return compiled{kinds: Bool, run: func(s *State) Value { return truthOf(!s.truth(part.run(s), name)) }}
	case "-", "+":
		c.numeric(n.Node, part, n.Operator)
		negative := n.Operator == "-"
		run := func(s *State) Value {
			number := s.number(part.run(s), name)
			if negative {
				number = number.Negate()
			}
			return Value{kind: Numeric, number: number}
		}
		if part.constant != nil && c.err == nil {
			return constant(run(&State{left: budget}))
		}
		return compiled{kinds: Numeric, run: run}
	default:
		return c.failf(n, "there is no operator %s", n.Operator)
	}
}

// numeric notes an error when a part can be no number.
func (c *compiler) numeric(at ast.Node, part compiled, operator string) {
	c.needs(at, part, Numeric|Text, operator)
	if part.constant != nil && part.kinds == Text && c.err == nil {
		if _, ok := ParseNumber(part.constant.text); !ok {
			c.failf(at, "%s computes with numbers, and %q is none", operator, part.constant.text)
		}
	}
}

func (c *compiler) binary(n *ast.BinaryNode) compiled {
	left, right := c.node(n.Left), c.node(n.Right)
	if c.err != nil {
		return left
	}
	sides := [2]string{described(left, "the left side of "+n.Operator), described(right, "the right side of "+n.Operator)}
	switch n.Operator {
	case "+":
		return c.plus(n, left, right, sides)
	case "-", "*", "/", "%", "**", "^":
		return c.arithmetic(n, left, right, sides)
	case "==":
		return c.equality(n, left, right, true)
	case "!=":
		return c.equality(n, left, right, false)
	case "<", "<=", ">", ">=":
		return c.order(n, left, right, sides)
	case "and", "&&", "or", "||":
		return c.logic(n, left, right, sides)
	case "??":
		return compiled{kinds: left.kinds&^Null | right.kinds, name: left.name, run: func(s *State) Value {
			if v := left.run(s); v.kind != Null {
				return v
			}
			return right.run(s)
		}}
	case "in":
		return c.in(n, left, right, sides)
	case "contains", "startsWith", "endsWith":
		return c.part(n, left, right, sides)
	case "matches":
		return c.matches(n, left, right, sides)
	default:
		return c.failf(n, "there is no operator %s", n.Operator)
	}
}

// plus joins two texts and adds everything else.
func (c *compiler) plus(n *ast.BinaryNode, left, right compiled, sides [2]string) compiled {
	c.needs(n.Left, left, Numeric|Text, "+")
	c.needs(n.Right, right, Numeric|Text, "+")
	kinds := (left.kinds | right.kinds) & (Numeric | Text)
	switch {
	case left.kinds&Text == 0:
		c.numeric(n.Right, right, "+")
		kinds = Numeric
	case right.kinds&Text == 0:
		c.numeric(n.Left, left, "+")
		kinds = Numeric
	}
	return compiled{kinds: kinds, run: func(s *State) Value {
		a, b := left.run(s), right.run(s)
		if a.kind == Text && b.kind == Text {
			if !s.spend(len(a.text) + len(b.text)) {
				return Value{kind: Null}
			}
			return textOf(a.text + b.text)
		}
		if b.kind == Null && a.kind == Text { // it may have been meant as text: do not say that a is no number
			return s.fail(sides[1] + " is NULL")
		}
		return s.result(s.number(a, sides[0]).Add(s.number(b, sides[1])))
	}}
}

func (c *compiler) arithmetic(n *ast.BinaryNode, left, right compiled, sides [2]string) compiled {
	c.numeric(n.Left, left, n.Operator)
	c.numeric(n.Right, right, n.Operator)
	if c.err == nil && right.constant != nil && (n.Operator == "/" || n.Operator == "%") {
		if number, _ := ParseNumber(right.constant.String()); number.sign() == 0 {
			return c.failf(n.Right, "nothing can be divided by zero")
		}
	}
	compute := arithmetics[n.Operator]
	return compiled{kinds: Numeric, run: func(s *State) Value {
		a, b := s.number(left.run(s), sides[0]), s.number(right.run(s), sides[1])
		if s.problem != "" {
			return Value{kind: Null}
		}
		return compute(s, a, b)
	}}
}

var arithmetics = map[string]func(s *State, a, b Number) Value{
	"-": func(s *State, a, b Number) Value { return s.result(a.Add(b.Negate())) },
	"*": func(s *State, a, b Number) Value { return s.result(a.Multiply(b)) },
	"/": func(s *State, a, b Number) Value {
		if b.sign() == 0 {
			return s.fail("it divides by zero")
		}
		return s.result(a.Divide(b))
	},
	"%": func(s *State, a, b Number) Value {
		if b.sign() == 0 {
			return s.fail("it divides by zero")
		}
		return s.result(a.Remainder(b))
	},
	"**": raise,
	"^":  raise,
}

func raise(s *State, a, b Number) Value {
	exponent, ok := b.Int()
	switch {
	case !ok || exponent > maxExponent || exponent < -maxExponent:
		return s.fail("an exponent must be a whole number from -100 to 100")
	case exponent < 0 && a.sign() == 0:
		return s.fail("it divides by zero")
	}
	return s.result(a.Raise(exponent))
}

// equality refuses what can never be equal: it is a mistake.
func (c *compiler) equality(n *ast.BinaryNode, left, right compiled, wanted bool) compiled {
	reach := func(k Kind) Kind {
		if k&(Numeric|Text) != 0 {
			k |= Numeric | Text
		}
		return k
	}
	null := left.kinds == Null || right.kinds == Null
	if !null && reach(left.kinds)&reach(right.kinds) == 0 {
		return c.failf(n, "%s and %s are never equal%s", left.kinds, right.kinds, hintOf(left.kinds|right.kinds))
	}
	return compiled{kinds: Bool, run: func(s *State) Value {
		return truthOf(s.equal(left.run(s), right.run(s)) == wanted)
	}}
}

func hintOf(kinds Kind) string {
	if kinds&Bool != 0 && kinds&Text != 0 {
		return "; bool(row.active) reads a text as true or false"
	}
	return ""
}

// order compares two texts as texts and everything else as numbers.
func (c *compiler) order(n *ast.BinaryNode, left, right compiled, sides [2]string) compiled {
	c.needs(n.Left, left, Numeric|Text, n.Operator)
	c.needs(n.Right, right, Numeric|Text, n.Operator)
	if left.kinds&Text == 0 {
		c.numeric(n.Right, right, n.Operator)
	} else if right.kinds&Text == 0 {
		c.numeric(n.Left, left, n.Operator)
	}
	less, equal := n.Operator[0] == '<', len(n.Operator) == 2
	return compiled{kinds: Bool, run: func(s *State) Value {
		a, b := left.run(s), right.run(s)
		order := 0
		if a.kind == Text && b.kind == Text {
			s.spend(min(len(a.text), len(b.text)))
			order = strings.Compare(a.text, b.text)
		} else {
			order = s.number(a, sides[0]).Compare(s.number(b, sides[1]))
		}
		return truthOf(order < 0 && less || order > 0 && !less || order == 0 && equal)
	}}
}

func (c *compiler) logic(n *ast.BinaryNode, left, right compiled, sides [2]string) compiled {
	c.needs(n.Left, left, Bool, n.Operator)
	c.needs(n.Right, right, Bool, n.Operator)
	// The left side decides alone when it is that.
	decides := n.Operator == "or" || n.Operator == "||"
	return compiled{kinds: Bool, run: func(s *State) Value {
		if s.truth(left.run(s), sides[0]) == decides {
			return truthOf(decides)
		}
		return truthOf(s.truth(right.run(s), sides[1]))
	}}
}

func (c *compiler) in(n *ast.BinaryNode, left, right compiled, sides [2]string) compiled {
	c.needs(n.Right, right, List|Table, "the right side of in")
	return compiled{kinds: Bool, run: func(s *State) Value {
		v, in := left.run(s), right.run(s)
		switch in.kind {
		case List:
			for _, item := range in.more.list {
				if s.equal(v, item) {
					return truthOf(true)
				}
			}
			return truthOf(false)
		case Table:
			_, ok := in.more.table[s.written(v)]
			return truthOf(ok)
		default:
			return s.fail(sides[1] + " is not a list")
		}
	}}
}

// part looks for a text in a text; NULL contains nothing.
func (c *compiler) part(n *ast.BinaryNode, left, right compiled, sides [2]string) compiled {
	c.needs(n.Left, left, Text, n.Operator)
	c.needs(n.Right, right, Text, n.Operator)
	test := map[string]func(text, part string) bool{
		"contains": strings.Contains, "startsWith": strings.HasPrefix, "endsWith": strings.HasSuffix,
	}[n.Operator]
	return compiled{kinds: Bool, run: func(s *State) Value {
		a, b := left.run(s), right.run(s)
		if a.kind == Null {
			return truthOf(false)
		}
		return truthOf(test(s.text(a, sides[0]), s.text(b, sides[1])))
	}}
}

// matches wants its pattern written out, so that it is compiled once and can be judged.
func (c *compiler) matches(n *ast.BinaryNode, left, right compiled, sides [2]string) compiled {
	c.needs(n.Left, left, Text, n.Operator)
	if c.err != nil {
		return left
	}
	if right.constant == nil || right.constant.kind != Text {
		return c.failf(n.Right, "the pattern of matches must be written out, in quotes")
	}
	pattern := right.constant.text
	if len(pattern) > maxPattern {
		return c.failf(n.Right, "a pattern has at most %d bytes", maxPattern)
	}
	expression, err := regexp.Compile(pattern)
	if err != nil {
		return c.failf(n.Right, "the pattern cannot be read: %s", strings.TrimPrefix(err.Error(), "error parsing regexp: "))
	}
	return compiled{kinds: Bool, run: func(s *State) Value {
		v := left.run(s)
		if v.kind == Null {
			return truthOf(false)
		}
		text := s.text(v, sides[0])
		if len(text) > maxMatched {
			return s.fail(sides[0] + " is too long for matches")
		}
		return truthOf(s.spend(matchCost*len(text)) && expression.MatchString(text))
	}}
}
