package destination

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"ingest/shared/database"
	"ingest/shared/importer"
)

// Create makes the tables of a definition that are missing, if it wants that (create_table; true for SQLite when left
// out):
//
//   - the destination's and those of table_when: a column per field and per relation that fills one, a unique index on the
//     key, and an `id` primary key unless a field is called so;
//   - a related table: its key, which is an `id` unless the relation names another one, and the column that is matched,
//     with a unique index;
//   - a pivot table: its two columns, unique together, and foreign keys to both tables, with which its rows go;
//   - a nested table: like the destination's, and the column of its parent with a foreign key, with which its rows go; its
//     key is unique for one parent.
//
// With timestamps each has created_at and updated_at. A table that exists is left as it is. Create may be called again and
// by two at once; it commits. An error that is an *Unclear is for people, every other one the database's.
func Create(ctx context.Context, db *database.DB, d importer.Definition) error {
	if !d.Destination.Creates(db.Dialect() == database.SQLite) {
		return nil
	}
	missing, err := design(ctx, db.Dialect(), db, d)
	if err == nil && len(missing) > 0 {
		err = create(ctx, db, d, missing)
	}
	return err
}

func create(ctx context.Context, db *database.DB, d importer.Definition, missing []*blueprint) (err error) {
	if db.Dialect() == database.MySQL {
		return createEach(ctx, db, missing)
	}
	tx, err := db.Begin(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, tx.Rollback()) }()
	// IF NOT EXISTS alone does not stop two from creating the same table: the second fails in the catalog. One lock for all
	// tables, because importers share related ones.
	if err := tx.Lock(ctx, "ingest create"); err != nil {
		return err
	}
	// Whoever made some in between has made them whole. Those who wait for the lock may hold all other connections.
	if missing, err = design(ctx, db.Dialect(), tx, d); err != nil {
		return err
	}
	for _, table := range missing {
		for _, statement := range table.statements(db) {
			if _, err := tx.Exec(ctx, statement); err != nil {
				return fmt.Errorf("create '%s': %w", table.Name, err)
			}
		}
	}
	return tx.Commit(ctx)
}

// createEach makes tables where each statement is a transaction of its own, and makes a table whole or finds it made.
func createEach(ctx context.Context, db *database.DB, missing []*blueprint) error {
	for _, table := range missing {
		for _, statement := range table.statements(db) {
			if _, err := db.Exec(ctx, statement); err != nil {
				return fmt.Errorf("create '%s': %w", table.Name, err)
			}
		}
	}
	return nil
}

// nativeType translates a field's type. SQLite keeps the name: the declared type decides what a value must be, which is
// the same in every database.
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
	switch {
	case dialect == database.Postgres:
		base = translated
	case dialect == database.MySQL && base == "decimal" && arguments == "":
		base = fmt.Sprintf("decimal(%d,%d)", mysqlPrecision, mysqlScale)
	case dialect == database.MySQL:
		base = mysqlTypes[base]
	case base == "integer":
		base = "int4" // its own has 64 bits
	}
	return base + arguments, nil
}

var postgresTypes = map[string]string{
	"text": "text", "integer": "integer", "bigint": "bigint", "decimal": "numeric", "float": "double precision",
	"boolean": "boolean", "date": "date", "datetime": "timestamp with time zone", "json": "jsonb", "uuid": "uuid",
}

// mysqlTypes are the types of MariaDB and MySQL; each executes the comments that are meant for it.
var mysqlTypes = map[string]string{
	"text": mysqlText, "integer": "int", "bigint": "bigint", "decimal": "decimal", "float": "double", "boolean": "boolean", "date": "date",
	"datetime": "datetime(6)", "json": "json",
	"uuid": "/*M! uuid *//*!80017 char(36) CHARACTER SET ascii COLLATE ascii_bin COMMENT '" + database.UUIDComment + "' */",
}

const (
	mysqlText = "longtext"
	// mysqlPrecision and mysqlScale are the most digits there are, for decimals that say nothing.
	mysqlPrecision, mysqlScale = 65, 30
)
