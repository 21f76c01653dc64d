package pipeline

import (
	"strings"

	"ingest/shared/column"
)

func buildRequired(c ruleContext) (ruleTest, error) {
	return c.test(func(string) bool { return false })
}

// buildRequiredIf asks for a value when another column has one of the values. `null` is a blank cell, and true and false
// are also what a boolean says in other words.
func buildRequiredIf(c ruleContext) (ruleTest, error) {
	other, values := c.scope.column(c.args[0]), c.args[1:]
	var test ruleTest
	for _, value := range values {
		test.says = append(test.says, say(lines[c.name], "other", other.words, "value", value))
	}
	test.judge = func(_ column.Value, r record) int {
		v := r.cell(other.cell)
		for i, value := range values {
			if has(v, value) {
				return i + 1
			}
		}
		return 0
	}
	return test, nil
}

func has(v column.Value, value string) bool {
	switch {
	case !present(v):
		return strings.EqualFold(value, "null")
	case v.Text == value:
		return true
	case value == "true":
		return isBoolean(v.Text) && !isFalse(v.Text)
	case value == "false":
		return isBoolean(v.Text) && isFalse(v.Text)
	default:
		return false
	}
}

func isFalse(text string) bool {
	text = column.Trim(text)
	return text == "0" || strings.EqualFold(text, "false")
}

func buildRequiredWith(c ruleContext) (ruleTest, error)    { return c.requiredByOthers(true) }
func buildRequiredWithout(c ruleContext) (ruleTest, error) { return c.requiredByOthers(false) }

// requiredByOthers asks for a value when any of the other columns is filled, or when any is not.
func (c ruleContext) requiredByOthers(filled bool) (ruleTest, error) {
	cells, words := make([]int, len(c.args)), make([]string, len(c.args))
	for i, name := range c.args {
		other := c.scope.column(name)
		cells[i], words[i] = other.cell, other.words
	}
	return ruleTest{
		judge: func(_ column.Value, r record) int {
			for _, at := range cells {
				if present(r.cell(at)) == filled {
					return 1
				}
			}
			return 0
		},
		says: []saying{say(lines[c.name], "values", strings.Join(words, " / "))},
	}, nil
}

func buildSame(c ruleContext) (ruleTest, error) {
	other := c.scope.column(c.args[0])
	return ruleTest{
		judge: func(v column.Value, r record) int { return verdict(r.cell(other.cell) == v, 1) },
		says:  []saying{say(lines[c.name], "other", other.words)},
	}, nil
}

// buildDifferent names the column that is the same.
func buildDifferent(c ruleContext) (ruleTest, error) {
	var test ruleTest
	cells := make([]int, len(c.args))
	for i, name := range c.args {
		other := c.scope.column(name)
		cells[i] = other.cell
		test.says = append(test.says, say(lines[c.name], "other", other.words))
	}
	test.judge = func(v column.Value, r record) int {
		for i, at := range cells {
			if r.cell(at) == v {
				return i + 1
			}
		}
		return 0
	}
	return test, nil
}
