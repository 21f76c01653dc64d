package destination

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ingest/shared/column"
	"ingest/shared/database"
	"ingest/shared/importer"
)

func mariadbOnly(t *testing.T) (*database.DB, features) {
	t.Helper()
	f := databases()[2]
	db := open(t, f)
	execute(t, db, f.prepare...)
	return db, f
}

// Columns that MariaDB reads back otherwise than they were written: what is imported again is unchanged, what is another
// value is not, and a refused value costs its row.
func TestValuesThatMariaDBMakesItsOwn(t *testing.T) {
	t.Parallel()
	db, _ := mariadbOnly(t)
	for _, c := range []struct {
		kind, rows, outcomes string
		contents, failed     string
	}{
		{kind: "char(4)", rows: "ab|ab |ab  |Ab|ä", outcomes: "C==UU", contents: "ä"},
		{kind: "varchar(9)", rows: "ab|ab |ab|AB|áb", outcomes: "CUUUU", contents: "áb"},
		{kind: "varchar(9) COLLATE utf8mb4_general_ci", rows: "ab|ab |AB|AB|ÁB", outcomes: "CUU=U", contents: "ÁB"},
		{kind: "text COLLATE utf8mb4_general_ci", rows: "ab|Ab|Ab", outcomes: "CU=", contents: "Ab"},
		{kind: "varchar(9) CHARACTER SET latin1", rows: "é?|é?|é☃|e?|é", outcomes: "C=FUU", contents: "é", failed: "The v field must be a value that the column can hold."},
		{kind: "tinytext", rows: "x|" + strings.Repeat("y", 256) + "|x", outcomes: "CF=", contents: "x", failed: "The v field must be a value that the column can hold."},
		{kind: "float", rows: "0.1|0.1|16777217|16777216|3.4e38|3e38|1e39", outcomes: "C=U=UUF", contents: "3e38", failed: "must"},
		{kind: "float(7,2)", rows: "19.99|19.994|1.125|1.12|1.135|-1.125|123456|12345.67", outcomes: "C=U=UUFU", contents: "12345.67", failed: "The v field must be a number that the column can hold."},
		{kind: "double(8,2)", rows: "19.99|19.994|0.125|0.375|0.38|-7.005|100000.555", outcomes: "C=UU=UU", contents: "100000.55"},
		{kind: "double", rows: "0.1|0.1|1e-300|9007199254740993|9007199254740992", outcomes: "C=UU=", contents: "9.007199254740992e15"},
		{kind: "decimal(6,2)", rows: "1.1|1.10|1.105|1.11|9999.99", outcomes: "C=U=U", contents: "9999.99"},
		{kind: "datetime", rows: "2024-01-01 00:00:00|2024-01-01T00:00:00.4|2024-01-01 00:00:00.5|2024-01-01 00:00:01", outcomes: "C=U=", contents: "2024-01-01 00:00:01"},
		{kind: "datetime(3)", rows: "2024-01-01 00:00:00.0014|2024-01-01 00:00:00.001|2024-01-01T02:00:00.0015+02:00|2024-01-01 00:00:00.002", outcomes: "C=U=", contents: "2024-01-01 00:00:00.002"},
		{kind: "timestamp NULL", rows: "2024-01-01T02:00:00+02:00|2024-01-01 00:00:00|2039-01-01 00:00:00|2024-07-01 00:00:00", outcomes: "C=FU", contents: "2024-07-01 00:00:00", failed: "The v field must be a value that the column can hold."},
		{kind: "time(1)", rows: "10:00:00|10:00:00.04|10:00:00.05|10:00:00.1", outcomes: "C=U=", contents: "10:00:00.1"},
		{kind: "json", rows: `{"a":1,"b":[1.0,2]}|{"b": [1, 2], "a": 1}|{"a":1,"b":[2,1]}|{"a":1,"b":[2,1],"c":9007199254740993}|{"a":1,"b":[2,1],"c":9007199254740992}`, outcomes: "C=UUU", contents: `{"a":1,"b":[2,1],"c":9007199254740992}`},
		{kind: "bit(1)", rows: "true|1|0|no", outcomes: "C=U=", contents: "0"},
		{kind: "bit(9)", rows: "5|5|300|511", outcomes: "C=UU", contents: "511"},
		{kind: "boolean", rows: "true|yes|false", outcomes: "C=U", contents: "0"},
		{kind: "tinyint unsigned", rows: "0|255|255", outcomes: "CU=", contents: "255"},
		{kind: "bigint unsigned", rows: "18446744073709551615|18446744073709551615|1", outcomes: "C=U", contents: "1"},
		{kind: "decimal(5,1) unsigned", rows: "1.5|-1|1.50", outcomes: "CF=", contents: "1.5", failed: "The v field must be a number that the column can hold."},
		{kind: "year", rows: "2024|24|1999|99|2300|1901", outcomes: "C=U=FU", contents: "1901", failed: "The v field must be a number that the column can hold."},
		{kind: "enum('sad','It''s Ok')", rows: "sad|SAD |it's ok|It's Ok|glad|sad", outcomes: "C=U=FU", contents: "sad", failed: "The v field must be one of the column's values."},
		{kind: "set('a','b','C')", rows: "b;a|a;b|c;a;a|C;a|d|b", outcomes: "C=U=FU", contents: "b", failed: "The v field must be one of the column's values."},
		{kind: "binary(4)", rows: `\xab|\xab00|\xAB000000|\xabcdef01|\xabcdef0123|\x01`, outcomes: "C==UFU", contents: "01000000", failed: "The v field must be a value that the column can hold."},
		{kind: "varbinary(4)", rows: `\xab|\xab|\xab00|\xabcdef0123`, outcomes: "C=UF", contents: "AB00", failed: "The v field must be a value that the column can hold."},
		{kind: "uuid", rows: "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11|a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11|a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a12", outcomes: "C=U", contents: "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a12"},
		{kind: "inet6", rows: "2001:DB8::1|2001:db8:0::1|::ffff:1.2.3.4|nonsense|::1", outcomes: "C=UFU", contents: "::1", failed: "The v field must be a value that the column can hold."},
	} {
		for _, size := range []int{1, 2, 100} {
			name := newName()
			if _, err := db.Exec(t.Context(), "CREATE TABLE "+name+" (k integer UNIQUE, v "+c.kind+")"); err != nil {
				t.Fatal(c.kind, err)
			}
			tg := target(t, db, name, importer.Update, []string{"k"}, []string{"k", "v"})
			results, failed := written(t, db, tg, strings.Split(c.rows, "|"), size)
			if got := outcomes(results); got != c.outcomes {
				t.Errorf("%s, chunk size %d: outcomes %s, want %s", c.kind, size, got, c.outcomes)
			}
			if failed != c.failed {
				t.Errorf("%s, chunk size %d: failed rows say %q, want %q", c.kind, size, failed, c.failed)
			}
			shown := contents(t, db, tg.Table)
			if tg.Columns[1].Type.Kind == column.Bytes || strings.HasPrefix(c.kind, "bit") {
				shown = []string{"1|" + hexOf(t, db, name, c.kind)}
			}
			if diff := cmp.Diff([]string{"1|" + c.contents}, shown); diff != "" {
				t.Errorf("%s, chunk size %d (-want +got):\n%s", c.kind, size, diff)
			}
		}
	}
}

