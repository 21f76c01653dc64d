package pipeline

import (
	"fmt"

	"ingest/shared/column"
	"ingest/shared/extend"
)

// options reads the options of a transform or a validator, with what only the language's own need.
type options struct{ *extend.Options }

func readOptions(given map[string]any) *options { return &options{extend.ReadOptions(given)} }

func (o *options) refuse(format string, args ...any) {
	o.Refuse("", "%s", fmt.Errorf(format, args...).Error())
}

// character is a text of one character, or none where that is allowed.
func (o *options) character(name, fallback string) string {
	text := o.Text(name, fallback)
	if len([]rune(text)) > 1 {
		o.refuse("needs one character as '%s', not '%s'", name, text)
	}
	return text
}

// number is a bound as written and as a number; nil when the option is not given.
func (o *options) number(name string) (*column.Number, string) {
	option, given := o.Given(name)
	if !given {
		return nil, ""
	}
	text, _ := extend.OptionText(option)
	n, ok := column.ParseNumber(text)
	if !ok {
		o.refuse("needs a number as '%s'", name)
	}
	return &n, text
}

// fallback is the option `default`; nil when it is not given.
func (o *options) fallback() *column.Value {
	option, given := o.Given("default")
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
	text, ok := extend.OptionText(option)
	if !ok {
		o.refuse("needs a text as '%s'", name)
	}
	return &column.Value{Text: text, State: column.Set}
}
