package destination

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"ingest/shared/column"
)

// listed is the table u (jsonTable) of some columns, of which the first are compared.
func (m *mysql) listed(compared []int, others ...int) string {
	described := make([]column.Column, len(compared))
	for i, c := range compared {
		described[i] = m.Columns[c]
	}
	return jsonTable(described, len(others))
}

// jsonTable is the table u of a JSON text (list), with the position ord, from 1, and c0, c1, … for columns that are compared,
// and then for others, which are texts. Without their character set texts would have the database's.
func jsonTable(columns []column.Column, others int) string {
	columns = append(slices.Clone(columns), make([]column.Column, others)...)
	var lines strings.Builder
	for i, c := range columns {
		kind := "LONGTEXT CHARACTER SET utf8mb4"
		if numeric(c) {
			kind = "BIGINT"
			if c.Type.Unsigned {
				kind = "BIGINT UNSIGNED"
			}
		}
		fmt.Fprintf(&lines, ", c%d %s PATH '$[%d]' ERROR ON ERROR", i, kind, i)
	}
	return fmt.Sprintf("JSON_TABLE(?, '$[*]' COLUMNS (ord FOR ORDINALITY%s)) AS u", lines.String())
}

func listed(i int) string { return fmt.Sprintf("u.c%d", i) }

// joined is the table u joined with t, whose key is the list's first columns: the key's index is used, if it has one,
// whatever the server thinks of the tables' sizes.
func (m *mysql) joined(compared []int, others ...int) string {
	terms := make([]string, len(m.Key))
	for i, k := range m.Key {
		terms[i] = fmt.Sprintf("t.%s = %s", m.names[k], comparand(m.Columns[k], listed(i)))
	}
	join := "JOIN"
	if m.indexed {
		join = "STRAIGHT_JOIN"
	}
	return fmt.Sprintf("%s %s %s AS t ON %s", m.listed(compared, others...), join, m.table, strings.Join(terms, " AND "))
}

// list is some columns of items as a JSON text.
func (m *mysql) list(items []*item, columns []int) (string, error) {
	rows := make([][]*string, len(items))
	for i, it := range items {
		rows[i] = make([]*string, len(columns))
		for n, c := range columns {
			rows[i][n] = spelled(m.Columns[c], it.values[c])
		}
	}
	return jsonList(rows)
}

func jsonList(rows [][]*string) (string, error) {
	text, err := json.Marshal(rows)
	if err != nil {
		return "", fmt.Errorf("list the values: %w", err)
	}
	return string(text), nil
}

// numeric columns are numbers in a list, so that they are compared as such.
func numeric(c column.Column) bool {
	return c.Type.Kind == column.Integer || c.Type.Kind == column.Boolean
}

// comparand is a listed value as one of the column's type, so that both are compared as the column compares, by its index.
func comparand(c column.Column, name string) string {
	cast := func(kind string) string { return "CAST(" + name + " AS " + kind + ")" }
	switch c.Type.Kind {
	case column.Integer, column.Boolean:
		return name
	case column.Decimal:
		return cast(fmt.Sprintf("DECIMAL(%d,%d)", c.Type.Precision, c.Type.Scale))
	case column.Float:
		return cast("DOUBLE")
	case column.Date:
		return cast("DATE")
	case column.Time:
		return cast("TIME(6)")
	case column.Datetime:
		return cast("DATETIME(6)")
	case column.Bytes:
		return "UNHEX(" + name + ")"
	default:
	}
	if c.Collation != "" {
		return collated(c.Collation, name)
	}
	switch c.Type.Native {
	case "uuid", "inet6", "inet4":
		return cast(c.Type.Native)
	case "year":
		return cast("UNSIGNED")
	default:
		return name
	}
}

// collated is a text that is compared by a collation. One that the collation's character set cannot hold equals nothing.
func collated(collation, name string) string {
	set, _, _ := strings.Cut(collation, "_")
	if set == "utf8mb4" {
		return name + " COLLATE " + collation
	}
	return fmt.Sprintf("IF(CONVERT(CONVERT(%[1]s USING %[2]s) USING utf8mb4) = %[1]s COLLATE utf8mb4_bin, CONVERT(%[1]s USING %[2]s), NULL) COLLATE %[3]s",
		name, set, collation)
}

// assignable is a listed text on its way into a column. It must not be a column itself: from one long text to a shorter one
// MariaDB copies without a word what is too long.
func assignable(c column.Column, name string) string {
	switch {
	case c.Type.Kind == column.Bytes:
		return "UNHEX(" + name + ")"
	case strings.HasPrefix(c.Type.Native, "bit("):
		return "CAST(" + name + " AS UNSIGNED)"
	default:
		return "CONCAT(" + name + ")"
	}
}

// read is a stored value as understood takes it.
func read(c column.Column, name string) string {
	switch {
	case c.Type.Kind == column.Bytes:
		return "HEX(" + name + ")"
	case c.Type.Kind == column.Float && c.Type.Bits == 32:
		return "CAST(" + name + " AS DOUBLE)" // it would be written with six digits
	case strings.HasPrefix(c.Type.Native, "bit("):
		return name + " + 0"
	default:
		return name
	}
}
