package importer

import "ingest/shared/importer/document"

// validators reads the checks of a field: `[required, {range: {min: 1}}, {in: [a, b]}]`. A value that is no table is short
// for the validator's first option.
func (p *parsing) validators(n *document.Node) []Validator {
	items := []*document.Node{n}
	if n.Kind != document.Map {
		var ok bool
		if items, ok = p.Items(n, "validate"); !ok {
			return nil
		}
	}
	var out []Validator
	for _, item := range items {
		v, at, ok := p.validator(item)
		if !ok {
			continue
		}
		if p.checks.Validator != nil {
			if err := p.checks.Validator(v); err != nil {
				p.Report(at, "", "%v", err)
				continue
			}
		}
		out = append(out, v)
	}
	return out
}

func (p *parsing) validator(n *document.Node) (Validator, *document.Node, bool) {
	if n.Kind != document.Map {
		name, ok := p.Filled(n, "a validator")
		return Validator{Name: name}, n, ok
	}
	if !p.Table(n, "a validator") {
		return Validator{}, nil, false
	}
	if len(n.Entries) != 1 {
		p.Report(n, "a list holds several: `[required, {range: {min: 1}}]`", "a validator is one name with its options")
		return Validator{}, nil, false
	}
	e := n.Entries[0]
	v := Validator{Name: e.Key.Text}
	switch options := p.plain(e.Value).(type) {
	case map[string]any:
		v.Options = options
	case nil:
	default:
		v.Options = map[string]any{"value": options}
	}
	return v, e.Key, true
}
