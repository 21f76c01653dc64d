package importer

import "ingest/shared/importer/document"

// tableWhen reads other tables for some of the rows: `[{when: 'row.type == "admin"', table: admins}]`.
func (p *parsing) tableWhen(n *document.Node) {
	if !p.list(n, "table_when", "tables", `{when: 'row.type == "admin"', table: admins}`) {
		return
	}
	for _, item := range n.Items {
		var c TableChoice
		p.Keys(item, "an entry of table_when", []document.Key{
			{Name: "when", Required: true, Read: func(n *document.Node) { c.When = p.condition(n, "when") }},
			{Name: "table", Required: true, Read: func(n *document.Node) { c.Table = p.tableName(n, "the table") }},
		})
		p.d.TableWhen = append(p.d.TableWhen, c)
	}
}
