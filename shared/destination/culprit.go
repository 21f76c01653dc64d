package destination

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"ingest/shared/column"
	"ingest/shared/database"
)

// culprits are named only in the detail, "Key (a, b)=(…) …", whose shape is the same in every language.
func (p *postgres) culprits(_ context.Context, _ *item, cause error) ([]string, error) {
	var refused *pgconn.PgError
	if !errors.As(cause, &refused) || refused.TableName != p.Table.Name {
		return nil, nil
	}
	_, rest, _ := strings.Cut(refused.Detail, "(")
	list, _, _ := strings.Cut(rest, ")=(")
	names := strings.Split(list, ", ")
	for _, name := range names {
		if _, ok := p.Table.Column(name); !ok {
			return nil, nil
		}
	}
	return names, nil
}

// foreignKey is one of a table's foreign keys; to is empty where it refers to the parent's primary key.
type foreignKey struct {
	parent   string
	from, to []string
}

// culprits looks for the parents of a row, because SQLite does not say which foreign key was violated.
func (q *sqlite) culprits(ctx context.Context, it *item, cause error) ([]string, error) {
	if !database.Explain(cause).ForeignKey() {
		return nil, nil
	}
	keys, err := q.foreignKeys(ctx)
	if err != nil {
		return nil, fmt.Errorf("read foreign keys: %w", err)
	}
	for _, key := range keys {
		var args []any
		for _, name := range key.from {
			if i := q.position(name); i >= 0 && it.values[i].State == column.Set {
				args = append(args, bind(q.Columns[i], it.values[i]))
			}
		}
		if len(args) < len(key.from) {
			continue
		}
		if len(key.to) == 0 {
			if key.to, err = q.texts(ctx, "SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk", key.parent); err != nil {
				return nil, fmt.Errorf("read primary key: %w", err)
			}
		}
		if len(key.to) != len(args) {
			continue
		}
		terms := make([]string, len(key.to))
		for i, name := range key.to {
			terms[i] = q.quote(name) + " = ?"
		}
		var found int
		query := "SELECT count(*) FROM " + q.quote(key.parent) + " WHERE " + strings.Join(terms, " AND ")
		if err := q.tx.QueryRow(ctx, query, args...).Scan(&found); err != nil {
			return nil, fmt.Errorf("look for a parent: %w", err)
		}
		if found == 0 {
			return key.from, nil
		}
	}
	return nil, nil
}

// foreignKeys are those of the table, in the order of its definition.
func (q *sqlite) foreignKeys(ctx context.Context) (keys []foreignKey, err error) {
	rows, err := q.tx.Query(ctx, `SELECT id, "table", "from", "to" FROM pragma_foreign_key_list(?) ORDER BY id DESC, seq`, q.Table.Name)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	last := -1
	for rows.Next() {
		var id int
		var parent, from string
		var to *string
		if err := rows.Scan(&id, &parent, &from, &to); err != nil {
			return nil, err
		}
		if id != last {
			keys, last = append(keys, foreignKey{parent: parent}), id
		}
		key := &keys[len(keys)-1]
		key.from = append(key.from, from)
		if to != nil {
			key.to = append(key.to, *to)
		}
	}
	return keys, rows.Err()
}

func (q *sqlite) texts(ctx context.Context, query string, args ...any) (all []string, err error) {
	rows, err := q.tx.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		all = append(all, text)
	}
	return all, rows.Err()
}
