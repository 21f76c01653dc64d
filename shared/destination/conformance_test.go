package destination

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ingest/shared/chunk"
	"ingest/shared/column"
	"ingest/shared/database"
	"ingest/shared/importer"
)

// scenario is a chunk against a table that holds rows already. T and T_x stand for the table's name.
type scenario struct {
	name     string
	create   []string
	key      []string
	columns  []string
	strategy importer.OnDuplicate
	seed     []string
	rows     []string
	outcomes string
	contents []string
	failed   []Result // of failed rows
}

const plain = "CREATE TABLE T (ID, k integer UNIQUE, a text, b integer DEFAULT 7)"

// loose has no unique index over k; twice are rows of it that others wrote.
const loose = "CREATE TABLE T (ID, k integer, a text, b integer DEFAULT 7)"

var twice = []string{"1,one,1", "1,uno,1", "1,eins,2", "2,two,2", "2,two,2", "4,four,4", "4,four,4"}

func failure(message string, fields ...chunk.FieldMessage) Result {
	return Result{Outcome: Failed, Message: message, Fields: fields}
}

func under(source, message string) Result {
	return failure(message, chunk.FieldMessage{Column: source, Messages: []string{message}})
}

func scenarios(f features) []scenario {
	kab := []string{"k", "a", "b"}
	seed := []string{"1,one,1", "2,two,2"}
	repeated := []string{"1,one,1", "2,zwei,2", "3,three,3", "3,drei,3", "NULL,none,0", "NULL,none,0"}
	all := []scenario{
		{
			name: "skip keeps the record", create: []string{plain}, key: []string{"k"}, columns: kab, strategy: importer.Skip, seed: seed,
			rows: repeated, outcomes: "SSCSCC", contents: []string{"1|one|1", "2|two|2", "3|three|3", "<null>|none|0", "<null>|none|0"},
		},
		{
			name: "update overwrites what differs", create: []string{plain}, key: []string{"k"}, columns: kab, strategy: importer.Update, seed: seed,
			rows: repeated, outcomes: "=UCUCC", contents: []string{"1|one|1", "2|zwei|2", "3|drei|3", "<null>|none|0", "<null>|none|0"},
		},
		{
			name: "upsert has the effect of update", create: []string{plain}, key: []string{"k"}, columns: kab, strategy: importer.Upsert, seed: seed,
			rows: repeated, outcomes: "=UCUCC", contents: []string{"1|one|1", "2|zwei|2", "3|drei|3", "<null>|none|0", "<null>|none|0"},
		},
		{
			name: "fail refuses the record", create: []string{plain}, key: []string{"k"}, columns: kab, strategy: importer.Fail, seed: seed,
			rows: repeated, outcomes: "FFCFCC", contents: []string{"1|one|1", "2|two|2", "3|three|3", "<null>|none|0", "<null>|none|0"},
			failed: slices.Repeat([]Result{failure("Duplicate entry found for key 'k'.")}, 3),
		},
		{
			name: "there and back again is two updates", create: []string{plain}, key: []string{"k"}, columns: kab, strategy: importer.Update, seed: seed,
			rows: []string{"1,other,1", "1,one,1", "1,one,1"}, outcomes: "UU=", contents: []string{"1|one|1", "2|two|2"},
		},
		{
			name: "absent columns get the default and are not overwritten", create: []string{plain}, key: []string{"k"}, columns: kab, strategy: importer.Update, seed: seed,
			rows:     []string{"1,uno,-", "2,-,-", "3,-,NULL", "4,four,-", "4,-,9", "-,x,1"},
			outcomes: "U=CCUC", contents: []string{"1|uno|1", "2|two|2", "3|<null>|<null>", "4|four|9", "<null>|x|1"},
		},
		{
			name: "a case is a change", create: []string{plain}, key: []string{"k"}, columns: kab, strategy: importer.Update, seed: seed,
			rows: []string{"1,ONE,1"}, outcomes: "U", contents: []string{"1|ONE|1", "2|two|2"},
		},
		{
			name: "without a key every row is inserted", create: []string{"CREATE TABLE T (ID, a text)"}, columns: []string{"a"}, strategy: importer.Skip,
			rows: []string{"x", "x", "NULL", "-"}, outcomes: "CCCC", contents: []string{"x", "x", "<null>", "<null>"},
		},
		{
			name: "without a unique index all rows with the key are updated, for one outcome", create: []string{loose}, key: []string{"k"}, columns: kab, strategy: importer.Update,
			seed: twice, rows: []string{"1,one,1", "1,one,1", "2,zwei,2", "2,zwei,2", "3,three,3", "3,drei,3", "NULL,none,0", "4,four,4"}, outcomes: "U=U=CUC=",
			contents: []string{"1|one|1", "1|one|1", "1|one|1", "2|zwei|2", "2|zwei|2", "3|drei|3", "<null>|none|0", "4|four|4", "4|four|4"},
		},
		{
			name: "without a unique index skip keeps all of them", create: []string{loose}, key: []string{"k"}, columns: kab, strategy: importer.Skip,
			seed: twice, rows: []string{"1,x,1", "3,three,3", "3,drei,3"}, outcomes: "SCS",
			contents: []string{"1|one|1", "1|uno|1", "1|eins|2", "2|two|2", "2|two|2", "3|three|3", "4|four|4", "4|four|4"},
		},
		{
			name: "without a unique index fail refuses once", create: []string{loose}, key: []string{"k"}, columns: kab, strategy: importer.Fail,
			seed: twice, rows: []string{"1,x,1", "3,three,3"}, outcomes: "FC",
			contents: []string{"1|one|1", "1|uno|1", "1|eins|2", "2|two|2", "2|two|2", "3|three|3", "4|four|4", "4|four|4"},
			failed:   []Result{failure("Duplicate entry found for key 'k'.")},
		},
		{
			name: "of several rows with a key another unique index may refuse an occurrence and not the next", create: []string{loose, "CREATE UNIQUE INDEX T_i ON T (k, a)"},
			key: []string{"k"}, columns: kab, strategy: importer.Update, seed: []string{"1,one,1", "1,uno,1"}, rows: []string{"1,x,2", "1,NULL,2", "1,one,1"}, outcomes: "FUF",
			contents: []string{"1|<null>|2", "1|<null>|2"}, failed: slices.Repeat([]Result{under("K", "The k, a has already been taken.")}, 2),
		},
		{
			name: "nothing but the key", create: []string{plain}, key: []string{"k"}, columns: []string{"k"}, strategy: importer.Update,
			rows: []string{"1", "1", "2"}, outcomes: "C=C", contents: []string{"1|<null>|7", "2|<null>|7"},
		},
		{
			name: "composite key in another order than the index", create: []string{"CREATE TABLE T (ID, s text, n integer, v text, UNIQUE (s, n))"}, key: []string{"n", "s"},
			columns: []string{"n", "s", "v"}, strategy: importer.Update, seed: []string{"1,a,x", "1,b,x"},
			rows: []string{"1,a,y", "1,b,x", "2,a,x", "NULL,a,x", "NULL,a,x"}, outcomes: "U=CCC",
			contents: []string{"a|1|y", "b|1|x", "a|2|x", "a|<null>|x", "a|<null>|x"},
		},
		{
			name: "a second unique index sees rows in file order", create: []string{"CREATE TABLE T (ID, k integer UNIQUE, email_address text UNIQUE)"}, key: []string{"k"},
			columns: []string{"k", "email_address"}, strategy: importer.Update, seed: []string{"1,a", "2,b"},
			rows: []string{"1,b", "3,a", "1,c", "3,a", "2,a", "3,d", "2,a"}, outcomes: "FFUCFUU",
			contents: []string{"1|c", "2|a", "3|d"},
			failed:   slices.Repeat([]Result{under("EMAIL_ADDRESS", "The email address has already been taken.")}, 3),
		},
		{
			name: "a CHECK", create: []string{"CREATE TABLE T (ID, k integer UNIQUE, a text, b integer, CONSTRAINT price_positive CHECK (b > 0))"}, key: []string{"k"}, columns: kab,
			strategy: importer.Update, seed: seed, rows: []string{"1,x,0", "3,x,0", "3,x,1", "4,x,1", "4,x,0", "2,y,3"}, outcomes: "FFCCFU",
			contents: []string{"1|one|1", "2|y|3", "3|x|1", "4|x|1"}, failed: slices.Repeat([]Result{failure("The row violates 'price_positive'.")}, 3),
		},
		{
			name: "a foreign key", create: []string{
				"CREATE TABLE T_p (id integer PRIMARY KEY)", "INSERT INTO T_p VALUES (1), (2)",
				"CREATE TABLE T (ID, k integer UNIQUE, a text, b integer REFERENCES T_p(id))",
			}, key: []string{"k"}, columns: kab, strategy: importer.Update, seed: seed,
			rows: []string{"1,x,3", "3,x,3", "3,x,1", "2,y,1"}, outcomes: "FFCU", contents: []string{"1|one|1", "2|y|1", "3|x|1"},
			failed: slices.Repeat([]Result{under("B", f.foreign)}, 2),
		},
		{
			name: "a parent in the same table must come before its child", create: []string{"CREATE TABLE T (ID, k integer UNIQUE, b integer REFERENCES T(k))"}, key: []string{"k"},
			columns: []string{"k", "b"}, strategy: importer.Update, rows: []string{"1,2", "2,2", "3,4", "4,3", "1,2"}, outcomes: "FCFFC", contents: []string{"1|2", "2|2"},
			failed: slices.Repeat([]Result{under("B", f.foreign)}, 3),
		},
		{
			name: "a trigger", create: append([]string{plain}, f.trigger("T")...), key: []string{"k"}, columns: kab, strategy: importer.Update, seed: seed,
			rows: []string{"1,bad,1", "3,bad,1", "4,good,1"}, outcomes: "FFC", contents: []string{"1|one|1", "2|two|2", "4|good|1"},
			failed: slices.Repeat([]Result{failure(f.refused)}, 2),
		},
		{
			name: "a required column", create: []string{"CREATE TABLE T (ID, k integer UNIQUE, unit_price integer NOT NULL)"}, key: []string{"k"}, columns: []string{"k", "unit_price"},
			strategy: importer.Update, seed: []string{"1,1"}, rows: []string{"1,NULL", "1,-", "2,-", "2,5"}, outcomes: "F=FC", contents: []string{"1|1", "2|5"},
			failed: slices.Repeat([]Result{under("UNIT_PRICE", "The unit price field is required.")}, 2),
		},
	}
	if f.whole {
		return all
	}
	return append(all, []scenario{
		{
			name: "a trigger that leaves rows out", create: append([]string{plain}, f.trigger("T")...), key: []string{"k"}, columns: kab, strategy: importer.Update, seed: seed,
			rows:     []string{"1,hush,1", "3,hush,1", "4,good,1", "5,bad,1", "3,good,1", "4,hush,1", "6,hush,1"},
			outcomes: "SSCFCSS", contents: []string{"1|one|1", "2|two|2", "3|good|1", "4|good|1"}, failed: []Result{failure(f.refused)},
		},
		{
			name: "rows are left out where every row is inserted", create: append([]string{plain}, f.trigger("T")...), columns: []string{"a", "b"},
			rows: []string{"hush,1", "x,1", "hush,2"}, outcomes: "SCS", contents: []string{"<null>|x|1"},
		},
	}...)
}

