package destination

import (
	"context"
	"fmt"

	"ingest/shared/column"
	"ingest/shared/database"
	"ingest/shared/importer"
)

// MissingTable is a table that a definition needs and the database lacks, with the statements that make it.
type MissingTable struct {
	// Name is the definition's name for it.
	Name       string
	Statements []string
}

// MissingTables are the tables that Create would make if it were asked to, parents first. Tables that only rules ask
// are none of them. An error is as Create returns it.
func MissingTables(ctx context.Context, db *database.DB, d importer.Definition) ([]MissingTable, error) {
	missing, err := design(ctx, db.Dialect(), db, d)
	if err != nil {
		return nil, err
	}
	all := make([]MissingTable, len(missing))
	for i, b := range missing {
		all[i] = MissingTable{Name: b.Name, Statements: b.statements(db)}
		if b.Schema != "" {
			all[i].Name = b.Schema + "." + b.Name
		}
	}
	return all, nil
}

// AddColumn is the statement that adds a column to a table. The type is one that fields have, empty for text; what is none
// is taken for the database's own.
func AddColumn(db *database.DB, t column.Table, name, fieldType string) string {
	native, err := nativeType(db.Dialect(), fieldType)
	if err != nil {
		native = fieldType
	}
	return fmt.Sprintf("ALTER TABLE %s ADD COLUMN %s %s", quoted(t, db.Quote), db.Quote(name), native)
}
