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
	// presence rules look at blank cells alone; a failed one ends its field.
	presence
	// typed rules, once failed, silence the size rules of their field.
	typed
	// size rules compare: with numbers, numbers of characters, dates.
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
	build   func(ruleContext) (ruleTest, error)
}

// ruleContext is what a rule is built of.
type ruleContext struct {
	name string
	args []string
	// numeric says that the sizes of the field are numbers.
	numeric bool
	// formats are those of the field's date_format rules.
	formats []layout
	scope   scope
	// source is the primary name of the column, cell its address.
	source string
	cell   int
}

// ruleTest is a compiled rule. One of passes, counts and judge is set.
type ruleTest struct {
	// passes answers for the text of a cell.
	passes func(text string) bool
	// counts answers for the number in a cell, which is read once for all rules of a field. A text that is no number
	// is not asked about, but for the rule that says so.
	counts func(n column.Number) bool
	// judge answers for a cell of a row which of the messages it deserves, counting from 1; 0 = none.
	judge func(v column.Value, r record) int
	// says are the messages.
	says []saying
}

// test is a rule with one message, the line of its name.
func (c ruleContext) test(passes func(string) bool, pairs ...string) (ruleTest, error) {
	return ruleTest{passes: passes, says: []saying{say(lines[c.name], pairs...)}}, nil
}

var rules = map[string]ruleEntry{
	"required":         {family: presence, build: buildRequired},
	"required_if":      {family: presence, least: 2, most: -1, build: buildRequiredIf},
	"required_with":    {family: presence, least: 1, most: -1, build: buildRequiredWith},
	"required_without": {family: presence, least: 1, most: -1, build: buildRequiredWithout},
	"nullable":         {family: marker},
	"bail":             {family: marker},
	"string":           {family: plain, build: simple(func(string) bool { return true })},
	"numeric":          {family: typed, numeric: true, build: buildNumber},
	"integer":          {family: typed, numeric: true, build: simple(column.IsInteger)},
	"decimal":          {family: typed, numeric: true, least: 1, most: 2, build: buildDecimal},
	"boolean":          {family: typed, build: simple(isBoolean)},
	"date":             {family: typed, build: buildDate},
	"date_format":      {family: typed, least: 1, most: -1, build: buildDateFormat},
	"after":            {family: size, least: 1, most: 1, build: buildAfter},
	"before":           {family: size, least: 1, most: 1, build: buildBefore},
	"min":              {family: size, least: 1, most: 1, build: buildMin},
	"max":              {family: size, least: 1, most: 1, build: buildMax},
	"between":          {family: size, least: 2, most: 2, build: buildBetween},
	"size":             {family: size, least: 1, most: 1, build: buildSize},
	"gt":               {family: size, least: 1, most: 1, build: buildComparison(func(order int) bool { return order > 0 })},
	"gte":              {family: size, least: 1, most: 1, build: buildComparison(func(order int) bool { return order >= 0 })},
	"lt":               {family: size, least: 1, most: 1, build: buildComparison(func(order int) bool { return order < 0 })},
	"lte":              {family: size, least: 1, most: 1, build: buildComparison(func(order int) bool { return order <= 0 })},
	"digits":           {family: plain, least: 1, most: 1, build: buildDigits},
	"digits_between":   {family: plain, least: 2, most: 2, build: buildDigitsBetween},
	"in":               {family: plain, least: 1, most: -1, build: buildIn},
	"not_in":           {family: plain, least: 1, most: -1, build: buildNotIn},
	"same":             {family: plain, least: 1, most: 1, build: buildSame},
	"different":        {family: plain, least: 1, most: -1, build: buildDifferent},
	"regex":            {family: plain, least: 1, most: 1, build: buildRegex},
	"alpha":            {family: plain, most: 1, build: buildLetters("")},
	"alpha_num":        {family: plain, most: 1, build: buildLetters("0")},
	"alpha_dash":       {family: plain, most: 1, build: buildLetters("0-_")},
	"starts_with":      {family: plain, least: 1, most: -1, build: buildStartsWith},
	"ends_with":        {family: plain, least: 1, most: -1, build: buildEndsWith},
	"email":            {family: plain, build: simple(isEmail)},
	"url":              {family: plain, most: -1, build: buildURL},
	"ip":               {family: plain, build: simple(isIP)},
	"uuid":             {family: plain, build: simple(isUUID)},
	"json":             {family: plain, build: simple(isJSON)},
	"exists":           {family: plain, least: 1, most: 2, build: buildExists},
	"unique":           {family: plain, least: 1, most: 4, build: buildUnique},
}

// simple builds a rule without arguments.
func simple(passes func(string) bool) func(ruleContext) (ruleTest, error) {
	return func(c ruleContext) (ruleTest, error) { return c.test(passes) }
}

// rule returns the rule of that name.
func (s scope) rule(name string) (ruleEntry, error) {
	if entry, ok := rules[name]; ok {
		return entry, nil
	}
	if own, ok := s.extensions.Rule(name); ok {
		return ownRule(own), nil
	}
	return ruleEntry{}, unknown("rule", name, slices.Concat(sortedNames(rules), s.extensions.Names().Rules))
}

func newRule(r importer.Rule, c ruleContext) (ruleEntry, ruleTest, error) {
	entry, err := c.scope.rule(r.Name)
	if err != nil {
		return entry, ruleTest{}, err
	}
	if n := len(r.Args); n < entry.least || entry.most >= 0 && n > entry.most {
		return entry, ruleTest{}, fmt.Errorf("the rule '%s' takes %s, not %d", r.Name, arguments(entry), n)
	}
	if entry.build == nil {
		return entry, ruleTest{}, nil
	}
	c.name, c.args = r.Name, slices.Clone(r.Args)
	test, err := entry.build(c)
	if err != nil {
		return entry, ruleTest{}, fmt.Errorf("the rule '%s' %w", r.Name, err)
	}
	return entry, test, nil
}

func arguments(entry ruleEntry) string {
	plural := func(n int) string {
		if n == 1 {
			return "1 argument"
		}
		return fmt.Sprintf("%d arguments", n)
	}
	switch {
	case entry.most == 0:
		return "no arguments"
	case entry.most < 0:
		return "at least " + plural(entry.least)
	case entry.most == entry.least:
		return plural(entry.most)
	case entry.least == 0:
		return "at most " + plural(entry.most)
	default:
		return fmt.Sprintf("%d to %s", entry.least, plural(entry.most))
	}
}
