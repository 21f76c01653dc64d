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

// mysqlTable describes a table of the connection's database, or of the one that the name has.
func (cat catalog) mysqlTable(ctx context.Context, name string) (column.Table, error) {
	var t column.Table
	var kind string
	var engine, transactions sql.NullString
	schema, bare := splitTable(name)
	err := cat.QueryRow(ctx, `SELECT t.TABLE_SCHEMA, t.TABLE_NAME, t.TABLE_TYPE, t.ENGINE, e.TRANSACTIONS
		FROM information_schema.TABLES AS t LEFT JOIN information_schema.ENGINES AS e ON e.ENGINE = t.ENGINE
		WHERE t.TABLE_SCHEMA = COALESCE(NULLIF(?, ''), DATABASE()) AND t.TABLE_NAME = ?
			AND (@@lower_case_table_names > 0 OR CAST(t.TABLE_NAME AS BINARY) = CAST(? AS BINARY))`, schema, bare, bare,
	).Scan(&t.Schema, &t.Name, &kind, &engine, &transactions)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return t, ErrNoTable
	case err != nil:
		return t, err
	case kind == "VIEW" || kind == "SYSTEM VIEW" || kind == "SEQUENCE":
		return t, fmt.Errorf("it is a %s, not a table that rows can be written to", strings.ToLower(kind))
	case transactions.String != "YES":
		return t, fmt.Errorf("its storage engine %s has no transactions: ALTER TABLE %s ENGINE = InnoDB", engine.String, cat.db.QuoteTable(name))
	}
	for _, read := range []func(context.Context, *column.Table) error{
		cat.mysqlColumns, cat.mysqlIndexes, cat.mysqlChecks, cat.mysqlForeign, cat.mysqlTriggers,
	} {
		if err := read(ctx, &t); err != nil {
			return t, err
		}
	}
	return t, nil
}

func (cat catalog) mysqlColumns(ctx context.Context, t *column.Table) error {
	// MariaDB writes a missing default of a nullable column as NULL.
	rows, err := cat.Query(ctx, `SELECT COLUMN_NAME, LOWER(DATA_TYPE), COLUMN_TYPE, IS_NULLABLE = 'NO',
			COALESCE(COLUMN_DEFAULT, 'NULL') <> 'NULL' OR EXTRA LIKE '%auto_increment%',
			EXTRA LIKE '%STORED GENERATED%' OR EXTRA LIKE '%VIRTUAL GENERATED%' OR EXTRA LIKE '%PERSISTENT%',
			LEAST(COALESCE(CHARACTER_MAXIMUM_LENGTH, 0), 2147483647), COALESCE(NUMERIC_PRECISION, 0), COALESCE(NUMERIC_SCALE, 0),
			COALESCE(COLLATION_NAME, ''), COLUMN_COMMENT
		FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? ORDER BY ORDINAL_POSITION`, t.Schema, t.Name)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var c column.Column
		var base, native, comment string
		var length, precision, scale int
		if err := rows.Scan(&c.Name, &base, &native, &c.NotNull, &c.Default, &c.Generated, &length, &precision, &scale, &c.Collation, &comment); err != nil {
			return err
		}
		c.Type = mysqlType(base, native, length, precision, scale)
		if native == "char(36)" && comment == UUIDComment {
			c.Type.Kind, c.Type.Length = column.UUID, 0
		}
		c.Fold = mysqlFold(c)
		t.Columns = append(t.Columns, c)
	}
	return rows.Err()
}

func (cat catalog) mysqlIndexes(ctx context.Context, t *column.Table) error {
	rows, err := cat.Query(ctx, `SELECT INDEX_NAME, COALESCE(COLUMN_NAME, ''), SUB_PART IS NOT NULL OR COLUMN_NAME IS NULL
		FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? AND NON_UNIQUE = 0
		ORDER BY INDEX_NAME <> 'PRIMARY', INDEX_NAME, SEQ_IN_INDEX`, t.Schema, t.Name)
	if err != nil {
		return err
	}
	defer rows.Close()
	var all []column.Index
	partly := map[string]bool{}
	for rows.Next() {
		var name, of string
		var part bool
		if err := rows.Scan(&name, &of, &part); err != nil {
			return err
		}
		if len(all) == 0 || all[len(all)-1].Name != name {
			all = append(all, column.Index{Name: name, Primary: name == "PRIMARY"})
		}
		last := &all[len(all)-1]
		last.Columns = append(last.Columns, of)
		partly[name] = partly[name] || part
	}
	for _, index := range all {
		// Nobody knows what a generated column will be.
		generated := slices.ContainsFunc(index.Columns, func(name string) bool {
			c, _ := t.Column(name)
			return c.Generated
		})
		if partly[index.Name] || generated {
			t.Meets = append(t.Meets, "unique index "+index.Name)
		}
		if !partly[index.Name] {
			t.Unique = append(t.Unique, index)
		}
	}
	return rows.Err()
}

