package pipeline

import (
	"slices"

	"ingest/shared/column"
	"ingest/shared/importer"
)

// check is the rules of one source column.
type check struct {
	cell   int
	source string
	bail   bool
	steps  []ruleStep
}

type ruleStep struct {
	family   family
	passes   func(text string) bool
	counts   func(n column.Number) bool
	judge    func(v column.Value, r record) int
	messages []string
}

func newCheck(list importer.Rules, s scope) (check, error) {
	source, cell := s.names.column(list.Column)
	c := check{cell: cell, source: source}
	context := ruleContext{
		numeric: slices.ContainsFunc(list.Rules, func(r importer.Rule) bool { return rules[r.Name].numeric }),
		formats: dateFormats(list.Rules),
		scope:   s, source: source, cell: cell,
	}
	words := s.phrases.words(source)
	for _, rule := range list.Rules {
		entry, test, err := newRule(rule, context)
		if err != nil {
			return c, &Error{"The rules of '" + list.Column + "' are wrong: " + err.Error() + "."}
		}
		if rule.Name == "bail" {
			c.bail = true
		}
		if entry.family == marker {
			continue
		}
		step := ruleStep{family: entry.family, passes: test.passes, counts: test.counts, judge: test.judge}
		for _, said := range test.says {
			step.messages = append(step.messages, sentence(s.phrases.message(source, rule.Name, said.line), words, said.pairs...))
		}
		c.steps = append(c.steps, step)
	}
	return c, nil
}

// apply adds the messages of the rules that the cell breaks.
func (c *check) apply(v column.Value, r record, found *failures) {
	filled, wrongType := present(v), false
	var number figure
	for i := range c.steps {
		step := &c.steps[i]
		if filled == (step.family == presence) || step.family == size && wrongType {
			continue
		}
		broken := 0
		switch {
		case step.passes != nil:
			broken = verdict(step.passes(v.Text), 1)
		case step.counts != nil:
			broken = verdict(number.counted(v.Text, step), 1)
		default:
			broken = step.judge(v, r)
		}
		if broken == 0 {
			continue
		}
		found.add(c.source, step.messages[broken-1])
		if c.bail || step.family == presence {
			return
		}
		wrongType = wrongType || step.family == typed
	}
}

// figure is the number in a cell, read when the first rule asks for it.
type figure struct {
	asked, is bool
	number    column.Number
}

func (f *figure) counted(text string, step *ruleStep) bool {
	if !f.asked {
		f.number, f.is = column.ParseNumber(text)
		f.asked = true
	}
	if !f.is {
		return step.family != typed
	}
	return step.counts(f.number)
}
