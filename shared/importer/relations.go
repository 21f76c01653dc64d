package importer

import (
	"slices"

	"ingest/shared/importer/document"
)

// relations reads what is found in other tables; filled are the columns of the table whose rows have the relations.
func (p *parsing) relations(n *document.Node, filled fillers) []Relation {
	if !p.list(n, "relations", "relations", "{from: Category, to: category_id, table: categories, match: name}") {
		return nil
	}
	var all []Relation
	for _, item := range n.Items {
		r := p.relation(item, filled)
		shared := func(o Relation) bool {
			return r.Many() && o.Pivot == r.Pivot && o.Own == r.Own && o.Other == r.Other && (o.Sync == SyncReplace || r.Sync == SyncReplace)
		}
		if slices.ContainsFunc(all, shared) {
			p.Report(item, "both can `sync: attach`", "two relations fill the pivot table %q: `sync: replace` of one removes the rows of the other", r.Pivot)
		}
		all = append(all, r)
	}
	return all
}

// relation reads one relation: with `many` it joins by a pivot table, else it fills the column `to`.
func (p *parsing) relation(n *document.Node, filled fillers) Relation {
	r := Relation{OnMissing: MissingFail}
	many := has(n, "many")
	if many {
		r.Separator, r.Sync = ",", SyncAttach
	}
	// one is a key that only a relation which fills a column has.
	one := func(name, hint string, read func(*document.Node)) document.Key {
		return document.Key{Name: name, Required: !many && has(n, "to") && name != "key", Read: func(n *document.Node) {
			if many {
				p.Report(n, hint, "a relation with many has no key %q", name)
				return
			}
			read(n)
		}}
	}
	const within = "it stands within many"
	table := p.Keys(n, "a relation", []document.Key{
		{Name: "from", Required: true, Read: func(n *document.Node) { r.From = p.from(n) }},
		one("to", "the pivot table has the columns", func(n *document.Node) { r.To = p.target(n, "to", "a relation", filled) }),
		{Name: "many", Read: func(n *document.Node) { p.many(n, &r) }},
		one("table", within, func(n *document.Node) { r.Table = p.tableName(n, "the table") }),
		one("match", within, func(n *document.Node) { r.Match = p.columnName(n, "match") }),
		one("key", within, func(n *document.Node) { r.Key = p.columnName(n, "key") }),
		{Name: "transform", Read: func(n *document.Node) { r.Transform = p.transforms(n) }},
		{Name: "create_if_missing", Read: func(n *document.Node) { r.CreateIfMissing, _ = p.Bool(n, "create_if_missing") }},
		{Name: "on_missing", Read: func(n *document.Node) { p.onMissing(n, many, &r) }},
		{Name: "sync", Read: func(n *document.Node) { p.sync(n, many, &r) }},
	})
	if table && !many && !has(n, "to") {
		p.Report(n, "or many", "a relation needs the key %q", "to")
	}
	return r
}

// many reads what joins: `{table: tags, match: name, pivot: product_tag}`.
func (p *parsing) many(n *document.Node, r *Relation) {
	var pivot, other *document.Node
	p.Keys(n, "many", []document.Key{
		{Name: "table", Required: true, Read: func(n *document.Node) { r.Table = p.tableName(n, "the table") }},
		{Name: "match", Required: true, Read: func(n *document.Node) { r.Match = p.columnName(n, "match") }},
		{Name: "key", Read: func(n *document.Node) { r.Key = p.columnName(n, "key") }},
		{Name: "pivot", Required: true, Read: func(n *document.Node) {
			pivot = n
			r.Pivot = p.tableName(n, "the pivot table")
		}},
		{Name: "own", Read: func(n *document.Node) { r.Own = p.columnName(n, "own") }},
		{Name: "other", Read: func(n *document.Node) {
			other = n
			r.Other = p.columnName(n, "other")
		}},
		{Name: "separator", Read: func(n *document.Node) {
			text, ok := p.Text(n, "the separator")
			if ok && text == "" {
				p.Report(n, "left out it is a comma", "the separator must not be empty")
				return
			}
			r.Separator = text
		}},
	})
	if r.Pivot != "" && r.Pivot == r.Table {
		p.Report(pivot, "it has a row for each pair, like product_tag", "the pivot table must be another one than the related table %q", r.Table)
	}
	if r.Other != "" && r.Other == r.Own {
		p.Report(other, "", "own and other must be two columns of the pivot table, both are %q", r.Own)
	}
}

func (p *parsing) onMissing(n *document.Node, many bool, r *Relation) {
	choices := []string{MissingFail, MissingNull}
	if many {
		choices[1] = MissingIgnore
	}
	switch {
	case many && n.Text == MissingNull:
		p.Report(n, "ignore leaves the value out of the list", "a relation with many has no column that could be NULL")
	case !many && n.Text == MissingIgnore:
		p.Report(n, "null writes NULL", "only a relation with many can ignore a value")
	default:
		if text, ok := p.Choice(n, "on_missing", choices...); ok {
			r.OnMissing = text
		}
	}
}

func (p *parsing) sync(n *document.Node, many bool, r *Relation) {
	if !many {
		p.Report(n, "", "only a relation with many has a list to sync")
		return
	}
	if text, ok := p.Choice(n, "sync", SyncAttach, SyncReplace); ok {
		r.Sync = text
	}
}
