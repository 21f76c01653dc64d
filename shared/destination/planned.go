package destination

import (
	"ingest/shared/column"
	"ingest/shared/database"
	"ingest/shared/importer"
)

// Planned is one of the definition's tables as Create would make it, as far as values depend on it: the columns that the
// definition names, with their types. One that only rules ask has the columns that they name, as texts.
func Planned(dialect database.Dialect, d importer.Definition, name string) (column.Table, error) {
	t := planning{dialect: dialect, table: column.Table{Name: name}}
	own := name == d.Destination.Table
	for _, choice := range d.TableWhen {
		own = own || choice.Table == name
	}
	if own {
		t.fields(d.Fields)
		t.filled(d.Relations)
		t.key(d.Key, d.KeyColumn)
		if d.Compare != nil {
			t.add(d.Compare.Column, "datetime")
		}
		if d.Destination.Timestamps {
			t.add("created_at", "datetime")
			t.add("updated_at", "datetime")
		}
	}
	t.related(d.Relations)
	for _, n := range d.Nested {
		if n.Table == name {
			t.add(n.Parent, "bigint")
			t.fields(n.Fields)
			t.filled(n.Relations)
			t.key(n.Key, n.KeyColumn)
		}
		t.related(n.Relations)
	}
	for _, rules := range d.Rules {
		for _, r := range rules.Rules {
			if r.Table() == name {
				t.asked(rules.Column, r.Args)
			}
		}
	}
	return t.table, t.err
}

// planning is a table that is being planned.
type planning struct {
	dialect database.Dialect
	table   column.Table
	err     error
}

// add adds a column unless there is one.
func (t *planning) add(name, kind string) {
	if _, there := t.table.Column(name); there || name == "" || t.err != nil {
		return
	}
	if kind == "" {
		kind = "text"
	}
	planned, err := importer.ColumnType(kind)
	if err != nil {
		t.err = err
		return
	}
	planned.Native = kind
	switch {
	case t.dialect == database.MySQL && planned.Kind == column.Decimal && planned.Precision == 0:
		planned.Precision, planned.Scale = mysqlPrecision, mysqlScale
	case t.dialect == database.Postgres && planned.Kind == column.Datetime:
		planned.Zone = true
	case t.dialect == database.SQLite && (planned.Kind == column.Decimal || planned.Kind == column.JSON):
		planned.Digits = sqliteDigits
	}
	t.table.Columns = append(t.table.Columns, column.Column{Name: name, Type: planned})
}

// key notes the columns of a key.
func (t *planning) key(names []string, find func(name string) (importer.KeyColumn, bool)) {
	for _, name := range names {
		if found, ok := find(name); ok {
			t.index(found.To)
		}
	}
}

// index notes that a column is in an index, for which MySQL's texts need a length.
func (t *planning) index(name string) {
	for i := range t.table.Columns {
		c := &t.table.Columns[i]
		if c.Name == name && t.dialect == database.MySQL && c.Type.Kind == column.Text {
			c.Type.Length = mysqlLength
		}
	}
}

func (t *planning) fields(list []importer.Field) {
	for _, f := range list {
		t.add(f.To, f.Type)
	}
}

func (t *planning) filled(list []importer.Relation) {
	for _, r := range list {
		t.add(r.To, keyType(r))
	}
}

func (t *planning) related(list []importer.Relation) {
	for _, r := range list {
		if r.Table == t.table.Name {
			t.add(r.Match, "")
			t.index(r.Match)
			t.add(r.Key, keyType(r))
		}
	}
}

// keyType is the type of the key that a relation stores.
func keyType(r importer.Relation) string {
	if r.Key != "" && r.Key == r.Match {
		return "text"
	}
	return "bigint"
}

// asked adds what `unique:table,column,except,id` names.
func (t *planning) asked(source string, args []string) {
	name := source
	if len(args) > 1 && args[1] != "" {
		name = args[1]
	}
	t.add(name, "")
	if len(args) > 2 {
		t.add("id", "")
	}
	if len(args) > 3 {
		t.add(args[3], "")
	}
}

// sqliteDigits is how many digits SQLite keeps of a decimal, or of JSON that is a number.
const sqliteDigits = 15
