package pipeline

import (
	"encoding/json"

	"ingest/shared/column"
	"ingest/shared/importer"
	"ingest/shared/row"
)

// Nested is a list of objects within a row. Each becomes a row of Target, whose first column is the one that holds the key
// of the row that the list belongs to: in a Record it is absent.
type Nested struct {
	Definition importer.Nested
	Target     *Target
	// Source is the primary source name.
	Source string

	list field
	// program turns the objects into rows: its source has one column, the object.
	program *Program
}

const objects = "must be a list of objects."

func (b building) addNested(t *Target, n importer.Nested) error {
	cell, ok := b.computing.names.field(importer.Field{From: n.From})
	if !ok {
		return nil
	}
	if at, ok := b.computing.names.cell(importer.Field{From: n.From}); ok {
		b.computing.names.mapped[at] = true
	}
	table, err := b.table(n.Table)
	if err != nil {
		return err
	}
	parent, ok := table.Column(n.Parent)
	if !ok {
		return &Error{"The table '" + n.Table + "' has no column '" + n.Parent + "' (parent of '" + n.From[0] + "')."}
	}
	list := b.filled(n.From[0], cell, column.Column{})
	d := importer.Definition{
		Destination: importer.Destination{Table: n.Table}, Format: b.definition.Format, Fields: n.Fields, Relations: n.Relations, Key: n.Key,
		Params: b.definition.Params, Given: b.definition.Given,
	}
	p := newProgram(d, 1)
	p.phrases = b.program.phrases
	names := &names{
		header: []string{""}, fields: sources(d), object: true, used: map[int]bool{}, mapped: map[int]bool{},
		assigned: map[string]int{}, paths: map[string]int{}, virtual: p.addVirtual,
	}
	inner := building{
		program: p, definition: d, setting: b.setting, computing: newComputing(p, d, names, b.setting.Started),
		scope:  scope{names: names, phrases: p.phrases, zone: b.scope.zone, program: p, tables: b.setting.Tables, extensions: b.setting.Extensions},
		prefix: list.source + ".",
	}
	if err := checkTargets(d, table); err != nil {
		return err
	}
	target := &Target{Table: table, Compare: -1}
	owner := inner.filled(n.Parent, 0, parent)
	owner.constant, owner.column.NotNull = &column.Value{}, false
	target.add(owner, parent)
	for _, f := range n.Fields {
		if err := inner.addField(target, f); err != nil {
			return err
		}
	}
	for _, r := range n.Relations {
		if err := inner.addRelation(target, r); err != nil {
			return err
		}
	}
	if inner.addKey(target, d); len(target.key) > 0 {
		target.key = append([]int{0}, target.key...)
		target.keyNames = append([]string{owner.source}, target.keyNames...)
	}
	p.targets = []*Target{target}
	t.Nested = append(t.Nested, Nested{Definition: n, Target: target, Source: list.source, list: list, program: p})
	return nil
}

// records are the rows of the list; nil when the source lacks it.
func (n *Nested) records(p *Program, r record, found *failures) []Record {
	items, wrong := n.items(p, r)
	if wrong != nil || items == nil {
		*found = append(*found, wrong...)
		return nil
	}
	records := make([]Record, len(items))
	for i, item := range items {
		inner, problem := n.object(p, item)
		if problem != nil {
			*found = append(*found, problem.Fields...)
			return nil
		}
		records[i].Values = make([]column.Value, len(n.Target.columns))
		n.Target.fill(n.program, inner, &records[i], found)
	}
	return records
}

// items are the parts of the list; nil when the source lacks it.
func (n *Nested) items(p *Program, r record) (items []json.RawMessage, wrong failures) {
	cell := r.cell(n.list.cell)
	if cell.State != column.Set || column.Trim(cell.Text) == "" {
		return nil, nil
	}
	if problem := column.Readable(cell.Text); problem != "" {
		wrong.add(n.list.source, p.phrases.problem(&n.list, problem))
		return nil, wrong
	}
	items = []json.RawMessage{}
	if json.Unmarshal([]byte(cell.Text), &items) != nil {
		wrong.add(n.list.source, p.phrases.problem(&n.list, objects))
	}
	return items, wrong
}

// object is a part of the list as a row of its own.
func (n *Nested) object(p *Program, item json.RawMessage) (record, *Failure) {
	if item[0] != '{' {
		var wrong failures
		wrong.add(n.list.source, p.phrases.problem(&n.list, objects))
		return record{}, wrong.failure()
	}
	return n.program.open(row.Row{Cells: []string{string(item)}}, nil)
}
