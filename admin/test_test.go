package admin

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ingest/integration/rig"
)

// tests is an importer with a destination that cannot be reached, and a file to test it with.
func tests(t *testing.T) (dir, expected string) {
	t.Helper()
	dir = t.TempDir()
	write(t, filepath.Join(dir, "configs/importers/people.yaml"), `
importer: people
source: {type: upload}
destination: {connection: warehouse, table: shop.people, create_table: false}
key: email
on_duplicate: update
params: {batch: {required: true}}
fields:
  - {from: email, to: email}
  - {from: age, to: age, type: integer}
  - {expr: params.batch, to: batch}
  - {expr: run.started_at, to: seen, type: datetime}
rules:
  age: required|integer
`)
	write(t, filepath.Join(dir, "configs/importers/testdata/people/some.csv"), "email,age\nb@x,2\nc@x,old\na@x,10\n")
	expected = filepath.Join(dir, "configs/importers/testdata/people/some.expected.yaml")
	write(t, expected, `
params: {batch: "7"}
status: completed_with_errors
counts: {total: 3, created: 2, updated: 0, unchanged: 0, skipped: 0, failed: 1}
failed_rows:
  - row_number: 2
    message: The age field must be an integer.
    validation: {age: [The age field must be an integer.]}
tables:
  people:
    - {email: a@x, age: "10", batch: "7", seen: (started)}
    - {email: b@x, age: "2", batch: "7", seen: (started)}
`)
	return dir, expected
}

// unreachable are settings of which nothing may be touched.
func unreachable() []string {
	return []string{
		"INGEST_REDIS_URL=redis://127.0.0.1:1", "INGEST_CONNECTIONS_WAREHOUSE_URL=postgres://nobody@127.0.0.1:1/none",
		"INGEST_CONNECTIONS_DEFAULT_URL=postgres://nobody@127.0.0.1:1/none",
	}
}

// TestATestWithoutItsParameters says where they stand.
func TestATestWithoutItsParameters(t *testing.T) {
	t.Parallel()
	dir, expected := tests(t)
	write(t, expected, "status: completed\n")
	const says = "The parameter 'batch' is required by the importer 'people' (--param batch=…). A test's parameters stand under `params` in some.expected.yaml"
	if got := ingest(t, dir, unreachable(), "test"); got.code != 1 || !strings.Contains(strings.Join(strings.Fields(got.out), " "), says) {
		t.Errorf("%+v", got)
	}
}

func TestAnImporterIsTestedOnAFileOfItsOwn(t *testing.T) {
	t.Parallel()
	dir, expected := tests(t)
	if got := ingest(t, dir, unreachable(), "test"); got.code != 0 || !strings.HasPrefix(got.out, "ok  people  ") || got.errors != "" {
		t.Errorf("%+v", got)
	}
	if got := ingest(t, dir, unreachable(), "check"); !strings.Contains(got.out+got.errors, "people") || strings.Contains(got.out, "some") {
		t.Errorf("test files are taken for importers: %+v", got)
	}
	if _, err := os.Stat(filepath.Join(dir, ".ingest")); err == nil {
		t.Error("a data directory was made")
	}
	text, err := os.ReadFile(expected)
	if err != nil {
		t.Fatal(err)
	}
	write(t, expected, strings.Replace(string(text), `age: "10"`, `age: "11"`, 1))
	differs := ingest(t, dir, unreachable(), "test", "people")
	for _, want := range []string{"differs  people", "  -       age: \"11\"\n  +       age: \"10\"\n"} {
		if differs.code != 1 || !strings.Contains(differs.out, want) {
			t.Errorf("%q is not in %+v", want, differs)
		}
	}
	if got := ingest(t, dir, unreachable(), "test", "--update", "--quiet"); got.code != 0 || got.out+got.errors != "" {
		t.Errorf("%+v", got)
	}
	if got := ingest(t, dir, unreachable(), "test", "people", "--output", "json"); got.code != 0 || !strings.Contains(got.out, `"result": "passed"`) {
		t.Errorf("%+v", got)
	}
}

func TestWhatIsThereBeforeTheTest(t *testing.T) {
	t.Parallel()
	dir := installation(t)
	at := filepath.Join(dir, "configs/importers/testdata/people")
	write(t, filepath.Join(at, "some.csv"), "email,age\na@x,2\n")
	write(t, filepath.Join(at, "some.before.sql"), `
CREATE TABLE teams (id INTEGER PRIMARY KEY, name TEXT UNIQUE);
CREATE TABLE people (id INTEGER PRIMARY KEY, email TEXT UNIQUE, age INTEGER, weight REAL, team INTEGER REFERENCES teams (id));
INSERT INTO teams VALUES (17, 'Red');
INSERT INTO people VALUES (9, 'a@x', 1, 70.1, 17), (10, 'b@x', 1, NULL, NULL);
`)
	if got := ingest(t, dir, nil, "test", "--update"); got.code != 0 || !strings.HasPrefix(got.out, "updated  people") {
		t.Fatalf("%+v", got)
	}
	text, err := os.ReadFile(filepath.Join(at, "some.expected.yaml"))
	want := `tables:
  people:
    - email: a@x
      age: "2"
      weight: "70.1"
      team: Red
    - email: b@x
      age: "1"
`
	if _, tables, _ := strings.Cut(string(text), "tables:"); err != nil || "tables:"+tables != want {
		t.Errorf("%v\n%s", err, text)
	}
}

