package destination

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"ingest/shared/column"
)

// copy inserts items in order with COPY in text format, in which every type is written as its text.
func (p *postgres) copy(ctx context.Context, items []*item, present []int) error {
	names := make([]string, len(present))
	for i, c := range present {
		names[i] = p.names[c]
	}
	statements := fmt.Sprintf("%s; COPY %s (%s) FROM STDIN", strings.Join(p.hold(), "; "), p.table, strings.Join(names, ", "))
	size := 0
	for _, it := range items {
		for _, c := range present {
			size += len(it.values[c].Text) + len("\\N")
		}
	}
	text := make([]byte, 0, size)
	for _, it := range items {
		for i, c := range present {
			if i > 0 {
				text = append(text, '\t')
			}
			text = appendCopy(text, it.values[c])
		}
		text = append(text, '\n')
	}
	var taken int64
	err := p.tx.Pgx(func(conn *pgx.Conn) error {
		done, err := conn.PgConn().CopyFrom(ctx, bytes.NewReader(text), statements)
		taken = done.RowsAffected()
		return err
	})
	if err == nil && taken != int64(len(items)) {
		err = errLeftOut
	}
	return err
}

// appendCopy appends a value in COPY's text format.
func appendCopy(to []byte, v column.Value) []byte {
	if v.State != column.Set {
		return append(to, `\N`...)
	}
	for i := range len(v.Text) {
		switch c := v.Text[i]; c {
		case '\\':
			to = append(to, `\\`...)
		case '\t':
			to = append(to, `\t`...)
		case '\n':
			to = append(to, `\n`...)
		case '\r':
			to = append(to, `\r`...)
		default:
			to = append(to, c)
		}
	}
	return to
}

// unnest is the table u of n text arrays, with the columns c0, c1, … and the position ord.
func unnest(n int) string {
	params, names := make([]string, n), make([]string, n)
	for i := range n {
		params[i] = fmt.Sprintf("$%d::text[]", i+1)
		names[i] = fmt.Sprintf("c%d", i)
	}
	return fmt.Sprintf("unnest(%s) WITH ORDINALITY AS u(%s, ord)", strings.Join(params, ", "), strings.Join(names, ", "))
}

// arrays are the values of some columns as array literals.
func (p *plan) arrays(items []*item, columns []int) []any {
	args := make([]any, len(columns))
	for i, c := range columns {
		text := make([]byte, 0, 16*len(items))
		for j, it := range items {
			text = append(text, "{,"[min(j, 1)])
			text = appendElement(text, it.values[c])
		}
		if len(items) == 0 {
			text = append(text, '{')
		}
		args[i] = string(append(text, '}'))
	}
	return args
}

// appendElement appends a value as an element of an array literal.
func appendElement(to []byte, v column.Value) []byte {
	if v.State != column.Set {
		return append(to, "NULL"...)
	}
	to = append(to, '"')
	for i := range len(v.Text) {
		if c := v.Text[i]; c == '"' || c == '\\' {
			to = append(to, '\\')
		}
		to = append(to, v.Text[i])
	}
	return append(to, '"')
}
