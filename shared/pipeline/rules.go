package pipeline

import (
	"fmt"
	"slices"

	"ingest/shared/column"
	"ingest/shared/importer"
)

// family says when a rule is looked at and what its failure means.
type family uint8

const (
	// plain rules skip absent, NULL and blank cells, as all but presence rules do.
	plain family = iota
	// presence rules look at every cell; a failed one ends its field.
	presence
	// typed rules, once failed, silence the size rules of their field.
	typed
	// size rules compare numbers or count characters.
	size
	// marker rules test nothing.
	marker
)

// ruleEntry is one rule of the language.
type ruleEntry struct {
	family family
	// least and most bound the number of arguments; most -1 = any number.
	least, most int
	// numeric rules make the size rules of their field compare numbers.
	numeric bool
	build   func(args []string, numeric bool) (ruleTest, error)
}

// ruleTest is a compiled rule: what it asks of a text and what is said when the answer is no.
type ruleTest struct {
	passes  func(text string) bool
	message string
}

var rules = map[string]ruleEntry{
	"required": {family: presence, build: simple(func(string) bool { return true }, "The :attribute field is required.")},
	"nullable": {family: marker},
	"bail":     {family: marker},
	"string":   {family: plain, build: simple(func(string) bool { return true }, "The :attribute field must be a string.")},
	"numeric":  {family: typed, numeric: true, build: simple(isNumber, "The :attribute field must be a number.")},
	"integer":  {family: typed, numeric: true, build: simple(column.IsInteger, "The :attribute field must be an integer.")},
	"boolean":  {family: typed, build: simple(isBoolean, "The :attribute field must be true or false.")},
	"date":     {family: typed, build: simple(isDate, "The :attribute field must be a valid date.")},
	"email":    {family: plain, build: simple(isEmail, "The :attribute field must be a valid email address.")},
	"min":      {family: size, least: 1, most: 1, build: buildMin},
	"max":      {family: size, least: 1, most: 1, build: buildMax},
	"between":  {family: size, least: 2, most: 2, build: buildBetween},
	"in":       {family: plain, least: 1, most: -1, build: buildIn},
	"regex":    {family: plain, least: 1, most: 1, build: buildRegex},
	"digits":   {family: plain, least: 1, most: 1, build: buildDigits},
}

// simple builds a rule without arguments.
func simple(passes func(string) bool, message string) func([]string, bool) (ruleTest, error) {
	return func([]string, bool) (ruleTest, error) { return ruleTest{passes, message}, nil }
}

// CheckRules answers whether the rule exists and its arguments are right. The error is for the author of an
// importer.
func CheckRules(r importer.Rule) error {
	_, _, err := newRule(r, false)
	return err
}

func newRule(r importer.Rule, numeric bool) (ruleEntry, ruleTest, error) {
	entry, ok := rules[r.Name]
	if !ok {
		return entry, ruleTest{}, unknown("rule", r.Name, rules)
	}
	if n := len(r.Args); n < entry.least || entry.most >= 0 && n > entry.most {
		return entry, ruleTest{}, fmt.Errorf("the rule '%s' takes %s, not %d", r.Name, arguments(entry), n)
	}
	if entry.build == nil {
		return entry, ruleTest{}, nil
	}
	test, err := entry.build(slices.Clone(r.Args), numeric)
	if err != nil {
		return entry, ruleTest{}, fmt.Errorf("the rule '%s' %w", r.Name, err)
	}
	return entry, test, nil
}

func arguments(entry ruleEntry) string {
	switch {
	case entry.most == 0:
		return "no arguments"
	case entry.most < 0:
		return fmt.Sprintf("at least %d argument", entry.least)
	case entry.most == 1:
		return "1 argument"
	default:
		return fmt.Sprintf("%d arguments", entry.most)
	}
}

// check is the rules of one source column.
type check struct {
	cell   int
	source string
	bail   bool
	steps  []ruleStep
}

type ruleStep struct {
	family  family
	passes  func(text string) bool
	message string
}

func newCheck(list importer.Rules, n *names) (check, error) {
	source, cell := n.column(list.Column)
	c := check{cell: cell, source: source}
	numeric := slices.ContainsFunc(list.Rules, func(r importer.Rule) bool { return rules[r.Name].numeric })
	words := Words(source)
	for _, rule := range list.Rules {
		entry, test, err := newRule(rule, numeric)
		if err != nil {
			return c, &Error{"The rules of '" + list.Column + "' are wrong: " + err.Error() + "."}
		}
		if rule.Name == "bail" {
			c.bail = true
		}
		if entry.family != marker {
			c.steps = append(c.steps, ruleStep{entry.family, test.passes, sentence(test.message, words)})
		}
	}
	return c, nil
}

// apply adds the messages of the rules that the cell breaks.
func (c *check) apply(v column.Value, found *failures) {
	present := v.State == column.Set && column.Trim(v.Text) != ""
	wrongType := false
	for i := range c.steps {
		step := &c.steps[i]
		switch {
		case step.family == presence && !present:
			found.add(c.source, step.message)
			return
		case !present || step.family == size && wrongType || step.passes(v.Text):
			continue
		}
		found.add(c.source, step.message)
		if c.bail || step.family == presence {
			return
		}
		wrongType = wrongType || step.family == typed
	}
}
