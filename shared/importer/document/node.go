// Package document reads YAML files that people write: as text with positions, so that every problem can be
// reported where it is, all of them at once.
//
// A scalar is its spelling: `02`, `NA`, `1.10` and `yes` stay text until a reader asks for a number or a boolean.
// What is refused: files over 1 MiB, several documents, merge keys, nesting and aliases beyond any sane use.
package document

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Kind is the shape of a node.
type Kind uint8

// The shapes. Empty is a key without a value; `~` and `null` are text like any other.
const (
	Empty Kind = iota
	Scalar
	List
	Map
)

func (k Kind) String() string {
	return [...]string{"nothing", "a single value", "a list", "a table"}[k]
}

// Node is one value of a document. Aliased values are shared; nobody changes a node.
type Node struct {
	// File is where it stands; a document may be put together from several.
	File         string
	Line, Column int
	Kind         Kind
	// Text is the spelling of a scalar, without quotes.
	Text    string
	Items   []*Node
	Entries []Entry
	// verbatim says that Text stands in the file exactly so, on one line, opening quotes before it.
	verbatim bool
	opening  int
}

// At is the position of the i-th byte of a scalar's text, the scalar's own where the file spells it differently.
func (n *Node) At(i int) *Node {
	if !n.verbatim || i > len(n.Text) {
		return n
	}
	return &Node{File: n.File, Line: n.Line, Column: n.Column + n.opening + utf8.RuneCountInString(n.Text[:i])}
}

// Entry is one key of a table with its value, in the order of the file.
type Entry struct {
	Key   *Node
	Value *Node
}

// Child is the value of a key, or the item of a list by its position or by its key `to`; nil when there is none.
func (n *Node) Child(step string) *Node {
	for _, e := range n.Entries {
		if e.Key.Text == step {
			return e.Value
		}
	}
	for _, item := range n.Items {
		if to := item.Child("to"); item.Kind == Map && to != nil && to.Text == step {
			return item
		}
	}
	if i, err := strconv.Atoi(step); err == nil && i >= 0 && i < len(n.Items) {
		return n.Items[i]
	}
	return nil
}

// The limits of a document.
const (
	MaxBytes = 1 << 20
	maxDepth = 64
	// maxNodes bounds the document after its aliases are followed.
	maxNodes = 200_000
)

// Parse reads one YAML document. The root is a table, or nil when the file holds nothing but comments; anything
// else is a problem. It never panics.
func Parse(file string, text []byte) (root *Node, problems Problems) { return parse(file, text, Map) }

// ParseList is Parse for a file whose root is a list.
func ParseList(file string, text []byte) (root *Node, problems Problems) {
	return parse(file, text, List)
}

func parse(file string, text []byte, shape Kind) (root *Node, problems Problems) {
	whole := func(message string) Problems { return Problems{{File: file, Message: message}} }
	defer func() {
		// The YAML parser is not ours; what it cannot read must not end the process.
		if r := recover(); r != nil {
			root, problems = nil, whole("this is not readable as YAML")
		}
	}()
	if len(text) > MaxBytes {
		return nil, whole("the file is larger than 1 MiB")
	}
	if !utf8.Valid(text) {
		return nil, whole("the file is not valid UTF-8")
	}
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	if line := tooDeep(text); line > 0 {
		return nil, Problems{{File: file, Line: line, Column: 1, Message: "the file is nested too deeply"}}
	}
	parsed, err := parser.ParseBytes(text, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		return nil, Problems{syntaxProblem(file, err)}
	}
	var body ast.Node
	for _, doc := range parsed.Docs {
		if doc.Body == nil {
			continue
		}
		if body != nil {
			p := position(doc.Body)
			return nil, Problems{{
				File: file, Line: p.Line, Column: p.Column,
				Message: "the file has more than one YAML document", Hint: "one file holds one definition",
			}}
		}
		body = doc.Body
	}
	if body == nil {
		return nil, nil
	}
	b := builder{file: file, anchors: map[string]*Node{}}
	root = b.node(body, 0)
	if len(b.problems) == 0 && root.Kind != shape {
		must := map[Kind]string{Map: "a table of keys", List: "a list"}[shape]
		b.report(body, "", "the file must be %s, this is %s", must, root.Kind)
	}
	if len(b.problems) > 0 {
		return nil, b.problems
	}
	return root, nil
}

// tooDeep keeps the parser, whose work and stack grow with nesting, away from files made to hurt. It answers the
// line, 0 when the file is harmless; brackets within text count too, which no real file notices.
func tooDeep(text []byte) int {
	const most = 10 * maxDepth
	depth, line, markers := 0, 1, 0
	for i, c := range text {
		switch c {
		case '[', '{':
			depth++
		case ']', '}':
			depth = max(0, depth-1)
		case '-', '?':
			if i+1 < len(text) && (text[i+1] == ' ' || text[i+1] == '\t') {
				markers++
			}
		case '!', '&':
			markers++
		case '\n':
			line++
			markers = 0
		}
		if depth > most || markers > most {
			return line
		}
	}
	return 0
}

