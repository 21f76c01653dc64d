package destination

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"ingest/shared/column"
)

// look has stored values read where Go compares them as the server does. Else it asks for the keys alone first where the last
// chunk was mostly new: values that are only compared need not be sent for rows that are not there. Which way is taken
// changes the cost, never the answer.
func (p *postgres) look(ctx context.Context, items []*item) error {
	if !p.compares {
		return p.find(ctx, items, false)
	}
	if !p.newer && !slices.ContainsFunc(items[0].shape.changes, func(c int) bool { return !transparent(p.Columns[c].Type) }) {
		return p.read(ctx, items)
	}
	total := len(items)
	if p.mostlyNew.Load() {
		if err := p.find(ctx, items, false); err != nil {
			return err
		}
		items = slices.DeleteFunc(slices.Clone(items), func(it *item) bool { return !it.exists })
	}
	if len(items) > 0 {
		if err := p.find(ctx, items, true); err != nil {
			return err
		}
	}
	existing := 0
	for _, it := range items {
		if it.exists {
			existing++
		}
	}
	p.mostlyNew.Store(2*existing < total)
	return nil
}

// find sets exists of the items, and with compare whether the stored values differ.
func (p *postgres) find(ctx context.Context, items []*item, compare bool) error {
	for _, it := range items {
		it.unseen()
	}
	columns := p.Key
	differs, moves, newer := "false", "false", "false"
	if compare {
		changes := items[0].shape.changes
		columns = append(append([]int{}, p.Key...), changes...)
		differs = p.anyDiffers(changes, len(p.Key), func(int) bool { return true })
		moves = p.anyDiffers(changes, len(p.Key), func(c int) bool { return p.moving[c] })
		if p.newer {
			newer = p.isNewer(len(columns))
			columns = append(columns, p.Compare)
		}
	}
	query := fmt.Sprintf("SELECT u.ord - 1, %s, %s, %s FROM %s JOIN %s AS t ON %s",
		differs, moves, newer, unnest(len(columns)), p.table, p.sameKey())
	return p.byKey(ctx, query, p.arrays(items, columns), func(rows pgx.Rows) error {
		var ord int64
		var differs, moves, newer bool
		if err := rows.Scan(&ord, &differs, &moves, &newer); err != nil {
			return err
		}
		it := items[ord]
		it.newer = newer && (it.newer || !it.exists)
		it.exists, it.differs, it.moves = true, it.differs || differs, it.moves || moves
		return nil
	})
}

// transparent says that a stored value of the type differs from a new one exactly when equal says so of its text in canonical form.
// These are types without a precision of their own that Go does not know; a domain can hide one.
func transparent(t column.Type) bool {
	name, _, _ := strings.Cut(t.Native, "(")
	switch name {
	case "text", "character varying", "smallint", "integer", "bigint", "real", "double precision", "boolean", "date", "uuid":
		return true
	case "numeric":
		return t.Scale >= 0
	case "timestamp without time zone", "timestamp with time zone":
		return true // with a precision the name is another: timestamp(0) without time zone
	default:
		return false
	}
}

// read sets exists, differs and moves of the items. The values come back as texts.
func (p *postgres) read(ctx context.Context, items []*item) error {
	for _, it := range items {
		it.unseen()
	}
	changes := items[0].shape.changes
	selected := make([]string, len(changes)+1)
	selected[0] = "u.ord - 1"
	for i, c := range changes {
		selected[i+1] = "t." + p.names[c] + "::text"
	}
	query := fmt.Sprintf("SELECT %s FROM %s JOIN %s AS t ON %s", strings.Join(selected, ", "), unnest(len(p.Key)), p.table, p.sameKey())
	return p.byKey(ctx, query, p.arrays(items, p.Key), func(rows pgx.Rows) error {
		raw := rows.RawValues()
		var ord int64
		if err := rows.Conn().TypeMap().Scan(pgtype.Int8OID, pgx.BinaryFormatCode, raw[0], &ord); err != nil {
			return err
		}
		it := items[ord]
		it.exists = true
		for i, c := range changes {
			if !p.same(c, raw[i+1], it.values[c]) {
				it.differs = true
				it.moves = it.moves || p.moving[c]
			}
		}
		return nil
	})
}

// same compares a stored value, nil for NULL, with a new one.
func (p *postgres) same(c int, stored []byte, v column.Value) bool {
	if stored == nil || v.State != column.Set {
		return stored == nil && v.State != column.Set
	}
	if string(stored) == v.Text { // as nearly all are that are equal
		return true
	}
	of := p.Columns[c]
	return of.Type.Kind != column.Text && p.equal(of, asText(of, string(stored)), v)
}

func (p *postgres) anyDiffers(columns []int, offset int, which func(c int) bool) string {
	var terms []string
	for i, c := range columns {
		if which(c) {
			terms = append(terms, p.differs(p.Columns[c], p.names[c], offset+i))
		}
	}
	if len(terms) == 0 {
		return "false"
	}
	return strings.Join(terms, " OR ")
}

// differs compares a stored value with a new one as values of the type: texts by their bytes, so that a change of
// case or of an accent counts; types that have no equality of their own, by how they are written.
func (p *postgres) differs(c column.Column, name string, i int) string {
	switch c.Type.Kind {
	case column.Text, column.Other:
		return fmt.Sprintf(`(t.%s::text COLLATE "C") IS DISTINCT FROM (%s::text COLLATE "C")`, name, typed(c, i))
	case column.JSON:
		return fmt.Sprintf("t.%s::jsonb IS DISTINCT FROM u.c%d::jsonb", name, i)
	default:
		return fmt.Sprintf("t.%s IS DISTINCT FROM %s", name, typed(c, i))
	}
}