var placeholder = regexp.MustCompile(`\bT(_[a-z])?\b`)

// named puts a table's name in the place of T.
func named(statement, name string) string { return placeholder.ReplaceAllString(statement, name+"$1") }

func TestScenarios(t *testing.T) {
	t.Parallel()
	forEach(t, func(t *testing.T, f features, db *database.DB) {
		for _, s := range scenarios(f) {
			for _, size := range []int{1, 2, 100} {
				s.check(t, f, db, size)
			}
		}
	})
}

func (s scenario) check(t *testing.T, f features, db *database.DB, size int) {
	t.Helper()
	name := newName()
	for _, statement := range s.create {
		statement = strings.ReplaceAll(statement, "ID,", f.id+",")
		execute(t, db, named(statement, name))
	}
	tg := target(t, db, name, s.strategy, s.key, s.columns)
	tg.NoUniqueIndex = s.create[0] == loose
	seeded := tg
	seeded.Key = nil // as somebody else did
	if got := outcomes(write(t, db, seeded, cells(t, tg.Columns, s.seed...), 100)); strings.Trim(got, "C") != "" {
		t.Errorf("%s: seed: %s", s.name, got)
	}
	results := write(t, db, tg, cells(t, tg.Columns, s.rows...), size)
	if got := outcomes(results); got != s.outcomes {
		t.Errorf("%s, chunk size %d: outcomes %s, want %s", s.name, size, got, s.outcomes)
	}
	failed := slices.DeleteFunc(slices.Clone(results), func(r Result) bool { return r.Outcome != Failed })
	if diff := cmp.Diff(s.failed, failed); diff != "" && len(s.failed)+len(failed) > 0 {
		t.Errorf("%s, chunk size %d: failed rows (-want +got):\n%s", s.name, size, diff)
	}
	want := slices.Clone(s.contents)
	slices.Sort(want)
	if diff := cmp.Diff(want, contents(t, db, tg.Table)); diff != "" {
		t.Errorf("%s, chunk size %d: table (-want +got):\n%s", s.name, size, diff)
	}
}

