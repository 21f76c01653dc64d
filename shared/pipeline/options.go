package pipeline

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"ingest/shared/column"
)

// options reads the options of a transform or a validator, whether they were decoded from YAML or from the run's
// snapshot. It keeps the first mistake; what it answers after that is of no use.
type options struct {
	given map[string]any
	err   error
}

func (o *options) refuse(format string, args ...any) {
	if o.err == nil {
		o.err = fmt.Errorf(format, args...)
	}
}

// known refuses options that are not among the names. An only option `value` is short for the first of them.
func (o *options) known(noun, name string, names []string) error {
	if value, short := o.given["value"]; short && len(o.given) == 1 && len(names) > 0 && !slices.Contains(names, "value") {
		o.given = map[string]any{names[0]: value}
	}
	for _, option := range sortedNames(o.given) {
		if slices.Contains(names, option) {
			continue
		}
		if len(names) == 0 {
			return fmt.Errorf("the %s '%s' takes no options", noun, name)
		}
		return fmt.Errorf("the %s '%s' has no option '%s'; it has %s", noun, name, option, strings.Join(names, ", "))
	}
	return nil
}

func (o *options) has(name string) bool {
	_, given := o.given[name]
	return given
}

// text is a text, or the fallback when the option is not given.
func (o *options) text(name, fallback string) string {
	option, given := o.given[name]
	if !given {
		return fallback
	}
	text, ok := optionText(option)
	if !ok {
		o.refuse("needs a text as '%s'", name)
	}
	return text
}

// character is a text of one character, or none where that is allowed.
func (o *options) character(name, fallback string) string {
	text := o.text(name, fallback)
	if len([]rune(text)) > 1 {
		o.refuse("needs one character as '%s', not '%s'", name, text)
	}
	return text
}

// texts is a list of texts or a single one; nil when the option is not given.
func (o *options) texts(name string) []string {
	option, given := o.given[name]
	if !given {
		return nil
	}
	if text, ok := optionText(option); ok {
		return []string{text}
	}
	list, ok := optionTexts(option)
	if !ok || len(list) == 0 {
		o.refuse("needs a list of texts as '%s'", name)
	}
	return list
}

func (o *options) flag(name string, fallback bool) bool {
	option, given := o.given[name]
	if !given {
		return fallback
	}
	switch text, _ := optionText(option); text {
	case "true":
		return true
	case "false":
		return false
	}
	o.refuse("needs true or false as '%s'", name)
	return false
}

func (o *options) integer(name string, least, most, fallback int) int {
	option, given := o.given[name]
	if !given {
		return fallback
	}
	text, _ := optionText(option)
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > most {
		o.refuse("needs a whole number from %d to %d as '%s'", least, most, name)
	}
	return n
}

// number is a bound as written and as a number; nil when the option is not given.
func (o *options) number(name string) (*column.Number, string) {
	option, given := o.given[name]
	if !given {
		return nil, ""
	}
	text, _ := optionText(option)
	n, ok := column.ParseNumber(text)
	if !ok {
		o.refuse("needs a number as '%s'", name)
	}
	return &n, text
}

// fallback is the option `default`; nil when it is not given.
func (o *options) fallback() *column.Value {
	option, given := o.given["default"]
	if !given {
		return nil
	}
	return o.asValue("default", option)
}

// asValue is a text or, written without a value, NULL.
func (o *options) asValue(name string, option any) *column.Value {
	if option == nil {
		return &column.Value{State: column.Null}
	}
	text, ok := optionText(option)
	if !ok {
		o.refuse("needs a text as '%s'", name)
	}
	return &column.Value{Text: text, State: column.Set}
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
