package importer

import (
	"slices"

	"ingest/shared/importer/document"
)

// KeyColumn is a part of the key: a source column and the column of the table it ends in, by a field or by a relation.
type KeyColumn struct {
	// Source is what messages call it: the primary source column, else the column it fills.
	Source string
	// From are the source column and its aliases; empty of a field that has none.
	From []string
	To   string
}

// KeyColumn returns what a name of the key stands for: the field or the belongs-to whose primary name it is – of a field
// without a source column that is the column it fills –, else the first that has it as an alias. Fields come first.
func (d Definition) KeyColumn(name string) (KeyColumn, bool) {
	return keyColumn(name, d.Fields, d.Relations)
}

// KeyColumn is Definition.KeyColumn for the key of the objects.
func (n Nested) KeyColumn(name string) (KeyColumn, bool) {
	return keyColumn(name, n.Fields, n.Relations)
}

func keyColumn(name string, fields []Field, relations []Relation) (KeyColumn, bool) {
	all := keyColumns(fields, relations)
	i := slices.IndexFunc(all, func(c KeyColumn) bool { return c.Source == name })
	if i < 0 {
		i = slices.IndexFunc(all, func(c KeyColumn) bool { return slices.Contains(c.From, name) })
	}
	if i < 0 {
		return KeyColumn{}, false
	}
	return all[i], true
}

// keyColumns are those that a key can be made of.
func keyColumns(fields []Field, relations []Relation) []KeyColumn {
	var all []KeyColumn
	for _, f := range fields {
		all = append(all, KeyColumn{Source: f.Source(), From: f.From, To: f.To})
	}
	for _, r := range relations {
		if !r.Many() && len(r.From) > 0 {
			all = append(all, KeyColumn{Source: r.From[0], From: r.From, To: r.To})
		}
	}
	return all
}

// key checks that each column of a key is mapped, and once.
func (p *parsing) key(names []string, nodes []*document.Node, fields []Field, relations []Relation) {
	all := keyColumns(fields, relations)
	if len(all) == 0 {
		return // which is reported as such
	}
	used := map[string]string{}
	for i, name := range names {
		if name == "" {
			continue
		}
		c, ok := keyColumn(name, fields, relations)
		if !ok {
			p.unmappedKey(nodes[i], name, all, relations)
			continue
		}
		if before, twice := used[c.To]; twice && c.To != "" {
			p.Report(nodes[i], "", "the key names one column twice: '%s' and '%s'", before, name)
		}
		used[c.To] = name
	}
}

func (p *parsing) unmappedKey(n *document.Node, name string, mapped []KeyColumn, relations []Relation) {
	if slices.ContainsFunc(relations, func(r Relation) bool { return slices.Contains(r.From, name) }) {
		p.Report(n, "", "the key column '%s' is a list: a relation with many fills no column", name)
		return
	}
	var known []string
	for _, c := range mapped {
		if known = append(known, c.From...); len(c.From) == 0 {
			known = append(known, c.To)
		}
	}
	p.Report(n, document.Suggest(name, known), "the key column '%s' is not mapped by any field", name)
}

// columns reports a table of which relations alone are written, when these fill no column.
func (p *parsing) columns(n *document.Node, what string, fields []Field, relations []Relation) {
	if has(n, "relations") && !has(n, "fields") && len(keyColumns(fields, relations)) == 0 {
		p.Report(n, "its relations fill no column", "%s needs the key %q", what, "fields")
	}
}
