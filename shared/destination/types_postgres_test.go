package destination

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"ingest/shared/column"
	"ingest/shared/importer"
)

// Every type of PostgreSQL that people import into: a value, the same value in another spelling, another value, one that is
// refused.
func TestPostgresTypes(t *testing.T) {
	t.Parallel()
	db := postgresOnly(t)
	execute(t, db, "CREATE TYPE size AS ENUM ('S', 'XL')", "CREATE EXTENSION citext", "CREATE DOMAIN cents AS bigint CHECK (VALUE >= 0)")
	for native, c := range map[string]struct {
		value, same, other, bad string
		// problem is of Convert, message of the database.
		problem column.Problem
		message string
		stored  string
	}{
		"smallint":          {value: "7", same: " +07", other: "8", bad: "32768", problem: "must not be greater than 32767.", stored: "8"},
		"numeric(20,2)":     {value: "123456789012345678.905", same: "123456789012345678.91", other: "0.1e1", bad: "1,5", problem: "must be a number.", stored: "1.00"},
		"numeric":           {value: "0.1000000000000000055511151231257827", same: "1000000000000000055511151231257827e-34", other: "1e30", bad: "NaN", problem: "must be a number.", stored: "1000000000000000000000000000000"},
		"real":              {value: "0.1", same: "1e-1", other: "0.2", bad: "1e39", problem: "must not be greater than 3.4028235e+38.", stored: "0.2"},
		"double precision":  {value: "0.1", same: "1e-1", other: "5e-324", bad: "1e400", problem: "must not be greater than 1.7976931348623157e+308.", stored: "5e-324"},
		"boolean":           {value: "yes", same: "T", other: "off", bad: "maybe", problem: "must be true or false.", stored: "false"},
		"date":              {value: "2024-02-29", same: " 2024-02-29 ", other: "0001-01-01", bad: "2023-02-29", problem: "must be a valid date.", stored: "0001-01-01"},
		"time":              {value: "23:59:59.5", same: "23:59:59.500000", other: "00:00", bad: "24:01", problem: "must be a valid time.", stored: "00:00:00"},
		"timestamptz":       {value: "2024-03-31T01:30:00+02:00", same: "2024-03-30 23:30:00Z", other: "2024-03-31 01:30", bad: "2024-13-01 00:00:00", problem: "must be a valid date.", stored: "2024-03-31 01:30:00+00"},
		"timestamp(0)":      {value: "2024-01-01 00:00:00.6", same: "2024-01-01T00:00:01", other: "2024-01-01 00:00:02", bad: "soon", problem: "must be a valid date.", stored: "2024-01-01 00:00:02"},
		"uuid":              {value: "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11", same: "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", other: "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a12", bad: "a0eebc99", problem: "must be a valid UUID.", stored: "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a12"},
		"jsonb":             {value: `{"a": 1, "b": [1.0]}`, same: `{"b":[1.0],"a":1}`, other: `{"a": 2}`, bad: `{"a":}`, problem: "must be a valid JSON string.", stored: `{"a": 2}`},
		"bytea":             {value: `\x6162`, same: `\x6162`, other: `\x00ff`, bad: `\x6`, problem: "must be hexadecimal digits.", stored: `\x00ff`},
		"text[]":            {value: `{a,"b c"}`, same: `{"a","b c"}`, other: `{}`, bad: `{a`, message: "The database refused the row (22P02).", stored: "{}"},
		"integer[]":         {value: `{1,NULL,3}`, same: `{1, null, 3}`, other: `{{1},{2}}`, bad: `{x}`, message: "The database refused the row (22P02).", stored: "{{1},{2}}"},
		"size":              {value: "S", same: "S", other: "XL", bad: "M", message: "The database refused the row (22P02).", stored: "XL"},
		"inet":              {value: "10.0.0.1/32", same: "10.0.0.1", other: "::1", bad: "10.0.0", message: "The database refused the row (22P02).", stored: "::1/128"},
		"int4range":         {value: "[1,5]", same: "[1,6)", other: "empty", bad: "[5,1]", message: "The database refused the row (22000).", stored: "empty"},
		"cents":             {value: "5", same: "05", other: "6", bad: "-1", message: "The row violates 'cents_check'.", stored: "6"},
		"character(3)":      {value: "a", same: "a  ", other: "b", bad: "abcd", problem: "must not be greater than 3 characters.", stored: "b"},
		"character varying": {value: "ä", same: "ä", other: "a\u0308", bad: "a\x00", problem: column.HasNUL, stored: "a\u0308"},
		"citext":            {value: "a", same: "a", other: "A", bad: "\xff", problem: column.NotUTF8, stored: "A"},
		"text":              {value: "a\tb\\N\r\n", same: "a\tb\\N\r\n", other: "\\N", bad: "\xff", problem: column.NotUTF8, stored: "\\N"},
		"bit(3)":            {value: "101", same: "101", other: "000", bad: "2", message: "The database refused the row (22P02).", stored: "000"},
		"xml":               {value: "<a/>", same: "<a/>", other: "<b/>", bad: "<a", message: "The database refused the row (2200N).", stored: "<b/>"},
	} {
		t.Run(native, func(t *testing.T) {
			name := newName()
			execute(t, db, "CREATE TABLE "+name+" (k integer UNIQUE, v "+native+")")
			tg := target(t, db, name, importer.Update, []string{"k"}, []string{"k", "v"})
			of := tg.Columns[1]
			rows := cells(t, tg.Columns, "1,NULL", "2,NULL")
			for _, text := range []string{c.value, c.same, c.other} {
				rows = append(rows, []column.Value{cell(t, tg.Columns[0], "1"), cell(t, of, text)})
			}
			want, refused := "CCU=U", 0
			if value, problem := column.Convert(c.bad, of); problem != c.problem {
				t.Errorf("%q: %q, want %q", c.bad, problem, c.problem)
			} else if problem == "" {
				rows = append(rows, []column.Value{cell(t, tg.Columns[0], "2"), value})
				want, refused = want+"F", len(rows)-1
			}
			for _, size := range []int{1, 100} {
				execute(t, db, "TRUNCATE "+name)
				results := write(t, db, tg, rows, size)
				if got := outcomes(results); got != want {
					t.Errorf("chunk size %d: outcomes %s, want %s", size, got, want)
				}
				if refused > 0 && results[refused].Message != c.message {
					t.Errorf("message %q, want %q", results[refused].Message, c.message)
				}
				if diff := cmp.Diff([]string{"1|" + c.stored, "2|<null>"}, contents(t, db, tg.Table)); diff != "" {
					t.Errorf("chunk size %d: table (-want +got):\n%s", size, diff)
				}
			}
		})
	}
}