// Every type that create_table knows, written, found unchanged and changed.
func TestTypes(t *testing.T) {
	t.Parallel()
	fields := []string{"text", "integer", "bigint", "decimal(10,2)", "float", "boolean", "date", "datetime", "json", "uuid"}
	first := []string{"käse\t\\N", "-5", "9007199254740993", "1.1", "0.1", "true", "2024-02-29", "2024-02-29T23:59:59.5+02:00", `{"a": [1, 2]}`, "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11"}
	second := []string{"kase", "5", "9007199254740994", "1.11", "0.2", "false", "2024-03-01", "2024-02-29T23:59:59", `{"a": []}`, "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a12"}
	forEach(t, func(t *testing.T, _ features, db *database.DB) {
		yes := true
		d := importer.Definition{
			Key: []string{"k"}, Destination: importer.Destination{Table: newName(), CreateTable: &yes},
			Fields: []importer.Field{{From: []string{"k"}, To: "k", Type: "text"}},
		}
		columns := []string{"k"}
		for _, name := range fields {
			column := "c_" + strings.Trim(strings.ReplaceAll(name, "(10,2)", ""), " ")
			columns = append(columns, column)
			d.Fields = append(d.Fields, importer.Field{From: []string{column}, To: column, Type: name})
		}
		if err := Create(t.Context(), db, d); err != nil {
			t.Fatal(err)
		}
		tg := target(t, db, d.Destination.Table, importer.Update, []string{"k"}, columns)
		row := func(texts []string) (values []column.Value) {
			for i, text := range append([]string{"x"}, texts...) {
				values = append(values, cell(t, tg.Columns[i], text))
			}
			return values
		}
		rows := [][]column.Value{row(first), row(first), row(second), row(second)}
		for i := range fields { // each single change is seen
			changed := slices.Clone(second)
			changed[i] = first[i]
			rows = append(rows, row(changed), row(second))
		}
		want := "C=U=" + strings.Repeat("UU", len(fields))
		for _, size := range []int{1, 100} {
			if got := outcomes(write(t, db, tg, rows, size)); got != want {
				t.Errorf("chunk size %d: outcomes %s, want %s", size, got, want)
			}
			want = "U=U=" + strings.Repeat("UU", len(fields))
		}
	})
}
