package expression

import (
	"github.com/expr-lang/expr/ast"
)

// predicate is a function that asks something of every item of a list.
type predicate struct {
	// wants is what the question must be answered with, gives what comes of it.
	wants, gives Kind
	// optional says that the question may be left out: it is then the item itself.
	optional bool
	run      func(s *State, list []Value, ask func(i int) Value) Value
}

var predicates = map[string]predicate{
	"all":    {wants: Bool, gives: Bool, run: counting(func(n, of int) Value { return truthOf(n == of) })},
	"any":    {wants: Bool, gives: Bool, run: counting(func(n, _ int) Value { return truthOf(n > 0) })},
	"none":   {wants: Bool, gives: Bool, run: counting(func(n, _ int) Value { return truthOf(n == 0) })},
	"one":    {wants: Bool, gives: Bool, run: counting(func(n, _ int) Value { return truthOf(n == 1) })},
	"count":  {wants: Bool, gives: Numeric, optional: true, run: counting(func(n, _ int) Value { return countOf(n) })},
	"filter": {wants: Bool, gives: List, run: filter},
	"map":    {wants: Any, gives: List, run: mapped},
	"find":   {wants: Bool, gives: Any, run: find},
	"sum":    {wants: Numeric | Text, gives: Numeric, optional: true, run: sum},
}

const answer = "the answer to the question"

// counting makes a value of how many items were answered with true.
func counting(judge func(n, of int) Value) func(*State, []Value, func(int) Value) Value {
	return func(s *State, list []Value, ask func(int) Value) Value {
		n := 0
		for i := range list {
			if !s.spend(stepCost) {
				break
			}
			if s.truth(ask(i), answer) {
				n++
			}
		}
		return judge(n, len(list))
	}
}

func filter(s *State, list []Value, ask func(int) Value) Value {
	var kept []Value
	for i, item := range list {
		if !s.spend(stepCost + itemCost) {
			break
		}
		if s.truth(ask(i), answer) {
			kept = append(kept, item)
		}
	}
	return listOf(kept)
}

func mapped(s *State, list []Value, ask func(int) Value) Value {
	var out []Value
	for i := range list {
		if !s.spend(stepCost + itemCost) {
			break
		}
		out = append(out, ask(i))
	}
	return listOf(out)
}

func find(s *State, list []Value, ask func(int) Value) Value {
	for i, item := range list {
		if !s.spend(stepCost) {
			break
		}
		if s.truth(ask(i), answer) {
			return item
		}
	}
	return Value{kind: Null}
}

func sum(s *State, list []Value, ask func(int) Value) Value {
	total := Value{kind: Numeric}
	for i := range list {
		if !s.spend(stepCost) {
			break
		}
		total = s.result(total.number.Add(s.number(ask(i), "an item")))
	}
	return total
}

// each compiles a call of a predicate: the question sees the item as # and its index as #index.
func (c *compiler) each(n ast.Node, name string, p predicate, arguments []ast.Node) compiled {
	list := c.node(arguments[0])
	c.needs(arguments[0], list, List, "the list of "+name)
	item, index, cost := c.declare("#"), c.declare("#index"), c.visits
	question := compiled{kinds: Any, run: func(s *State) Value { return s.vars[item] }}
	if len(arguments) > 1 {
		asked, ok := arguments[1].(*ast.PredicateNode)
		if !ok || len(arguments) > 2 {
			return c.failf(n, "%s takes a list and a question, like %s(list, # != \"\")", name, name)
		}
		c.pointers = append(c.pointers, item)
		question = c.node(asked.Node)
		c.pointers = c.pointers[:len(c.pointers)-1]
		c.needs(asked.Node, question, p.wants, "what "+name+" asks")
	} else if !p.optional {
		return c.failf(n, "%s takes a list and a question, like %s(list, # != \"\")", name, name)
	}
	c.forget(2)
	cost = nodeCost * (c.visits - cost)
	what := described(list, "the list of "+name)
	return compiled{kinds: p.gives, run: func(s *State) Value {
		v := list.run(s)
		if v.kind != List {
			return s.fail(what + " is not a list")
		}
		items := v.more.list
		return p.run(s, items, func(i int) Value {
			s.spend(cost)
			s.vars[item], s.vars[index] = items[i], countOf(i)
			return question.run(s)
		})
	}}
}

func (c *compiler) pointer(n *ast.PointerNode) compiled {
	if len(c.pointers) == 0 {
		return c.failf(n, "# is the item of a list, within filter, map, any and the like")
	}
	slot := c.pointers[len(c.pointers)-1]
	switch n.Name {
	case "":
		return compiled{kinds: Any, name: "the item", run: func(s *State) Value { return s.vars[slot] }}
	case "index":
		return compiled{kinds: Numeric, name: "#index", run: func(s *State) Value { return s.vars[slot+1] }}
	default:
		return c.unknown(n, "there is no #"+n.Name, n.Name, []string{"index"})
	}
}
