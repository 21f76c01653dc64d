package database

import (
	"database/sql"
	"strconv"
	"strings"
)

// Rows are the rows of a query; errors are those of this package.
type Rows struct {
	*sql.Rows
	note func(error) error
}

// Err returns what ended the rows early.
func (r *Rows) Err() error { return r.note(r.Rows.Err()) }

// Scan copies the current row.
func (r *Rows) Scan(dest ...any) error { return r.note(r.Rows.Scan(dest...)) }

// Close ends the query; it may be called more than once.
func (r *Rows) Close() error { return r.note(r.Rows.Close()) }

// Row is the row of a query that has at most one.
type Row struct {
	row  *sql.Row
	note func(error) error
}

// Scan copies the row; it returns sql.ErrNoRows when there is none.
func (r *Row) Scan(dest ...any) error { return r.note(r.row.Scan(dest...)) }

// Err returns the error of the query without reading the row.
func (r *Row) Err() error { return r.note(r.row.Err()) }

// rebind replaces ? by $1, $2, … for PostgreSQL, except in quotes and comments.
func (d *DB) rebind(query string) string {
	if d.dialect != Postgres || !strings.Contains(query, "?") {
		return query
	}
	var out strings.Builder
	out.Grow(len(query) + 32)
	n := 0
	for i := 0; i < len(query); {
		switch {
		case query[i] == '?':
			n++
			out.WriteByte('$')
			out.WriteString(strconv.Itoa(n))
			i++
		default:
			end := i + opaque(query[i:])
			out.WriteString(query[i:end])
			i = end
		}
	}
	return out.String()
}

// opaque is the length of the quoted text or comment at the start of query, else 1.
func opaque(query string) int {
	var end int
	switch {
	case query[0] == '\'' || query[0] == '"':
		if end = strings.IndexByte(query[1:], query[0]); end >= 0 {
			end += 2
		}
	case strings.HasPrefix(query, "--"):
		end = strings.IndexByte(query, '\n')
	case strings.HasPrefix(query, "/*"):
		if end = strings.Index(query[2:], "*/"); end >= 0 {
			end += 4
		}
	default:
		return 1
	}
	if end < 0 {
		return len(query)
	}
	return end
}
