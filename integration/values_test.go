package integration

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ingest/integration/rig"
)

// families are columns by type, and what becomes of a cell: the value as stored (~ for NULL) or, behind !, the message.
type family struct {
	postgres, sqlite string
	format           string
	cells            [][2]string
}

func families() map[string]family {
	return map[string]family{
		"smallint": {postgres: "smallint", sqlite: "SMALLINT", cells: [][2]string{
			{"7", "7"},
			{"+8", "8"},
			{"-9", "-9"},
			{" 10 ", "10"},
			{"-0", "0"},
			{"007", "7"},
			{"", "~"},
			{"32767", "32767"},
			{"-32768", "-32768"},
			{"32768", "!The v field must not be greater than 32767."},
			{"-32769", "!The v field must be at least -32768."},
			{"7.0", "!The v field must be an integer."},
			{"1e3", "!The v field must be an integer."},
			{"1 000", "!The v field must be an integer."},
			{"many", "!The v field must be an integer."},
			{" ", "!The v field must be an integer."},
		}},
		"bigint": {postgres: "bigint", sqlite: "BIGINT", cells: [][2]string{
			{"9223372036854775807", "9223372036854775807"},
			{"-9223372036854775808", "-9223372036854775808"},
			{"9223372036854775808", "!The v field must not be greater than 9223372036854775807."},
			{"99999999999999999999999", "!The v field must not be greater than 9223372036854775807."},
		}},
		"decimal": {postgres: "numeric(10,2)", sqlite: "DECIMAL(10,2)", cells: [][2]string{
			{"1.005", "1.01"},
			{"-1.005", "-1.01"},
			{"1.0049999999999999999", "1"},
			{"2.5e1", "25"},
			{"+3.10", "3.1"},
			{" .5 ", "0.5"},
			{"-0.001", "0"},
			{"99999999.99", "99999999.99"},
			{"", "~"},
			{"99999999.995", "!The v field must not be greater than 99999999.99."},
			{"-1e8", "!The v field must be at least -99999999.99."},
			{"1,000.00", "!The v field must be a number."},
			{"NaN", "!The v field must be a number."},
			{"12 EUR", "!The v field must be a number."},
		}},
		"float": {postgres: "double precision", sqlite: "DOUBLE", cells: [][2]string{
			{"52.55889892578125", "52.55889892578125"},
			{" 1e-3", "0.001"},
			{"1e400", "!The v field must not be greater than 1.7976931348623157e+308."},
			{"inf", "!The v field must be a number."},
		}},
		"boolean": {postgres: "boolean", sqlite: "BOOLEAN", cells: [][2]string{
			{"true", "1"},
			{"T", "1"},
			{"Yes", "1"},
			{"y", "1"},
			{"ON", "1"},
			{"1", "1"},
			{" true ", "1"},
			{"FALSE", "0"},
			{"f", "0"},
			{"no", "0"},
			{"N", "0"},
			{"off", "0"},
			{"0", "0"},
			{"", "~"},
			{"2", "!The v field must be true or false."},
			{"maybe", "!The v field must be true or false."},
		}},
		"date": {postgres: "date", sqlite: "DATE", cells: [][2]string{
			{"2024-02-29", "2024-02-29"},
			{" 2024-01-02 ", "2024-01-02"},
			{"", "~"},
			{"2023-02-29", "!The v field must be a valid date."},
			{"2024-13-45", "!The v field must be a valid date."},
			{"02/01/2024", "!The v field must be a valid date."},
			{"2024-1-2", "!The v field must be a valid date."},
		}},
		"datetime": {postgres: "timestamp", sqlite: "DATETIME", cells: [][2]string{
			{"2024-01-02T03:04:05Z", "2024-01-02 03:04:05"},
			{"2024-01-02 03:04:05", "2024-01-02 03:04:05"},
			{"2024-01-02T03:04", "2024-01-02 03:04:00"},
			{"2024-01-02T03:04:05+02:00", "2024-01-02 01:04:05"},
			{"2024-01-01 00:30+01:00", "2023-12-31 23:30:00"},
			{"", "~"},
			{"2024-01-02 24:00", "!The v field must be a valid date."},
			{"yesterday", "!The v field must be a valid date."},
		}},
		"timestamptz": {postgres: "timestamptz", cells: [][2]string{
			{"2024-01-02T03:04:05+02:00", "2024-01-02 01:04:05+00"},
			{"2024-01-02 03:04", "2024-01-02 03:04:00+00"},
		}},
		"text": {postgres: "varchar(5)", sqlite: "VARCHAR(5)", cells: [][2]string{
			{"abcde", "abcde"},
			{"äöüßé", "äöüßé"},
			{" x ", " x "},
			{"02", "02"},
			{"", "~"},
			{"abcdef", "!The v field must not be greater than 5 characters."},
		}},
		"nulls": {postgres: "text", sqlite: "TEXT", format: `, nulls: ["", NA, "\\N"]`, cells: [][2]string{
			{"", "~"}, {"NA", "~"}, {`\N`, "~"}, {"na", "na"}, {" NA", " NA"},
		}},
		"no nulls": {postgres: "text", sqlite: "TEXT", format: `, nulls: []`, cells: [][2]string{{"", ""}, {"x", "x"}}},
		"no nulls for a number": {postgres: "integer", sqlite: "INTEGER", format: `, nulls: []`, cells: [][2]string{
			{"1", "1"}, {"", "!The v field must be an integer."},
		}},
		"uuid": {postgres: "uuid", cells: [][2]string{
			{"A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"},
			{"a0eebc99", "!The v field must be a valid UUID."},
		}},
		"json": {postgres: "jsonb", cells: [][2]string{
			{`{"a":1}`, `{"a": 1}`}, {"{", "!The v field must be a valid JSON string."},
		}},
		"not null": {postgres: "text NOT NULL", sqlite: "TEXT NOT NULL", cells: [][2]string{
			{"x", "x"}, {"", "!The v field is required."},
		}},
	}
}

