package extend

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Options reads what an importer says beside a name, whether it was decoded from YAML or from the snapshot of a run. It
// keeps the first mistake; what it answers after that is of no use, and whoever was given it need not look.
type Options struct {
	given map[string]any
	wrong *OptionError
}

// OptionError is a mistake in what an importer says beside a name. Option is empty when no single one is to blame.
type OptionError struct{ Option, Message string }

// Error returns the message.
func (e *OptionError) Error() string { return e.Message }

// ReadOptions returns options as decoded.
func ReadOptions(given map[string]any) *Options { return &Options{given: given} }

// Refuse notes a mistake. The message goes on after the name: "needs a country of two letters".
func (o *Options) Refuse(option, format string, args ...any) {
	if o.wrong == nil {
		o.wrong = &OptionError{Option: option, Message: fmt.Sprintf(format, args...)}
	}
}

// Err is the first mistake, nil when there is none.
func (o *Options) Err() error {
	if o.wrong == nil {
		return nil
	}
	return o.wrong
}

// Known refuses options that are not among the names. An only option `value` is short for the first of them.
func (o *Options) Known(noun, name string, names []string) error {
	if value, short := o.given["value"]; short && len(o.given) == 1 && len(names) > 0 && !slices.Contains(names, "value") {
		o.given = map[string]any{names[0]: value}
	}
	for _, option := range slices.Sorted(maps.Keys(o.given)) {
		if slices.Contains(names, option) {
			continue
		}
		if len(names) == 0 {
			return &OptionError{option, fmt.Sprintf("the %s '%s' takes no options", noun, name)}
		}
		return &OptionError{option, fmt.Sprintf("the %s '%s' has no option '%s'; it has %s", noun, name, option, strings.Join(names, ", "))}
	}
	return nil
}

// Given is an option as decoded: a text, a list ([]any), a table (map[string]any), or nil where it is written without a
// value.
func (o *Options) Given(name string) (any, bool) {
	option, given := o.given[name]
	return option, given
}

// Has says whether the option is given.
func (o *Options) Has(name string) bool {
	_, given := o.given[name]
	return given
}

// Text is a text, or the fallback when the option is not given.
func (o *Options) Text(name, fallback string) string {
	option, given := o.given[name]
	if !given {
		return fallback
	}
	text, ok := OptionText(option)
	if !ok {
		o.Refuse(name, "needs a text as '%s'", name)
	}
	return text
}

// Required is a text that must be given and is not empty.
func (o *Options) Required(name string) string {
	text := o.Text(name, "")
	if text == "" {
		o.Refuse(name, "needs a text as '%s'", name)
	}
	return text
}

// Texts is a list of texts or a single one; nil when the option is not given.
func (o *Options) Texts(name string) []string {
	option, given := o.given[name]
	if !given {
		return nil
	}
	if text, ok := OptionText(option); ok {
		return []string{text}
	}
	list, ok := OptionTexts(option)
	if !ok || len(list) == 0 {
		o.Refuse(name, "needs a list of texts as '%s'", name)
	}
	return list
}

// Table is a table of texts; nil when the option is not given.
func (o *Options) Table(name string) map[string]string {
	option, given := o.given[name]
	if !given {
		return nil
	}
	items, ok := option.(map[string]any)
	table := make(map[string]string, len(items))
	for key, item := range items {
		text, is := OptionText(item)
		table[key], ok = text, ok && is
	}
	if !ok {
		o.Refuse(name, "needs a table of texts as '%s'", name)
	}
	return table
}

// Flag is true or false, or the fallback when the option is not given.
func (o *Options) Flag(name string, fallback bool) bool {
	option, given := o.given[name]
	if !given {
		return fallback
	}
	switch text, _ := OptionText(option); text {
	case "true":
		return true
	case "false":
		return false
	}
	o.Refuse(name, "needs true or false as '%s'", name)
	return false
}

// Integer is a whole number within bounds, or the fallback when the option is not given.
func (o *Options) Integer(name string, least, most, fallback int) int {
	option, given := o.given[name]
	if !given {
		return fallback
	}
	text, _ := OptionText(option)
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > most {
		o.Refuse(name, "needs a whole number from %d to %d as '%s'", least, most, name)
	}
	return n
}

// OptionText is a scalar of a definition as text, whether it was decoded from YAML or from the run's snapshot.
func OptionText(option any) (string, bool) {
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

// OptionTexts is a list of scalars as texts.
func OptionTexts(option any) ([]string, bool) {
	if texts, ok := option.([]string); ok {
		return slices.Clone(texts), true
	}
	list, ok := option.([]any)
	if !ok {
		return nil, false
	}
	texts := make([]string, len(list))
	for i, item := range list {
		if texts[i], ok = OptionText(item); !ok {
			return nil, false
		}
	}
	return texts, true
}

// build gives an extension its options and keeps a panic from whoever only reads a definition.
func build[F any](noun, name string, known []string, given map[string]any, from func(*Options) (F, error)) (made F, err error) {
	o := ReadOptions(given)
	if err := o.Known(noun, name, known); err != nil {
		return made, err
	}
	defer func() {
		if recover() != nil {
			err = fmt.Errorf("the %s '%s' has a bug: it panicked at its options", noun, name)
		}
	}()
	made, err = from(o)
	if wrong := o.Err(); wrong != nil {
		err = wrong
	}
	if err != nil {
		return made, fmt.Errorf("the %s '%s' %w", noun, name, err)
	}
	return made, nil
}
