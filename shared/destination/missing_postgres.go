package destination

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"ingest/shared/column"
)

// postgresGathered is the temporary table of keys: in the types and collations of the table's own columns.
const postgresGathered = "pg_temp.ingest_present"

func (p *postgres) gather(ctx context.Context) error {
	_, err := p.tx.Exec(ctx, "CREATE TEMPORARY TABLE ingest_present ON COMMIT DROP AS SELECT "+strings.Join(p.keyNames(), ", ")+
		" FROM "+p.table+" WITH NO DATA")
	return err
}

func (p *postgres) note(ctx context.Context, items []*item) error {
	values := make([]string, len(p.Key))
	for i, k := range p.Key {
		values[i] = typed(p.Columns[k], i)
	}
	return p.batch(ctx, fmt.Sprintf("INSERT INTO %s SELECT %s FROM %s", postgresGathered, strings.Join(values, ", "), unnest(len(p.Key))),
		p.arrays(items, p.Key), func(pgx.Rows) error { return nil })
}

func (p *postgres) take(ctx context.Context, set []column.Value, deciding int) (n int64, err error) {
	var known, same []string
	for _, name := range p.keyNames() {
		known, same = append(known, "t."+name+" IS NOT NULL"), append(same, "g."+name+" = t."+name)
	}
	missing := fmt.Sprintf("%s AND NOT EXISTS (SELECT 1 FROM %s AS g WHERE %s)",
		strings.Join(known, " AND "), postgresGathered, strings.Join(same, " AND "))
	query, args := fmt.Sprintf("DELETE FROM %s AS t WHERE %s", p.table, missing), []any(nil)
	if set != nil {
		columns, sets := []int(nil), []string(nil)
		for i := range set {
			c := len(p.Key) + i
			columns, sets = append(columns, c), append(sets, p.names[c]+" = "+assigned(p.Columns[c], unnested(i)))
		}
		query = fmt.Sprintf("UPDATE %s AS t SET %s FROM %s WHERE (%s) AND %s", p.table, strings.Join(sets, ", "), unnest(len(set)),
			p.anyDiffers(columns, 0, func(c int) bool { return c < len(p.Key)+deciding }), missing)
		one := &item{values: slices.Concat(make([]column.Value, len(p.Key)), set)}
		args = p.arrays([]*item{one}, columns)
	}
	err = p.tx.Pgx(func(conn *pgx.Conn) error {
		tag, err := conn.Exec(ctx, query, args...)
		n = tag.RowsAffected()
		return err
	})
	return n, err
}

func (p *postgres) scatter(ctx context.Context) error {
	_, err := p.tx.Exec(ctx, "DROP TABLE "+postgresGathered)
	return err
}
