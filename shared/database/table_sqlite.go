package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"ingest/shared/column"
)

// sqliteTable describes a table of the main database from SQLite's own catalog.
func (cat catalog) sqliteTable(ctx context.Context, name string) (column.Table, error) {
	schema, bare := splitTable(name)
	if schema != "" && !strings.EqualFold(schema, "main") {
		return column.Table{}, ErrNoTable
	}
	var t column.Table
	var kind, source string
	var rowless, strict bool
	err := cat.QueryRow(ctx, `SELECT l.name, l.type, l.wr, l.strict, COALESCE(s.sql, '') FROM pragma_table_list AS l
		LEFT JOIN sqlite_schema AS s ON s.name = l.name AND s.type IN ('table', 'view')
		WHERE l.schema = 'main' AND l.name = ? COLLATE NOCASE`, bare).Scan(&t.Name, &kind, &rowless, &strict, &source)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return t, ErrNoTable
	case err != nil:
		return t, err
	case kind != "table":
		return t, fmt.Errorf("it is a %s, not a table that rows can be written to", map[string]string{"view": "view", "virtual": "virtual table", "shadow": "shadow table"}[kind])
	}
	if t.Columns, err = cat.sqliteColumns(ctx, t.Name, strict); err != nil {
		return t, err
	}
	if err := cat.sqliteIndexes(ctx, &t, rowless); err != nil {
		return t, err
	}
	if t.Foreign, err = cat.sqliteForeign(ctx, t.Name); err != nil {
		return t, err
	}
	return t, cat.sqliteRefusals(ctx, &t, source, strict)
}

func (cat catalog) sqliteColumns(ctx context.Context, table string, strict bool) ([]column.Column, error) {
	rows, err := cat.Query(ctx, `SELECT name, type, "notnull", dflt_value IS NOT NULL, hidden
		FROM pragma_table_xinfo(?) ORDER BY cid`, table)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []column.Column
	for rows.Next() {
		var c column.Column
		var declared string
		var hidden int
		if err := rows.Scan(&c.Name, &declared, &c.NotNull, &c.Default, &hidden); err != nil {
			return nil, err
		}
		c.Type = sqliteType(declared, strict)
		c.Generated = hidden >= 2
		all = append(all, c)
	}
	return all, rows.Err()
}

// sqliteIndex is one unique index; key columns only.
type sqliteIndex struct {
	name, origin string
	partial      bool
	columns      []string
	folds        []string
	expression   bool
}

func (cat catalog) sqliteIndexes(ctx context.Context, t *column.Table, rowless bool) error {
	if err := cat.sqlitePrimary(ctx, t, rowless); err != nil {
		return err
	}
	rows, err := cat.Query(ctx, `SELECT l.name, l.origin, l.partial, x.name, x.coll FROM pragma_index_list(?) AS l
		JOIN pragma_index_xinfo(l.name) AS x WHERE l."unique" AND x.key ORDER BY l.seq DESC, x.seqno`, t.Name)
	if err != nil {
		return err
	}
	defer rows.Close()
	var all []*sqliteIndex
	for rows.Next() {
		var one sqliteIndex
		var name, fold sql.NullString
		if err := rows.Scan(&one.name, &one.origin, &one.partial, &name, &fold); err != nil {
			return err
		}
		if len(all) == 0 || all[len(all)-1].name != one.name {
			all = append(all, &one)
		}
		last := all[len(all)-1]
		last.columns, last.folds = append(last.columns, name.String), append(last.folds, fold.String)
		last.expression = last.expression || !name.Valid
	}
	for _, index := range all {
		index.describe(t)
	}
	return rows.Err()
}

// describe adds the index to the table: as one that can be a key, or as one that lets rows meet.
func (i *sqliteIndex) describe(t *column.Table) {
	if i.partial || i.expression {
		t.Meets = append(t.Meets, "unique index "+i.name)
		return
	}
	generated := false
	for n, name := range i.columns {
		for c := range t.Columns {
			if t.Columns[c].Name == name {
				generated = generated || t.Columns[c].Generated
				t.Columns[c].Fold = coarser(t.Columns[c].Fold, sqliteFold(i.folds[n]))
			}
		}
	}
	if generated { // nobody knows what it will be
		t.Meets = append(t.Meets, "unique index "+i.name)
	}
	at := slices.IndexFunc(t.Unique, func(known column.Index) bool { return known.Primary })
	if i.origin == "pk" && at >= 0 {
		t.Unique[at].Name = i.name
		return
	}
	t.Unique = append(t.Unique, column.Index{Name: i.name, Columns: i.columns})
}

// sqlitePrimary adds the primary key, which has no index of its own when it is the rowid.
func (cat catalog) sqlitePrimary(ctx context.Context, t *column.Table, rowless bool) error {
	keys, err := cat.list(ctx, "SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk", t.Name)
	if err != nil || len(keys) == 0 {
		return err
	}
	t.Unique = append(t.Unique, column.Index{Name: "PRIMARY KEY", Columns: keys, Primary: true})
	indexed, err := cat.list(ctx, "SELECT name FROM pragma_index_list(?) WHERE origin = 'pk'", t.Name)
	if err != nil {
		return err
	}
	for c := range t.Columns {
		if len(keys) == 1 && t.Columns[c].Name == keys[0] && len(indexed) == 0 && !rowless {
			// It is the rowid: the database fills it, and a NULL too.
			t.Columns[c].Default, t.Columns[c].NotNull = true, false
		}
	}
	return nil
}

func (cat catalog) sqliteRefusals(ctx context.Context, t *column.Table, source string, strict bool) error {
	foreign, err := cat.list(ctx, `SELECT DISTINCT "table" FROM pragma_foreign_key_list(?) ORDER BY 1`, t.Name)
	if err != nil {
		return err
	}
	for _, parent := range foreign {
		t.Refuses = append(t.Refuses, "foreign key to "+parent)
		if strings.EqualFold(parent, t.Name) {
			t.Meets = append(t.Meets, "foreign key to the table itself")
		}
	}
	children, err := cat.list(ctx, `SELECT DISTINCT s.name FROM sqlite_schema AS s JOIN pragma_foreign_key_list(s.name) AS f
		WHERE s.type = 'table' AND f."table" = ? COLLATE NOCASE AND s.name <> ? ORDER BY 1`, t.Name, t.Name)
	if err != nil {
		return err
	}
	for _, child := range children {
		t.Refuses = append(t.Refuses, "foreign key of "+child)
	}
	triggers, err := cat.list(ctx, `SELECT name FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = ? COLLATE NOCASE
		ORDER BY 1`, t.Name)
	if err != nil {
		return err
	}
	for _, trigger := range triggers {
		t.Refuses = append(t.Refuses, "trigger "+trigger)
	}
	if hasWord(source, "CHECK") {
		t.Refuses = append(t.Refuses, "a CHECK constraint")
	}
	for i := range t.Foreign {
		t.Foreign[i].Deferred = hasWord(source, "DEFERRED") // of some key: the catalog does not say of which
	}
	if strict && slices.ContainsFunc(t.Columns, func(c column.Column) bool { return c.Generated }) {
		t.Refuses = append(t.Refuses, "STRICT generated columns")
	}
	if hasWord(source, "CONFLICT") {
		t.Refuses = append(t.Refuses, "an ON CONFLICT clause")
	}
	return nil
}