func syntaxProblem(file string, err error) Problem {
	var syntax yaml.Error
	if errors.As(err, &syntax) && syntax.GetToken() != nil && syntax.GetToken().Position != nil {
		at := syntax.GetToken().Position
		return Problem{File: file, Line: at.Line, Column: at.Column, Message: syntax.GetMessage()}
	}
	message, _, _ := strings.Cut(err.Error(), "\n")
	return Problem{File: file, Message: message}
}

func position(n ast.Node) token.Position {
	if m, ok := n.(*ast.MappingNode); ok && len(m.Values) > 0 && !m.IsFlowStyle {
		return position(m.Values[0].Key)
	}
	if v, ok := n.(*ast.MappingValueNode); ok {
		return position(v.Key)
	}
	if t := n.GetToken(); t != nil && t.Position != nil {
		return *t.Position
	}
	return token.Position{Line: 1, Column: 1}
}

// builder makes nodes of the parser's tree and follows aliases.
type builder struct {
	file     string
	anchors  map[string]*Node
	nodes    int
	problems Problems
}

func (b *builder) report(at ast.Node, hint, format string, args ...any) {
	p := position(at)
	b.problems = append(b.problems, Problem{
		File: b.file, Line: p.Line, Column: p.Column,
		Message: fmt.Sprintf(format, args...), Hint: hint,
	})
}

// node never answers nil. Once there is a problem the tree is not used.
func (b *builder) node(n ast.Node, depth int) *Node {
	at := position(n)
	out := &Node{File: b.file, Line: at.Line, Column: at.Column}
	if b.nodes++; b.nodes > maxNodes || depth > maxDepth {
		if len(b.problems) == 0 {
			b.report(n, "", "the file is nested too deeply")
		}
		return out
	}
	switch n := n.(type) {
	case *ast.MappingNode:
		out.Kind = Map
		for _, v := range n.Values {
			b.entry(out, v, depth)
		}
	case *ast.MappingValueNode:
		out.Kind = Map
		b.entry(out, n, depth)
	case *ast.SequenceNode:
		out.Kind = List
		for _, v := range n.Values {
			out.Items = append(out.Items, b.node(v, depth+1))
		}
	case *ast.AnchorNode:
		out = b.node(n.Value, depth+1)
		b.anchors[n.Name.GetToken().Value] = out
	case *ast.AliasNode:
		return b.alias(n, depth)
	case *ast.TagNode:
		if n.Value == nil {
			return out
		}
		out = b.node(n.Value, depth+1)
	case *ast.NullNode:
		if n.Token.Type != token.ImplicitNullType {
			out.Kind, out.Text = Scalar, n.Token.Value
		}
	case *ast.StringNode:
		out.Kind, out.Text = Scalar, n.Value
		out.verbatim = strings.Contains(n.Token.Origin, n.Value) && !strings.Contains(n.Value, "\n")
		if n.Token.Type == token.SingleQuoteType || n.Token.Type == token.DoubleQuoteType {
			out.opening = 1
		}
	case *ast.LiteralNode:
		out.Kind, out.Text = Scalar, n.Value.Value
	case *ast.MappingKeyNode:
		out = b.node(n.Value, depth+1)
	case *ast.MergeKeyNode:
		out.Kind, out.Text = Scalar, "<<"
	case ast.ScalarNode:
		out.Kind, out.Text = Scalar, n.GetToken().Value
	default:
		b.report(n, "", "this kind of YAML value is not supported")
	}
	if strings.ContainsRune(out.Text, 0) {
		b.report(n, "", "text cannot hold a NUL character")
	}
	return out
}

func (b *builder) entry(out *Node, v *ast.MappingValueNode, depth int) {
	if _, merge := v.Key.(*ast.MergeKeyNode); merge {
		b.report(v.Key, "an alias can stand for a whole value", "merge keys are not supported")
		return
	}
	key := b.node(v.Key, depth+1)
	if key.Kind == List || key.Kind == Map {
		b.report(v.Key, "", "a key must be a single value")
		return
	}
	out.Entries = append(out.Entries, Entry{Key: key, Value: b.node(v.Value, depth+1)})
}

// alias shares the anchored value but charges for it as if it were written out, so that aliases of aliases of
// aliases end. Shared children keep their own positions; the value itself takes the alias's place.
func (b *builder) alias(n *ast.AliasNode, depth int) *Node {
	name := n.Value.GetToken().Value
	target, known := b.anchors[name]
	if !known {
		b.report(n, "", "the alias %q has no anchor before it", name)
		return &Node{}
	}
	at := position(n)
	out := *target
	out.Line, out.Column, out.verbatim = at.Line, at.Column, false
	if b.charge(target, depth); b.nodes > maxNodes && len(b.problems) == 0 {
		b.report(n, "", "the aliases of this file expand to too much")
	}
	return &out
}

func (b *builder) charge(n *Node, depth int) {
	if b.nodes++; b.nodes > maxNodes || depth > maxDepth {
		b.nodes = maxNodes + 1
		return
	}
	for _, item := range n.Items {
		b.charge(item, depth+1)
	}
	for _, e := range n.Entries {
		b.charge(e.Value, depth+1)
	}
}
