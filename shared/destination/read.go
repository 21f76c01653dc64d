package destination

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"ingest/shared/column"
	"ingest/shared/database"
)

func (w *writer) Read(ctx context.Context, tx *database.Tx, rows [][]column.Value) ([][]column.Value, error) {
	found := make([][]column.Value, len(rows))
	var items []*item
	for i, row := range rows {
		if w.plan.keyed(row) {
			items = append(items, &item{row: i, values: row})
		}
	}
	if len(items) == 0 {
		return found, nil
	}
	keep := func(ord int64, values []column.Value) { found[items[ord].row] = values }
	err := newStore(w.plan, tx).stored(ctx, items, w.plan.Columns[:w.plan.mapped], keep)
	if err != nil {
		return nil, fmt.Errorf("read %d rows of table '%s': %w", len(items), w.plan.Table.Name, err)
	}
	return found, nil
}

func (p *postgres) stored(ctx context.Context, items []*item, columns []column.Column, keep func(ord int64, values []column.Value)) error {
	selected := make([]string, len(columns))
	for i, c := range columns {
		selected[i] = "t." + p.quote(c.Name) + "::text"
	}
	query := fmt.Sprintf("SELECT u.ord - 1, %s FROM %s JOIN %s AS t ON %s",
		strings.Join(selected, ", "), unnest(len(p.Key)), p.table, p.sameKey())
	texts := make([]*string, len(selected))
	return p.byKey(ctx, query, p.arrays(items, p.Key), func(rows pgx.Rows) error {
		var ord int64
		into := []any{&ord}
		for i := range texts {
			into = append(into, &texts[i])
		}
		if err := rows.Scan(into...); err != nil {
			return err
		}
		values := make([]column.Value, len(texts))
		for i, text := range texts {
			values[i] = nullable(columns[i], text)
		}
		keep(ord, values)
		return nil
	})
}

func nullable(c column.Column, text *string) column.Value {
	if text == nil {
		return column.Value{State: column.Null}
	}
	return asText(c, *text)
}

// asText is a value as PostgreSQL writes it, in canonical form where it has one.
func asText(c column.Column, text string) column.Value {
	for _, spelling := range []string{text, text + ":00"} { // "+00" is a zone without minutes
		if value, problem := column.Convert(spelling, c); problem == "" {
			return value
		}
	}
	return column.Value{Text: text, State: column.Set}
}

func (q *sqlite) stored(ctx context.Context, items []*item, columns []column.Column, keep func(ord int64, values []column.Value)) error {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = q.quote(c.Name)
	}
	head, tail := q.joined(names)
	return q.guarded(ctx, q.statements(items, len(q.Key)+1), func() error {
		return q.keyed(items, func(args []any, n int) error {
			return q.scan(ctx, head+tuples(n, len(q.Key)+1)+tail, args, len(columns), func(ord int64, stored []any) {
				values := make([]column.Value, len(stored))
				for i := range stored {
					values[i] = canonical(columns[i], stored[i])
				}
				keep(ord, values)
			})
		})
	})
}