// written writes values of the row 1, and returns the message of those that fail.
func written(t *testing.T, db *database.DB, tg Target, texts []string, size int) (results []Result, failed string) {
	t.Helper()
	for len(texts) > 0 {
		var rows [][]column.Value
		var refused []Result
		for _, text := range texts[:min(size, len(texts))] {
			if strings.HasPrefix(tg.Columns[1].Type.Native, "set") {
				text = strings.ReplaceAll(text, ";", ",")
			}
			value, problem := column.Convert(text, tg.Columns[1])
			if problem != "" { // as the pipeline says it
				refused = append(refused, Result{Outcome: Failed, Message: "must"})
				continue
			}
			rows = append(rows, []column.Value{set("1"), value})
		}
		results = append(append(results, write(t, db, tg, rows, size)...), refused...)
		texts = texts[min(size, len(texts)):]
	}
	for _, r := range results {
		if r.Outcome == Failed {
			failed = r.Message
		}
	}
	return results, failed
}

func hexOf(t *testing.T, db *database.DB, name, kind string) string {
	t.Helper()
	expression := "HEX(v)"
	if strings.HasPrefix(kind, "bit") {
		expression = "v + 0"
	}
	var text string
	if err := db.QueryRow(t.Context(), "SELECT "+expression+" FROM "+name).Scan(&text); err != nil {
		t.Fatal(err)
	}
	return text
}

