package destination

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"ingest/shared/column"
	"ingest/shared/database"
)

// sqlite writes with statements of many rows; the database is in the process, so a statement is cheap and a
// changed row has one of its own.
type sqlite struct {
	*plan
	guard
	tx *database.Tx
}

// The limits of a statement: SQLite takes 32,766 parameters, and longer statements gain nothing.
const (
	statementRows       = 100
	statementParameters = 32000
)

func (q *sqlite) look(ctx context.Context, items []*item) error {
	var changes, looked []int
	if q.compares {
		changes = items[0].shape.changes
		looked = changes
	}
	if q.newer {
		looked = append(slices.Clone(changes), q.Compare)
	}
	names := make([]string, len(looked))
	for i, c := range looked {
		names[i] = q.names[c]
	}
	head, tail := q.joined(names)
	return q.guarded(ctx, q.statements(items, len(q.Key)+1), func() error {
		return q.keyed(items, func(args []any, n int) error {
			return q.scan(q.brief(ctx), head+tuples(n, len(q.Key)+1)+tail, args, len(looked), func(ord int64, stored []any) {
				it := items[ord]
				if q.newer {
					it.newer = (it.newer || !it.exists) && q.isNewer(stored[len(changes)], it.values[q.Compare])
				}
				it.exists = true
				for i, c := range changes {
					if !q.equal(q.Columns[c], canonical(q.Columns[c], stored[i]), it.values[c]) {
						it.differs = true
						it.moves = it.moves || q.moving[c]
					}
				}
			})
		})
	})
}

// joined is a query of columns of the rows with given keys, around the tuples of positions and keys.
func (q *sqlite) joined(names []string) (head, tail string) {
	selected := []string{"v.column1"}
	for _, name := range names {
		// the unary plus gives the value as it is stored, without what the driver makes of the declared type
		selected = append(selected, "+t."+name)
	}
	on := make([]string, len(q.Key))
	for i, k := range q.Key {
		on[i] = fmt.Sprintf("t.%s = v.column%d", q.names[k], i+2)
	}
	return "SELECT " + strings.Join(selected, ", ") + " FROM (VALUES ", ") AS v CROSS JOIN " + q.table + " AS t ON " + strings.Join(on, " AND ")
}

// keyed cuts items into statements whose arguments are their positions and keys.
func (q *sqlite) keyed(items []*item, do func(args []any, n int) error) error {
	return q.slices(items, len(q.Key)+1, func(from int, part []*item) error {
		args := make([]any, 0, len(part)*(len(q.Key)+1))
		for i, it := range part {
			args = append(args, int64(from+i))
			for _, k := range q.Key {
				args = append(args, bind(q.Columns[k], it.values[k]))
			}
		}
		return do(args, len(part))
	})
}

