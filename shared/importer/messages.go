package importer

import (
	"slices"
	"strings"

	"ingest/shared/importer/document"
)

// MessageOf splits the key of a message: `email.required` is the column email and the rule required, `required` is a
// rule of every column. The names of columns may have dots, those of rules have none.
func MessageOf(key string) (column, rule string, of bool) {
	i := strings.LastIndexByte(key, '.')
	if i < 0 {
		return "", key, false
	}
	return key[:i], key[i+1:], true
}

// messages reads the importer's own messages. It runs after fields and rules, whose columns it has to know.
func (p *parsing) messages(n *document.Node) {
	p.phrases(n, "messages", &p.d.Messages, func(key *document.Node) bool {
		column, rule, of := MessageOf(key.Text)
		if of && !p.knowsColumn(key, column) {
			return false
		}
		if p.checks.RuleName == nil {
			return true
		}
		err := p.checks.RuleName(rule)
		if err != nil {
			p.Report(key, "", "%v", err)
		}
		return err == nil
	})
}

// attributes reads what messages call source columns.
func (p *parsing) attributes(n *document.Node) {
	p.phrases(n, "attributes", &p.d.Attributes, func(key *document.Node) bool { return p.knowsColumn(key, key.Text) })
}

func (p *parsing) phrases(n *document.Node, what string, into *map[string]string, known func(key *document.Node) bool) {
	if n == nil || !p.Table(n, what) {
		return
	}
	texts := map[string]string{}
	for _, e := range n.Entries {
		text, ok := p.Filled(e.Value, "an entry of "+what)
		if known(e.Key) && ok {
			texts[e.Key.Text] = text
		}
	}
	*into = texts
}

// sourceColumns are those that fields, relations and nested lists are made of, or that are compared.
func (p *parsing) sourceColumns() []string {
	var names []string
	for _, f := range p.d.Fields {
		if names = append(names, f.From...); len(f.From) == 0 {
			names = append(names, f.To)
		}
	}
	for _, r := range p.d.Relations {
		names = append(names, r.From...)
	}
	for _, n := range p.d.Nested {
		names = append(names, n.From...)
		for _, c := range keyColumns(n.Fields, n.Relations) {
			if len(n.From) > 0 {
				names = append(names, n.From[0]+"."+c.Source)
			}
		}
	}
	if p.d.Compare != nil {
		names = append(names, p.d.Compare.Source)
	}
	return names
}

// knowsColumn says whether the definition names a source column, or before_row makes it.
func (p *parsing) knowsColumn(at *document.Node, column string) bool {
	known := p.sourceColumns()
	for _, a := range p.d.BeforeRow {
		known = append(known, a.Column)
	}
	for _, rules := range p.d.Rules {
		known = append(known, rules.Column)
		for _, rule := range rules.Rules {
			known = append(known, rule.Args...)
		}
	}
	if slices.Contains(known, column) || p.d.Unmapped == UnmappedPass { // which may pass any column
		return true
	}
	p.Report(at, document.Suggest(column, known), "no field and no rule has the source column '%s'", column)
	return false
}
