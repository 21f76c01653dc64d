package pipeline

import (
	"fmt"
	"slices"
	"strings"

	"ingest/shared/column"
	"ingest/shared/expression"
	"ingest/shared/extend"
	"ingest/shared/importer"
)

// transform changes a cell before it is converted, or answers what is wrong with it. It sees NULL, never an absent
// cell, and the rest of its row.
type transform func(column.Value, record) (column.Value, *complaint)

// transformEntry is one transform of the language.
type transformEntry struct {
	// options are the names it knows; `{name: text}` is short for the first.
	options []string
	build   func(o *options, s scope) transform
}

var transforms = map[string]transformEntry{
	"trim":    {[]string{"chars"}, buildTrim},
	"lower":   {nil, onText(strings.ToLower)},
	"upper":   {nil, onText(strings.ToUpper)},
	"slug":    {[]string{"separator"}, buildSlug},
	"default": {[]string{"value", "empties"}, buildDefault},
	"map":     {[]string{"table", "default"}, buildMap},
	"boolean": {[]string{"truthy", "falsy", "case_sensitive", "default"}, buildBoolean},
	"numeric": {
		[]string{"decimals", "min", "max", "default", "decimal_separator", "thousands_separator"}, buildNumeric,
	},
	"date":    {[]string{"in", "out", "default"}, buildDateTransform},
	"concat":  {[]string{"fields", "separator"}, buildConcat},
	"split":   {[]string{"separator", "index", "limit", "default"}, buildSplit},
	"replace": {[]string{"search", "regex", "replace"}, buildReplace},
	"regex":   {[]string{"pattern", "group", "replacement", "default"}, buildPattern},
	"hash":    {[]string{"algorithm"}, buildHash},
	// A field's expr is compiled with the names it may use: see computing.step.
	exprTransform: {[]string{"value"}, buildExpr},
}

func newTransform(t importer.Transform, s scope) (transform, error) {
	entry, ok := transforms[t.Name]
	if !ok {
		own, ok := s.extensions.Transform(t.Name)
		if !ok {
			return nil, unknown("transform", t.Name, slices.Concat(sortedNames(transforms), s.extensions.Names().Transforms))
		}
		return ownTransform(own, t.Options)
	}
	o := readOptions(t.Options)
	if err := o.Known("transform", t.Name, entry.options); err != nil {
		return nil, err
	}
	step := entry.build(o, s)
	if err := o.Err(); err != nil {
		return nil, fmt.Errorf("the transform '%s' %w", t.Name, err)
	}
	return step, nil
}

// onText builds a transform without options that leaves NULL alone.
func onText(change func(string) string) func(*options, scope) transform {
	return func(*options, scope) transform { return texts(change) }
}

// texts changes texts and leaves NULL alone.
func texts(change func(string) string) transform {
	return func(v column.Value, _ record) (column.Value, *complaint) {
		if v.State == column.Set {
			v.Text = change(v.Text)
		}
		return v, nil
	}
}

// reads makes a transform of what reads a text: what it cannot read is the complaint, and so is nothing, unless there
// is a fallback, which then stands for NULL and empty text too. Without one NULL stays NULL.
func reads(read func(text string) (string, bool), fallback *column.Value, wrong *complaint) transform {
	return func(v column.Value, _ record) (column.Value, *complaint) {
		if v.State != column.Set || v.Text == "" && fallback != nil {
			if fallback != nil {
				return *fallback, nil
			}
			return v, nil
		}
		text, ok := read(v.Text)
		switch {
		case ok:
			v.Text = text
			return v, nil
		case fallback != nil:
			return *fallback, nil
		default:
			return v, wrong
		}
	}
}

func buildTrim(o *options, _ scope) transform {
	if !o.Has("chars") {
		return texts(column.Trim)
	}
	chars := o.Text("chars", "")
	if chars == "" {
		o.refuse("needs characters as 'chars'")
	}
	return texts(func(text string) string { return strings.Trim(text, chars) })
}

func buildDefault(o *options, _ scope) transform {
	option, _ := o.Given("value")
	value, ok := extend.OptionText(option)
	if !ok {
		o.refuse("needs a text, a number or true or false as 'value'")
	}
	empties := []string{""}
	if option, given := o.Given("empties"); given {
		if empties, ok = extend.OptionTexts(option); !ok {
			o.refuse("needs a list of texts as 'empties'")
		}
	}
	return func(v column.Value, _ record) (column.Value, *complaint) {
		if v.State == column.Null || slices.Contains(empties, v.Text) {
			return column.Value{Text: value, State: column.Set}, nil
		}
		return v, nil
	}
}

// buildExpr only judges: what an expression gives depends on the names it may use.
func buildExpr(o *options, _ scope) transform {
	option, _ := o.Given("value")
	text, ok := extend.OptionText(option)
	if !ok {
		o.refuse("needs an expression")
	} else if _, err := expression.Compile(text, expression.Scope{Value: true}, expression.Any); err != nil {
		o.refuse("has a wrong expression: %w", err)
	}
	return texts(func(text string) string { return text })
}
