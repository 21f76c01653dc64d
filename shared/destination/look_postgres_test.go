package destination

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ingest/shared/column"
	"ingest/shared/database"
	"ingest/shared/importer"
)

// Where stored values are read and compared in Go, the answer is the server's, also for what only others can have stored.
func TestStoredValuesAreComparedAsTheServerDoes(t *testing.T) {
	t.Parallel()
	db := postgresOnly(t)
	execute(t, db, "CREATE DOMAIN whole AS numeric(6,0)", "CREATE DOMAIN second AS timestamp(0)")
	for native, c := range map[string]struct {
		// stored are literals, written values that are converted.
		stored, written []string
		transparent     bool
	}{
		"text":                        {[]string{"", "a", "A", "a ", "ä", "a\u0308", "é\n\\N", "1.0"}, []string{"a", "A", " a", "a ", "ä", "a\u0308", "é\n\\N", "1"}, true},
		"character varying(3)":        {[]string{"", "abc", "ab ", "ABC"}, []string{"abc", "ab ", "ab"}, true},
		"integer":                     {[]string{"0", "-1", "2147483647", "-2147483648"}, []string{"-0", "+1", "-1", "2147483647", "0012"}, true},
		"bigint":                      {[]string{"0", "9223372036854775807", "-9223372036854775808"}, []string{"0", "-9223372036854775808"}, true},
		"numeric":                     {[]string{"1", "1.0", "1.10", "-0", "0.000", "NaN", "Infinity", "-Infinity", "1e30", "1e1500", "1e-1500", "12.3400"}, []string{"1", "1.1", "-0.0", "1e30", "12.34", "0.1"}, true},
		"numeric(10,2)":               {[]string{"1", "1.10", "-0.004", "NaN", "99999999.99", "918.60"}, []string{"1", "1.10", "1.1", "0", "-0", "918.6", "99999999.99", "1.005"}, true},
		"numeric(3,-2)":               {[]string{"1200", "-0"}, []string{"1249", "1200"}, false},
		"real":                        {[]string{"0.1", "-0", "NaN", "Infinity", "-Infinity", "1e-45", "16777217", "1e20"}, []string{"0.1", "0", "-0", "1e-45", "16777217", "1e20", "100000000000000000000"}, true},
		"double precision":            {[]string{"0.1", "-0", "NaN", "Infinity", "5e-324", "0.30000000000000004", "1e21", "123456789"}, []string{"0.1", "-0", "5e-324", "0.3", "1e21", "123456789"}, true},
		"boolean":                     {[]string{"t", "f"}, []string{"yes", "0"}, true},
		"date":                        {[]string{"2024-02-29", "0044-03-15 BC", "infinity", "12024-01-01", "0001-01-01"}, []string{"2024-02-29", "0001-01-01"}, true},
		"uuid":                        {[]string{"A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11"}, []string{"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "A0EEBC999C0B4EF8BB6D6BB9BD380A12"}, true},
		"timestamp without time zone": {[]string{"2024-01-01 00:00:00", "2024-01-01 00:00:00.5", "infinity", "-infinity", "2024-01-01 BC", "12024-01-01"}, []string{"2024-01-01 00:00", "2024-01-01T00:00:00.500000", "2024-01-01 01:00:00+01:00"}, true},
		"timestamp with time zone":    {[]string{"2024-01-01 00:00:00+00", "2024-01-01 00:00:00.123456+05:30", "infinity", "0044-03-15 BC"}, []string{"2024-01-01 00:00", "2023-12-31 18:30:00.123456Z", "2024-01-01 00:00:00.123456+05:30"}, true},
		"timestamp(0)":                {[]string{"2024-01-01 00:00:01"}, []string{"2024-01-01 00:00:00.6"}, false},
		"second":                      {[]string{"2024-01-01 00:00:01"}, []string{"2024-01-01 00:00:00.6"}, false},
		"whole":                       {[]string{"12"}, []string{"12.4"}, false},
		"citext":                      {nil, nil, false},
		"character(3)":                {nil, nil, false},
		"time":                        {nil, nil, false},
		"time(0)":                     {nil, nil, false},
		"jsonb":                       {nil, nil, false},
		"bytea":                       {nil, nil, false},
		"inet":                        {nil, nil, false},
	} {
		t.Run(native, func(t *testing.T) {
			name := newName()
			if native == "citext" {
				execute(t, db, "CREATE EXTENSION IF NOT EXISTS citext")
			}
			execute(t, db, "CREATE TABLE "+name+" (k integer UNIQUE, v "+native+")", "INSERT INTO "+name+" VALUES (0, NULL)")
			for i, text := range c.stored {
				execute(t, db, fmt.Sprintf("INSERT INTO %s VALUES (%d, E'%s')", name, i+1, strings.ReplaceAll(text, `\`, `\\`)))
			}
			tg := target(t, db, name, importer.Update, []string{"k"}, []string{"k", "v"})
			if got := transparent(tg.Columns[1].Type); got != c.transparent {
				t.Fatalf("transparent: %v", got)
			}
			if !c.transparent {
				return
			}
			p, err := newPlan(db, tg)
			if err != nil {
				t.Fatal(err)
			}
			for _, text := range append(c.written, "NULL") {
				inGo, inServer := lookBoth(t, db, p, len(c.stored), cell(t, tg.Columns[1], text))
				if diff := cmp.Diff(inServer, inGo); diff != "" {
					t.Errorf("%q beside NULL, %q (-server +Go):\n%s", text, c.stored, diff)
				}
			}
		})
	}
}

// lookBoth says for the rows 0 to n, and for one that is not there, whether they differ from a value: in Go and by the server.
func lookBoth(t *testing.T, db *database.DB, p *plan, n int, v column.Value) (inGo, inServer []string) {
	t.Helper()
	transact(t, db, func(ctx context.Context, tx *database.Tx) error {
		st := &postgres{plan: p, tx: tx}
		var items []*item
		for k := range n + 2 {
			row := []column.Value{{State: column.Set, Text: fmt.Sprint(k)}, v}
			items = append(items, &item{values: row, shape: p.shape(row)})
		}
		told := func() (list []string) {
			for k, it := range items {
				list = append(list, fmt.Sprintf("%d: exists %v differs %v", k, it.exists, it.differs))
			}
			return list
		}
		if err := st.read(ctx, items); err != nil {
			return err
		}
		inGo = told()
		err := st.find(ctx, items, true)
		inServer = told()
		return err
	})
	return inGo, inServer
}
