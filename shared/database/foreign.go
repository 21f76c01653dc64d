package database

import (
	"context"

	"ingest/shared/column"
)

func (cat catalog) postgresForeign(ctx context.Context, id int64, t *column.Table) error {
	// A foreign key to a partitioned table has a copy for each of its partitions.
	rows, err := cat.Query(ctx, `SELECT n.nspname, r.relname, NOT has_table_privilege(r.oid, 'SELECT'),
			(SELECT json_agg(a.attname ORDER BY k.at)::text FROM unnest(f.conkey) WITH ORDINALITY AS k(n, at)
				JOIN pg_attribute AS a ON a.attrelid = f.conrelid AND a.attnum = k.n),
			(SELECT json_agg(a.attname ORDER BY k.at)::text FROM unnest(f.confkey) WITH ORDINALITY AS k(n, at)
				JOIN pg_attribute AS a ON a.attrelid = f.confrelid AND a.attnum = k.n)
		FROM pg_constraint AS f JOIN pg_class AS r ON r.oid = f.confrelid JOIN pg_namespace AS n ON n.oid = r.relnamespace
		WHERE f.conrelid = ? AND f.contype = 'f'
			AND NOT EXISTS (SELECT 1 FROM pg_constraint AS p WHERE p.oid = f.conparentid AND p.conrelid = f.conrelid)
		ORDER BY f.conname`, id)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var key column.ForeignKey
		var columns, references string
		if err := rows.Scan(&key.Schema, &key.Table, &key.Unreadable, &columns, &references); err != nil {
			return err
		}
		if err := decode(columns, &key.Columns); err != nil {
			return err
		}
		if err := decode(references, &key.References); err != nil {
			return err
		}
		t.Foreign = append(t.Foreign, key)
	}
	return rows.Err()
}

// sqliteForeign reads foreign keys. SQLite keeps the names of what is referred to as they were written, which may be in
// another case, and takes a parent that is not there.
func (cat catalog) sqliteForeign(ctx context.Context, table string) ([]column.ForeignKey, error) {
	rows, err := cat.Query(ctx, `SELECT f.id, COALESCE(s.name, f."table"), f."from", COALESCE(c.name, f."to", '')
		FROM pragma_foreign_key_list(?) AS f
		LEFT JOIN sqlite_schema AS s ON s.type = 'table' AND s.name = f."table" COLLATE NOCASE
		LEFT JOIN pragma_table_xinfo(s.name) AS c ON c.name = f."to" COLLATE NOCASE OR f."to" IS NULL AND c.pk = f.seq + 1
		ORDER BY f.id DESC, f.seq`, table)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []column.ForeignKey
	last := -1
	for rows.Next() {
		var id int
		var parent, from, to string
		if err := rows.Scan(&id, &parent, &from, &to); err != nil {
			return nil, err
		}
		if id != last {
			all, last = append(all, column.ForeignKey{Table: parent}), id
		}
		key := &all[len(all)-1]
		key.Columns = append(key.Columns, from)
		if to != "" {
			key.References = append(key.References, to)
		}
	}
	return all, rows.Err()
}
