package expression

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/expr-lang/expr/ast"

	"ingest/shared/column"
)

// maxVisits bounds the tree as it is compiled: the parser shares the middle of `a < b < c`, so that a small text can
// be an enormous tree.
const maxVisits = 2 * maxNodes

// compiled is a part of an expression: how it is computed and what that can give.
type compiled struct {
	run   func(*State) Value
	kinds Kind
	// name is what messages call it.
	name string
	// constant is the value where it is known before a row is.
	constant *Value
}

// compiler turns a tree into compiled parts. Its first error is the one that counts.
type compiler struct {
	text    string
	scope   Scope
	columns []string
	err     *Error
	visits  int

	// names are the variables in sight, by the slot each has in State.vars; most is how many there are at once.
	names []string
	most  int
	// pointers are the slots of the item and its index in the predicates around.
	pointers []int
	// lenient says that members of NULL are NULL: there is a `?.` before them.
	lenient bool
}

// failf notes an error; at may be nil for the whole expression.
func (c *compiler) failf(at ast.Node, format string, args ...any) compiled {
	e := &Error{Message: fmt.Sprintf(format, args...)}
	if at != nil {
		e.Offset = offset(c.text, at.Location().From)
	}
	return c.fail(e)
}

func (c *compiler) fail(e *Error) compiled {
	if c.err == nil {
		c.err = e
	}
	return compiled{run: func(*State) Value { return Value{kind: Null} }, kinds: Any}
}

// unknown notes that a name is none.
func (c *compiler) unknown(at ast.Node, message, name string, known []string) compiled {
	return c.fail(&Error{Offset: offset(c.text, at.Location().From), Message: message, Name: name, Known: known})
}

func constant(v Value) compiled {
	return compiled{run: func(*State) Value { return v }, kinds: v.kind, constant: &v}
}

func (c *compiler) node(n ast.Node) compiled {
	if c.visits++; c.visits > maxVisits || c.err != nil {
		return c.fail(&Error{Message: "the expression is too large"})
	}
	switch n := n.(type) {
	case *ast.NilNode:
		return constant(Value{kind: Null})
	case *ast.BoolNode:
		return constant(truthOf(n.Value))
	case *ast.StringNode:
		return constant(textOf(n.Value))
	case *ast.IntegerNode:
		return constant(countOf(n.Value))
	case *ast.FloatNode:
		return c.decimal(n)
	case *ast.IdentifierNode:
		return c.identifier(n)
	case *ast.UnaryNode:
		return c.unary(n)
	case *ast.BinaryNode:
		return c.binary(n)
	case *ast.ChainNode:
		before := c.lenient
		c.lenient = true
		inner := c.node(n.Node)
		c.lenient = before
		return inner
	case *ast.MemberNode:
		return c.member(n)
	case *ast.SliceNode:
		return c.slice(n)
	case *ast.ConditionalNode:
		return c.conditional(n)
	case *ast.VariableDeclaratorNode:
		return c.variable(n)
	case *ast.ArrayNode:
		return c.list(n)
	case *ast.MapNode:
		return c.table(n)
	case *ast.PointerNode:
		return c.pointer(n)
	case *ast.BuiltinNode:
		return c.call(n, n.Name, n.Arguments)
	case *ast.CallNode:
		if callee, ok := n.Callee.(*ast.IdentifierNode); ok {
			return c.call(n, callee.Value, n.Arguments)
		}
		return c.failf(n, "values have no methods")
	case *ast.SequenceNode:
		return c.failf(n, "an expression has one value, not several with ; between them")
	case *ast.BytesNode:
		return c.failf(n, "there are no byte texts")
	default:
		return c.failf(n, "this is not supported")
	}
}

// decimal takes the literal from the text: the parser has made a float of it.
func (c *compiler) decimal(n *ast.FloatNode) compiled {
	at := n.Location()
	literal := strings.ReplaceAll(c.text[offset(c.text, at.From):offset(c.text, at.To)], "_", "")
	number, ok := ParseNumber(literal)
	if !ok {
		return c.failf(n, "%s is not a number that can be computed with", literal)
	}
	return constant(Value{kind: Numeric, number: number})
}

