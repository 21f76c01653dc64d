package expression

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Kind is a set of kinds of values: what a value is, or all that an expression may give.
type Kind uint8

// The kinds.
const (
	Null Kind = 1 << iota
	Text
	Numeric
	Bool
	List
	Table

	// Scalar is everything that a cell can hold as it is.
	Scalar = Null | Text | Numeric | Bool
	// Any is every kind.
	Any = Scalar | List | Table
)

// String lists the kinds in words.
func (k Kind) String() string {
	if k == Any {
		return "a value"
	}
	var words []string
	for i, word := range [...]string{"NULL", "text", "a number", "true or false", "a list", "a table"} {
		if k&(1<<i) != 0 {
			words = append(words, word)
		}
	}
	return strings.Join(words, " or ")
}

// Value is what an expression computes with. The zero value is none; NULL is Value{kind: Null}.
type Value struct {
	kind   Kind
	truth  bool
	text   string
	number Number
	more   *collection
}

// collection is what few values need: the items of a list or the entries of a table. It is never changed.
type collection struct {
	list  []Value
	table map[string]Value
}

func textOf(text string) Value { return Value{kind: Text, text: text} }

func truthOf(truth bool) Value { return Value{kind: Bool, truth: truth} }

func countOf(n int) Value { return Value{kind: Numeric, number: Whole(n)} }

func listOf(items []Value) Value { return Value{kind: List, more: &collection{list: items}} }

func tableOf(entries map[string]Value) Value {
	return Value{kind: Table, more: &collection{table: entries}}
}

// String is the value as a cell: a number in its shortest form, true or false, JSON for lists and tables, "" for NULL.
func (v Value) String() string {
	switch v.kind {
	case Text:
		return v.text
	case Numeric:
		return v.number.String()
	case Bool:
		return strconv.FormatBool(v.truth)
	case List, Table:
		return string(v.appendJSON(nil))
	default:
		return ""
	}
}

// keys are the keys of a table, sorted: its order must not be an accident.
func (v Value) keys() []string { return slices.Sorted(maps.Keys(v.more.table)) }

// appendJSON writes the value without blanks, tables by their keys. It ends when there is more than a result may have:
// lists that hold one list many times are small until they are written.
func (v Value) appendJSON(to []byte) []byte {
	if len(to) > MaxResult {
		return to
	}
	switch v.kind {
	case Text:
		return appendQuoted(to, v.text)
	case Numeric:
		return append(to, v.number.String()...)
	case Bool:
		return strconv.AppendBool(to, v.truth)
	case List:
		to = append(to, '[')
		for i, item := range v.more.list {
			if i > 0 {
				to = append(to, ',')
			}
			to = item.appendJSON(to)
		}
		return append(to, ']')
	case Table:
		to = append(to, '{')
		for i, key := range v.keys() {
			if i > 0 {
				to = append(to, ',')
			}
			to = append(appendQuoted(to, key), ':')
			to = v.more.table[key].appendJSON(to)
		}
		return append(to, '}')
	default:
		return append(to, "null"...)
	}
}

func appendQuoted(to []byte, text string) []byte {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(text) // a text has a JSON form
	return append(to, bytes.TrimSuffix(b.Bytes(), []byte("\n"))...)
}

// equal compares numbers with numbers and with the texts of numbers, everything else with its own kind.
func (s *State) equal(a, b Value) bool {
	if !s.spend(equalCost) {
		return false
	}
	switch {
	case a.kind == Numeric && b.kind == Text:
		n, ok := ParseNumber(b.text)
		return ok && s.spend(len(b.text)) && a.number.Compare(n) == 0
	case a.kind == Text && b.kind == Numeric:
		return s.equal(b, a)
	case a.kind != b.kind:
		return false
	}
	switch a.kind {
	case Text:
		return len(a.text) == len(b.text) && s.spend(len(a.text)) && a.text == b.text
	case Numeric:
		return a.number.Compare(b.number) == 0
	case Bool:
		return a.truth == b.truth
	case List:
		return slices.EqualFunc(a.more.list, b.more.list, s.equal)
	case Table:
		return maps.EqualFunc(a.more.table, b.more.table, s.equal)
	default:
		return true
	}
}

// readJSON is a value from its JSON; numbers stay as they are written.
func (s *State) readJSON(text string) Value {
	// What the decoder builds is far larger than the text.
	if !s.spend(itemCost * len(text)) {
		return Value{kind: Null}
	}
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var data any
	if err := decoder.Decode(&data); err != nil {
		return s.fail("it is not JSON")
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return s.fail("it is not JSON")
	}
	return s.fromJSON(data)
}

func (s *State) fromJSON(data any) Value {
	switch data := data.(type) {
	case string:
		return textOf(data)
	case json.Number:
		n, ok := ParseNumber(data.String())
		return s.result(n, ok)
	case bool:
		return truthOf(data)
	case []any:
		list := make([]Value, len(data))
		for i, item := range data {
			list[i] = s.fromJSON(item)
		}
		return listOf(list)
	case map[string]any:
		table := make(map[string]Value, len(data))
		for key, item := range data {
			table[key] = s.fromJSON(item)
		}
		return tableOf(table)
	default:
		return Value{kind: Null}
	}
}
