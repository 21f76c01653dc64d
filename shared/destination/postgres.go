package destination

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"ingest/shared/column"
	"ingest/shared/database"
)

// postgres writes new rows with COPY and finds and updates the others by a join with arrays. Every call is one
// round trip: the savepoint travels with the statement, and is given up with the next one. DB.Begin has made deferred
// constraints immediate, so that every refusal comes with the statement that caused it.
type postgres struct {
	*plan
	tx *database.Tx
	// held says that the savepoint of the last statement is open.
	held bool
}

// hold are the statements that open a savepoint for the next one.
func (p *postgres) hold() []string {
	begin := "SAVEPOINT " + savepoint
	if !p.held {
		p.held = true
		return []string{begin}
	}
	return []string{"RELEASE SAVEPOINT " + savepoint, begin}
}

func (p *postgres) update(ctx context.Context, items []*item) error {
	columns := append(append([]int{}, p.Key...), items[0].shape.sets...)
	sets := make([]string, len(items[0].shape.sets))
	for i, c := range items[0].shape.sets {
		sets[i] = p.names[c] + " = " + assigned(p.Columns[c], unnested(len(p.Key)+i))
	}
	where := p.sameKey()
	if p.newer {
		// Somebody else may have written a later one since.
		where += " AND " + p.isNewer(len(columns))
		columns = append(columns, p.Compare)
	}
	if items[0].hoped {
		where += " AND (" + p.anyDiffers(items[0].shape.changes, len(p.Key), func(int) bool { return true }) + ")"
	}
	query := fmt.Sprintf("UPDATE %s AS t SET %s FROM %s WHERE %s RETURNING u.ord - 1",
		p.table, strings.Join(sets, ", "), unnest(len(columns)), where)
	for _, it := range items {
		it.gone = true
	}
	send := p.byKey
	if !rewritable(p.Table) {
		send = p.batch // what a trigger asks is planned as ever
	}
	return send(ctx, query, p.arrays(items, columns), func(rows pgx.Rows) error {
		var ord int64
		if err := rows.Scan(&ord); err != nil {
			return err
		}
		items[ord].gone = false
		return nil
	})
}

func (p *postgres) insert(ctx context.Context, items []*item) error {
	present := items[0].shape.present
	if len(present) == 0 {
		return p.insertDefaults(ctx, len(items))
	}
	err := p.copy(ctx, items, present)
	var refused *pgconn.PgError
	if !errors.As(err, &refused) || refused.Code != "0A000" {
		return err
	}
	// COPY does not work with row-level security.
	if err := p.undo(ctx); err != nil {
		return err
	}
	names, values := make([]string, len(present)), make([]string, len(present))
	for i, c := range present {
		names[i], values[i] = p.names[c], assigned(p.Columns[c], unnested(i))
	}
	query := fmt.Sprintf("INSERT INTO %s (%s) SELECT %s FROM %s ORDER BY u.ord",
		p.table, strings.Join(names, ", "), strings.Join(values, ", "), unnest(len(present)))
	taken := 0
	err = p.batch(ctx, query+" RETURNING 1", p.arrays(items, present), func(pgx.Rows) error { taken++; return nil })
	if err == nil && taken != len(items) {
		err = errLeftOut
	}
	return err
}

func (p *postgres) insertDefaults(ctx context.Context, n int) error {
	statements := p.hold()
	for range n {
		statements = append(statements, "INSERT INTO "+p.table+" DEFAULT VALUES")
	}
	taken, err := p.exec(ctx, strings.Join(statements, "; "))
	if err == nil && taken != int64(n) {
		err = errLeftOut
	}
	return err
}

// returning sends one INSERT for each item, all in one round trip: only so it is certain which row has which value.
func (p *postgres) returning(ctx context.Context, items []*item) error {
	present := items[0].shape.present
	query := p.insertOne(present) + " RETURNING " + p.quote(p.Own.Name) + "::text"
	taken := 0
	err := p.tx.Pgx(func(conn *pgx.Conn) error {
		batch := &pgx.Batch{}
		for _, statement := range p.hold() {
			batch.Queue(statement)
		}
		for _, it := range items {
			args := make([]any, len(present))
			for i, c := range present {
				if it.values[c].State == column.Set {
					args[i] = it.values[c].Text
				}
			}
			batch.Queue(query, args...).Query(func(rows pgx.Rows) error {
				for rows.Next() {
					var text *string
					if err := rows.Scan(&text); err != nil {
						return err
					}
					it.own = nullable(*p.Own, text)
					taken++
				}
				return rows.Err()
			})
		}
		return conn.SendBatch(ctx, batch).Close()
	})
	if err == nil && taken != len(items) {
		err = errLeftOut
	}
	return err
}