// mysqlChecks reads the CHECK constraints. MariaDB's JSON is a text with one, which refuses nothing that Go has checked.
func (cat catalog) mysqlChecks(ctx context.Context, t *column.Table) error {
	rows, err := cat.Query(ctx, `SELECT t.CONSTRAINT_NAME, c.CHECK_CLAUSE FROM information_schema.TABLE_CONSTRAINTS AS t
		JOIN information_schema.CHECK_CONSTRAINTS AS c
			ON c.CONSTRAINT_SCHEMA = t.CONSTRAINT_SCHEMA AND c.CONSTRAINT_NAME = t.CONSTRAINT_NAME /*M! AND c.TABLE_NAME = t.TABLE_NAME */
		WHERE t.CONSTRAINT_TYPE = 'CHECK' AND t.TABLE_SCHEMA = ? AND t.TABLE_NAME = ? ORDER BY 1`, t.Schema, t.Name)
	if err != nil {
		return err
	}
	defer rows.Close()
	var all []column.Check
	for rows.Next() {
		var name, clause string
		if err := rows.Scan(&name, &clause); err != nil {
			return err
		}
		at := slices.IndexFunc(t.Columns, func(c column.Column) bool {
			return (clause == "json_valid("+cat.db.Quote(c.Name)+")" || clause == "json_valid("+Quote(c.Name)+")") && strings.HasPrefix(c.Type.Native, "longtext")
		})
		if at >= 0 {
			t.Columns[at].Type.Kind = column.JSON
			continue
		}
		t.Refuses = append(t.Refuses, "CHECK constraint "+name)
		one := column.Check{Name: name, Expression: clause}
		for _, c := range t.Columns {
			// The server has quoted all names, in the way of its own session or of this one.
			if strings.Contains(clause, cat.db.Quote(c.Name)) || strings.Contains(clause, Quote(c.Name)) {
				one.Columns = append(one.Columns, c.Name)
			}
		}
		all = append(all, one)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return err
	}
	for _, one := range all {
		asked, err := cat.asks(ctx, one)
		if err != nil {
			return err
		}
		if asked {
			t.Checks = append(t.Checks, one)
		}
	}
	return nil
}

// asks says that the expression of a CHECK can stand in a query, as the catalog spells it.
func (cat catalog) asks(ctx context.Context, one column.Check) (bool, error) {
	if len(one.Columns) == 0 {
		return false, nil
	}
	nulls := make([]string, len(one.Columns))
	for i, name := range one.Columns {
		nulls[i] = "NULL AS " + Quote(name)
	}
	_, err := cat.list(ctx, "SELECT 1 FROM (SELECT "+strings.Join(nulls, ", ")+") AS r WHERE NOT ("+one.Expression+")")
	if Explain(err).Class == TransientFault {
		return false, err
	}
	return err == nil, nil
}

func (cat catalog) mysqlForeign(ctx context.Context, t *column.Table) error {
	rows, err := cat.Query(ctx, `SELECT CONSTRAINT_NAME, COLUMN_NAME, REFERENCED_TABLE_SCHEMA, REFERENCED_TABLE_NAME, REFERENCED_COLUMN_NAME
		FROM information_schema.KEY_COLUMN_USAGE WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? AND REFERENCED_TABLE_NAME IS NOT NULL
		ORDER BY CONSTRAINT_NAME, ORDINAL_POSITION`, t.Schema, t.Name)
	if err != nil {
		return err
	}
	defer rows.Close()
	last := ""
	for rows.Next() {
		var name, of, refers string
		var key column.ForeignKey
		if err := rows.Scan(&name, &of, &key.Schema, &key.Table, &refers); err != nil {
			return err
		}
		if name != last {
			t.Foreign, last = append(t.Foreign, key), name
			t.Refuses = append(t.Refuses, "foreign key "+name)
			if key.Schema == t.Schema && key.Table == t.Name {
				t.Meets = append(t.Meets, "foreign key "+name+" to the table itself")
			}
		}
		into := &t.Foreign[len(t.Foreign)-1]
		into.Columns, into.References = append(into.Columns, of), append(into.References, refers)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	children, err := cat.list(ctx, `SELECT DISTINCT CONCAT('foreign key ', CONSTRAINT_NAME, ' of ', TABLE_NAME) FROM information_schema.KEY_COLUMN_USAGE
		WHERE REFERENCED_TABLE_SCHEMA = ? AND REFERENCED_TABLE_NAME = ? AND NOT (TABLE_SCHEMA = ? AND TABLE_NAME = ?) ORDER BY 1`,
		t.Schema, t.Name, t.Schema, t.Name)
	t.Refuses = append(t.Refuses, children...)
	return err
}

func (cat catalog) mysqlTriggers(ctx context.Context, t *column.Table) error {
	triggers, err := cat.list(ctx, `SELECT CONCAT('trigger ', TRIGGER_NAME) FROM information_schema.TRIGGERS
		WHERE EVENT_OBJECT_SCHEMA = ? AND EVENT_OBJECT_TABLE = ? ORDER BY 1`, t.Schema, t.Name)
	t.Refuses = append(t.Refuses, triggers...)
	return err
}
