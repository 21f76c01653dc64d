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

// culprits looks for the parents of a row, because SQLite does not say which foreign key was violated.
func (q *sqlite) culprits(ctx context.Context, it *item, cause error) ([]string, error) {
	if !database.Explain(cause).ForeignKey() {
		return nil, nil
	}
	for _, key := range q.Table.Foreign {
		var args []any
		for _, name := range key.Columns {
			if i := q.position(name); i >= 0 && it.values[i].State == column.Set {
				args = append(args, bind(q.Columns[i], it.values[i]))
			}
		}
		if len(args) < len(key.Columns) || len(key.References) != len(args) {
			continue
		}
		terms := make([]string, len(args))
		for i, name := range key.References {
			terms[i] = q.quote(name) + " = ?"
		}
		var found int
		query := "SELECT count(*) FROM " + q.quote(key.Table) + " WHERE " + strings.Join(terms, " AND ")
		if err := q.tx.QueryRow(ctx, query, args...).Scan(&found); err != nil {
			return nil, fmt.Errorf("look for a parent: %w", err)
		}
		if found == 0 {
			return key.Columns, nil
		}
	}
	return nil, nil
}
