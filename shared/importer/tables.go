package importer

import "slices"

// Tables are the names of all tables that the definition has beside that of the destination, each once: those of
// table_when, relations, pivots and nested lists, then those that rules ask.
func (d Definition) Tables() (names []string) {
	add := func(name string) {
		if name != "" && name != d.Destination.Table && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	related := func(relations []Relation) {
		for _, r := range relations {
			add(r.Table)
			add(r.Pivot)
		}
	}
	for _, choice := range d.TableWhen {
		add(choice.Table)
	}
	related(d.Relations)
	for _, n := range d.Nested {
		add(n.Table)
		related(n.Relations)
	}
	for _, rules := range d.Rules {
		for _, r := range rules.Rules {
			add(r.Table())
		}
	}
	return names
}

// Renamed is the definition with other names for the tables that its rows go to; rules keep theirs.
func (d Definition) Renamed(name func(table string) string) Definition {
	relations := func(list []Relation) []Relation {
		list = slices.Clone(list)
		for i := range list {
			list[i].Table = name(list[i].Table)
			if list[i].Many() {
				list[i].Pivot = name(list[i].Pivot)
			}
		}
		return list
	}
	d.Destination.Table = name(d.Destination.Table)
	d.TableWhen, d.Nested = slices.Clone(d.TableWhen), slices.Clone(d.Nested)
	for i := range d.TableWhen {
		d.TableWhen[i].Table = name(d.TableWhen[i].Table)
	}
	d.Relations = relations(d.Relations)
	for i := range d.Nested {
		d.Nested[i].Table, d.Nested[i].Relations = name(d.Nested[i].Table), relations(d.Nested[i].Relations)
	}
	return d
}
