package importer

import "ingest/shared/importer/document"

// nested reads lists of objects that become rows of other tables.
func (p *parsing) nested(n *document.Node) {
	if !p.list(n, "nested", "tables", "{from: line_items, table: order_items, parent: order_id, fields: [{from: sku, to: sku}]}") {
		return
	}
	for _, item := range n.Items {
		p.d.Nested = append(p.d.Nested, p.nestedList(item))
	}
}

func (p *parsing) nestedList(n *document.Node) Nested {
	var list Nested
	var keys []*document.Node
	filled := fillers{}
	p.Keys(n, "a nested list", []document.Key{
		{Name: "from", Required: true, Read: func(n *document.Node) { list.From = p.from(n) }},
		{Name: "table", Required: true, Read: func(n *document.Node) { list.Table = p.tableName(n, "the table") }},
		{Name: "key", Read: func(n *document.Node) { list.Key, keys, _ = p.Texts(n, "a key column") }},
		{Name: "parent", Required: true, Read: func(n *document.Node) { list.Parent = p.target(n, "parent", "the key of the parent", filled) }},
		{Name: "fields", Required: !has(n, "relations"), Read: func(n *document.Node) { list.Fields = p.fields(n, filled) }},
		{Name: "relations", Read: func(n *document.Node) { list.Relations = p.relations(n, filled) }},
	})
	p.columns(n, "a nested list", list.Fields, list.Relations)
	p.key(list.Key, keys, list.Fields, list.Relations)
	return list
}
