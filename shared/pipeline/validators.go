package pipeline

import (
	"fmt"
	"slices"
	"strings"

	"ingest/shared/column"
	"ingest/shared/importer"
)

// validator looks at a field's value after its transforms and answers what is wrong with it, nothing when it is right.
// All but `required` let NULL, absent and empty values pass.
type validator func(v column.Value) (message string)

// validatorEntry is one validator of the language. `{name: value}` is short for its first option.
type validatorEntry struct {
	options []string
	build   func(o *options, s scope) func(text string) string
}

const (
	missing     = "Field is required"
	wrongEmail  = "Invalid email format"
	wrongNumber = "Value must be numeric"
)

var validators = map[string]validatorEntry{
	"required": {nil, func(*options, scope) func(string) string { return nil }},
	"email":    {nil, func(*options, scope) func(string) string { return unless(isEmail, wrongEmail) }},
	"range":    {[]string{"min", "max"}, buildRange},
	"regex":    {[]string{"pattern"}, buildMatch},
	"in":       {[]string{"list", "strict"}, buildList},
	"date":     {[]string{"format"}, buildDated},
}

func newValidator(v importer.Validator, s scope) (validator, error) {
	entry, ok := validators[v.Name]
	if !ok {
		own, ok := s.extensions.Validator(v.Name)
		if !ok {
			return nil, unknown("validator", v.Name, slices.Concat(sortedNames(validators), s.extensions.Names().Validators))
		}
		return ownValidator(own, v.Options)
	}
	o := readOptions(v.Options)
	if err := o.Known("validator", v.Name, entry.options); err != nil {
		return nil, err
	}
	judge := entry.build(o, s)
	if err := o.Err(); err != nil {
		return nil, fmt.Errorf("the validator '%s' %w", v.Name, err)
	}
	return func(v column.Value) string {
		empty := v.State != column.Set || v.Text == ""
		switch {
		case judge == nil && (empty || !present(v)):
			return missing
		case judge == nil || empty:
			return ""
		default:
			return judge(v.Text)
		}
	}, nil
}

func unless(good func(string) bool, message string) func(string) string {
	return func(text string) string {
		if good(text) {
			return ""
		}
		return message
	}
}

func buildRange(o *options, _ scope) func(string) string {
	least, leastText := o.number("min")
	most, mostText := o.number("max")
	switch {
	case least == nil && most == nil:
		o.refuse("needs a number as 'min' or as 'max'")
	case least != nil && most != nil && least.Compare(*most) > 0:
		o.refuse("needs a 'min' that is not greater than 'max'")
	}
	return func(text string) string {
		n, ok := column.ParseNumber(text)
		switch {
		case !ok:
			return wrongNumber
		case least != nil && n.Compare(*least) < 0:
			return "Value must be at least " + leastText
		case most != nil && n.Compare(*most) > 0:
			return "Value must be at most " + mostText
		default:
			return ""
		}
	}
}

func buildMatch(o *options, _ scope) func(string) string {
	expression := o.pattern("pattern")
	return unless(func(text string) bool {
		return len(text) <= maxMatched && expression.MatchString(text)
	}, "Value does not match required pattern")
}

// buildList compares exactly; `strict: false` compares numbers by their value, as PHP does.
func buildList(o *options, _ scope) func(string) string {
	list := o.Texts("list")
	if len(list) == 0 {
		o.refuse("needs a list of texts as 'list'")
	}
	good := func(text string) bool { return slices.Contains(list, text) }
	if !o.Flag("strict", true) {
		good = func(text string) bool {
			return slices.ContainsFunc(list, func(one string) bool { return one == text || sameNumber(one, text) })
		}
	}
	return unless(good, "Value must be one of: "+strings.Join(list, ", "))
}

func sameNumber(a, b string) bool {
	x, okX := column.ParseNumber(a)
	y, okY := column.ParseNumber(b)
	return okX && okY && x.Compare(y) == 0
}

func buildDated(o *options, s scope) func(string) string {
	format := o.Text("format", "Y-m-d")
	l, err := newLayout(format, forReading)
	if err != nil {
		o.refuse("%w", err)
	}
	zone := s.location()
	return unless(func(text string) bool { return l.exactly(text, zone) }, "Invalid date format. Expected: "+format)
}
