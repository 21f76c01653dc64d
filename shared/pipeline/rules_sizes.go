package pipeline

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"ingest/shared/column"
)

// measure returns how a text is compared with a limit: as a number, exactly, or by its number of characters. A text
// that is no number is left to the rule that says so.
func measure(limit string, numeric bool) (compare func(text string) (order int, ok bool), err error) {
	bound, ok := column.ParseNumber(strings.Clone(limit))
	if !ok {
		return nil, fmt.Errorf("needs a number, not '%s'", limit)
	}
	if numeric {
		return func(text string) (int, bool) {
			n, ok := column.ParseNumber(text)
			return n.Compare(bound), ok
		}, nil
	}
	characters, err := strconv.ParseFloat(column.Trim(limit), 64)
	if err != nil {
		return nil, fmt.Errorf("needs a smaller number than '%s'", limit)
	}
	return func(text string) (int, bool) {
		n := float64(utf8.RuneCountInString(text))
		switch {
		case n < characters:
			return -1, true
		case n > characters:
			return 1, true
		default:
			return 0, true
		}
	}, nil
}

// line is the message of a rule of sizes.
func (c ruleContext) line(numeric bool) string {
	if numeric {
		return lines[c.name+".numeric"]
	}
	return lines[c.name]
}

// bounded is a rule that compares with one number.
func (c ruleContext) bounded(limit, placeholder string, good func(order int) bool) (ruleTest, error) {
	compare, err := measure(limit, c.numeric)
	return ruleTest{
		passes: func(text string) bool {
			order, ok := compare(text)
			return !ok || good(order)
		},
		says: []saying{say(c.line(c.numeric), placeholder, limit)},
	}, err
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
	from, _ := column.ParseNumber(c.args[0])
	to, _ := column.ParseNumber(c.args[1])
	if from.Compare(to) > 0 {
		return ruleTest{}, fmt.Errorf("needs the lesser number first, not '%s,%s'", c.args[0], c.args[1])
	}
	return ruleTest{
		passes: func(text string) bool { return least.passes(text) && most.passes(text) },
		says:   []saying{say(c.line(c.numeric), "min", c.args[0], "max", c.args[1])},
	}, nil
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
	asNumber, err := measure(limit, true)
	if err != nil {
		return ruleTest{}, err
	}
	asText, err := measure(limit, false)
	if err != nil {
		return ruleTest{}, err
	}
	return ruleTest{
		judge: func(v column.Value, _ record) int {
			if order, ok := asNumber(v.Text); ok || c.numeric {
				return verdict(!ok || good(order), 1)
			}
			order, _ := asText(v.Text)
			return verdict(good(order), 2)
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
