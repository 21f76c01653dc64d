package importer

import (
	"slices"
	"strings"

	"ingest/shared/expression"
	"ingest/shared/importer/document"
)

// mappingsDir is the directory within that of the importers that holds reusable mappings.
const mappingsDir = "mappings"

// mapping are fields and rules that several importers use.
type mapping struct {
	name   string
	file   string
	broken bool
	fields []Field
	rules  []Rules
	// expressions are judged with every importer: the parameters are its.
	expressions []written
}

// parseMapping reads a file like an importer's, with `mapping: NAME` instead of `importer:` and only fields and rules.
func parseMapping(file string, text []byte, c Checks) (*mapping, Problems) {
	root, problems := document.Parse(file, text)
	if len(problems) > 0 {
		return &mapping{file: file, broken: true}, problems
	}
	m := &mapping{file: file}
	if root == nil {
		m.broken = true
		return m, Problems{{File: file, Message: "the file is empty", Hint: "a reusable mapping begins with `mapping: NAME`"}}
	}
	p := parsing{Reader: document.Reader{File: file}, checks: c, filled: fillers{}}
	p.Keys(root, "the mapping", []document.Key{
		{Name: "mapping", Required: true, Read: func(n *document.Node) {
			if text, ok := p.Filled(n, "mapping"); ok && slugPattern.MatchString(text) {
				m.name = text
			} else if ok {
				p.Report(n, "like product_fields", "the name %q must be lower-case letters, digits, - and _", text)
			}
		}},
		{Name: "fields", Required: true, Read: func(n *document.Node) { p.d.Fields = p.fields(n, p.filled) }},
		{Name: "rules", Read: p.rules},
	})
	m.fields, m.rules, m.expressions, m.broken = p.d.Fields, p.d.Rules, p.expressions, len(p.Problems) > 0
	return m, p.Problems
}

// used is a mapping as an importer uses it.
type used struct {
	node             *document.Node
	mapping          *mapping
	prefix, toPrefix string
}

// use reads `[{mapping: product_fields, prefix: line_item}]`; a name alone uses a mapping as it is.
func (p *parsing) use(n *document.Node) {
	items := n.Items
	if n.Kind != document.List {
		items = []*document.Node{n}
	}
	for _, item := range items {
		u := used{node: item}
		name := func(n *document.Node) {
			text, ok := p.Filled(n, "a mapping")
			if !ok {
				return
			}
			if u.mapping = p.around.mappings[text]; u.mapping == nil {
				p.unknownMapping(n, text)
			} else if u.mapping.broken {
				p.Report(n, "", "the mapping %q has problems of its own: see %s", text, u.mapping.file)
				u.mapping = nil
			}
		}
		if item.Kind == document.Scalar {
			name(item)
		} else {
			p.Keys(item, "a use", []document.Key{
				{Name: "mapping", Required: true, Read: name},
				{Name: "prefix", Read: func(n *document.Node) { u.prefix = p.prefix(n) }},
				{Name: "to_prefix", Read: func(n *document.Node) { u.toPrefix = p.prefix(n) }},
			})
		}
		if u.mapping != nil {
			p.uses = append(p.uses, u)
		}
	}
}

func (p *parsing) unknownMapping(n *document.Node, name string) {
	known := make([]string, 0, len(p.around.mappings))
	for name := range p.around.mappings {
		known = append(known, name)
	}
	slices.Sort(known)
	hint := document.Suggest(name, known)
	if hint == "" {
		hint = "they are files in the directory " + mappingsDir + " beside the importers"
	}
	p.Report(n, hint, "there is no mapping %q", name)
}

func (p *parsing) prefix(n *document.Node) string {
	text, ok := p.Filled(n, "a prefix")
	if ok && strings.ContainsAny(text, "\"\\`'\n\r\t\x00") {
		p.Report(n, "", "a prefix has no quotes, backslashes or control characters")
		return ""
	}
	return text
}

// include puts the used mappings before the importer's own fields and rules, which take the place of those that fill
// the same column or judge the same source column; so do relations.
func (p *parsing) include() {
	own, ownRules := p.d.Fields, p.d.Rules
	p.d.Fields, p.d.Rules = nil, nil
	filled := map[string]string{}
	for _, u := range p.uses {
		p.expressions = append(p.expressions, u.mapping.expressions...)
		for _, f := range u.mapping.fields {
			f = u.field(f)
			switch by, twice := filled[f.To]; {
			case slices.ContainsFunc(own, func(o Field) bool { return o.To == f.To }):
			case slices.ContainsFunc(p.d.Relations, func(r Relation) bool { return r.To == f.To }):
			case twice:
				p.Report(u.node, "to_prefix makes them different", "the column %q is filled by the mapping %q, too", f.To, by)
			default:
				filled[f.To] = u.mapping.name
				p.d.Fields = append(p.d.Fields, f)
				p.fitting(u.node, f)
			}
		}
		for _, r := range u.mapping.rules {
			r = u.rulesOf(r)
			same := func(o Rules) bool { return o.Column == r.Column }
			if !slices.ContainsFunc(ownRules, same) && !slices.ContainsFunc(p.d.Rules, same) {
				p.d.Rules = append(p.d.Rules, r)
			}
		}
	}
	p.d.Fields, p.d.Rules = append(p.d.Fields, own...), append(p.d.Rules, ownRules...)
}

// fitting reports what became too long by its prefix.
func (p *parsing) fitting(n *document.Node, f Field) {
	if err := identifier("column", f.To); err != nil && f.To != "" {
		p.Report(n, "", "%v", err)
	}
	texts := []string{f.Expr, f.When}
	for _, t := range f.Transform {
		if text, ok := t.Options["value"].(string); ok && t.Name == exprTransform {
			texts = append(texts, text)
		}
	}
	for _, text := range texts {
		if len(text) > expression.MaxText {
			p.Report(n, "", "with the prefix an expression for %q has more than %d bytes", f.To, expression.MaxText)
		}
	}
}
