package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"ingest/shared/column"
)

// postgresTable describes a table of the search path or of the schema that the name has.
func (cat catalog) postgresTable(ctx context.Context, name string) (column.Table, error) {
	var t column.Table
	var id int64
	var kind string
	var rules, children bool
	err := cat.QueryRow(ctx, `SELECT c.oid::bigint, n.nspname, c.relname, c.relkind::text, c.relhasrules OR c.relrowsecurity,
			EXISTS (SELECT 1 FROM pg_inherits AS i WHERE i.inhparent = c.oid) AND c.relkind = 'r'
		FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
		WHERE c.oid = to_regclass(?)`, QuoteTable(name)).Scan(&id, &t.Schema, &t.Name, &kind, &rules, &children)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return t, ErrNoTable
	case err != nil:
		return t, err
	case kind != "r" && kind != "p" && kind != "f":
		return t, fmt.Errorf("it is %s, not a table that rows can be written to", postgresKind(kind))
	}
	if rules {
		t.Refuses = append(t.Refuses, "a rule or row-level security")
	}
	if children {
		t.Meets = append(t.Meets, "tables that inherit from it")
	}
	for _, read := range []func(context.Context, int64, *column.Table) error{
		cat.postgresColumns, cat.postgresIndexes, cat.postgresConstraints, cat.postgresForeign,
	} {
		if err := read(ctx, id, &t); err != nil {
			return t, err
		}
	}
	return t, nil
}

func postgresKind(kind string) string {
	switch kind {
	case "v":
		return "a view"
	case "m":
		return "a materialized view"
	case "S":
		return "a sequence"
	default:
		return "an index or a type"
	}
}

func (cat catalog) postgresColumns(ctx context.Context, id int64, t *column.Table) error {
	// A domain's values are those of its base type; that it may refuse them is a constraint like others.
	rows, err := cat.Query(ctx, `WITH RECURSIVE base AS (
			SELECT a.attnum, a.atttypid AS type, a.atttypmod AS mod, false AS domain, false AS required
			FROM pg_attribute AS a WHERE a.attrelid = ? AND a.attnum > 0 AND NOT a.attisdropped
			UNION ALL
			SELECT b.attnum, y.typbasetype, y.typtypmod, true, b.required OR y.typnotnull
			FROM base AS b JOIN pg_type AS y ON y.oid = b.type WHERE y.typtype = 'd')
		SELECT a.attname, format_type(a.atttypid, a.atttypmod), y.typname, b.mod, b.domain, a.attnotnull OR b.required,
			a.atthasdef OR a.attidentity <> '' OR EXISTS (SELECT 1 FROM pg_type AS o WHERE o.oid = a.atttypid AND o.typdefault IS NOT NULL),
			a.attgenerated <> '' OR a.attidentity = 'a',
			COALESCE(l.collisdeterministic, true), y.typname = 'citext'
		FROM base AS b JOIN pg_type AS y ON y.oid = b.type AND y.typtype <> 'd'
		JOIN pg_attribute AS a ON a.attrelid = ? AND a.attnum = b.attnum
		LEFT JOIN pg_collation AS l ON l.oid = a.attcollation ORDER BY a.attnum`, id, id)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var c column.Column
		var base, native string
		var modifier int32
		var domain, deterministic, folded bool
		if err := rows.Scan(&c.Name, &native, &base, &modifier, &domain, &c.NotNull, &c.Default, &c.Generated,
			&deterministic, &folded); err != nil {
			return err
		}
		c.Type = postgresType(native, base, modifier)
		switch {
		case !deterministic || folded:
			c.Fold = column.FoldUnknown
		case base == "bpchar":
			c.Fold = column.FoldRTrim
		}
		if domain {
			t.Refuses = append(t.Refuses, "the domain of column "+c.Name)
		}
		t.Columns = append(t.Columns, c)
	}
	return rows.Err()
}