// scan calls each with the position and the stored values of every row that a query finds; stored is used again.
func (q *sqlite) scan(ctx context.Context, query string, args []any, columns int, each func(ord int64, stored []any)) (err error) {
	rows, err := q.tx.Query(ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() {
		if closed := rows.Close(); err == nil {
			err = closed
		}
	}()
	var ord int64
	stored := make([]any, columns)
	into := []any{&ord}
	for i := range stored {
		into = append(into, &stored[i])
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		each(ord, stored)
	}
	return rows.Err()
}

func (q *sqlite) insert(ctx context.Context, items []*item) error {
	present := items[0].shape.present
	names := make([]string, len(present))
	for i, c := range present {
		names[i] = q.names[c]
	}
	if len(present) == 0 {
		return q.writing(ctx, func() error { return q.insertDefaults(ctx, len(items)) })
	}
	head := q.inserting() + " (" + strings.Join(names, ", ") + ") VALUES "
	return q.writing(ctx, func() error {
		return q.slices(items, len(present), func(from int, part []*item) error {
			args := make([]any, 0, len(part)*len(present))
			for _, it := range part {
				for _, c := range present {
					args = append(args, bind(q.Columns[c], it.values[c]))
				}
			}
			if err := q.whole(ctx, len(part), head+tuples(len(part), len(present)), args...); err != nil {
				return q.halted(ctx, from, len(part), err)
			}
			return q.haveParents(ctx, part)
		})
	})
}

func (q *sqlite) insertDefaults(ctx context.Context, n int) error {
	for i := range n {
		if err := q.whole(ctx, 1, q.inserting()+" DEFAULT VALUES"); err != nil {
			return q.halted(ctx, i, 1, err)
		}
	}
	return nil
}

// inserting begins an insert. What the table itself says about conflicts (IGNORE, REPLACE) must not hide a refused row, hence an
// OR: FAIL keeps the rows before it, but would reach into triggers, and what is refused afterwards has to be undone anyway.
func (q *sqlite) inserting() string {
	if q.after {
		return "INSERT OR ABORT INTO " + q.table
	}
	return "INSERT OR FAIL INTO " + q.table
}

// halted is the error of a statement of n rows behind others, which has kept those before the one that was refused.
func (q *sqlite) halted(ctx context.Context, before, n int, cause error) error {
	fault := database.Explain(cause)
	if q.after || fault.Class != database.RowFault {
		return cause
	}
	if n == 1 {
		return &keptError{error: cause, items: before, located: true}
	}
	if !fault.Checked() && !fault.Unique() && !fault.NotNull() {
		return &keptError{error: cause, items: before} // as OR ABORT
	}
	var kept int
	if err := q.tx.QueryRow(ctx, "SELECT changes()").Scan(&kept); err != nil {
		return err
	}
	return &keptError{error: cause, items: before + kept, located: true}
}

// whole executes an insert of n rows, all of which the table has to take.
func (q *sqlite) whole(ctx context.Context, n int, query string, args ...any) error {
	done, err := q.tx.ExecOften(ctx, query, args...)
	if err != nil {
		return err
	}
	if taken, err := done.RowsAffected(); err != nil || taken != int64(n) {
		return errors.Join(err, errLeftOut)
	}
	return nil
}

func (q *sqlite) update(ctx context.Context, items []*item) error {
	changes := items[0].shape.sets
	sets, where := make([]string, len(changes)), make([]string, len(q.Key))
	for i, c := range changes {
		sets[i] = q.names[c] + " = ?"
	}
	for i, k := range q.Key {
		where[i] = q.names[k] + " = ?"
	}
	query := "UPDATE OR ABORT " + q.table + " SET " + strings.Join(sets, ", ") + " WHERE " + strings.Join(where, " AND ")
	args := make([]any, len(changes)+len(q.Key))
	return q.writing(ctx, func() error {
		for at, it := range items {
			for i, c := range changes {
				args[i] = bind(q.Columns[c], it.values[c])
			}
			for i, k := range q.Key {
				args[len(changes)+i] = bind(q.Columns[k], it.values[k])
			}
			done, err := q.tx.ExecOften(q.brief(ctx), query, args...)
			if err != nil {
				return q.halted(ctx, at, 1, err)
			}
			n, err := done.RowsAffected()
			if err != nil {
				return err
			}
			it.gone = n == 0
		}
		return q.slices(items, len(q.Columns), func(_ int, part []*item) error { return q.haveParents(ctx, part) })
	})
}

// brief is the context of a statement that finds its rows by an index and is done with them: it begins while ctx has not ended,
// and then ends by itself. The driver has a goroutine watch what can end, for every statement, and SQLite ask it as it goes.
// Nobody knows how long a trigger takes.
func (q *sqlite) brief(ctx context.Context) context.Context {
	if ctx.Err() == nil && q.indexed && !q.after {
		return context.WithoutCancel(ctx)
	}
	return ctx
}

func (q *sqlite) returning(ctx context.Context, items []*item) error {
	present := items[0].shape.present
	names := make([]string, len(present))
	for i, c := range present {
		names[i] = q.names[c]
	}
	query := q.inserting() + " DEFAULT VALUES"
	if len(present) > 0 {
		query = q.inserting() + " (" + strings.Join(names, ", ") + ") VALUES " + tuples(1, len(present))
	}
	query += " RETURNING +" + q.quote(q.Own.Name)
	args := make([]any, len(present))
	return q.writing(ctx, func() error {
		for at, it := range items {
			for i, c := range present {
				args[i] = bind(q.Columns[c], it.values[c])
			}
			var own any
			if err := q.tx.QueryRow(q.brief(ctx), query, args...).Scan(&own); errors.Is(err, sql.ErrNoRows) {
				return errLeftOut
			} else if err != nil {
				return q.halted(ctx, at, 1, err)
			}
			it.own = canonical(*q.Own, own)
			if err := q.haveParents(ctx, []*item{it}); err != nil {
				return err
			}
		}
		return nil
	})
}

func (q *sqlite) ranks(context.Context, []*item) ([]int64, error) { return nil, errNoRanks }

// guarded runs n statements in a savepoint. One that is alone undoes itself when it is refused, unless it is we who refuse it
// afterwards: because a trigger has left rows out, or a parent is missing.
func (q *sqlite) guarded(ctx context.Context, n int, statements func() error) error {
	if n == 1 && !q.after {
		return statements()
	}
	return q.during(ctx, q.tx, statements)
}

// writing runs statements that keep what they have done when a row is refused (halted), in a savepoint where it has to be undone.
func (q *sqlite) writing(ctx context.Context, statements func() error) error {
	if !q.after {
		return statements()
	}
	return q.during(ctx, q.tx, statements)
}

func (q *sqlite) undo(ctx context.Context) error { return q.restore(ctx, q.tx) }

// rows is how many rows with so many parameters go into a statement.
func (q *sqlite) rows(parameters int) int {
	return max(1, min(statementRows, statementParameters/parameters))
}

// statements is how many statements items need.
func (q *sqlite) statements(items []*item, parameters int) int {
	return (len(items) + q.rows(parameters) - 1) / q.rows(parameters)
}

// slices cuts items into statements.
func (q *sqlite) slices(items []*item, parameters int, do func(from int, part []*item) error) error {
	size := q.rows(parameters)
	for from := 0; from < len(items); from += size {
		if err := do(from, items[from:min(from+size, len(items))]); err != nil {
			return err
		}
	}
	return nil
}

func tuples(rows, columns int) string {
	tuple := "(" + strings.Repeat("?,", columns-1) + "?)"
	return strings.Repeat(tuple+",", rows-1) + tuple
}

// bind is a value as the driver gets it, so that the column's affinity stores it as what it is.
func bind(c column.Column, v column.Value) any {
	if v.State != column.Set {
		return nil
	}
	switch c.Type.Kind {
	case column.Integer:
		if n, err := strconv.ParseInt(v.Text, 10, 64); err == nil {
			return n
		}
	case column.Float:
		if f, err := strconv.ParseFloat(v.Text, 64); err == nil {
			return f
		}
	case column.Boolean:
		if b, err := strconv.ParseBool(v.Text); err == nil {
			return map[bool]int64{true: 1}[b]
		}
	case column.Bytes:
		if b, err := hex.DecodeString(strings.TrimPrefix(v.Text, `\x`)); err == nil {
			return b
		}
	}
	return v.Text
}

// canonical is a stored value as the canonical text of its column's type; what is no value of the type is compared
// as the text it is.
func canonical(c column.Column, stored any) column.Value {
	var text string
	switch v := stored.(type) {
	case nil:
		return column.Value{State: column.Null}
	case int64:
		text = strconv.FormatInt(v, 10)
	case float64:
		text = strconv.FormatFloat(v, 'g', -1, 64)
	case []byte:
		text = `\x` + hex.EncodeToString(v)
	default:
		text = fmt.Sprint(v)
	}
	if value, problem := column.Convert(text, c); problem == "" && value.State == column.Set {
		return value
	}
	return column.Value{State: column.Set, Text: text}
}
