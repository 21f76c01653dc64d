package importer

import (
	"slices"
	"strings"

	"ingest/shared/expression"
	"ingest/shared/importer/document"
)

func (p *parsing) fields(n *document.Node, filled fillers) []Field {
	if !p.list(n, "fields", "fields", "{from: SKU, to: sku}") {
		return nil
	}
	if len(n.Items) == 0 {
		p.Report(n, "", "fields must not be empty")
	}
	fields := make([]Field, 0, len(n.Items))
	for _, item := range n.Items {
		fields = append(fields, p.field(item, filled))
	}
	return fields
}

// list says whether the node is one of tables.
func (p *parsing) list(n *document.Node, what, of, like string) bool {
	if n.Kind != document.List {
		p.Report(n, "like `- "+like+"`", "%s must be a list of %s, this is %s", what, of, n.Kind)
	}
	return n.Kind == document.List
}

func (p *parsing) field(n *document.Node, filled fillers) Field {
	var f Field
	var origins []string
	table := p.Keys(n, "a field", []document.Key{
		{Name: "from", Read: func(n *document.Node) { origins, f.From = append(origins, "from"), p.from(n) }},
		{Name: "const", Read: func(n *document.Node) {
			origins = append(origins, "const")
			if text, ok := p.Text(n, "const"); ok {
				f.Const = &text
			}
		}},
		{Name: "expr", Read: func(n *document.Node) {
			origins, f.Expr = append(origins, "expr"), p.expression(n, "expr", expression.Any)
		}},
		{Name: "when", Read: func(n *document.Node) { f.When = p.condition(n, "when") }},
		{Name: "to", Required: true, Read: func(n *document.Node) { f.To = p.target(n, "to", "a field", filled) }},
		{Name: "type", Read: func(n *document.Node) {
			text, ok := p.Filled(n, "type")
			if !ok {
				return
			}
			if _, err := ColumnType(text); err != nil {
				p.Report(n, document.Suggest(text, columnTypes), "%v", err)
				return
			}
			f.Type = text
		}},
		{Name: "transform", Read: func(n *document.Node) { f.Transform = p.transforms(n) }},
		{Name: "validate", Read: func(n *document.Node) { f.Validate = p.validators(n) }},
	})
	switch {
	case !table:
	case len(origins) == 0:
		p.Report(n, "or const or expr", "a field needs the key %q", "from")
	case len(origins) > 1:
		p.Report(n, "an expression names its columns itself: row.price", "a field has one of from, const and expr, not %s",
			strings.Join(origins, " and "))
	}
	return f
}

func (p *parsing) from(n *document.Node) []string {
	names, nodes, _ := p.Texts(n, "from")
	if len(nodes) == 0 && n.Kind == document.List {
		p.Report(n, "", "from must not be empty")
	}
	for i, name := range names {
		if name != "" && slices.Contains(names[:i], name) {
			p.Report(nodes[i], "", "from names %q twice", name)
		}
	}
	return names
}

func (p *parsing) transforms(n *document.Node) []Transform {
	items := []*document.Node{n}
	if n.Kind != document.Map {
		var ok bool
		if items, ok = p.Items(n, "transform"); !ok {
			return nil
		}
	}
	var out []Transform
	for _, item := range items {
		t, at, ok := p.transform(item)
		if !ok {
			continue
		}
		if t.Name == exprTransform {
			p.computes(item)
		} else if p.checks.Transform != nil {
			if err := p.checks.Transform(t); err != nil {
				p.Report(at, "", "%v", err)
				continue
			}
		}
		out = append(out, t)
	}
	return out
}

// transform is a name, or a table of one name with its options: `{trim: {chars: x}}`. A single value is short for
// the option `value`: `{default: NA}`. Options are text, lists and tables, never numbers or booleans.
func (p *parsing) transform(n *document.Node) (Transform, *document.Node, bool) {
	if n.Kind != document.Map {
		name, ok := p.Filled(n, "a transform")
		return Transform{Name: name}, n, ok
	}
	if !p.Table(n, "a transform") {
		return Transform{}, nil, false
	}
	if len(n.Entries) != 1 {
		p.Report(n, "a list holds several: `[trim, {default: NA}]`", "a transform is one name with its options")
		return Transform{}, nil, false
	}
	e := n.Entries[0]
	t := Transform{Name: e.Key.Text}
	switch e.Value.Kind {
	case document.Scalar:
		t.Options = map[string]any{"value": e.Value.Text}
	case document.Map:
		t.Options, _ = p.plain(e.Value).(map[string]any)
	case document.List:
		p.Report(e.Value, "", "the options of %q must be a table or a single value, this is a list", t.Name)
		return Transform{}, nil, false
	}
	return t, e.Key, true
}

// plain is a node as data: string, []any, map[string]any or nil.
func (p *parsing) plain(n *document.Node) any {
	switch n.Kind {
	case document.Scalar:
		return n.Text
	case document.List:
		items := make([]any, len(n.Items))
		for i, item := range n.Items {
			items[i] = p.plain(item)
		}
		return items
	case document.Map:
		if !p.Table(n, "options") {
			return nil
		}
		table := make(map[string]any, len(n.Entries))
		for _, e := range n.Entries {
			table[e.Key.Text] = p.plain(e.Value)
		}
		return table
	default:
		return nil
	}
}
