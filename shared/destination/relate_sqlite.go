package destination

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	"ingest/shared/column"
)

func (q *sqlite) match(ctx context.Context, items []*item, key column.Column, except *Except, keep func(ord int64, key column.Value)) error {
	tail := ") AS v CROSS JOIN " + q.table + " AS t ON t." + q.names[0] + " = v.column2"
	var excepted []any
	if except != nil && except.Value.State == column.Set {
		tail += " WHERE (t." + q.quote(except.Column.Name) + " = ?) IS NOT TRUE"
		excepted = append(excepted, bind(except.Column, except.Value))
	}
	head := "SELECT v.column1, min(t." + q.quote(key.Name) + ") FROM (VALUES "
	return q.guarded(ctx, q.statements(items, len(q.Key)+1), func() error {
		return q.keyed(items, func(args []any, n int) error {
			return q.scan(ctx, head+tuples(n, 2)+tail+" GROUP BY v.column1", append(args, excepted...), 1, func(ord int64, stored []any) {
				if value := canonical(key, stored[0]); value.State == column.Set {
					keep(ord, value)
				}
			})
		})
	})
}

func (q *sqlite) remove(ctx context.Context, items []*item) error {
	query := "DELETE FROM " + q.table + " WHERE " + q.names[0] + " = ?"
	return q.guarded(ctx, len(items), func() error {
		for _, it := range items {
			if _, err := q.tx.Exec(ctx, query, bind(q.Columns[0], it.values[0])); err != nil {
				return err
			}
		}
		return nil
	})
}

func (q *sqlite) unlink(ctx context.Context, items []*item, others [][]column.Value, removed func(ord int64)) error {
	other := q.names[1]
	if q.Columns[1].Type.Kind == column.Bytes {
		other = "hex(" + other + ")"
	}
	query := fmt.Sprintf("DELETE FROM %s WHERE %s = ? AND (%s IN (SELECT value FROM json_each(?))) IS NOT TRUE", q.table, q.names[0], other)
	return q.guarded(ctx, len(items), func() error {
		for i, it := range items {
			list, err := list(q.Columns[1], others[i])
			if err != nil {
				return err
			}
			done, err := q.tx.Exec(ctx, query, bind(q.Columns[0], it.values[0]), list)
			if err != nil {
				return err
			}
			n, err := done.RowsAffected()
			if err != nil {
				return err
			}
			if n > 0 {
				removed(int64(i))
			}
		}
		return nil
	})
}

// list are values as JSON, which has no limit to their number as parameters have; bytes are as hex() writes them.
func list(c column.Column, values []column.Value) (string, error) {
	all := []any{}
	for _, value := range values {
		switch bound := bind(c, value).(type) {
		case nil:
		case []byte:
			all = append(all, strings.ToUpper(hex.EncodeToString(bound)))
		default:
			all = append(all, bound)
		}
	}
	text, err := json.Marshal(all)
	if err != nil {
		return "", fmt.Errorf("list the values of column '%s': %w", c.Name, err)
	}
	return string(text), nil
}
