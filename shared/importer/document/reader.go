package document

import (
	"cmp"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Reader takes values out of nodes and collects the problems it meets. Its methods answer false after they have
// reported why. It is for one goroutine.
type Reader struct {
	File     string
	Problems Problems
}

// Key is one key of a table with fixed keys.
type Key struct {
	Name     string
	Required bool
	Read     func(*Node)
}

// Report notes a problem at a node.
func (r *Reader) Report(at *Node, hint, format string, args ...any) {
	r.Problems = append(r.Problems, Problem{
		File: cmp.Or(at.File, r.File), Line: at.Line, Column: at.Column,
		Message: fmt.Sprintf(format, args...), Hint: hint,
	})
}

// Keys reads a table whose keys are known. Unknown, repeated and missing keys are problems.
func (r *Reader) Keys(table *Node, what string, keys []Key) bool {
	if !r.Table(table, what) {
		return false
	}
	names := make([]string, len(keys))
	byName := make(map[string]Key, len(keys))
	for i, key := range keys {
		names[i], byName[key.Name] = key.Name, key
	}
	// A misspelt key was reported as such; that the right one is missing is no news.
	have := map[string]bool{}
	for _, e := range table.Entries {
		have[e.Key.Text] = true
		key, known := byName[e.Key.Text]
		if !known {
			r.Report(e.Key, suggestOrList(e.Key.Text, names), "unknown key %q", e.Key.Text)
			have[nearest(e.Key.Text, names)] = true
			continue
		}
		key.Read(e.Value)
	}
	for _, key := range keys {
		if key.Required && !have[key.Name] {
			r.Report(table, "", "%s needs the key %q", what, key.Name)
		}
	}
	return true
}

// Table says whether the node is a table, reporting repeated keys.
func (r *Reader) Table(n *Node, what string) bool {
	if n.Kind != Map {
		r.Report(n, "", "%s must be a table of keys, this is %s", what, n.Kind)
		return false
	}
	first := map[string]*Node{}
	for _, e := range n.Entries {
		if before, twice := first[e.Key.Text]; twice {
			r.Report(e.Key, fmt.Sprintf("first in line %d", before.Line), "the key %q appears twice", e.Key.Text)
			continue
		}
		first[e.Key.Text] = e.Key
	}
	return true
}

// Text is a scalar's spelling; empty text must be quoted to be one.
func (r *Reader) Text(n *Node, what string) (string, bool) {
	if n.Kind != Scalar {
		r.Report(n, "", "%s must be text, this is %s", what, n.Kind)
		return "", false
	}
	return n.Text, true
}

// Filled is a text that is not blank.
func (r *Reader) Filled(n *Node, what string) (string, bool) {
	text, ok := r.Text(n, what)
	if ok && strings.TrimSpace(text) == "" {
		r.Report(n, "", "%s must not be empty", what)
		return "", false
	}
	return text, ok
}

// Choice is a text out of a few.
func (r *Reader) Choice(n *Node, what string, choices ...string) (string, bool) {
	text, ok := r.Text(n, what)
	if !ok {
		return "", false
	}
	for _, c := range choices {
		if text == c {
			return text, true
		}
	}
	r.Report(n, Suggest(text, choices), "%s must be %s, not %q", what, oneOf(choices), text)
	return "", false
}

func oneOf(choices []string) string {
	if len(choices) == 1 {
		return choices[0]
	}
	last := len(choices) - 1
	return strings.Join(choices[:last], ", ") + " or " + choices[last]
}

// Bool is true or false and nothing else.
func (r *Reader) Bool(n *Node, what string) (value, ok bool) {
	text, ok := r.Choice(n, what, "true", "false")
	return text == "true", ok
}

// Int is a whole number within bounds.
func (r *Reader) Int(n *Node, what string, least, most int64) (int64, bool) {
	text, ok := r.Text(n, what)
	if !ok {
		return 0, false
	}
	v, err := strconv.ParseInt(text, 10, 64)
	if (err != nil || v < least) && most == math.MaxInt64 {
		r.Report(n, "", "%s must be a whole number of at least %d, not %q", what, least, text)
		return 0, false
	}
	if err != nil || v < least || v > most {
		r.Report(n, "", "%s must be a whole number from %d to %d, not %q", what, least, most, text)
		return 0, false
	}
	return v, true
}

// Float is a number within bounds.
func (r *Reader) Float(n *Node, what string, least, most float64) (float64, bool) {
	text, ok := r.Text(n, what)
	if !ok {
		return 0, false
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || !(v >= least && v <= most) {
		r.Report(n, "", "%s must be a number from %v to %v, not %q", what, least, most, text)
		return 0, false
	}
	return v, true
}

// Items are the nodes of a list, or the single node itself where one value may stand for a list of one.
func (r *Reader) Items(n *Node, what string) ([]*Node, bool) {
	switch n.Kind {
	case List:
		return n.Items, true
	case Scalar:
		return []*Node{n}, true
	default:
		r.Report(n, "", "%s must be text or a list, this is %s", what, n.Kind)
		return nil, false
	}
}

// Texts are the filled texts of a list or of a single value.
func (r *Reader) Texts(n *Node, what string) ([]string, []*Node, bool) {
	items, ok := r.Items(n, what)
	if !ok {
		return nil, nil, false
	}
	texts := make([]string, 0, len(items))
	for _, item := range items {
		text, filled := r.Filled(item, what)
		ok = ok && filled
		texts = append(texts, text)
	}
	return texts, items, ok
}
