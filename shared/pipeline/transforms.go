package pipeline

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"ingest/shared/column"
	"ingest/shared/expression"
	"ingest/shared/importer"
)

// transform changes a cell before it is converted. It sees NULL, never an absent cell.
type transform func(column.Value) column.Value

// transformEntry is one transform of the language.
type transformEntry struct {
	options []string
	build   func(options map[string]any) (transform, error)
}

var transforms = map[string]transformEntry{
	"trim":    {options: []string{"chars", "value"}, build: buildTrim},
	"lower":   {build: onText(strings.ToLower)},
	"upper":   {build: onText(strings.ToUpper)},
	"default": {options: []string{"value", "empties"}, build: buildDefault},
	// A field's expr is compiled with the names it may use: see computing.step.
	exprTransform: {options: []string{"value"}, build: buildExpr},
}

// CheckTransform answers whether the transform exists and its options are right. The error is for the author of an
// importer.
func CheckTransform(t importer.Transform) error {
	_, err := newTransform(t)
	return err
}

func newTransform(t importer.Transform) (transform, error) {
	entry, ok := transforms[t.Name]
	if !ok {
		return nil, unknown("transform", t.Name, transforms)
	}
	for _, name := range sortedNames(t.Options) {
		if !slices.Contains(entry.options, name) {
			if len(entry.options) == 0 {
				return nil, fmt.Errorf("the transform '%s' takes no options", t.Name)
			}
			return nil, fmt.Errorf("the transform '%s' has no option '%s'; it has %s", t.Name, name, strings.Join(entry.options, ", "))
		}
	}
	step, err := entry.build(t.Options)
	if err != nil {
		return nil, fmt.Errorf("the transform '%s' %w", t.Name, err)
	}
	return step, nil
}

// onText builds a transform without options that leaves NULL alone.
func onText(change func(string) string) func(map[string]any) (transform, error) {
	return func(map[string]any) (transform, error) {
		return func(v column.Value) column.Value {
			if v.State == column.Set {
				v.Text = change(v.Text)
			}
			return v
		}, nil
	}
}

func buildTrim(options map[string]any) (transform, error) {
	option, given := options["chars"]
	if !given {
		// A single value, {trim: "-"}, is decoded as the option value.
		option, given = options["value"]
	}
	if !given {
		return onText(column.Trim)(nil)
	}
	chars, ok := optionText(option)
	if !ok || chars == "" {
		return nil, fmt.Errorf("needs characters as 'chars'")
	}
	return onText(func(text string) string { return strings.Trim(text, chars) })(nil)
}

func buildDefault(options map[string]any) (transform, error) {
	value, ok := optionText(options["value"])
	if !ok {
		return nil, fmt.Errorf("needs a text, a number or true or false as 'value'")
	}
	empties := []string{""}
	if option, given := options["empties"]; given {
		if empties, ok = optionTexts(option); !ok {
			return nil, fmt.Errorf("needs a list of texts as 'empties'")
		}
	}
	return func(v column.Value) column.Value {
		if v.State == column.Null || slices.Contains(empties, v.Text) {
			return column.Value{Text: value, State: column.Set}
		}
		return v
	}, nil
}

// buildExpr only judges: what an expression gives depends on the row.
func buildExpr(options map[string]any) (transform, error) {
	text, ok := optionText(options["value"])
	if !ok {
		return nil, fmt.Errorf("needs an expression")
	}
	if _, err := expression.Compile(text, expression.Scope{Value: true}, expression.Any); err != nil {
		return nil, fmt.Errorf("has a wrong expression: %w", err)
	}
	return func(v column.Value) column.Value { return v }, nil
}

// optionText is a scalar of a definition as text, whether it was decoded from YAML or from the run's snapshot.
func optionText(option any) (string, bool) {
	switch value := option.(type) {
	case string:
		return value, true
	case json.Number:
		return value.String(), true
	case bool:
		return strconv.FormatBool(value), true
	case float64:
		return strconv.FormatFloat(value, 'f', -1, 64), true
	case int, int64, uint64:
		return fmt.Sprint(value), true
	default:
		return "", false
	}
}

func optionTexts(option any) ([]string, bool) {
	if texts, ok := option.([]string); ok {
		return slices.Clone(texts), true
	}
	list, ok := option.([]any)
	if !ok {
		return nil, false
	}
	texts := make([]string, len(list))
	for i, item := range list {
		if texts[i], ok = optionText(item); !ok {
			return nil, false
		}
	}
	return texts, true
}
