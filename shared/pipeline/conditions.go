package pipeline

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"ingest/shared/column"
)

func isNumber(text string) bool {
	_, ok := column.ParseNumber(text)
	return ok
}

func isBoolean(text string) bool {
	text = column.Trim(text)
	return text == "1" || text == "0" || strings.EqualFold(text, "true") || strings.EqualFold(text, "false")
}

// isDate takes what Date and Datetime columns take, and the date without hyphens of ISO 8601.
func isDate(text string) bool {
	text = column.Trim(text)
	if len(text) == len("20060102") {
		return column.IsDate(text[:4] + "-" + text[4:6] + "-" + text[6:])
	}
	return column.IsDate(text) || column.IsMoment(text)
}

func buildIn(args []string, _ bool) (ruleTest, error) {
	return ruleTest{
		passes:  func(text string) bool { return slices.Contains(args, text) },
		message: "The selected :attribute is invalid.",
	}, nil
}

func buildDigits(args []string, _ bool) (ruleTest, error) {
	n, err := strconv.Atoi(args[0])
	if err != nil || n < 0 {
		return ruleTest{}, fmt.Errorf("needs a number of digits, not '%s'", args[0])
	}
	return ruleTest{
		passes:  func(text string) bool { return len(text) == n && strings.Trim(text, "0123456789") == "" },
		message: fmt.Sprintf("The :attribute field must be %d digits.", n),
	}, nil
}

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

func unit(numeric bool) string {
	if numeric {
		return "."
	}
	return " characters."
}

func buildMin(args []string, numeric bool) (ruleTest, error) {
	compare, err := measure(args[0], numeric)
	return ruleTest{
		passes: func(text string) bool {
			order, ok := compare(text)
			return !ok || order >= 0
		},
		message: "The :attribute field must be at least " + args[0] + unit(numeric),
	}, err
}

func buildMax(args []string, numeric bool) (ruleTest, error) {
	compare, err := measure(args[0], numeric)
	return ruleTest{
		passes: func(text string) bool {
			order, ok := compare(text)
			return !ok || order <= 0
		},
		message: "The :attribute field must not be greater than " + args[0] + unit(numeric),
	}, err
}

func buildBetween(args []string, numeric bool) (ruleTest, error) {
	least, err := buildMin(args[:1], numeric)
	if err != nil {
		return ruleTest{}, err
	}
	most, err := buildMax(args[1:], numeric)
	if err != nil {
		return ruleTest{}, err
	}
	from, _ := column.ParseNumber(args[0])
	to, _ := column.ParseNumber(args[1])
	if from.Compare(to) > 0 {
		return ruleTest{}, fmt.Errorf("needs the lesser number first, not '%s,%s'", args[0], args[1])
	}
	return ruleTest{
		passes:  func(text string) bool { return least.passes(text) && most.passes(text) },
		message: "The :attribute field must be between " + args[0] + " and " + args[1] + unit(numeric),
	}, nil
}
