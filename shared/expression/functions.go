package expression

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/expr-lang/expr/ast"

	"ingest/shared/column"
)

// function is a function of the language. It gets values of the kinds it takes: no NULL where there is none among
// them, and a number, not its text, where it takes numbers only.
type function struct {
	least int
	takes []Kind
	// more says that the last parameter may come any number of times.
	more  bool
	gives Kind
	call  func(s *State, args []Value) Value
}

var functions = map[string]function{
	"len":         {least: 1, takes: []Kind{Text | List | Table}, gives: Numeric, call: length},
	"trim":        {least: 1, takes: []Kind{Text, Text}, gives: Text, call: trim},
	"trimPrefix":  {least: 2, takes: []Kind{Text, Text}, gives: Text, call: onTexts(strings.TrimPrefix)},
	"trimSuffix":  {least: 2, takes: []Kind{Text, Text}, gives: Text, call: onTexts(strings.TrimSuffix)},
	"lower":       {least: 1, takes: []Kind{Text}, gives: Text, call: onText(strings.ToLower)},
	"upper":       {least: 1, takes: []Kind{Text}, gives: Text, call: onText(strings.ToUpper)},
	"hasPrefix":   {least: 2, takes: []Kind{Text, Text}, gives: Bool, call: testing(strings.HasPrefix)},
	"hasSuffix":   {least: 2, takes: []Kind{Text, Text}, gives: Bool, call: testing(strings.HasSuffix)},
	"indexOf":     {least: 2, takes: []Kind{Text, Text}, gives: Numeric, call: locating(strings.Index)},
	"lastIndexOf": {least: 2, takes: []Kind{Text, Text}, gives: Numeric, call: locating(strings.LastIndex)},
	"split":       {least: 2, takes: []Kind{Text, Text, Numeric}, gives: List, call: split},
	"join":        {least: 1, takes: []Kind{List, Text}, gives: Text, call: join},
	"replace":     {least: 3, takes: []Kind{Text, Text, Text, Numeric}, gives: Text, call: replace},
	"repeat":      {least: 2, takes: []Kind{Text, Numeric}, gives: Text, call: repeat},

	"number": {least: 1, takes: []Kind{Numeric}, gives: Numeric, call: onNumber(func(n Number) Number { return n })},
	"float":  {least: 1, takes: []Kind{Numeric}, gives: Numeric, call: onNumber(func(n Number) Number { return n })},
	"int":    {least: 1, takes: []Kind{Numeric}, gives: Numeric, call: onNumber(Number.Truncate)},
	"abs":    {least: 1, takes: []Kind{Numeric}, gives: Numeric, call: onNumber(absolute)},
	"floor":  {least: 1, takes: []Kind{Numeric}, gives: Numeric, call: onNumber(floor)},
	"ceil":   {least: 1, takes: []Kind{Numeric}, gives: Numeric, call: onNumber(ceil)},
	"round":  {least: 1, takes: []Kind{Numeric, Numeric}, gives: Numeric, call: round},
	"min":    {least: 1, takes: []Kind{Numeric | List}, more: true, gives: Numeric, call: extreme("min", -1)},
	"max":    {least: 1, takes: []Kind{Numeric | List}, more: true, gives: Numeric, call: extreme("max", 1)},

	"string":   {least: 1, takes: []Kind{Any}, gives: Text, call: stringOf},
	"bool":     {least: 1, takes: []Kind{Bool | Text}, gives: Bool, call: boolOf},
	"type":     {least: 1, takes: []Kind{Any}, gives: Text, call: typeOf},
	"toJSON":   {least: 1, takes: []Kind{Any}, gives: Text, call: toJSON},
	"fromJSON": {least: 1, takes: []Kind{Text}, gives: Any, call: func(s *State, args []Value) Value { return s.readJSON(args[0].text) }},

	"first":   {least: 1, takes: []Kind{List}, gives: Any, call: func(_ *State, args []Value) Value { return item(args[0], 0) }},
	"last":    {least: 1, takes: []Kind{List}, gives: Any, call: func(_ *State, args []Value) Value { return item(args[0], len(args[0].more.list)-1) }},
	"get":     {least: 2, takes: []Kind{List | Table | Null, Text | Numeric}, gives: Any, call: get},
	"keys":    {least: 1, takes: []Kind{Table}, gives: List, call: keys},
	"values":  {least: 1, takes: []Kind{Table}, gives: List, call: values},
	"concat":  {least: 1, takes: []Kind{List}, more: true, gives: List, call: concat},
	"reverse": {least: 1, takes: []Kind{List}, gives: List, call: reverse},
	"uniq":    {least: 1, takes: []Kind{List}, gives: List, call: uniq},
	"sort":    {least: 1, takes: []Kind{List}, gives: List, call: sorted},
}

