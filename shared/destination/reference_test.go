package destination

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"ingest/shared/column"
	"ingest/shared/database"
	"ingest/shared/importer"
)

// twin applies rows one by one, one statement per row in a savepoint: what Write promises to equal.
type twin struct {
	*plan
	db *database.DB
	tx *database.Tx
}

func (w twin) write(ctx context.Context, rows [][]column.Value) ([]Result, error) {
	var results []Result
	for _, row := range rows {
		if err := w.tx.Savepoint(ctx, "twin"); err != nil {
			return nil, err
		}
		outcome, err := w.one(ctx, row)
		result := Result{Outcome: outcome}
		if outcome == Failed {
			result.Message = w.Duplicate
		}
		if err != nil {
			fault := database.Explain(err)
			if fault.Class != database.RowFault {
				return nil, err
			}
			if err := w.tx.RollbackTo(ctx, "twin"); err != nil {
				return nil, err
			}
			culprits := w.uniqueColumns(fault)
			if len(culprits) == 0 {
				if culprits, err = newStore(w.plan, w.tx).culprits(ctx, &item{values: row, shape: w.shape(row)}, err); err != nil {
					return nil, err
				}
			}
			result = w.explain(fault, culprits)
		}
		if err := w.tx.Release(ctx, "twin"); err != nil {
			return nil, err
		}
		results = append(results, result)
	}
	return results, nil
}

func (w twin) one(ctx context.Context, row []column.Value) (Outcome, error) {
	var where, names, marks, sets, same []string
	var key, values, changes, written []any
	for i, c := range w.Columns[:len(row)] {
		if slices.Contains(w.Key, i) {
			where = append(where, w.db.Quote(c.Name)+" = "+w.mark(c))
			key = append(key, w.arg(c, row[i]))
		}
		if row[i].State == column.Absent || w.OnDuplicate == importer.UpdateIfNewer && w.CompareOnly && i == w.Compare {
			continue
		}
		names, marks, values = append(names, w.db.Quote(c.Name)), append(marks, w.mark(c)), append(values, w.arg(c, row[i]))
		if !slices.Contains(w.Key, i) {
			sets = append(sets, w.db.Quote(c.Name)+" = "+w.mark(c))
			same = append(same, w.same(c))
			changes = append(changes, w.arg(c, row[i]))
		}
	}
	written = slices.Clone(changes)
	for _, f := range w.Fixed {
		c := f.Column
		names, marks, values = append(names, w.db.Quote(c.Name)), append(marks, w.mark(c)), append(values, w.arg(c, f.Value))
		if f.Update {
			sets, written = append(sets, w.db.Quote(c.Name)+" = "+w.mark(c)), append(written, w.arg(c, f.Value))
		}
	}
	found := 0
	meets := len(w.Key) > 0 && !slices.ContainsFunc(w.Key, func(k int) bool { return row[k].State != column.Set })
	if meets {
		query := "SELECT count(*) FROM " + w.table + " WHERE " + strings.Join(where, " AND ")
		if err := w.tx.QueryRow(ctx, query, key...).Scan(&found); err != nil {
			return 0, err
		}
	}
	switch {
	case found == 0:
		query := fmt.Sprintf("INSERT INTO %s (%s) VALUES (%s)", w.table, strings.Join(names, ", "), strings.Join(marks, ", "))
		if len(names) == 0 {
			query = "INSERT INTO " + w.table + map[bool]string{true: " () VALUES ()", false: " DEFAULT VALUES"}[w.dialect == database.MySQL]
		}
		return w.took(ctx, Created, query, values...)
	case w.OnDuplicate == importer.Skip:
		return Skipped, nil
	case w.OnDuplicate == importer.Fail:
		return Failed, nil
	}
	if w.OnDuplicate == importer.UpdateIfNewer {
		newer, c := 0, w.Columns[w.Compare]
		query := fmt.Sprintf("SELECT count(*) FROM %[1]s WHERE %[2]s AND (%[3]s IS NULL OR %[3]s < %[4]s)",
			w.table, strings.Join(where, " AND "), w.db.Quote(c.Name), w.mark(c))
		if err := w.tx.QueryRow(ctx, query, append(slices.Clone(key), w.arg(c, row[w.Compare]))...).Scan(&newer); err != nil || newer < found {
			return Skipped, err
		}
	}
	if len(same) == 0 {
		return Unchanged, nil
	}
	equal := 0
	query := fmt.Sprintf("SELECT count(*) FROM %s WHERE %s AND %s", w.table, strings.Join(where, " AND "), strings.Join(same, " AND "))
	if err := w.tx.QueryRow(ctx, query, slices.Concat(key, changes)...).Scan(&equal); err != nil || equal == found {
		return Unchanged, err
	}
	query = fmt.Sprintf("UPDATE %s SET %s WHERE %s", w.table, strings.Join(sets, ", "), strings.Join(where, " AND "))
	return w.took(ctx, Updated, query, slices.Concat(written, key)...)
}

// took is the outcome of a statement for one row: a trigger may have left the row out.
func (w twin) took(ctx context.Context, outcome Outcome, query string, args ...any) (Outcome, error) {
	done, err := w.tx.Exec(ctx, query, args...)
	if err != nil {
		return outcome, err
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return Skipped, err
	}
	return outcome, nil
}

func (w twin) mark(c column.Column) string {
	if w.dialect == database.Postgres {
		return "CAST(? AS " + c.Type.Native + ")"
	}
	return "?"
}

func (w twin) same(c column.Column) string {
	if w.dialect == database.Postgres {
		return w.db.Quote(c.Name) + " IS NOT DISTINCT FROM " + w.mark(c)
	}
	if w.dialect == database.MySQL {
		return w.db.Quote(c.Name) + " <=> ?"
	}
	return w.db.Quote(c.Name) + " IS ? COLLATE BINARY"
}

func (w twin) arg(c column.Column, v column.Value) any {
	switch {
	case v.State != column.Set:
		return nil
	case w.dialect != database.Postgres && c.Type.Kind == column.Boolean:
		return v.Text == "true"
	default:
		return v.Text
	}
}

// contents are the rows of a table as text, without what the database makes up, sorted.
func contents(t *testing.T, db *database.DB, table column.Table) []string {
	t.Helper()
	var terms []string
	text, format := "text", func(terms []string) string { return strings.Join(terms, " || '|' || ") }
	if db.Dialect() == database.MySQL {
		text, format = "char", func(terms []string) string { return "concat(" + strings.Join(terms, ", '|', ") + ")" }
	}
	for _, c := range table.Columns {
		if c.Name != "id" {
			terms = append(terms, "coalesce(CAST("+db.Quote(c.Name)+" AS "+text+"), '<null>')")
		}
	}
	rows, err := db.Query(t.Context(), "SELECT "+format(terms)+" FROM "+quoted(table, db.Quote))
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	all := []string{}
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			t.Fatal(err)
		}
		all = append(all, text)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	slices.Sort(all)
	return all
}