func (p *postgres) ranks(ctx context.Context, items []*item) ([]int64, error) {
	order := make([]string, len(p.Key))
	for i, k := range p.Key {
		// Only the column knows its collation.
		order[i] = "COALESCE(t." + p.names[k] + ", " + typed(p.Columns[k], i) + ")"
	}
	query := fmt.Sprintf("SELECT u.ord - 1, dense_rank() OVER (ORDER BY %s) FROM %s LEFT JOIN %s AS t ON false",
		strings.Join(order, ", "), unnest(len(p.Key)), p.table)
	ranks := make([]int64, len(items))
	err := p.batch(ctx, query, p.arrays(items, p.Key), func(rows pgx.Rows) error {
		var ord, rank int64
		if err := rows.Scan(&ord, &rank); err != nil {
			return err
		}
		ranks[ord] = rank
		return nil
	})
	return ranks, err
}

func (p *postgres) undo(ctx context.Context) error {
	p.held = false
	_, err := p.exec(ctx, "ROLLBACK TO SAVEPOINT "+savepoint+"; RELEASE SAVEPOINT "+savepoint)
	return err
}

// batch runs one statement in a savepoint, all in one round trip.
func (p *postgres) batch(ctx context.Context, query string, args []any, each func(pgx.Rows) error) error {
	return p.send(ctx, nil, query, args, each, nil)
}

// byIndex are the settings with which the rows of arrays are found by an index, and never by reading the table; ordinary are
// those that the session has without.
var (
	byIndex = []string{`SELECT set_config('enable_seqscan', 'off', true), set_config('enable_hashjoin', 'off', true),
		set_config('enable_mergejoin', 'off', true)`}
	ordinary = []string{"SET LOCAL enable_seqscan TO DEFAULT", "SET LOCAL enable_hashjoin TO DEFAULT", "SET LOCAL enable_mergejoin TO DEFAULT"}
)

// byKey is batch for a statement that finds the rows of the arrays by the key. The planner is not asked how: it would go by
// what it has last heard of the table, which may be that it is empty, and then read all of it for every chunk – for as long as
// the server keeps the plan.
func (p *postgres) byKey(ctx context.Context, query string, args []any, each func(pgx.Rows) error) error {
	if !p.indexed {
		return p.batch(ctx, query, args, each)
	}
	return p.send(ctx, byIndex, query, args, each, ordinary)
}

// send sends statements and a query in one round trip.
func (p *postgres) send(ctx context.Context, before []string, query string, args []any, each func(pgx.Rows) error, after []string) error {
	return p.tx.Pgx(func(conn *pgx.Conn) error {
		batch := &pgx.Batch{}
		for _, statement := range append(p.hold(), before...) {
			batch.Queue(statement)
		}
		batch.Queue(query, args...).Query(func(rows pgx.Rows) error {
			for rows.Next() {
				if err := each(rows); err != nil {
					return err
				}
			}
			return rows.Err()
		})
		for _, statement := range after {
			batch.Queue(statement)
		}
		return conn.SendBatch(ctx, batch).Close()
	})
}

// exec returns how many rows the statements changed together.
func (p *postgres) exec(ctx context.Context, statements string) (rows int64, err error) {
	err = p.tx.Pgx(func(conn *pgx.Conn) error {
		results, err := conn.PgConn().Exec(ctx, statements).ReadAll()
		for _, result := range results {
			rows += result.CommandTag.RowsAffected()
		}
		return err
	})
	return rows, err
}

// isNewer compares the stored value of what UpdateIfNewer compares with array i.
func (p *postgres) isNewer(i int) string {
	c := p.Columns[p.Compare]
	return fmt.Sprintf("(t.%[1]s IS NULL OR t.%[1]s < %[2]s)", p.names[p.Compare], typed(c, i))
}

// sameKey joins the table t with the arrays u, whose first columns are the key.
func (p *postgres) sameKey() string {
	terms := make([]string, len(p.Key))
	for i, k := range p.Key {
		terms[i] = fmt.Sprintf("t.%s = %s", p.names[k], typed(p.Columns[k], i))
	}
	return strings.Join(terms, " AND ")
}

func unnested(i int) string { return fmt.Sprintf("u.c%d", i) }

func typed(c column.Column, i int) string { return unnested(i) + "::" + c.Type.Native }

// assigned is a text on its way into a column. A text is not cast: a cast would cut what is too long.
func assigned(c column.Column, text string) string {
	if c.Type.Kind == column.Text && (c.Type.Native == "text" || strings.HasPrefix(c.Type.Native, "character")) {
		return text
	}
	return text + "::" + c.Type.Native
}
