package rig

import (
	"context"
	"fmt"
	"regexp"
	"sort"
	"strings"
	"testing"

	"ingest/integration/reference"
	"ingest/shared/database"
)

var fraction = regexp.MustCompile(`^-?[0-9]+\.[0-9]+$`)

// Query returns the rows of a query as sorted lines: values separated by |, NULL as \N, numbers and booleans (1 and 0)
// in one form whatever database prints them. The columns need different names.
func Query(t testing.TB, url, statement string) []string {
	t.Helper()
	db, err := database.Open(database.Config{Name: "rig", URL: url, MustExist: true, Connections: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }() // it was only read
	columns := selected(t, db, statement)
	lines := query(t, db, fmt.Sprintf("SELECT %s FROM (%s) AS shown", strings.Join(columns, ", "), statement),
		func(scan func(...any)) string {
			values, into := make([]any, len(columns)), make([]any, len(columns))
			for n := range values {
				into[n] = &values[n]
			}
			scan(into...)
			cells := make([]string, len(columns))
			for n, value := range values {
				cells[n] = cell(value, false)
				if fraction.MatchString(cells[n]) {
					cells[n] = reference.Number(cells[n])
				}
			}
			return strings.Join(cells, "|")
		})
	sort.Strings(lines)
	return lines
}

// selected are the columns of a query as expressions that give what is stored: an expression has no declared type, so
// that the driver does not interpret the value.
func selected(t testing.TB, db *database.DB, statement string) []string {
	t.Helper()
	rows, err := db.Query(context.WithoutCancel(t.Context()), statement)
	if err != nil {
		t.Fatalf("read for the test: %v\n%s", err, statement)
	}
	defer rows.Close()
	kinds, err := rows.ColumnTypes()
	if err != nil {
		t.Fatalf("read for the test: %v\n%s", err, statement)
	}
	var columns []string
	for _, kind := range kinds {
		switch name := db.Quote(kind.Name()); {
		case db.Dialect() == database.MySQL:
			columns = append(columns, "CAST("+name+" AS CHAR)")
		case db.Dialect() != database.Postgres:
			columns = append(columns, "+"+name)
		case kind.DatabaseTypeName() == "BOOL":
			columns = append(columns, name+"::int::text")
		default:
			columns = append(columns, name+"::text")
		}
	}
	return columns
}