// Keys whose equality only the server knows.
func TestKeysThatMariaDBHoldsEqual(t *testing.T) {
	t.Parallel()
	db, _ := mariadbOnly(t)
	for kind, c := range map[string]struct{ keys, outcomes string }{
		"varchar(9) COLLATE utf8mb4_general_ci":                       {"a|A|á|b|a |B", "CUUCUU"},
		"varchar(9) COLLATE utf8mb4_bin":                              {"a|A|a |a", "CCUU"},
		"varchar(9) COLLATE utf8mb4_nopad_bin":                        {"a|A|a |a", "CCCU"},
		"varchar(9) COLLATE utf8mb4_unicode_ci":                       {"straße|STRASSE|strasse|strase", "CUUC"},
		"varchar(9) CHARACTER SET latin1":                             {"é?|e?|É?|é☃|☃|?", "CUUFFC"},
		"varchar(9) CHARACTER SET utf8mb3 COLLATE utf8mb3_general_ci": {"😀|?|😀|a|A", "FCFCU"},
		"char(3) COLLATE utf8mb4_nopad_bin":                           {"a|a |a", "CUU"},
		"binary(3)":                                                   {`\xab|\xab00|\xab0001|\xab`, "CUCU"},
		"float(7,2)":                                                  {"1.5|1.501|1.51", "CUC"},
		"float":                                                       {"16777217|16777216|0.1|0.1", "CUCU"},
		"year":                                                        {"24|2024|99|1999|1998", "CUCUC"},
		"enum('a','b')":                                               {"a|A|b|c", "CUCF"},
		"datetime(3)":                                                 {"2024-01-01 00:00:00|2024-01-01 00:00:00.0004|2024-01-01 00:00:00.001", "CUC"},
		"timestamp NULL":                                              {"2024-01-01T01:00:00+01:00|2024-01-01 00:00:00", "CU"},
		"time":                                                        {"10:00:00|10:00:00.4|10:00:01", "CUC"},
		"date":                                                        {"2024-01-01|2024-01-01|2024-01-02", "CUC"},
		"bigint unsigned":                                             {"18446744073709551615|18446744073709551615|18446744073709551614", "CUC"},
		"decimal(20,2)":                                               {"123456789012345678.9|123456789012345678.90|123456789012345678.91", "CUC"},
		"bit(3)":                                                      {"1|1|7", "CUC"},
		"uuid":                                                        {"A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11|a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "CU"},
		"inet6":                                                       {"::1|0:0::1|::2", "CUC"},
		"varchar(9) CHARACTER SET latin1 COLLATE latin1_swedish_nopad_ci": {"a|A|a ", "CUC"},
	} {
		for _, size := range []int{1, 2, 100} {
			name := newName()
			if _, err := db.Exec(t.Context(), "CREATE TABLE "+name+" (k "+kind+" UNIQUE, v integer)"); err != nil {
				t.Fatal(kind, err)
			}
			tg := target(t, db, name, importer.Update, []string{"k"}, []string{"k", "v"})
			var rows [][]column.Value
			for i, key := range strings.Split(c.keys, "|") {
				rows = append(rows, []column.Value{cell(t, tg.Columns[0], key), set(fmt.Sprint(i))})
			}
			if got := outcomes(write(t, db, tg, rows, size)); got != c.outcomes {
				t.Errorf("%s, chunk size %d: outcomes %s, want %s", kind, size, got, c.outcomes)
			}
		}
	}
}

// Finding a thousand rows among many reads a thousand, whatever the type of the key.
func TestKeysAreFoundByTheirIndex(t *testing.T) {
	t.Parallel()
	db, _ := mariadbOnly(t)
	for kind, key := range map[string]string{
		"bigint": "1", "bigint unsigned": "1", "varchar(50) COLLATE utf8mb4_general_ci": "x", "varchar(50) CHARACTER SET latin1": "x",
		"varchar(50) COLLATE utf8mb4_nopad_bin": "x", "decimal(20,4)": "1", "double": "1", "float": "1", "date": "2024-01-01", "datetime(3)": "2024-01-01 00:00:00",
		"timestamp(6) NULL": "2024-01-01 00:00:00", "time": "10:00:00", "uuid": "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "varbinary(16)": `\x01`, "binary(16)": `\x01`,
		"boolean": "true", "inet6": "::1", "bit(9)": "1",
	} {
		name := newName()
		if _, err := db.Exec(t.Context(), "CREATE TABLE "+name+" (k "+kind+" UNIQUE, v integer)"); err != nil {
			t.Fatal(kind, err)
		}
		tg := target(t, db, name, importer.Update, []string{"k"}, []string{"k", "v"})
		p, err := newPlan(db, tg)
		if err != nil {
			t.Fatal(err)
		}
		m := newMySQL(p, nil)
		list, err := m.list([]*item{{values: []column.Value{cell(t, tg.Columns[0], key), set("1")}}}, []int{0})
		if err != nil {
			t.Fatal(err)
		}
		var id, table, access, used string
		query := "SELECT STRAIGHT_JOIN 1 FROM " + m.joined([]int{0})
		rows, err := db.Query(t.Context(), "EXPLAIN "+query, list)
		if err != nil {
			t.Fatal(kind, err)
		}
		columns, _ := rows.Columns()
		for rows.Next() {
			into := make([]any, len(columns))
			for i, c := range columns {
				into[i] = map[string]any{"id": &id, "table": &table, "type": &access, "key": nullText{&used}}[c]
				if into[i] == nil {
					into[i] = new(any)
				}
			}
			if err := rows.Scan(into...); err != nil {
				t.Fatal(err)
			}
			if table == "t" && (access != "eq_ref" && access != "ref" || used != "k") {
				t.Errorf("%s: the table is read by %s with the index %q", kind, access, used)
			}
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			t.Error(err)
		}
	}
}

type nullText struct{ into *string }

func (n nullText) Scan(value any) error {
	*n.into = ""
	if value != nil {
		*n.into = fmt.Sprintf("%s", value)
	}
	return nil
}

// A key that somebody else inserts between look and INSERT is no failed row: it is a row that exists.
func TestAnotherWriterInsertsTheSameKeysIntoMariaDB(t *testing.T) {
	t.Parallel()
	db, _ := mariadbOnly(t)
	meetsNewKeys(t, db)
}

// A row that is longer than the server takes fails, and its neighbours do not; many long ones are several statements.
func TestLongRowsOfMariaDB(t *testing.T) {
	t.Parallel()
	db, f := mariadbOnly(t)
	name := newName()
	if _, err := db.Exec(t.Context(), "CREATE TABLE "+name+" ("+f.id+", k integer UNIQUE, v longtext)"); err != nil {
		t.Fatal(err)
	}
	tg := target(t, db, name, importer.Update, []string{"k"}, []string{"k", "v"})
	rows := [][]column.Value{
		{set("1"), set(strings.Repeat("a", 3<<20))},
		{set("2"), set(strings.Repeat("b", 3<<20))},
		{set("3"), set(strings.Repeat("c", 20<<20))},
		{set("4"), set("d")},
		{set("4"), set(strings.Repeat("e", 20<<20))},
		{set("4"), set("f")},
	}
	results := write(t, db, tg, rows, 6)
	if got := outcomes(results); got != "CCFCFU" {
		t.Errorf("outcomes %s", got)
	}
	if results[2].Message != "The database refused the row (1153)." {
		t.Error(results[2].Message)
	}
	if got := outcomes(write(t, db, tg, [][]column.Value{rows[0], rows[1], rows[5]}, 3)); got != "===" {
		t.Errorf("again: outcomes %s", got)
	}
}

// What a trigger writes into another table can fail at a row of its own, and names it: that is none of the chunk.
func TestTriggersThatWriteElsewhere(t *testing.T) {
	t.Parallel()
	db, f := mariadbOnly(t)
	name := newName()
	execute(t, db, "CREATE TABLE "+name+" ("+f.id+", k integer UNIQUE, a text)", "CREATE TABLE "+name+"_log (a varchar(3), b integer UNIQUE)",
		fmt.Sprintf("CREATE TRIGGER %[1]s_l AFTER INSERT ON %[1]s FOR EACH ROW INSERT INTO %[1]s_log VALUES (NEW.a, NULL)", name),
		fmt.Sprintf("CREATE TRIGGER %[1]s_v AFTER UPDATE ON %[1]s FOR EACH ROW INSERT INTO %[1]s_log VALUES (NEW.a, 1)", name))
	tg := target(t, db, name, importer.Update, []string{"k"}, []string{"k", "a"})
	results := write(t, db, tg, cells(t, tg.Columns, "1,abc", "2,long", "3,abc", "1,x", "3,y", "4,longer"), 100)
	if got := outcomes(results); got != "CFCUFF" {
		t.Errorf("outcomes %s", got)
	}
	if diff := cmp.Diff([]string{"1|x", "3|abc"}, contents(t, db, tg.Table)); diff != "" {
		t.Error(diff)
	}
}

// An UPDATE with a join stores NULL in a NOT NULL column of a table that has a trigger, and says nothing.
func TestNullIsRefusedWhereMariaDBWouldStoreIt(t *testing.T) {
	t.Parallel()
	db, _ := mariadbOnly(t)
	execute(t, db, "CREATE TABLE watched (k integer UNIQUE, v decimal(8,2) NOT NULL)",
		"CREATE TRIGGER watched_t BEFORE UPDATE ON watched FOR EACH ROW IF NEW.v = 13 THEN SIGNAL SQLSTATE '45000'; END IF")
	tg := target(t, db, "watched", importer.Update, []string{"k"}, []string{"k", "v"})
	results := write(t, db, tg, cells(t, tg.Columns, "1,1", "2,1", "3,1", "1,2", "2,NULL", "3,13", "1,NULL", "2,3"), 8)
	if got := outcomes(results); got != "CCCUFFFU" {
		t.Errorf("outcomes %s, want CCCUFFFU", got)
	}
	if diff := cmp.Diff([]string{"1|2.00", "2|3.00", "3|1.00"}, contents(t, db, tg.Table)); diff != "" {
		t.Error(diff)
	}
}
