package destination

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"ingest/shared/column"
)

// returning inserts singly: only so it is certain which row has which number.
func (m *mysql) returning(ctx context.Context, items []*item) error {
	return m.guarded(ctx, len(items), func() error {
		for i, it := range items {
			id, err := m.single(ctx, it)
			if err != nil {
				return m.placed(err, i)
			}
			if it.own, err = m.ownOf(ctx, it, id); err != nil {
				return err
			}
		}
		return nil
	})
}

// single inserts one item, and returns the number that the database has made for it, 0 = none.
func (m *mysql) single(ctx context.Context, it *item) (uint64, error) {
	var names, marks []string
	var args []any
	for _, c := range it.shape.present {
		names, marks, args = append(names, m.names[c]), append(marks, "?"), append(args, bound(m.Columns[c], it.values[c]))
	}
	query := fmt.Sprintf("INSERT INTO %s (%s) VALUES (%s)", m.table, strings.Join(names, ", "), strings.Join(marks, ", "))
	done, err := m.tx.Exec(ctx, query, args...)
	if err != nil {
		return 0, err
	}
	id, err := done.LastInsertId()
	return uint64(id), err // a great unsigned number comes as a negative one
}

// ownOf reads a row's own value by what identifies the row: the number that it got, or a unique index that it fills.
func (m *mysql) ownOf(ctx context.Context, it *item, id uint64) (column.Value, error) {
	for _, index := range m.Table.Unique {
		where, args := m.identified(index, it, id)
		if where == "" {
			continue
		}
		if len(index.Columns) == 1 && index.Columns[0] == m.Own.Name {
			return column.Value{Text: strconv.FormatUint(id, 10), State: column.Set}, nil
		}
		var own sql.NullString
		err := m.tx.QueryRow(ctx, "SELECT "+read(*m.Own, m.quote(m.Own.Name))+" FROM "+m.table+" WHERE "+where, args...).Scan(&own)
		if err == nil || !errors.Is(err, sql.ErrNoRows) {
			return understood(*m.Own, own), err
		}
	}
	return column.Value{}, fmt.Errorf("the value of the column '%s' of a new row cannot be known: the table '%s' has no number that the database makes, and the row fills no unique index",
		m.Own.Name, m.Table.Name)
}

// identified is a condition that only the item's row meets, empty if the item does not fill the index.
func (m *mysql) identified(index column.Index, it *item, id uint64) (where string, args []any) {
	var terms []string
	for _, name := range index.Columns {
		i := m.position(name)
		made, _ := m.Table.Column(name)
		switch {
		case i >= 0 && it.values[i].State == column.Set:
			args = append(args, bound(m.Columns[i], it.values[i]))
		case i < 0 || it.values[i].State == column.Absent:
			if id == 0 || made.Type.Kind != column.Integer || !made.Default || len(index.Columns) > 1 {
				return "", nil
			}
			args = append(args, id)
		default:
			return "", nil
		}
		terms = append(terms, m.quote(name)+" = ?")
	}
	return strings.Join(terms, " AND "), args
}
