package destination

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"ingest/shared/database"
	"ingest/shared/importer"
)

// Create makes the destination table if the definition wants that (create_table; true for SQLite when left out)
// and it is missing: a column per field, a unique index on the key, and an `id` primary key unless a field is
// called so. A table that exists is left as it is. It may be called again and by two at once; it commits.
func Create(ctx context.Context, db *database.DB, d importer.Definition) error {
	wanted := db.Dialect() == database.SQLite
	if d.Destination.CreateTable != nil {
		wanted = *d.Destination.CreateTable
	}
	if !wanted {
		return nil
	}
	if exists, err := tableExists(ctx, db, d.Destination.Table); exists || err != nil {
		return err
	}
	if err := create(ctx, db, d); err != nil {
		return fmt.Errorf("create table '%s': %w", d.Destination.Table, err)
	}
	return nil
}

func tableExists(ctx context.Context, db *database.DB, name string) (bool, error) {
	_, err := db.Table(ctx, name)
	if errors.Is(err, database.ErrNoTable) {
		return false, nil
	}
	return err == nil, err
}

func create(ctx context.Context, db *database.DB, d importer.Definition) (err error) {
	statements, err := definition(db, d)
	if err != nil {
		return err
	}
	tx, err := db.Begin(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, tx.Rollback()) }()
	if db.Dialect() == database.Postgres {
		// IF NOT EXISTS alone does not stop two from creating the same table: the second fails in the catalog.
		if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock(hashtext(?))", "ingest create "+d.Destination.Table); err != nil {
			return err
		}
	}
	// Whoever made it in between has made the index, too.
	if exists, err := tableExists(ctx, db, d.Destination.Table); exists || err != nil {
		return err
	}
	for _, statement := range statements {
		if _, err := tx.Exec(ctx, statement); err != nil {
			return err
		}
	}
	return tx.Commit(ctx)
}

// definition returns the statements that make the table.
func definition(db *database.DB, d importer.Definition) ([]string, error) {
	table := db.QuoteTable(d.Destination.Table)
	var columns []string
	if !slices.ContainsFunc(d.Fields, func(f importer.Field) bool { return strings.EqualFold(f.To, "id") }) {
		id := `"id" INTEGER PRIMARY KEY AUTOINCREMENT`
		if db.Dialect() == database.Postgres {
			id = `"id" bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY`
		}
		columns = append(columns, id)
	}
	for _, field := range d.Fields {
		native, err := nativeType(db.Dialect(), field.Type)
		if err != nil {
			return nil, fmt.Errorf("field '%s': %w", field.To, err)
		}
		columns = append(columns, db.Quote(field.To)+" "+native)
	}
	statements := []string{fmt.Sprintf("CREATE TABLE %s (%s)", table, strings.Join(columns, ", "))}
	if len(d.Key) == 0 {
		return statements, nil
	}
	key, err := keyColumns(d)
	if err != nil {
		return nil, err
	}
	names := make([]string, len(key))
	for i, name := range key {
		names[i] = db.Quote(name)
	}
	schema, name, found := strings.Cut(d.Destination.Table, ".")
	if !found {
		schema, name = "", d.Destination.Table
	}
	index, on := db.Quote(indexName(name, key)), table
	if schema != "" && db.Dialect() == database.SQLite {
		index, on = db.Quote(schema)+"."+index, db.Quote(name)
	}
	return append(statements, fmt.Sprintf("CREATE UNIQUE INDEX %s ON %s (%s)", index, on, strings.Join(names, ", "))), nil
}

// keyColumns are the destination columns of the key.
func keyColumns(d importer.Definition) ([]string, error) {
	var columns []string
	for _, name := range d.Key {
		key, ok := d.KeyColumn(name)
		if !ok {
			return nil, fmt.Errorf("the key column '%s' is not mapped by any field", name)
		}
		columns = append(columns, key.To)
	}
	return columns, nil
}

// nativeType translates a field's type. SQLite keeps the name: the declared type decides what a value must be.
func nativeType(dialect database.Dialect, name string) (string, error) {
	base, arguments, _ := strings.Cut(strings.ToLower(strings.TrimSpace(name)), "(")
	base = strings.TrimSpace(base)
	if base == "" {
		base = "text"
	}
	if arguments != "" {
		if base != "decimal" || strings.Trim(arguments, "0123456789, )") != "" {
			return "", fmt.Errorf("unknown type '%s'", name)
		}
		arguments = "(" + arguments
	}
	translated, ok := postgresTypes[base]
	if !ok {
		return "", fmt.Errorf("unknown type '%s'", name)
	}
	if dialect == database.Postgres {
		base = translated
	}
	return base + arguments, nil
}

var postgresTypes = map[string]string{
	"text": "text", "integer": "integer", "bigint": "bigint", "decimal": "numeric", "float": "double precision",
	"boolean": "boolean", "date": "date", "datetime": "timestamp with time zone", "json": "jsonb", "uuid": "uuid",
}
