package destination

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"ingest/shared/column"
	"ingest/shared/database"
)

// judged is the name of a row's position in the query for suspects, among names of columns.
const judged = `"ingest ord"`

// suspects asks the constraints whose columns the items bring, all at once.
func (p *postgres) suspects(ctx context.Context, items []*item) (all []int, err error) {
	var columns []int
	var terms []string
	use := func(names []string, term string) {
		if brought := p.brought(items[0].shape, names); brought != nil {
			columns, terms = append(columns, brought...), append(terms, term)
		}
	}
	for _, check := range p.Table.Checks {
		use(check.Columns, "NOT ("+check.Expression+")")
	}
	for _, key := range p.Table.Foreign {
		if !key.Unreadable {
			use(key.Columns, p.leadsNowhere(key))
		}
	}
	if len(terms) == 0 {
		return nil, nil
	}
	slices.Sort(columns)
	columns = slices.Compact(columns)
	named := make([]string, len(columns))
	for i, c := range columns {
		named[i] = typed(p.Columns[c], i) + " AS " + p.names[c]
	}
	query := fmt.Sprintf("SELECT r.%s FROM (SELECT u.ord - 1 AS %s, %s FROM %s) AS r WHERE %s",
		judged, judged, strings.Join(named, ", "), unnest(len(columns)), strings.Join(terms, " OR "))
	err = p.batch(ctx, query, p.arrays(items, columns), func(rows pgx.Rows) error {
		var ord int64
		if err := rows.Scan(&ord); err != nil {
			return err
		}
		all = append(all, int(ord))
		return nil
	})
	if database.Explain(err).Class == database.RowFault {
		return nil, p.undo(ctx) // a value that the expression or the type does not take
	}
	return all, err
}

// leadsNowhere is the condition that a foreign key of the row r finds no row.
func (p *postgres) leadsNowhere(key column.ForeignKey) string {
	given, same := make([]string, len(key.Columns)), make([]string, len(key.Columns))
	for i, name := range key.Columns {
		given[i] = "r." + p.quote(name) + " IS NOT NULL"
		same[i] = "f." + p.quote(key.References[i]) + " = r." + p.quote(name)
	}
	return fmt.Sprintf("%s AND NOT EXISTS (SELECT 1 FROM %s AS f WHERE %s)", strings.Join(given, " AND "),
		quoted(column.Table{Schema: key.Schema, Name: key.Table}, p.quote), strings.Join(same, " AND "))
}

// probe sends a statement for each item, between a savepoint and its undoing, all in one round trip.
func (p *postgres) probe(ctx context.Context, items []*item) ([]error, error) {
	columns := items[0].shape.present
	query := p.insertOne(columns)
	if items[0].op == update {
		query, columns = p.updateOne(items[0].shape)
	}
	causes := make([]error, len(items))
	err := p.tx.Pgx(func(conn *pgx.Conn) error {
		line := conn.PgConn().StartPipeline(ctx)
		send := func(statements ...string) {
			for _, statement := range statements {
				line.SendQueryParams(statement, nil, nil, nil, nil)
			}
		}
		send("SAVEPOINT " + savepoint)
		for _, it := range items {
			args := make([][]byte, len(columns))
			for i, c := range columns {
				if it.values[c].State == column.Set {
					args[i] = []byte(it.values[c].Text)
				}
			}
			line.SendQueryParams(query, args, nil, nil, nil)
			line.SendPipelineSync()
			send("ROLLBACK TO SAVEPOINT " + savepoint)
		}
		send("RELEASE SAVEPOINT " + savepoint)
		err := line.Sync()
		for i := 0; i < len(items) && err == nil; i++ {
			causes[i], err = untilSync(line)
		}
		if err == nil {
			var last error
			last, err = untilSync(line)
			err = errors.Join(last, err)
		}
		return errors.Join(err, line.Close())
	})
	return causes, err
}

// untilSync reads what a part of a pipeline answers: the refusal of the server, or an error of the connection.
func untilSync(line *pgconn.Pipeline) (refused, err error) {
	for {
		results, err := line.GetResults()
		if reader, ok := results.(*pgconn.ResultReader); ok && err == nil {
			_, err = reader.Close()
		}
		var said *pgconn.PgError
		switch {
		case errors.As(err, &said):
			refused = err
		case err != nil:
			return refused, err
		}
		if _, ok := results.(*pgconn.PipelineSync); ok {
			return refused, nil
		}
	}
}

// insertOne is the statement that inserts one row, whose values are its parameters.
func (p *postgres) insertOne(present []int) string {
	if len(present) == 0 {
		return "INSERT INTO " + p.table + " DEFAULT VALUES"
	}
	names, values := make([]string, len(present)), make([]string, len(present))
	for i, c := range present {
		names[i], values[i] = p.names[c], assigned(p.Columns[c], fmt.Sprintf("$%d::text", i+1))
	}
	return fmt.Sprintf("INSERT INTO %s (%s) VALUES (%s)", p.table, strings.Join(names, ", "), strings.Join(values, ", "))
}

// updateOne is the statement that updates one row, and the columns that are its parameters.
func (p *postgres) updateOne(sh *shape) (query string, columns []int) {
	columns = append(append([]int{}, p.Key...), sh.sets...)
	var sets, where []string
	for i, c := range columns {
		parameter := fmt.Sprintf("$%d::text", i+1)
		if i < len(p.Key) {
			where = append(where, fmt.Sprintf("%s = %s::%s", p.names[c], parameter, p.Columns[c].Type.Native))
			continue
		}
		sets = append(sets, p.names[c]+" = "+assigned(p.Columns[c], parameter))
	}
	return fmt.Sprintf("UPDATE %s SET %s WHERE %s", p.table, strings.Join(sets, ", "), strings.Join(where, " AND ")), columns
}
