package destination

import (
	"ingest/shared/column"
	"ingest/shared/database"
	"ingest/shared/importer"
)

// Planned is a table as Create would make it, without the column that Create adds: its types as far as values depend on
// them.
func Planned(dialect database.Dialect, d importer.Definition) (column.Table, error) {
	table := column.Table{Name: d.Destination.Table}
	for _, field := range d.Fields {
		name := field.Type
		if name == "" {
			name = "text"
		}
		planned, err := importer.ColumnType(name)
		if err != nil {
			return table, err
		}
		planned.Native = name
		switch {
		case dialect == database.Postgres && planned.Kind == column.Datetime:
			planned.Zone = true
		case dialect == database.SQLite && planned.Kind == column.Integer:
			planned.Bits = 64
		case dialect == database.SQLite && planned.Kind == column.Decimal:
			planned.Digits = sqliteDigits
		}
		table.Columns = append(table.Columns, column.Column{Name: field.To, Type: planned})
	}
	return table, nil
}

// sqliteDigits is how many digits SQLite keeps of a decimal.
const sqliteDigits = 15
