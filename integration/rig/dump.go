package rig

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"
	"testing"

	"ingest/integration/reference"
	"ingest/shared/column"
	"ingest/shared/database"
)

// escapes keeps a row on one line.
var escapes = strings.NewReplacer(`\`, `\\`, "\t", `\t`, "\n", `\n`, "\r", `\r`)

// open opens a database to look at it; the caller closes it with shut.
func open(t testing.TB, url string) *database.DB {
	t.Helper()
	db, err := database.Open(database.Config{Name: "rig", URL: url, MustExist: true, Connections: 1})
	if err != nil {
		t.Fatal(err)
	}
	return db
}

func shut(t testing.TB, db *database.DB) {
	t.Helper()
	if err := db.Close(); err != nil {
		t.Errorf("close the database: %v", err)
	}
}

// Exec executes a statement in the database of the connection `default`.
func (s *System) Exec(statement string) {
	s.t.Helper()
	db := open(s.t, s.Database())
	defer shut(s.t, db)
	if _, err := db.Exec(context.WithoutCancel(s.t.Context()), statement); err != nil {
		s.t.Fatal(err)
	}
}

// Dump returns the rows of a table of the connection `default` as sorted lines, in the form of reference.Table.Lines.
// Without columns it takes all but the surrogate `id`.
func (s *System) Dump(table string, columns ...string) []string {
	s.t.Helper()
	return Dump(s.t, s.Database(), table, columns...)
}

// Dump returns the rows of a table as sorted lines: column=value, separated by tabs, NULL as \N, numbers in one form
// whatever database prints them.
func Dump(t testing.TB, url, table string, columns ...string) []string {
	t.Helper()
	db := open(t, url)
	defer shut(t, db)
	ctx := context.WithoutCancel(t.Context())
	described, err := db.Table(ctx, table)
	if err != nil {
		t.Fatalf("dump table %s: %v", table, err)
	}
	if len(columns) == 0 {
		for _, c := range described.Columns {
			if c.Name != "id" {
				columns = append(columns, c.Name)
			}
		}
	}
	selected := make([]string, len(columns))
	for n, name := range columns {
		// An expression has no declared type, so that the driver does not interpret the value.
		selected[n] = "+" + db.Quote(name)
		if db.Dialect() == database.Postgres {
			selected[n] = db.Quote(name) + "::text"
		}
	}
	kinds := []column.Kind{column.Integer, column.Decimal, column.Float}
	numbers := map[string]bool{}
	for _, c := range described.Columns {
		numbers[c.Name] = slices.Contains(kinds, c.Type.Kind)
	}
	lines := query(t, db, fmt.Sprintf("SELECT %s FROM %s", strings.Join(selected, ", "), db.QuoteTable(table)),
		func(scan func(...any)) string {
			values := make([]any, len(columns))
			into := make([]any, len(columns))
			for n := range values {
				into[n] = &values[n]
			}
			scan(into...)
			cells := make([]string, len(columns))
			for n, name := range columns {
				cells[n] = name + "=" + cell(values[n], numbers[name])
			}
			return strings.Join(cells, "\t")
		})
	sort.Strings(lines)
	return lines
}

// cell is a value as canonical text.
func cell(value any, number bool) string {
	var text string
	switch value := value.(type) {
	case nil:
		return `\N`
	case int64:
		text = strconv.FormatInt(value, 10)
	case float64:
		text = strconv.FormatFloat(value, 'f', -1, 64)
	case []byte:
		text = string(value)
	default:
		text = fmt.Sprint(value)
	}
	if number {
		text = reference.Number(text)
	}
	return escapes.Replace(text)
}

// query reads all rows of a query with read, which gets a function that copies the current row.
func query[T any](t testing.TB, db *database.DB, statement string, read func(scan func(...any)) T, args ...any) []T {
	t.Helper()
	rows, err := db.Query(context.WithoutCancel(t.Context()), statement, args...)
	if err != nil {
		t.Fatalf("read for the test: %v", err)
	}
	defer rows.Close()
	var all []T
	for rows.Next() {
		all = append(all, read(func(into ...any) {
			if err := rows.Scan(into...); err != nil {
				t.Fatalf("read for the test: %v", err)
			}
		}))
	}
	if err := rows.Err(); err != nil {
		t.Fatalf("read for the test: %v", err)
	}
	return all
}
