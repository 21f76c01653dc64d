package destination

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"ingest/shared/column"
	"ingest/shared/database"
)

// mysql writes with statements of many rows, in MariaDB and MySQL. Rows are found by a join with a JSON text as the table
// u, and compared in Go. A statement that is refused has no effect there, so only several of them need a savepoint.
type mysql struct {
	*plan
	guard
	tx *database.Tx
	// blind says that a trigger can refuse rows: then the row that an error names may be one that the trigger writes.
	blind bool
}

func newMySQL(p *plan, tx *database.Tx) *mysql {
	return &mysql{plan: p, tx: tx, blind: refusing(p.Table, "trigger ")}
}

// The limits of a statement: MySQL takes 65,535 parameters and as many bytes as max_allowed_packet, which is seldom less
// than mysqlBytes, and never less than a long row.
const (
	mysqlParameters = 60_000
	mysqlBytes      = 2 << 20
	mysqlLongRow    = 256 << 10
)

func (m *mysql) look(ctx context.Context, items []*item) error {
	var changes []int
	columns := slices.Clone(m.Key)
	selected := []string{"u.ord"}
	if m.compares {
		changes = items[0].shape.changes
		for _, c := range changes {
			selected = append(selected, read(m.Columns[c], "t."+m.names[c]))
		}
	}
	if m.newer {
		selected = append(selected, m.isNewer(len(columns)))
		columns = append(columns, m.Compare)
	}
	for _, it := range items {
		it.unseen()
	}
	query := "SELECT " + strings.Join(selected, ", ") + " FROM " + m.joined(columns)
	return m.ask(ctx, query, items, columns, len(selected)-1, func(ord int64, stored []sql.NullString) {
		it := items[ord]
		if m.newer {
			it.newer = (it.newer || !it.exists) && stored[len(changes)].String == "1"
		}
		it.exists = true
		for i, c := range changes {
			if !m.equal(m.Columns[c], understood(m.Columns[c], stored[i]), settled(m.Columns[c], it.values[c])) {
				it.differs = true
				it.moves = it.moves || m.moving[c]
			}
		}
	})
}

// ask scans what a query selects of the table u, which has some columns of the items.
func (m *mysql) ask(ctx context.Context, query string, items []*item, columns []int, n int, each func(ord int64, stored []sql.NullString)) error {
	list, err := m.list(items, columns)
	if err != nil {
		return err
	}
	return m.scan(ctx, query, list, n, each)
}

// scan calls each with a position in the list and the n columns that the query has selected beside it; stored is used again.
func (m *mysql) scan(ctx context.Context, query, list string, n int, each func(ord int64, stored []sql.NullString)) (err error) {
	rows, err := m.tx.Query(ctx, query, list)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	var ord int64
	stored := make([]sql.NullString, n)
	into := []any{&ord}
	for i := range stored {
		into = append(into, &stored[i])
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		each(ord-1, stored)
	}
	return rows.Err()
}

func (m *mysql) stored(ctx context.Context, items []*item, columns []column.Column, keep func(ord int64, values []column.Value)) error {
	selected := []string{"u.ord"}
	for _, c := range columns {
		selected = append(selected, read(c, "t."+m.quote(c.Name)))
	}
	query := "SELECT " + strings.Join(selected, ", ") + " FROM " + m.joined(m.Key)
	return m.ask(ctx, query, items, m.Key, len(columns), func(ord int64, stored []sql.NullString) {
		values := make([]column.Value, len(stored))
		for i := range stored {
			values[i] = understood(columns[i], stored[i])
		}
		keep(ord, values)
	})
}

func (m *mysql) ranks(ctx context.Context, items []*item) ([]int64, error) {
	order := make([]string, len(m.Key))
	for i, k := range m.Key {
		order[i] = comparand(m.Columns[k], listed(i))
	}
	query := fmt.Sprintf("SELECT u.ord, DENSE_RANK() OVER (ORDER BY %s) FROM %s", strings.Join(order, ", "), m.listed(m.Key))
	ranks := make([]int64, len(items))
	var unread error
	err := m.ask(ctx, query, items, m.Key, 1, func(ord int64, stored []sql.NullString) {
		var err error
		ranks[ord], err = strconv.ParseInt(stored[0].String, 10, 64)
		unread = errors.Join(unread, err)
	})
	return ranks, errors.Join(err, unread)
}

func (m *mysql) insert(ctx context.Context, items []*item) error {
	present := items[0].shape.present
	names := make([]string, len(present))
	for i, c := range present {
		names[i] = m.names[c]
	}
	head := "INSERT INTO " + m.table + " (" + strings.Join(names, ", ") + ") VALUES "
	tuple := "(" + strings.TrimSuffix(strings.Repeat("?,", len(present)), ",") + ")"
	parts := m.parts(items, present)
	return m.guarded(ctx, len(parts), func() error {
		done := 0
		for _, part := range parts {
			args := make([]any, 0, len(part)*len(present))
			for _, it := range part {
				for _, c := range present {
					args = append(args, bound(m.Columns[c], it.values[c]))
				}
			}
			query := head + strings.Repeat(tuple+",", len(part)-1) + tuple
			if err := m.whole(ctx, len(part), query, args...); err != nil {
				return m.placed(err, done)
			}
			done += len(part)
		}
		return nil
	})
}

