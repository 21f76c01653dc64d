package admin

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ingest/shared/control"
)

func previewed(t *testing.T, got result) control.Preview {
	t.Helper()
	var body struct{ Data control.Preview }
	if err := json.Unmarshal([]byte(got.out), &body); err != nil {
		t.Fatalf("%v in %+v", err, got)
	}
	return body.Data
}

// said is a preview in words: status, and the values or the message.
func said(p control.Preview) (rows []string) {
	for _, r := range p.Rows {
		text := r.Status
		if r.Errors != nil {
			text += " " + r.Errors.Message
		}
		for _, f := range r.Fields {
			if f.Value != nil {
				text += " " + f.Column + "=" + *f.Value
			}
		}
		rows = append(rows, text)
	}
	return rows
}

// TestAPreviewTouchesNothing: no directory, no database, no run, and the types are those that the table would have.
func TestAPreviewTouchesNothing(t *testing.T) {
	t.Parallel()
	dir := installation(t)
	write(t, filepath.Join(dir, "some.csv"), "email,age\na@x, 7 \nb@x,x\nc@x,99999999999999999999\nd@x,1\n")
	for _, environ := range [][]string{nil, unreachable()} {
		got := ingest(t, dir, environ, "preview", "people", "--file", "some.csv", "--rows", "3", "--output", "json")
		p := previewed(t, got)
		want := []string{
			"passed email=a@x age=7", "failed The age field must be an integer.",
			"failed The age field must not be greater than 2147483647. email=c@x",
		}
		if environ != nil {
			want = said(p) // the types are another database's
		}
		if diff := cmp.Diff(want, said(p)); diff != "" || got.code != 0 || p.Types != control.TypesOfCreated || !p.More {
			t.Errorf("%+v\n%s", got, diff)
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 5 {
		t.Errorf("%v: there is %v", err, entries)
	}
	if got := ingest(t, dir, nil, "runs"); got.out != "No ingest runs.\n" {
		t.Errorf("%+v", got)
	}
}

func TestAPreviewKnowsTheRealTable(t *testing.T) {
	t.Parallel()
	dir := installation(t)
	if got := ingest(t, dir, nil, "run", "people", "--quiet"); got.code != 0 {
		t.Fatalf("%+v", got)
	}
	got := ingest(t, dir, nil, "preview", "people")
	want := `Importer    people
File        people.csv
Table       people

Row 1 (line 2): passed
Source  Cell           Column  Value
────────────────────────────────────────────
email   a@example.com  email   a@example.com
age     1              age     1

Row 2 (line 3): passed
Source  Cell           Column  Value
────────────────────────────────────────────
email   b@example.com  email   b@example.com
age     2              age     2
`
	if diff := cmp.Diff(want, got.out); diff != "" || got.code != 0 || got.errors != "" {
		t.Errorf("%+v\n%s", got, diff)
	}
	// What the catalog says counts, not what the definition would make.
	write(t, filepath.Join(dir, "configs/importers/people.yaml"), `
importer: people
source: {path: people.csv}
destination: {table: people}
fields: [{from: email, to: age}]
`)
	p := previewed(t, ingest(t, dir, nil, "preview", "people", "--output", "json", "--rows", "1"))
	if diff := cmp.Diff([]string{"failed The email field must be an integer."}, said(p)); diff != "" || p.Types != control.TypesOfTable {
		t.Errorf("%+v\n%s", p, diff)
	}
}

// TestAPreviewOfALargeFileIsBounded: it reads what it shows, however long the rows.
func TestAPreviewOfALargeFileIsBounded(t *testing.T) {
	t.Parallel()
	dir := installation(t)
	write(t, filepath.Join(dir, "large.csv"), "email,age\n"+strings.Repeat("a@x"+strings.Repeat("y", 1<<20)+",1\n", 12)+"\"never closed")
	got := ingest(t, dir, nil, "preview", "people", "--file", "large.csv", "--output", "json")
	p := previewed(t, got)
	if got.code != 0 || len(p.Rows) < 2 || len(p.Rows) > 5 || !p.More || !strings.Contains(strings.Join(p.Notes, ""), "they are large") {
		t.Errorf("exit %d, %d rows, more: %v, %v, %s", got.code, len(p.Rows), p.More, p.Notes, got.errors)
	}
}

func TestWhatCannotBePreviewed(t *testing.T) {
	t.Parallel()
	dir := installation(t)
	write(t, filepath.Join(dir, "empty.csv"), "")
	write(t, filepath.Join(dir, "other.csv"), "a,b\n1,2\n")
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"people", "--file", "missing.csv"}, 1, "was not found"},
		{[]string{"people", "--file", "other.csv"}, 1, "The key column 'email' or one of its aliases was not found"},
		{[]string{"poeple"}, 1, "No importer found with the slug 'poeple'. Did you mean \"people\"?\n"},
		{[]string{"people", "--param", "a=b"}, 1, "has no parameter 'a'"},
		{[]string{"people", "--rows", "0"}, 2, "--rows is between 1 and 1000"},
		{[]string{"people", "--file", "-"}, 2, "standard input"},
		{[]string{"people", "--file", "bad.csv", "--server", "http://127.0.0.1:1"}, 2, "leave --server out"},
		{[]string{"people", "--server", "http://127.0.0.1:1"}, 1, "cannot be reached"},
		{[]string{"people", "--file", "empty.csv"}, 0, "The source is empty."},
	} {
		got := ingest(t, dir, nil, append([]string{"preview"}, c.args...)...)
		if got.code != c.code || !strings.Contains(got.errors+got.out, c.says) {
			t.Errorf("%v: %+v", c.args, got)
		}
	}
}

// TestAPreviewOfRelationsAndNestedRows: what is looked for and what becomes of lists, without a table being there.
func TestAPreviewOfRelationsAndNestedRows(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "configs/importers/orders.yaml"), ordersYAML)
	write(t, filepath.Join(dir, "orders.csv"), ordersCSV)
	want := `Importer    orders
File        orders.csv
Table       warehouse:shop.orders
Note        The connection 'warehouse' is not configured: types are those that
            create_table gives.
Note        Nothing is looked for in tables: rules and relations that do are
            taken to find what they need.

Row 1 (line 2): passed
Source    Cell  Column       Value
─────────────────────────────────────────────────────────
number    1     number       1
customer  Ann   customer_id  Ann (in shop.customers.name)
tags      a,b   order_tag    a, b (in tags.name)

lines → order_lines: 1 row
#  Source     Cell  Column  Value
─────────────────────────────────
1  lines.sku  x     sku     x
1  lines.qty  2     qty     2

There are more rows.
`
	if got := ingest(t, dir, nil, "preview", "orders", "--rows", "1"); got.code != 0 || got.out != want {
		t.Errorf("%+v\n%s", got, cmp.Diff(want, got.out))
	}
}
