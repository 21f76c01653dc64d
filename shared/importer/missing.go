package importer

import (
	"slices"

	"ingest/shared/importer/document"
)

// Missing says what happens to rows of the table that the file no longer has: they are deleted, or Set.
type Missing struct {
	// Set are values for columns, in the order of the file; empty = the rows are deleted.
	Set []Setting `json:"set,omitempty"`
}

// Setting is a value for a column of the table; nil = NULL.
type Setting struct {
	Column string  `json:"column"`
	Value  *string `json:"value"`
}

const (
	missingKeep   = "keep"
	missingDelete = "delete"
)

// missing reads `missing: delete` or `missing: {set: {active: false}}`.
func (p *parsing) missing(n *document.Node) {
	p.missingNode = n
	if n.Kind != document.Map {
		if text, ok := p.Choice(n, "missing", missingKeep, missingDelete); ok && text == missingDelete {
			p.d.Missing = &Missing{}
		}
		return
	}
	m := Missing{}
	p.Keys(n, "missing", []document.Key{{Name: "set", Required: true, Read: func(n *document.Node) {
		if !p.Table(n, "set") {
			return
		}
		if len(n.Entries) == 0 {
			p.Report(n, "like `set: {active: false}`, or `missing: delete`", "set must not be empty")
		}
		for _, e := range n.Entries {
			m.Set = append(m.Set, p.setting(e))
		}
	}}})
	if len(m.Set) > 0 {
		p.d.Missing = &m
	}
}

func (p *parsing) setting(e document.Entry) Setting {
	s := Setting{Column: p.columnName(e.Key, "a column of set")}
	if e.Value.Kind == document.Empty {
		return s
	}
	if text, ok := p.Text(e.Value, "a value of set"); ok && text != "null" && text != "~" {
		s.Value = &text
	}
	return s
}

// gone checks what missing needs: it is about all rows of the file, as one, and about one table.
func (p *parsing) gone() {
	if p.d.Missing == nil {
		return
	}
	if p.d.Transaction != TransactionRun {
		p.Report(p.missingNode, "rows are missing only when the whole file is there", "missing needs `transaction: %s`", TransactionRun)
	}
	if len(p.d.Key) == 0 {
		p.Report(p.missingNode, "add `key:` with the columns that identify a row", "missing needs a key: it tells which rows of the table the file has")
	}
	if len(p.d.TableWhen) > 0 {
		p.Report(p.missingNode, "", "missing is for one table, and table_when has several")
	}
	for i, s := range p.d.Missing.Set {
		if slices.ContainsFunc(p.d.Key, func(name string) bool {
			c, ok := p.d.KeyColumn(name)
			return ok && c.To == s.Column
		}) {
			p.Report(p.missingNode.Child("set").Entries[i].Key, "", "missing cannot set the key column '%s'", s.Column)
		}
	}
}