// parts cuts items into what one statement takes.
func (m *mysql) parts(items []*item, present []int) [][]*item {
	var parts [][]*item
	bytes, from := 0, 0
	for i, it := range items {
		size := 0
		for _, c := range present {
			size += len(it.values[c].Text) + 3
		}
		if i > from && (bytes+size > mysqlBytes || (i-from+1)*len(present) > mysqlParameters) {
			parts = append(parts, items[from:i])
			bytes, from = 0, i
		}
		bytes += size
	}
	return append(parts, items[from:])
}

// placed makes the row that an error names one of all the items.
func (m *mysql) placed(err error, before int) error {
	var refused *database.Error
	if errors.As(err, &refused) && refused.Fault.Line > 0 {
		refused.Fault.Line += int64(before)
		if m.blind {
			refused.Fault.Line = 0
		}
	}
	return err
}

// whole executes a statement for n rows, all of which the table has to take. Nothing that MySQL has leaves rows out.
func (m *mysql) whole(ctx context.Context, n int, query string, args ...any) error {
	done, err := m.tx.Exec(ctx, query, args...)
	if err != nil {
		return err
	}
	taken, err := done.RowsAffected()
	if err == nil && taken != int64(n) {
		err = fmt.Errorf("the table took %d of %d rows", taken, n)
	}
	return err
}

// update first locks the rows that are there: how many rows an UPDATE has found does not say which.
func (m *mysql) update(ctx context.Context, items []*item) error {
	there, err := m.lock(ctx, items)
	if err != nil || len(there) == 0 {
		return err
	}
	if m.blind && slices.ContainsFunc(there, func(it *item) bool { return m.lacking(it.values) }) {
		return m.guarded(ctx, len(there), func() error {
			for _, it := range there {
				if err := m.updateOne(ctx, it); err != nil {
					return err
				}
			}
			return nil
		})
	}
	compared, where := m.found()
	sets := items[0].shape.sets
	assigned := make([]string, len(sets))
	for i, c := range sets {
		assigned[i] = fmt.Sprintf("t.%s = %s", m.names[c], assignable(m.Columns[c], listed(len(compared)+i)))
	}
	list, err := m.list(there, slices.Concat(compared, sets))
	if err != nil {
		return err
	}
	query := fmt.Sprintf("UPDATE %s SET %s%s", m.joined(compared, sets...), strings.Join(assigned, ", "), where)
	done, err := m.tx.Exec(ctx, query, list)
	if err != nil {
		var refused *database.Error
		if errors.As(err, &refused) {
			refused.Fault.Line = 0 // of the join, not of the items
		}
		return err
	}
	taken, err := done.RowsAffected()
	if err == nil && (taken < int64(len(there)) || m.indexed && taken > int64(len(there))) {
		err = fmt.Errorf("the table has %d of the %d rows that were locked", taken, len(there))
	}
	return err
}

// updateOne overwrites a row that was locked. An UPDATE with a join lets NULL into a NOT NULL column of a table with triggers
// (MariaDB 10.11): this one has none.
func (m *mysql) updateOne(ctx context.Context, it *item) error {
	var sets, where []string
	var args []any
	for _, c := range it.shape.sets {
		sets, args = append(sets, m.names[c]+" = ?"), append(args, bound(m.Columns[c], it.values[c]))
	}
	for _, k := range m.Key {
		where, args = append(where, m.names[k]+" = "+comparand(m.Columns[k], "?")), append(args, it.values[k].Text)
	}
	_, err := m.tx.Exec(ctx, "UPDATE "+m.table+" SET "+strings.Join(sets, ", ")+" WHERE "+strings.Join(where, " AND "), args...)
	return err
}

// found are the columns and the condition, beside the join, by which an update finds rows.
func (m *mysql) found() (compared []int, where string) {
	if !m.newer {
		return m.Key, ""
	}
	// Somebody else may have written a later one since.
	return append(slices.Clone(m.Key), m.Compare), " WHERE " + m.isNewer(len(m.Key))
}

// lock sets gone of the items, and returns those whose rows are there.
func (m *mysql) lock(ctx context.Context, items []*item) ([]*item, error) {
	columns, where := m.found()
	for _, it := range items {
		it.gone = true
	}
	query := "SELECT u.ord FROM " + m.joined(columns) + where + " FOR UPDATE"
	err := m.ask(ctx, query, items, columns, 0, func(ord int64, _ []sql.NullString) { items[ord].gone = false })
	return slices.DeleteFunc(slices.Clone(items), func(it *item) bool { return it.gone }), err
}

// isNewer compares the stored value of what UpdateIfNewer compares with the list's column i.
func (m *mysql) isNewer(i int) string {
	return fmt.Sprintf("(t.%[1]s IS NULL OR t.%[1]s < %[2]s)", m.names[m.Compare], comparand(m.Columns[m.Compare], listed(i)))
}

// guarded runs n statements, in a savepoint if there is more than one.
func (m *mysql) guarded(ctx context.Context, n int, statements func() error) error {
	if n < 2 {
		return statements()
	}
	return m.during(ctx, m.tx, statements)
}

func (m *mysql) undo(ctx context.Context) error { return m.restore(ctx, m.tx) }

// culprits are named by the error where it was one of the table's own foreign keys.
func (m *mysql) culprits(_ context.Context, _ *item, cause error) ([]string, error) {
	fault := database.Explain(cause)
	if fault.Table != m.Table.Name {
		return nil, nil
	}
	for _, name := range fault.Columns {
		if _, ok := m.Table.Column(name); !ok {
			return nil, nil
		}
	}
	return fault.Columns, nil
}