// file has the cells in a column v, numbered in a column n.
func (f family) file() string {
	var file strings.Builder
	file.WriteString("n,v\n")
	for i, cell := range f.cells {
		fmt.Fprintf(&file, "%d,\"%s\"\n", i+1, strings.ReplaceAll(cell[0], `"`, `""`))
	}
	return file.String()
}

// check compares each cell with what became of it, as the first run of the system shows it.
func (f family) check(t *testing.T, sys *rig.System, table string) {
	t.Helper()
	got := map[string]string{}
	for _, line := range sys.Dump(table, "n", "v") {
		n, v, _ := strings.Cut(line, "\tv=")
		got[strings.TrimPrefix(n, "n=")] = v
	}
	for _, row := range details(t, sys, 1).Data.Rows {
		got[fmt.Sprint(row.Number)] = "!" + row.Errors.Message
		if diff := cmp.Diff(map[string][]string{"v": {row.Errors.Message}}, row.Errors.Validation); diff != "" {
			t.Errorf("validation of %q: %s", row.Data["v"], diff)
		}
	}
	for i, cell := range f.cells {
		value := got[fmt.Sprint(i+1)]
		switch {
		case value == `\N`:
			value = "~"
		case f.postgres == "boolean" && (value == "true" || value == "false"):
			value = map[string]string{"true": "1", "false": "0"}[value]
		}
		if value != cell[1] {
			t.Errorf("%q became %q, want %q", cell[0], value, cell[1])
		}
	}
}

const numbered = "  - {from: n, to: n}\n  - {from: v, to: v}\n"

func (f family) run(t *testing.T, sys *rig.System) {
	t.Helper()
	code := 0
	if slices.ContainsFunc(f.cells, func(cell [2]string) bool { return strings.HasPrefix(cell[1], "!") }) {
		code = 3
	}
	sys.Must(code, "run", "x")
	f.check(t, sys, "x")
	verify(t, sys, 1)
}

func TestValuesOnSQLite(t *testing.T) {
	t.Parallel()
	for name, f := range families() {
		if f.sqlite == "" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f.run(t, trial{
				file: f.file(), format: f.format, fields: numbered,
				tables: []string{"CREATE TABLE x (n INTEGER PRIMARY KEY, v " + f.sqlite + ")"},
			}.install(t))
		})
	}
}

func TestValuesOnPostgres(t *testing.T) {
	t.Parallel()
	server := rig.StartPostgres(t)
	for name, f := range families() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f.run(t, trial{file: f.file(), format: f.format, fields: numbered}.installOn(t, server,
				"CREATE TABLE x (n integer PRIMARY KEY, v "+f.postgres+")"))
		})
	}
}

// installOn is install with a database of its own on a server: registry, ledger and x are there.
func (c trial) installOn(t *testing.T, server *rig.Postgres, tables ...string) *rig.System {
	t.Helper()
	name := strings.NewReplacer("/", "_", " ", "_").Replace(t.Name())
	url := server.Database(name)
	server.SQL(name, strings.Join(tables, ";"))
	sys := rig.NewSystem(t, rig.SystemOptions{Database: url, Env: c.env, Importers: map[string]string{"x.yaml": fmt.Sprintf(
		"importer: x\nsource: {type: filesystem, path: x.csv}\nformat: {type: csv%s}\ndestination: {table: x}\n%sfields:\n%s",
		c.format, c.more, c.fields)}})
	sys.Write("x.csv", c.file)
	sys.Migrate()
	return sys
}