// Functions are the names of all functions there are.
func Functions() []string {
	return slices.Sorted(func(yield func(string) bool) {
		for name := range functions {
			if !yield(name) {
				return
			}
		}
		maps.Keys(predicates)(yield)
	})
}

func (c *compiler) call(n ast.Node, name string, arguments []ast.Node) compiled {
	if p, ok := predicates[name]; ok && len(arguments) > 0 {
		return c.each(n, name, p, arguments)
	}
	f, ok := functions[name]
	if !ok {
		message := "there is no function " + name
		if name == "now" || name == "date" || name == "duration" || name == "timezone" {
			message += ": an expression knows no clock; run.started_at is when the run began"
		}
		return c.unknown(n, message, name, Functions())
	}
	if len(arguments) < f.least || len(arguments) > len(f.takes) && !f.more {
		return c.failf(n, "%s takes %s, not %d", name, f.arguments(), len(arguments))
	}
	parts, names := make([]compiled, len(arguments)), make([]string, len(arguments))
	for i, argument := range arguments {
		parts[i] = c.node(argument)
		names[i] = described(parts[i], "the value given to "+name)
		switch kinds := f.parameter(i); {
		case kinds == Numeric:
			c.numeric(argument, parts[i], name)
		case kinds&Numeric != 0:
			c.needs(argument, parts[i], kinds|Text, name) // a cell is the text of its number
		default:
			c.needs(argument, parts[i], kinds, name)
		}
	}
	return compiled{kinds: f.gives, run: func(s *State) Value {
		base := len(s.stack)
		for i := range parts {
			v := s.argument(parts[i].run(s), f.parameter(i), names[i])
			s.stack = append(s.stack, v)
		}
		if s.problem != "" {
			return Value{kind: Null}
		}
		result := f.call(s, s.stack[base:])
		s.stack = s.stack[:base]
		return result
	}}
}

// parameter is what the i-th argument must be.
func (f function) parameter(i int) Kind { return f.takes[min(i, len(f.takes)-1)] }

func (f function) arguments() string {
	switch {
	case f.more:
		return fmt.Sprintf("at least %d argument", f.least)
	case f.least == len(f.takes) && f.least == 1:
		return "1 argument"
	case f.least == len(f.takes):
		return fmt.Sprintf("%d arguments", f.least)
	default:
		return fmt.Sprintf("%d to %d arguments", f.least, len(f.takes))
	}
}

// argument is a value as a function takes it.
func (s *State) argument(v Value, kinds Kind, name string) Value {
	switch {
	case s.problem != "":
		return v
	case kinds == Numeric:
		return Value{kind: Numeric, number: s.number(v, name)}
	case v.kind&kinds != 0:
		s.spend(len(v.text) + 1)
		return v
	case v.kind == Text && kinds&Numeric != 0:
		return Value{kind: Numeric, number: s.number(v, name)}
	case v.kind == Null:
		return s.fail(name + " is NULL")
	default:
		return s.fail(name + " is not " + kinds.String())
	}
}

