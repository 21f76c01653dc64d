package importer

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"ingest/shared/importer/document"
)

// placeholder is ${name}, which stands for a parameter of the run; behind a second $ it is text.
var placeholder = regexp.MustCompile(`\$?\$\{([^{}]*)\}`)

// SourcePath is the path of the run's source: `${month}` stands for the parameter month. A value is a part of one name
// there, so that it leads into no other directory. The error is for who starts the run.
func (d Definition) SourcePath() (string, error) {
	return d.filled(d.Source.Path, func(name, value string) error {
		if value == "" || strings.ContainsAny(value, "/\\\x00") || strings.HasPrefix(value, ".") {
			return fmt.Errorf("The parameter '%s' is a part of the source's path: it must be a name without / and \\ that does not begin with a dot.", name) //nolint:staticcheck,revive // a sentence for people
		}
		return nil
	})
}

// SourceOptions are those of a source that is an extension, with the run's parameters in place of `${month}`. The error is
// for who starts the run.
func (d Definition) SourceOptions() (map[string]any, error) {
	filled, err := d.filledAll(d.Source.Options)
	options, _ := filled.(map[string]any)
	return options, err
}

func (d Definition) filledAll(option any) (any, error) {
	var err error
	keep := func(item any) any {
		filled, problem := d.filledAll(item)
		if err == nil {
			err = problem
		}
		return filled
	}
	switch option := option.(type) {
	case string:
		return d.filled(option, func(string, string) error { return nil })
	case []any:
		list := make([]any, len(option))
		for i, item := range option {
			list[i] = keep(item)
		}
		return list, err
	case map[string]any:
		table := make(map[string]any, len(option))
		for name, item := range option {
			table[name] = keep(item)
		}
		return table, err
	default:
		return option, nil
	}
}

func (d Definition) filled(text string, judge func(name, value string) error) (string, error) {
	var first error
	out := placeholder.ReplaceAllStringFunc(text, func(found string) string {
		if strings.HasPrefix(found, "$$") {
			return found[1:]
		}
		name := strings.TrimSuffix(strings.TrimPrefix(found, "${"), "}")
		value, given := d.param(name)
		err := judge(name, value)
		if !given {
			err = fmt.Errorf("The source needs the parameter '%s' (--param %s=…).", name, name) //nolint:staticcheck,revive // a sentence for people
		}
		if first == nil {
			first = err
		}
		return value
	})
	return out, first
}

// param is the value of a parameter: what the run was given, else its default.
func (d Definition) param(name string) (value string, given bool) {
	if value, given = d.Given[name]; given {
		return value, true
	}
	for _, param := range d.Params {
		if param.Name == name && param.Default != nil {
			return *param.Default, true
		}
	}
	return "", false
}

// HasPlaceholder says whether a text, or one within a list or a table of options, holds a parameter.
func HasPlaceholder(option any) bool {
	switch option := option.(type) {
	case string:
		for _, found := range placeholder.FindAllString(option, -1) {
			if !strings.HasPrefix(found, "$$") {
				return true
			}
		}
	case []any:
		for _, item := range option {
			if HasPlaceholder(item) {
				return true
			}
		}
	case map[string]any:
		for _, item := range option {
			if HasPlaceholder(item) {
				return true
			}
		}
	}
	return false
}

// placed remembers the texts of a node that may hold parameters, which are read after it.
func (p *parsing) placed(n *document.Node) {
	switch n.Kind {
	case document.Scalar:
		p.places = append(p.places, n)
	case document.List:
		for _, item := range n.Items {
			p.placed(item)
		}
	case document.Map:
		for _, e := range n.Entries {
			p.placed(e.Value)
		}
	}
}

// unplaced reports the parameters of a source that the importer does not have.
func (p *parsing) unplaced() {
	var names []string
	for _, param := range p.d.Params {
		names = append(names, param.Name)
	}
	for _, n := range p.places {
		for _, at := range placeholder.FindAllStringSubmatchIndex(n.Text, -1) {
			name := n.Text[at[2]:at[3]]
			if slices.Contains(names, name) || strings.HasPrefix(n.Text[at[0]:], "$$") {
				continue
			}
			hint := document.Suggest(name, names)
			if hint == "" {
				hint = "parameters are declared under `params`"
			}
			p.Report(n.At(at[0]), hint, "the importer has no parameter %q", name)
		}
	}
}
