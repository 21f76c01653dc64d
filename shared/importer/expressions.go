package importer

import (
	"errors"
	"regexp"
	"strings"

	"ingest/shared/column"
	"ingest/shared/expression"
	"ingest/shared/importer/document"
)

// exprTransform is the transform whose option `value` is an expression.
const exprTransform = "expr"

// expression reads an expression over the row; that it is right is seen when the whole definition is read.
func (p *parsing) expression(n *document.Node, what string, want expression.Kind) string {
	text, ok := p.Filled(n, what)
	if ok {
		p.check(n, 0, text, false, want)
	}
	return text
}

func (p *parsing) condition(n *document.Node, what string) string {
	return p.expression(n, what, expression.Bool)
}

// written is an expression as it stands in a file: it begins at a byte of a node's text.
type written struct {
	node *document.Node
	at   int
	text string
	// value says that it may name the value, want what it has to give.
	value bool
	want  expression.Kind
}

func (p *parsing) check(n *document.Node, at int, text string, value bool, want expression.Kind) {
	p.expressions = append(p.expressions, written{n, at, text, value, want})
}

// judge reports the expressions that are wrong.
func (p *parsing) judge() {
	params := map[string]column.Value{}
	for _, param := range p.d.Params {
		params[param.Name] = column.Value{}
	}
	for _, w := range p.expressions {
		var problem *expression.Error
		if _, err := expression.Compile(w.text, expression.Scope{Value: w.value, Params: params}, w.want); errors.As(err, &problem) {
			hint := problem.Hint
			if problem.Name != "" {
				hint = document.Suggest(problem.Name, problem.Known)
			}
			p.Report(w.node.At(w.at+problem.Offset), hint, "%s", problem.Message)
		}
	}
}

// computes checks the transform expr: `{expr: "value / 100"}`.
func (p *parsing) computes(n *document.Node) {
	if n.Kind != document.Map || n.Entries[0].Value.Kind != document.Scalar {
		p.Report(n, "like {expr: \"value / 100\"}", "the transform 'expr' needs an expression")
		return
	}
	at := n.Entries[0].Value
	if text, ok := p.Filled(at, "an expression"); ok {
		p.check(at, 0, text, true, expression.Any)
	}
}

// beforeRow reads assignments: `composite_key = row.store_id + "|" + row.sku`.
func (p *parsing) beforeRow(n *document.Node) {
	items, ok := p.Items(n, "before_row")
	if !ok {
		return
	}
	for _, item := range items {
		text, ok := p.Filled(item, "an assignment of before_row")
		if !ok {
			continue
		}
		const like = `like 'composite_key = row.store_id + "|" + row.sku'`
		name, expr, found := strings.Cut(text, "=")
		name = strings.TrimSpace(name)
		switch {
		case !found || strings.HasPrefix(expr, "=") || name == "":
			p.Report(item, like, "before_row assigns to columns")
			continue
		case strings.HasPrefix(name, "row."):
			p.Report(item, "write "+strings.TrimPrefix(name, "row."), "the column to assign to is named without row")
			continue
		}
		p.check(item, len(text)-len(expr), expr, false, expression.Any)
		p.d.BeforeRow = append(p.d.BeforeRow, Assignment{Column: name, Expr: strings.TrimSpace(expr)})
	}
}

var paramPattern = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// params reads parameters: `{month: {required: true}, region: {default: north}}`. One without anything is optional and
// NULL when it is not given.
func (p *parsing) params(n *document.Node) {
	if !p.Table(n, "params") {
		return
	}
	for _, e := range n.Entries {
		param := Param{Name: e.Key.Text}
		if !paramPattern.MatchString(param.Name) {
			p.Report(e.Key, "", "the parameter %q must be letters, digits and _, so that params.%s names it", param.Name, "NAME")
			continue
		}
		if e.Value.Kind != document.Empty {
			p.param(e.Value, &param)
		}
		p.d.Params = append(p.d.Params, param)
	}
}

func (p *parsing) param(n *document.Node, param *Param) {
	p.Keys(n, "a parameter", []document.Key{
		{Name: "default", Read: func(n *document.Node) {
			if text, ok := p.Text(n, "default"); ok {
				param.Default = &text
			}
		}},
		{Name: "required", Read: func(n *document.Node) { param.Required, _ = p.Bool(n, "required") }},
	})
	if param.Required && param.Default != nil {
		p.Report(n, "", "a required parameter has no default")
	}
}