// roots are the names that are no variables.
var roots = []string{"row", "value", "params", "run"}

func (c *compiler) identifier(n *ast.IdentifierNode) compiled {
	if slot := c.slot(n.Value); slot >= 0 {
		return compiled{run: func(s *State) Value { return s.vars[slot] }, kinds: Any, name: n.Value}
	}
	switch n.Value {
	case "value":
		if !c.scope.Value {
			return c.failf(n, "there is no value here, only in a field's transform: name a column, like row.price")
		}
		return compiled{run: func(s *State) Value { return cell(s.Value) }, kinds: Text | Null, name: "value"}
	case "row":
		return c.failf(n, `row is used with a column, like row.price or row["Unit Price"]`)
	case "params", "run":
		return c.failf(n, "%s is used with a name, like %s", n.Value, map[string]string{"params": "params.month", "run": "run.started_at"}[n.Value])
	}
	return c.unknown(n, fmt.Sprintf("there is no %s; a column is row.%s", n.Value, n.Value), n.Value,
		slices.Concat(c.names, roots))
}

// slot is where a variable is, -1 when there is none of that name.
func (c *compiler) slot(name string) int {
	for i := len(c.names) - 1; i >= 0; i-- {
		if c.names[i] == name {
			return i
		}
	}
	return -1
}

// declare makes a variable; the caller forgets it when it goes out of sight.
func (c *compiler) declare(name string) (slot int) {
	c.names = append(c.names, name)
	c.most = max(c.most, len(c.names))
	return len(c.names) - 1
}

func (c *compiler) forget(n int) { c.names = c.names[:len(c.names)-n] }

func cell(v column.Value) Value {
	if v.State != column.Set {
		return Value{kind: Null}
	}
	return textOf(v.Text)
}

// path is the names of a chain of members and what it begins with: row.user.city is "row" and user, city.
func path(n ast.Node) (root string, names []string) {
	switch n := n.(type) {
	case *ast.IdentifierNode:
		return n.Value, nil
	case *ast.ChainNode:
		return path(n.Node)
	case *ast.MemberNode:
		root, names = path(n.Node)
		switch property := n.Property.(type) {
		case *ast.StringNode:
			return root, append(names, property.Value)
		case *ast.IntegerNode:
			return root, append(names, strconv.Itoa(property.Value))
		}
	}
	return "", nil
}

func (c *compiler) member(n *ast.MemberNode) compiled {
	if root, names := path(n); len(names) > 0 && c.slot(root) < 0 {
		switch root {
		case "row":
			return c.column(strings.Join(names, "."))
		case "params":
			return c.param(n, names)
		case "run":
			return c.runs(n, names)
		}
	}
	owner, key := c.node(n.Node), c.node(n.Property)
	if owner.kinds&(List|Table|Null) == 0 {
		return c.failf(n, "%s has no members; value[0:1] is the first character of a text", owner.kinds)
	}
	c.needs(n.Property, key, Text|Numeric, "what stands between [ and ]")
	lenient := c.lenient || n.Optional
	return compiled{kinds: Any, name: described(owner, "the value") + "[…]", run: func(s *State) Value {
		return s.memberOf(owner.run(s), key.run(s), described(owner, "the value"), lenient)
	}}
}

func (s *State) memberOf(owner, key Value, name string, lenient bool) Value {
	switch {
	case s.problem != "":
		return owner
	case owner.kind == Null && lenient:
		return owner
	case owner.kind == Null:
		return s.fail(name + " is NULL")
	case owner.kind == Table && key.kind == Text:
		if member, ok := owner.more.table[key.text]; ok {
			return member
		}
		return Value{kind: Null}
	case owner.kind == List:
		list, i := owner.more.list, s.whole(key, "the index")
		if i < 0 {
			i += len(list)
		}
		if i < 0 || i >= len(list) {
			return s.fail(name + " has no item of that index")
		}
		return list[i]
	default:
		return s.fail(name + " has no such members")
	}
}