func length(_ *State, args []Value) Value {
	switch v := args[0]; v.kind {
	case Text:
		return countOf(utf8.RuneCountInString(v.text))
	case List:
		return countOf(len(v.more.list))
	default:
		return countOf(len(v.more.table))
	}
}

func onText(change func(string) string) func(*State, []Value) Value {
	return func(s *State, args []Value) Value {
		s.spend(2 * len(args[0].text))
		return textOf(change(args[0].text))
	}
}

func onTexts(change func(text, part string) string) func(*State, []Value) Value {
	return func(_ *State, args []Value) Value { return textOf(change(args[0].text, args[1].text)) }
}

func testing(test func(text, part string) bool) func(*State, []Value) Value {
	return func(_ *State, args []Value) Value { return truthOf(test(args[0].text, args[1].text)) }
}

// locating counts characters, not bytes.
func locating(find func(text, part string) int) func(*State, []Value) Value {
	return func(_ *State, args []Value) Value {
		i := find(args[0].text, args[1].text)
		if i < 0 {
			return countOf(-1)
		}
		return countOf(utf8.RuneCountInString(args[0].text[:i]))
	}
}

func trim(_ *State, args []Value) Value {
	if len(args) == 1 {
		return textOf(strings.TrimSpace(args[0].text))
	}
	return textOf(strings.Trim(args[0].text, args[1].text))
}

func split(s *State, args []Value) Value {
	text, separator, limit := args[0].text, args[1].text, -1
	if len(args) == 3 {
		limit = s.whole(args[2], "the number of parts")
	}
	pieces := strings.Count(text, separator) + 1
	if limit > 0 {
		pieces = min(pieces, limit)
	}
	if !s.spend(itemCost * pieces) {
		return Value{kind: Null}
	}
	items := make([]Value, 0, pieces)
	for _, piece := range strings.SplitN(text, separator, limit) {
		items = append(items, textOf(piece))
	}
	return listOf(items)
}

func join(s *State, args []Value) Value {
	separator := ""
	if len(args) == 2 {
		separator = args[1].text
	}
	var b strings.Builder
	for i, item := range args[0].more.list {
		text := s.written(item)
		if !s.spend(stepCost + len(separator)) {
			break
		}
		if i > 0 {
			b.WriteString(separator)
		}
		b.WriteString(text)
	}
	return textOf(b.String())
}

func replace(s *State, args []Value) Value {
	limit := -1
	if len(args) == 4 {
		limit = s.whole(args[3], "the number of replacements")
	}
	times := strings.Count(args[0].text, args[1].text)
	if limit >= 0 {
		times = min(times, limit)
	}
	// Both factors are at most the budget, so that their product is a number.
	if !s.spend(times * len(args[2].text)) {
		return Value{kind: Null}
	}
	return textOf(strings.Replace(args[0].text, args[1].text, args[2].text, limit))
}

func repeat(s *State, args []Value) Value {
	times := s.whole(args[1], "the number of repetitions")
	if times < 0 {
		return s.fail("a text cannot be repeated a negative number of times")
	}
	if !s.spend(times * max(1, len(args[0].text))) {
		return Value{kind: Null}
	}
	return textOf(strings.Repeat(args[0].text, times))
}

func stringOf(s *State, args []Value) Value { return textOf(s.written(args[0])) }

func toJSON(s *State, args []Value) Value {
	text := string(args[0].appendJSON(nil))
	s.spend(jsonCost * len(text))
	return textOf(text)
}

// boolOf reads what a boolean column takes.
func boolOf(s *State, args []Value) Value {
	if args[0].kind == Bool {
		return args[0]
	}
	v, problem := column.Convert(args[0].text, column.Column{Type: column.Type{Kind: column.Boolean}})
	if problem != "" {
		return s.fail("the text given to bool is not true or false")
	}
	return truthOf(v.Text == "true")
}

func typeOf(_ *State, args []Value) Value {
	return textOf(map[Kind]string{
		Null: "nil", Text: "text", Numeric: "number", Bool: "bool", List: "list", Table: "table",
	}[args[0].kind])
}
