package destination

import (
	"context"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

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
		if orphans, err := q.orphans(ctx, []*item{it}, key); err != nil {
			return nil, err
		} else if len(orphans) > 0 {
			return key.Columns, nil
		}
	}
	return nil, nil
}
