package destination

import (
	"fmt"
	"strings"

	"ingest/shared/column"
	"ingest/shared/database"
)

// blueprint is a table that is to be made, as the catalog will describe it. The rows of its foreign keys go with their
// parents.
type blueprint struct {
	column.Table
	// identity is the column that the database fills with numbers, empty = none.
	identity string
	// related says that it is made for relations to look into.
	related bool
}

func (b *blueprint) unique(columns ...string) {
	if _, ok := b.UniqueOn(columns); !ok {
		b.Unique = append(b.Unique, column.Index{Name: indexName(b.Name, columns), Columns: columns})
	}
}

func (b *blueprint) isPrimary(name string) bool {
	index, ok := b.UniqueOn([]string{name})
	return ok && index.Primary
}

// statements make the table.
func (b *blueprint) statements(db *database.DB) []string {
	if db.Dialect() == database.MySQL {
		return []string{b.mysql(db)}
	}
	lite := db.Dialect() == database.SQLite
	var lines []string
	for _, c := range b.Columns {
		line := db.Quote(c.Name) + " " + c.Type.Native
		switch {
		case c.Name == b.identity && lite:
			line = db.Quote(c.Name) + " INTEGER PRIMARY KEY AUTOINCREMENT"
		case c.Name == b.identity:
			line += " GENERATED ALWAYS AS IDENTITY PRIMARY KEY"
		case b.isPrimary(c.Name):
			line += " NOT NULL PRIMARY KEY"
		case c.NotNull:
			line += " NOT NULL"
		}
		lines = append(lines, line)
	}
	for _, key := range b.Foreign {
		parent := column.Table{Schema: key.Schema, Name: key.Table}
		if lite { // a table can only refer to those of its own schema, and does not name it
			parent.Schema = ""
		}
		lines = append(lines, fmt.Sprintf("FOREIGN KEY (%s) REFERENCES %s (%s) ON DELETE CASCADE",
			db.Quote(key.Columns[0]), quoted(parent, db.Quote), db.Quote(key.References[0])))
	}
	table := quoted(b.Table, db.Quote)
	statements := []string{fmt.Sprintf("CREATE TABLE %s (%s)", table, strings.Join(lines, ", "))}
	for _, index := range b.Unique {
		if index.Primary {
			continue
		}
		name, on := db.Quote(index.Name), table
		if b.Schema != "" && lite {
			name, on = db.Quote(b.Schema)+"."+name, db.Quote(b.Name)
		}
		columns := make([]string, len(index.Columns))
		for i, c := range index.Columns {
			columns[i] = db.Quote(c)
		}
		statements = append(statements, fmt.Sprintf("CREATE UNIQUE INDEX %s ON %s (%s)", name, on, strings.Join(columns, ", ")))
	}
	return statements
}