// TestRefusalsOfTheDatabase are told with their column or constraint, and cost no other row.
func TestRefusalsOfTheDatabase(t *testing.T) {
	t.Parallel()
	c := trial{
		file: "SKU,E-Mail,Category,unit_price,Full Name\n" +
			"1,a@x,10,1,one\n" + // fine
			"2,a@x,10,1,two\n" + // the first row's address
			"3,c@x,11,1,three\n" + // no such category
			"4,d@x,10,-1,four\n" + // check
			"5,e@x,10,1,\n" + // not null
			"6,f@x,,2,six\n" + // fine: no category
			"7,old@x,10,1,seven\n" + // an address of the table
			"8,h@x,10,1,eight\n",
		fields: "  - {from: SKU, to: sku}\n  - {from: E-Mail, to: email}\n  - {from: Category, to: category_id}\n" +
			"  - {from: unit_price, to: price}\n  - {from: Full Name, to: name}\n",
		more: "key: [SKU]\non_duplicate: update\n",
	}
	tables := []string{
		"CREATE TABLE categories (id INTEGER PRIMARY KEY)", "INSERT INTO categories VALUES (10)",
		`CREATE TABLE x (sku INTEGER PRIMARY KEY, email TEXT UNIQUE, category_id INTEGER REFERENCES categories (id),
			price NUMERIC CONSTRAINT price_positive CHECK (price > 0), name TEXT NOT NULL)`,
		"INSERT INTO x VALUES (100, 'old@x', 10, 1, 'old')",
	}
	want := withErrors(8, []string{
		"2@3 The e-mail has already been taken.",
		"3@4 The selected category is invalid.",
		"4@5 The row violates 'price_positive'.",
		"5@6 The full name field is required.",
		"7@8 The e-mail has already been taken.",
	}, "100|old@x|10|1|old", "1|a@x|10|1|one", `6|f@x|\N|2|six`, "8|h@x|10|1|eight")
	summary := map[string]int64{
		"E-Mail: The e-mail has already been taken.":  2,
		"Category: The selected category is invalid.": 1,
		"Full Name: The full name field is required.": 1,
	}
	each(t, func(t *testing.T, to target) {
		var sys *rig.System
		if to == toPostgres {
			sys = c.installOn(t, rig.StartPostgres(t), tables...)
		} else {
			sqlite := c
			sqlite.tables = tables
			sys = sqlite.install(t)
		}
		sys.Must(3, "run", "x")
		got := outcome(t, sys, 1)
		slices.Sort(got.Table)
		slices.Sort(want.Table)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		var body struct {
			Data rig.ErrorSummary `json:"data"`
		}
		decode(t, sys.Must(0, "errors", "1", "--output", "json"), &body)
		validation := map[string]int64{}
		for _, entry := range body.Data.ValidationSummary {
			validation[entry.Message] = entry.Count
		}
		if diff := cmp.Diff(summary, validation); diff != "" {
			t.Errorf("validation summary (-want +got):\n%s", diff)
		}
		verify(t, sys, 1)
	})
}

// TestRefusalWithoutAName is told by its code.
func TestRefusalWithoutAName(t *testing.T) {
	t.Parallel()
	sys := trial{file: "n,v\n1,a\n2,a\n3,b\n", fields: numbered}.installOn(t, rig.StartPostgres(t),
		"CREATE TABLE x (n integer PRIMARY KEY, v text, EXCLUDE USING btree (v WITH =))")
	sys.Must(3, "run", "x")
	want := withErrors(3, []string{"2@3 The database refused the row (23P01)."}, "1|a", "3|b")
	if diff := cmp.Diff(want, outcome(t, sys, 1)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestDuplicates(t *testing.T) {
	t.Parallel()
	table := []string{
		`CREATE TABLE x (store_id TEXT, sku TEXT, v TEXT, UNIQUE (store_id, sku))`, "INSERT INTO x VALUES ('1', 'a', 'old')",
	}
	file := "store_id,sku,v\n1,a,x\n2,b,y\n2,b,z\n,a,n\n,a,n\n"
	fields := "  - {from: store_id, to: store_id}\n  - {from: sku, to: sku}\n  - {from: v, to: v}\n"
	strategy := func(name string, want shown) trial {
		return trial{
			file: file, tables: table, fields: fields, more: "key: [store_id, sku]\non_duplicate: " + name + "\n", want: want,
		}
	}
	// A key with a NULL matches nothing.
	check(t, map[string]trial{
		"skip":   strategy("skip", complete(5, "1|a|old", "2|b|y", `\N|a|n`, `\N|a|n`)),
		"update": strategy("update", complete(5, "1|a|x", "2|b|z", `\N|a|n`, `\N|a|n`)),
		"upsert": strategy("upsert", complete(5, "1|a|x", "2|b|z", `\N|a|n`, `\N|a|n`)),
		"fail": strategy("fail", withErrors(5, []string{
			"1@2 Duplicate entry found for key 'store_id, sku'.", "3@4 Duplicate entry found for key 'store_id, sku'.",
		}, "1|a|old", "2|b|y", `\N|a|n`, `\N|a|n`)),
	})
}