// column is a source column.
func (c *compiler) column(name string) compiled {
	if !slices.Contains(c.columns, name) {
		c.columns = append(c.columns, name)
	}
	slot := 0
	if c.scope.Column != nil {
		slot = c.scope.Column(name)
	}
	return compiled{run: func(s *State) Value { return cell(s.Columns[slot]) }, kinds: Text | Null, name: "row." + name}
}

func (c *compiler) param(n ast.Node, names []string) compiled {
	name := strings.Join(names, ".")
	given, ok := c.scope.Params[name]
	if !ok {
		known := make([]string, 0, len(c.scope.Params))
		for name := range c.scope.Params {
			known = append(known, name)
		}
		slices.Sort(known)
		return c.unknown(n, fmt.Sprintf("there is no parameter %s under `params:`", name), name, known)
	}
	v := cell(given)
	return compiled{run: func(*State) Value { return v }, kinds: Text | Null, name: "params." + name}
}

func (c *compiler) runs(n ast.Node, names []string) compiled {
	if name := strings.Join(names, "."); name != "started_at" {
		return c.unknown(n, "run has no "+name, name, []string{"started_at"})
	}
	v := Value{kind: Null}
	if c.scope.Started != "" {
		v = textOf(c.scope.Started)
	}
	return compiled{run: func(*State) Value { return v }, kinds: Text | Null, name: "run.started_at"}
}

func (c *compiler) conditional(n *ast.ConditionalNode) compiled {
	condition := c.node(n.Cond)
	c.needs(n.Cond, condition, Bool, "a condition")
	yes, no := c.node(n.Exp1), c.node(n.Exp2)
	name := described(condition, "a condition")
	return compiled{kinds: yes.kinds | no.kinds, run: func(s *State) Value {
		if s.truth(condition.run(s), name) {
			return yes.run(s)
		}
		return no.run(s)
	}}
}

func (c *compiler) variable(n *ast.VariableDeclaratorNode) compiled {
	if slices.Contains(roots, n.Name) {
		return c.failf(n, "%s has a meaning already", n.Name)
	}
	value := c.node(n.Value)
	slot := c.declare(n.Name)
	body := c.node(n.Expr)
	c.forget(1)
	return compiled{kinds: body.kinds, run: func(s *State) Value {
		s.vars[slot] = value.run(s)
		return body.run(s)
	}}
}

func (c *compiler) list(n *ast.ArrayNode) compiled {
	parts := make([]compiled, len(n.Nodes))
	known := make([]Value, 0, len(n.Nodes))
	for i, item := range n.Nodes {
		if parts[i] = c.node(item); parts[i].constant != nil {
			known = append(known, *parts[i].constant)
		}
	}
	if len(known) == len(parts) {
		return constant(listOf(known))
	}
	return compiled{kinds: List, run: func(s *State) Value {
		if !s.spend(itemCost * len(parts)) {
			return Value{kind: Null}
		}
		items := make([]Value, len(parts))
		for i := range parts {
			items[i] = parts[i].run(s)
		}
		return listOf(items)
	}}
}

func (c *compiler) table(n *ast.MapNode) compiled {
	keys, values := make([]compiled, len(n.Pairs)), make([]compiled, len(n.Pairs))
	for i, pair := range n.Pairs {
		pair, ok := pair.(*ast.PairNode)
		if !ok {
			return c.failf(n, "this is not supported")
		}
		keys[i], values[i] = c.node(pair.Key), c.node(pair.Value)
		c.needs(pair.Key, keys[i], Text, "a key")
	}
	return compiled{kinds: Table, run: func(s *State) Value {
		if !s.spend(itemCost * len(keys)) {
			return Value{kind: Null}
		}
		table := make(map[string]Value, len(keys))
		for i := range keys {
			table[s.text(keys[i].run(s), "a key")] = values[i].run(s)
		}
		return tableOf(table)
	}}
}

// needs notes an error when a part can never be of one of the kinds.
func (c *compiler) needs(at ast.Node, part compiled, kinds Kind, what string) {
	if c.err == nil && part.kinds&kinds == 0 {
		c.failf(at, "%s must be %s, not %s", what, kinds, part.kinds)
	}
}

// described is what messages call a part.
func described(part compiled, otherwise string) string {
	if part.name != "" {
		return part.name
	}
	return otherwise
}
