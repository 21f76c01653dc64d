package pipeline

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"ingest/shared/column"
)

// buildNumber is the rule that says that a text is no number.
func buildNumber(c ruleContext) (ruleTest, error) {
	return ruleTest{counts: func(column.Number) bool { return true }, says: []saying{say(lines[c.name])}}, nil
}

func readBound(limit string) (column.Number, error) {
	bound, ok := column.ParseNumber(limit)
	if !ok {
		return bound, fmt.Errorf("needs a number, not '%s'", limit)
	}
	return bound, nil
}

// characters returns how the number of characters of a text is compared with a limit.
func characters(limit string) (compare func(text string) int, err error) {
	if _, err := readBound(limit); err != nil {
		return nil, err
	}
	bound, err := strconv.ParseFloat(column.Trim(limit), 64)
	if err != nil {
		return nil, fmt.Errorf("needs a smaller number than '%s'", limit)
	}
	return func(text string) int { return cmp.Compare(float64(utf8.RuneCountInString(text)), bound) }, nil
}

// line is the message of a rule of sizes.
func (c ruleContext) line(numeric bool) string {
	if numeric {
		return lines[c.name+".numeric"]
	}
	return lines[c.name]
}

// sized is a rule that compares numbers, exactly, or numbers of characters with bounds.
func (c ruleContext) sized(number func(column.Number) bool, text func(string) bool, pairs ...string) ruleTest {
	if c.numeric {
		return ruleTest{counts: number, says: []saying{say(c.line(true), pairs...)}}
	}
	return ruleTest{passes: text, says: []saying{say(c.line(false), pairs...)}}
}

// bounded compares with one number.
func (c ruleContext) bounded(limit, placeholder string, good func(order int) bool) (ruleTest, error) {
	bound, err := readBound(limit)
	if err != nil {
		return ruleTest{}, err
	}
	compare, err := characters(limit)
	if err != nil && !c.numeric {
		return ruleTest{}, err
	}
	return c.sized(
		func(n column.Number) bool { return good(n.Compare(bound)) },
		func(text string) bool { return good(compare(text)) }, placeholder, limit,
	), nil
}

func buildMin(c ruleContext) (ruleTest, error) {
	return c.bounded(c.args[0], "min", func(order int) bool { return order >= 0 })
}

func buildMax(c ruleContext) (ruleTest, error) {
	return c.bounded(c.args[0], "max", func(order int) bool { return order <= 0 })
}

func buildSize(c ruleContext) (ruleTest, error) {
	return c.bounded(c.args[0], "size", func(order int) bool { return order == 0 })
}

func buildBetween(c ruleContext) (ruleTest, error) {
	least, err := c.bounded(c.args[0], "min", func(order int) bool { return order >= 0 })
	if err != nil {
		return ruleTest{}, err
	}
	most, err := c.bounded(c.args[1], "max", func(order int) bool { return order <= 0 })
	if err != nil {
		return ruleTest{}, err
	}
	from, _ := readBound(c.args[0])
	to, _ := readBound(c.args[1])
	if from.Compare(to) > 0 {
		return ruleTest{}, fmt.Errorf("needs the lesser number first, not '%s,%s'", c.args[0], c.args[1])
	}
	return c.sized(
		func(n column.Number) bool { return least.counts(n) && most.counts(n) },
		func(text string) bool { return least.passes(text) && most.passes(text) }, "min", c.args[0], "max", c.args[1],
	), nil
}

// buildComparison compares with a number or with another column. Two numbers compare as numbers whatever rules the
// field has; else a numeric field leaves what is no number to its type, and others count characters.
func buildComparison(good func(order int) bool) func(ruleContext) (ruleTest, error) {
	return func(c ruleContext) (ruleTest, error) {
		limit := c.args[0]
		if _, number := column.ParseNumber(limit); number {
			return c.withNumber(limit, good)
		}
		if strings.TrimSpace(limit) == "" {
			return ruleTest{}, fmt.Errorf("needs a number or a source column, not '%s'", limit)
		}
		other := c.scope.column(limit)
		return ruleTest{
			judge: func(v column.Value, r record) int {
				return c.judge(v, r.cell(other.cell), good)
			},
			says: []saying{
				say(c.line(true), "value", other.words), say(c.line(false), "value", other.words),
			},
		}, nil
	}
}

func (c ruleContext) withNumber(limit string, good func(order int) bool) (ruleTest, error) {
	bound, err := readBound(limit)
	if err != nil {
		return ruleTest{}, err
	}
	compare, err := characters(limit)
	if err != nil {
		return ruleTest{}, err
	}
	return ruleTest{
		judge: func(v column.Value, _ record) int {
			if n, ok := column.ParseNumber(v.Text); ok || c.numeric {
				return verdict(!ok || good(n.Compare(bound)), 1)
			}
			return verdict(good(compare(v.Text)), 2)
		},
		says: []saying{say(c.line(true), "value", limit), say(c.line(false), "value", limit)},
	}, nil
}

// judge compares two cells. A blank one is not of the same type as any value: it fails, as in Laravel.
func (c ruleContext) judge(v, other column.Value, good func(order int) bool) int {
	a, numberA := column.ParseNumber(v.Text)
	b, numberB := column.ParseNumber(other.Text)
	switch {
	case c.numeric && !numberA:
		return 0
	case !present(other):
		return verdict(false, 1)
	case numberA && numberB:
		return verdict(good(a.Compare(b)), 1)
	case c.numeric:
		return verdict(false, 1)
	default:
		return verdict(good(utf8.RuneCountInString(v.Text)-utf8.RuneCountInString(other.Text)), 2)
	}
}

// verdict is which message a cell deserves.
func verdict(passes bool, message int) int {
	if passes {
		return 0
	}
	return message
}
