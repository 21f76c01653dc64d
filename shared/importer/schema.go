package importer

import (
	"slices"

	"ingest/shared/importer/document"
)

// schemaTypes are the types of a schema and the rules they stand for.
var schemaTypes = map[string]string{
	"string": "string", "text": "string", "integer": "integer", "number": "numeric", "numeric": "numeric",
	"boolean": "boolean", "date": "date", "datetime": "date", "email": "email", "url": "url", "uuid": "uuid", "json": "json",
}

var schemaNames = []string{
	"string", "text", "integer", "number", "numeric", "boolean", "date", "datetime", "email", "url", "uuid", "json",
}

// schema reads the short form of rules: each column's are put before those it has under `rules`, `required` first, then
// the type, then the rest.
func (p *parsing) schema(n *document.Node) {
	if n == nil || !p.Table(n, "schema") {
		return
	}
	var all []Rules
	for _, e := range n.Entries {
		rules := Rules{Column: e.Key.Text}
		rules.Rules = p.schemaOf(e.Value, "the schema of '"+e.Key.Text+"'")
		if i := slices.IndexFunc(p.d.Rules, func(r Rules) bool { return r.Column == rules.Column }); i >= 0 {
			rules.Rules = append(rules.Rules, p.d.Rules[i].Rules...)
			p.d.Rules = slices.Delete(p.d.Rules, i, i+1)
		}
		if len(rules.Rules) > 0 {
			all = append(all, rules)
		}
	}
	p.d.Rules = append(all, p.d.Rules...)
}

func (p *parsing) schemaOf(n *document.Node, what string) []Rule {
	var required, typed, others []Rule
	add := func(name string) func(*document.Node) {
		return func(n *document.Node) {
			if args, _, ok := p.Texts(n, name); ok {
				p.schemaRule(&others, Rule{Name: name, Args: args}, n)
			}
		}
	}
	p.Keys(n, what, []document.Key{
		{Name: "type", Read: func(n *document.Node) {
			if name, ok := p.Choice(n, "the type", schemaNames...); ok {
				p.schemaRule(&typed, Rule{Name: schemaTypes[name]}, n)
			}
		}},
		{Name: "required", Read: func(n *document.Node) {
			if must, ok := p.Bool(n, "required"); ok && must {
				p.schemaRule(&required, Rule{Name: "required"}, n)
			}
		}},
		{Name: "min", Read: add("min")},
		{Name: "max", Read: add("max")},
		{Name: "in", Read: add("in")},
		{Name: "regex", Read: add("regex")},
		{Name: "format", Read: func(n *document.Node) {
			if format, ok := p.Filled(n, "format"); ok {
				p.schemaRule(&others, Rule{Name: "date_format", Args: []string{format}}, n)
			}
		}},
	})
	if slices.ContainsFunc(others, func(r Rule) bool { return r.Name == "date_format" }) {
		// A format says what a date looks like: it need not be the one that databases take.
		typed = slices.DeleteFunc(typed, func(r Rule) bool { return r.Name == "date" })
	}
	return slices.Concat(required, typed, others)
}

func (p *parsing) schemaRule(into *[]Rule, rule Rule, at *document.Node) {
	if p.checks.Rule != nil {
		if err := p.checks.Rule(rule); err != nil {
			p.Report(at, "", "%v", err)
			return
		}
	}
	*into = append(*into, rule)
}