func TestTestsThatCannotBeMade(t *testing.T) {
	t.Parallel()
	dir := installation(t)
	at := filepath.Join(dir, "configs/importers/testdata")
	if got := ingest(t, dir, nil, "test"); got.code != 0 || !strings.Contains(got.out, "none  people  no test files in configs/importers/testdata/people") {
		t.Errorf("%+v", got)
	}
	if got := ingest(t, dir, nil, "test", "poeple"); got.code != 1 || !strings.Contains(got.errors, `did you mean "people"?`) &&
		!strings.Contains(got.errors, `Did you mean "people"?`) {
		t.Errorf("%+v", got)
	}
	if got := ingest(t, dir, nil, "test", "--server", "http://127.0.0.1:1"); got.code != 2 {
		t.Errorf("%+v", got)
	}
	write(t, filepath.Join(at, "people/some.csv"), "email,age\na@x,2\n")
	write(t, filepath.Join(at, "poeple/some.csv"), "email,age\na@x,2\n")
	got := ingest(t, dir, nil, "test")
	if got.code != 1 || !strings.HasPrefix(got.out, "new  people") || !strings.Contains(got.out, "  + status: completed\n") ||
		!strings.Contains(got.errors, "poeple belongs to no importer") {
		t.Errorf("%+v", got)
	}
	write(t, filepath.Join(at, "people/some.before.sql"), "CREATE TABEL x")
	if got := ingest(t, dir, nil, "test", "people"); got.code != 1 || !strings.Contains(got.out, "some.before.sql: The database refused") {
		t.Errorf("%+v", got)
	}
}

// TestTheDemoIsAsExpected runs the test files that are shipped.
func TestTheDemoIsAsExpected(t *testing.T) {
	t.Parallel()
	root, err := rig.Root()
	if err != nil {
		t.Fatal(err)
	}
	got := ingest(t, t.TempDir(), nil, "--config", filepath.Join(root, "configs/demo/ingest.yaml"), "test", "countries")
	if got.code != 0 || !strings.HasPrefix(got.out, "ok  countries") {
		t.Errorf("%+v", got)
	}
}

// TestRowsAreToldByTheirKeys: numbers that the database gives are in no outcome; who refers to one shows whose it is.
func TestRowsAreToldByTheirKeys(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "configs/importers/orders.yaml"), ordersYAML)
	at := filepath.Join(dir, "configs/importers/testdata/orders")
	write(t, filepath.Join(at, "some.csv"), ordersCSV)
	write(t, filepath.Join(at, "some.before.sql"), "CREATE TABLE shops (name TEXT PRIMARY KEY); INSERT INTO shops VALUES ('S');")
	if got := ingest(t, dir, unreachable(), "test", "--update"); got.code != 0 {
		t.Fatalf("%+v", got)
	}
	text, err := os.ReadFile(filepath.Join(at, "some.expected.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	want := `failed_rows:
  - row_number: 3
    message: The selected shop is invalid.
    validation:
      shop:
        - The selected shop is invalid.
tables:
  customers:
    - name: Ann
    - name: Bob
  order_lines:
    - sku: x
      qty: "2"
      order_id: "1"
    - sku: x
      qty: "1"
      order_id: "2"
    - sku: "y"
      qty: "3"
      order_id: "2"
  order_tag:
    - order_id: "1"
      tag_id: a
    - order_id: "1"
      tag_id: b
    - order_id: "2"
      tag_id: b
  orders:
    - number: "1"
      customer_id: Ann
    - number: "2"
      customer_id: Bob
  tags:
    - name: a
    - name: b
`
	_, got, _ := strings.Cut(string(text), "failed_rows:")
	if diff := cmp.Diff(want, "failed_rows:"+got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

const ordersYAML = `
importer: orders
source: {path: orders.csv}
destination: {connection: warehouse, table: shop.orders}
key: number
fields: [{from: number, to: number}]
relations:
  - {from: customer, to: customer_id, table: shop.customers, match: name, create_if_missing: true}
  - {from: tags, many: {table: tags, match: name, pivot: order_tag}, create_if_missing: true}
nested:
  - {from: lines, table: order_lines, parent: order_id, key: [sku], fields: [{from: sku, to: sku}, {from: qty, to: qty, type: integer}]}
rules: {shop: "exists:shop.shops,name"}
`

const ordersCSV = `shop,number,customer,tags,lines
S,1,Ann,"a,b","[{""sku"":""x"",""qty"":2}]"
S,2,Bob,b,"[{""sku"":""x"",""qty"":1},{""sku"":""y"",""qty"":3}]"
T,3,Bob,b,
`
