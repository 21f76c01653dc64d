package importer

import "ingest/shared/importer/document"

// strategy reads on_duplicate.
func (p *parsing) strategy(n *document.Node) {
	p.onDuplicate = n
	if text, ok := p.Choice(n, "on_duplicate", string(Skip), string(Update), string(Upsert), string(Fail), string(UpdateIfNewer)); ok {
		p.d.OnDuplicate = OnDuplicate(text)
	}
}

// comparison reads `compare: {source: modified, column: updated_at}`.
func (p *parsing) comparison(n *document.Node) {
	p.compare = n
	var c Compare
	p.Keys(n, "compare", []document.Key{
		{Name: "source", Required: true, Read: func(n *document.Node) { c.Source, _ = p.Filled(n, "source") }},
		{Name: "column", Required: true, Read: func(n *document.Node) { c.Column = p.columnName(n, "column") }},
	})
	p.d.Compare = &c
}

// duplicates checks what on_duplicate and compare need of each other and of the key.
func (p *parsing) duplicates() {
	if p.onDuplicate != nil && len(p.d.Key) == 0 {
		p.Report(p.onDuplicate, "add `key:` with the columns that identify a row",
			"on_duplicate says what to do with rows that are there already, but there is no key")
	}
	if p.onDuplicate != nil && p.onDuplicate.Text != string(p.d.OnDuplicate) {
		return // a strategy that nobody knows was reported
	}
	switch newer := p.d.OnDuplicate == UpdateIfNewer; {
	case newer && p.compare == nil:
		p.Report(p.onDuplicate, "like `compare: {source: modified, column: updated_at}`", "update_if_newer needs the key %q", "compare")
	case !newer && p.compare != nil:
		p.Report(p.compare, "", "compare is for `on_duplicate: update_if_newer`, this is %s", p.d.OnDuplicate)
	}
}
