package destination

import (
	"fmt"
	"slices"
	"strings"

	"ingest/shared/column"
	"ingest/shared/database"
)

// mysql is the one statement that makes the table, because two of them could be torn apart. Texts are compared by their
// characters alone, as elsewhere; MariaDB and MySQL execute the comments that are meant for them.
func (b *blueprint) mysql(db *database.DB) string {
	var lines []string
	for _, c := range b.Columns {
		line := db.Quote(c.Name) + " " + b.mysqlType(c)
		switch {
		case c.Name == b.identity:
			line += " AUTO_INCREMENT PRIMARY KEY"
		case b.isPrimary(c.Name):
			line += " NOT NULL PRIMARY KEY"
		case c.NotNull:
			line += " NOT NULL"
		}
		lines = append(lines, line)
	}
	for _, index := range b.Unique {
		if !index.Primary {
			columns := make([]string, len(index.Columns))
			for i, name := range index.Columns {
				columns[i] = db.Quote(name)
			}
			lines = append(lines, fmt.Sprintf("UNIQUE KEY %s (%s)", db.Quote(index.Name), strings.Join(columns, ", ")))
		}
	}
	for _, key := range b.Foreign {
		lines = append(lines, fmt.Sprintf("FOREIGN KEY (%s) REFERENCES %s (%s) ON DELETE CASCADE", db.Quote(key.Columns[0]),
			quoted(column.Table{Schema: key.Schema, Name: key.Table}, db.Quote), db.Quote(key.References[0])))
	}
	return fmt.Sprintf("CREATE TABLE IF NOT EXISTS %s (%s) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 /*M! COLLATE utf8mb4_nopad_bin *//*!80017 COLLATE utf8mb4_0900_bin */",
		quoted(b.Table, db.Quote), strings.Join(lines, ", "))
}

// mysqlType is a column's type. Texts in an index need a length, and those that refer to another table its collation.
func (b *blueprint) mysqlType(c column.Column) string {
	native := c.Type.Native
	if native == mysqlText && b.indexed(c.Name) {
		native = fmt.Sprintf("varchar(%d)", mysqlLength)
	}
	if c.Collation != "" {
		set, _, _ := strings.Cut(c.Collation, "_")
		native += " CHARACTER SET " + set + " COLLATE " + c.Collation
	}
	return native
}

// mysqlLength is how long a text in an index can be: three of them fit.
const mysqlLength = 255

func (b *blueprint) indexed(name string) bool {
	return slices.ContainsFunc(b.Unique, func(index column.Index) bool { return slices.Contains(index.Columns, name) }) ||
		slices.ContainsFunc(b.Foreign, func(key column.ForeignKey) bool { return slices.Contains(key.Columns, name) })
}
