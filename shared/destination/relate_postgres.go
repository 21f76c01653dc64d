package destination

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"ingest/shared/column"
)

func (p *postgres) match(ctx context.Context, items []*item, key column.Column, except *Except, keep func(ord int64, key column.Value)) error {
	args := p.arrays(items, p.Key)
	where := "t." + p.quote(key.Name) + " IS NOT NULL"
	if except != nil && except.Value.State == column.Set {
		where += fmt.Sprintf(" AND (t.%s = %s) IS NOT TRUE", p.quote(except.Column.Name), sought(except.Column, "$2::text"))
		args = append(args, except.Value.Text)
	}
	query := fmt.Sprintf("SELECT DISTINCT ON (u.ord) u.ord - 1, t.%[1]s::text FROM %[2]s JOIN %[3]s AS t ON t.%[4]s = %[5]s WHERE %[6]s ORDER BY u.ord, t.%[1]s",
		p.quote(key.Name), unnest(1), p.table, p.names[0], sought(p.Columns[0], unnested(0)), where)
	return p.byKey(ctx, query, args, func(rows pgx.Rows) error {
		var ord int64
		var text string
		if err := rows.Scan(&ord, &text); err != nil {
			return err
		}
		keep(ord, asText(key, text))
		return nil
	})
}

// sought is a text that is compared with a column. The cast must not cut it to the length that the column has.
func sought(c column.Column, text string) string {
	switch {
	case strings.HasPrefix(c.Type.Native, "character varying"):
		return text
	case strings.HasPrefix(c.Type.Native, "character("):
		return text + "::bpchar"
	default:
		return text + "::" + c.Type.Native
	}
}

func (p *postgres) remove(ctx context.Context, items []*item) error {
	query := fmt.Sprintf("DELETE FROM %s AS t USING %s WHERE %s", p.table, unnest(len(p.Key)), p.sameKey())
	return p.batch(ctx, query, p.arrays(items, p.Key), func(pgx.Rows) error { return nil })
}

func (p *postgres) unlink(ctx context.Context, items []*item, others [][]column.Value, removed func(ord int64)) error {
	var pairs []*item
	for i, values := range others {
		for _, other := range values {
			pairs = append(pairs, &item{values: []column.Value{{Text: strconv.Itoa(i + 1), State: column.Set}, other}})
		}
	}
	query := fmt.Sprintf(`DELETE FROM %s AS t USING %s WHERE t.%s = %s AND NOT EXISTS (
			SELECT 1 FROM unnest($2::text[], $3::text[]) AS w(ord, other) WHERE w.ord::bigint = u.ord AND t.%s = w.other::%s)
		RETURNING u.ord - 1`, p.table, unnest(1), p.names[0], typed(p.Columns[0], 0), p.names[1], p.Columns[1].Type.Native)
	args := append(p.arrays(items, []int{0}), p.arrays(pairs, []int{0, 1})...)
	return p.batch(ctx, query, args, func(rows pgx.Rows) error {
		var ord int64
		if err := rows.Scan(&ord); err != nil {
			return err
		}
		removed(ord)
		return nil
	})
}
