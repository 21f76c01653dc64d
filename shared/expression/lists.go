package expression

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/expr-lang/expr/ast"
)

// The functions on lists and tables, and slices.

func item(list Value, i int) Value {
	if i < 0 || i >= len(list.more.list) {
		return Value{kind: Null}
	}
	return list.more.list[i]
}

// get is a member, NULL where there is none.
func get(s *State, args []Value) Value {
	if args[0].kind != List {
		return s.memberOf(args[0], args[1], "the value given to get", true)
	}
	i := s.whole(args[1], "the index")
	if i < 0 {
		i += len(args[0].more.list)
	}
	return item(args[0], i)
}

func keys(s *State, args []Value) Value {
	s.spend(itemCost * len(args[0].more.table))
	var list []Value
	for _, key := range args[0].keys() {
		list = append(list, textOf(key))
	}
	return listOf(list)
}

func values(s *State, args []Value) Value {
	s.spend(itemCost * len(args[0].more.table))
	var list []Value
	for _, key := range args[0].keys() {
		list = append(list, args[0].more.table[key])
	}
	return listOf(list)
}

func concat(s *State, args []Value) Value {
	var list []Value
	for _, arg := range args {
		if s.spend(itemCost * len(arg.more.list)) {
			list = append(list, arg.more.list...)
		}
	}
	return listOf(list)
}

func reverse(s *State, args []Value) Value {
	if !s.spend(itemCost * len(args[0].more.list)) {
		return Value{kind: Null}
	}
	list := slices.Clone(args[0].more.list)
	slices.Reverse(list)
	return listOf(list)
}

// uniq keeps the first of equal items.
func uniq(s *State, args []Value) Value {
	var kept []Value
	for _, v := range args[0].more.list {
		if !s.spend(itemCost) {
			break
		}
		if !slices.ContainsFunc(kept, func(k Value) bool { return s.equal(k, v) }) {
			kept = append(kept, v)
		}
	}
	return listOf(kept)
}

// sorted sorts numbers by size when all items are numbers, else texts.
func sorted(s *State, args []Value) Value {
	list := slices.Clone(args[0].more.list)
	kinds := Kind(0)
	for _, v := range list {
		kinds |= v.kind
	}
	if kinds != 0 && kinds != Numeric && kinds != Text {
		return s.fail("sort takes numbers only or texts only")
	}
	if !s.spend(itemCost * len(list)) {
		return Value{kind: Null}
	}
	slices.SortStableFunc(list, func(a, b Value) int {
		switch {
		case !s.spend(stepCost):
			return 0
		case a.kind == Numeric:
			return a.number.Compare(b.number)
		default:
			s.spend(min(len(a.text), len(b.text)))
			return strings.Compare(a.text, b.text)
		}
	})
	return listOf(list)
}

// slice is a part of a text, by characters, or of a list.
func (c *compiler) slice(n *ast.SliceNode) compiled {
	owner := c.node(n.Node)
	c.needs(n.Node, owner, Text|List, "what [ : ] cuts")
	bound := func(at ast.Node, otherwise int) compiled {
		if at == nil {
			return constant(countOf(otherwise))
		}
		part := c.node(at)
		c.needs(at, part, Numeric|Text, "a bound")
		return part
	}
	const end = 1 << 30
	from, to := bound(n.From, 0), bound(n.To, end)
	name := described(owner, "the text")
	return compiled{kinds: owner.kinds & (Text | List), run: func(s *State) Value {
		v := owner.run(s)
		a, b := s.whole(from.run(s), "a bound"), s.whole(to.run(s), "a bound")
		if v.kind == List {
			a, b = within(a, b, len(v.more.list))
			return listOf(v.more.list[a:b])
		}
		text := s.text(v, name)
		return textOf(characters(text, a, b))
	}}
}

// within counts negative bounds from the end and cuts both to what there is.
func within(from, to, length int) (start, end int) {
	cut := func(i int) int {
		if i < 0 {
			i += length
		}
		return min(max(i, 0), length)
	}
	start, end = cut(from), cut(to)
	return min(start, end), end
}

// characters is the part of a text between two characters.
func characters(text string, from, to int) string {
	from, to = within(from, to, utf8.RuneCountInString(text))
	start := offset(text, from)
	return text[start : start+offset(text[start:], to-from)]
}
