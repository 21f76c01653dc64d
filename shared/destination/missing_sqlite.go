package destination

import (
	"context"
	"fmt"
	"strings"

	"ingest/shared/column"
)

const sqliteGathered = "temp.ingest_present"

func (q *sqlite) gather(ctx context.Context) error {
	_, err := q.tx.Exec(ctx, "CREATE TEMPORARY TABLE ingest_present AS SELECT "+strings.Join(q.keyNames(), ", ")+" FROM "+q.table+" WHERE FALSE")
	return err
}

func (q *sqlite) note(ctx context.Context, items []*item) error {
	return q.slices(items, len(q.Key), func(_ int, part []*item) error {
		args := make([]any, 0, len(part)*len(q.Key))
		for _, it := range part {
			for _, k := range q.Key {
				args = append(args, bind(q.Columns[k], it.values[k]))
			}
		}
		_, err := q.tx.Exec(ctx, "INSERT INTO "+sqliteGathered+" VALUES "+tuples(len(part), len(q.Key)), args...)
		return err
	})
}

// take compares as the columns of the table do, because they stand on the left of IN.
func (q *sqlite) take(ctx context.Context, set []column.Value, deciding int) (int64, error) {
	names := strings.Join(q.keyNames(), ", ")
	missing := fmt.Sprintf("%s IS NOT NULL AND (%s) NOT IN (SELECT * FROM %s)",
		strings.Join(q.keyNames(), " IS NOT NULL AND "), names, sqliteGathered)
	query, args := fmt.Sprintf("DELETE FROM %s WHERE %s", q.table, missing), []any(nil)
	if set != nil {
		var sets, differs []string
		var compared []any
		for i, value := range set {
			c := len(q.Key) + i
			sets, args = append(sets, q.names[c]+" = ?"), append(args, bind(q.Columns[c], value))
			if i < deciding {
				differs = append(differs, q.names[c]+" IS NOT ? COLLATE BINARY")
				compared = append(compared, bind(q.Columns[c], value))
			}
		}
		query = fmt.Sprintf("UPDATE OR ABORT %s SET %s WHERE (%s) AND %s", q.table, strings.Join(sets, ", "), strings.Join(differs, " OR "), missing)
		args = append(args, compared...)
	}
	done, err := q.tx.Exec(ctx, query, args...)
	if err != nil {
		return 0, err
	}
	return done.RowsAffected()
}

func (q *sqlite) scatter(ctx context.Context) error {
	_, err := q.tx.Exec(ctx, "DROP TABLE "+sqliteGathered)
	return err
}