func (cat catalog) postgresIndexes(ctx context.Context, id int64, t *column.Table) error {
	// An index whose collation is not the column's may hold equal what the column does not.
	rows, err := cat.Query(ctx, `SELECT c.relname, i.indisprimary,
			i.indpred IS NULL AND i.indexprs IS NULL AND i.indisvalid AND i.indimmediate AND NOT EXISTS (
				SELECT 1 FROM generate_series(0, i.indnkeyatts - 1) AS n
				JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[n]
				WHERE i.indcollation[n] <> a.attcollation
				AND EXISTS (SELECT 1 FROM pg_collation AS l WHERE l.oid = i.indcollation[n] AND NOT l.collisdeterministic)),
			COALESCE((to_jsonb(i) ->> 'indnullsnotdistinct')::boolean, false) OR EXISTS (
				SELECT 1 FROM generate_series(0, i.indnkeyatts - 1) AS n
				JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[n] WHERE a.attgenerated <> ''),
			COALESCE((SELECT json_agg(a.attname ORDER BY n) FROM generate_series(0, i.indnkeyatts - 1) AS n
				JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[n])::text, '[]')
		FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid
		WHERE i.indrelid = ? AND i.indisunique ORDER BY i.indisprimary DESC, c.relname`, id)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var index column.Index
		var whole, meets bool
		var names string
		if err := rows.Scan(&index.Name, &index.Primary, &whole, &meets, &names); err != nil {
			return err
		}
		if err := decode(names, &index.Columns); err != nil {
			return err
		}
		if whole {
			t.Unique = append(t.Unique, index)
		}
		// Where NULL is a value like others, rows without a key meet, too; nobody knows what a generated column will be.
		if !whole || meets {
			t.Meets = append(t.Meets, "unique index "+index.Name)
		}
	}
	return rows.Err()
}

func (cat catalog) postgresConstraints(ctx context.Context, id int64, t *column.Table) error {
	rows, err := cat.Query(ctx, `SELECT conname, contype::text, conrelid = ?, conrelid = confrelid, conrelid::regclass::text,
				COALESCE(pg_get_expr(conbin, conrelid), ''), COALESCE((SELECT json_agg(a.attname ORDER BY a.attnum) FROM pg_attribute AS a
					WHERE a.attrelid = conrelid AND a.attnum = ANY (conkey))::text, '[]')
			FROM pg_constraint WHERE (conrelid = ? AND contype IN ('c', 'f', 'x', 't')) OR (confrelid = ? AND contype = 'f')
		UNION ALL
		SELECT tgname, 't', true, false, '', '', '[]' FROM pg_trigger WHERE tgrelid = ? AND NOT tgisinternal
			AND tgconstraint = 0 AND tgenabled <> 'D'
		ORDER BY 3 DESC, 2, 1`, id, id, id, id)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var name, kind, owner, expression, columns string
		var own, itself bool
		if err := rows.Scan(&name, &kind, &own, &itself, &owner, &expression, &columns); err != nil {
			return err
		}
		switch {
		case !own:
			t.Refuses = append(t.Refuses, "foreign key "+name+" of "+owner)
		case kind == "c":
			t.Refuses = append(t.Refuses, "CHECK constraint "+name)
			one := column.Check{Name: name, Expression: expression}
			if err := decode(columns, &one.Columns); err != nil {
				return err
			}
			t.Checks = append(t.Checks, one)
		case kind == "t":
			t.Refuses = append(t.Refuses, "trigger "+name)
		case kind == "x":
			t.Refuses = append(t.Refuses, "exclusion constraint "+name)
			t.Meets = append(t.Meets, "exclusion constraint "+name)
		default:
			t.Refuses = append(t.Refuses, "foreign key "+name)
			if itself {
				t.Meets = append(t.Meets, "foreign key "+name+" to the table itself")
			}
		}
	}
	return rows.Err()
}
