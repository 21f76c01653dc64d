package pipeline_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"ingest/shared/column"
	"ingest/shared/importer"
	"ingest/shared/pipeline"
	"ingest/shared/row"
)

// table returns the rows of docs/importers.md below a header, without the quotes of code.
func table(t *testing.T, header string) [][]string {
	t.Helper()
	text, err := os.ReadFile("../../docs/importers.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(text), "\n"+header+"\n")
	if !ok {
		t.Fatalf("docs/importers.md has no table %s", header)
	}
	var rows [][]string
	for _, line := range strings.Split(rest, "\n")[1:] {
		if !strings.HasPrefix(line, "|") {
			break
		}
		var row []string
		for _, cell := range strings.Split(strings.Trim(line, "|"), " | ") {
			cell = strings.TrimSuffix(strings.TrimPrefix(cell, " "), " ")
			if strings.HasPrefix(cell, "`") {
				cell = strings.ReplaceAll(strings.Trim(cell, "`"), `\|`, "|")
			}
			row = append(row, cell)
		}
		rows = append(rows, row)
	}
	return rows
}

// program compiles a definition of the columns A and B as `check` would read it.
func program(t *testing.T, lines string) *pipeline.Program {
	t.Helper()
	d, err := importer.Parse("docs.yaml", []byte("importer: docs\ndestination: {table: products}\n"+lines), checks())
	if err != nil {
		t.Fatal(err)
	}
	table := productTable()
	table.Columns[4].NotNull = false
	users := column.Table{Name: "users", Columns: []column.Column{{Name: "email", Type: column.Type{Kind: column.Text, Native: "text"}}}}
	p, err := pipeline.Compile(d, pipeline.Setting{
		Header: []string{"A", "B"}, Table: table, Tables: map[string]column.Table{"users": users},
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// users answers for the table of the examples.
func users(_ int, value string) bool { return value == "ann@example.com" }

// cells are those of A and B, as the examples of rules write them.
func cells(written string) []string {
	a, b, _ := strings.Cut(written, ";")
	return []string{a, strings.TrimSpace(b)}
}

// whole says that the examples have every name of the language, by the error for a name that it lacks.
func whole(t *testing.T, err error, rows [][]string) {
	t.Helper()
	_, list, _ := strings.Cut(err.Error(), "; there are ")
	names := strings.Split(list, ", ")
	if len(names) < 5 {
		t.Fatal(err)
	}
	for _, name := range names {
		word := regexp.MustCompile(`(^|[|{])` + name + `\b`)
		if !slices.ContainsFunc(rows, func(row []string) bool { return word.MatchString(row[0]) }) {
			t.Errorf("docs/importers.md has no example of %s", name)
		}
	}
}

func TestDocumentedTransforms(t *testing.T) {
	t.Parallel()
	rows := table(t, "| transform | cell | becomes |")
	whole(t, checks().Transform(named("no such transform")), rows)
	for _, row := range rows {
		p := program(t, "fields: [{from: A, to: sku, transform: ["+row[0]+"]}, {from: B, to: name}]")
		got := "NULL"
		if values, failure := apply(p, row[1], "b"); failure != nil {
			got = failure.Message
		} else if values[0] != null() {
			got = values[0].Text
		}
		if got != row[2] {
			t.Errorf("%s of %q: got %s, want %s", row[0], row[1], got, row[2])
		}
	}
}

func TestDocumentedRules(t *testing.T) {
	t.Parallel()
	rows := table(t, "| rules of A | good | bad | message |")
	whole(t, checks().Rule(rule("no such rule")), rows)
	for _, row := range rows {
		p := program(t, "fields: [{from: A, to: sku}, {from: B, to: name}]\nrules:\n  A: '"+strings.ReplaceAll(row[0], "'", "''")+"'")
		example(t, p, row)
	}
}

func TestDocumentedValidators(t *testing.T) {
	t.Parallel()
	rows := table(t, "| validate | good | bad | message |")
	whole(t, checks().Validator(validator("no such validator", nil)), rows)
	for _, row := range rows {
		example(t, program(t, "fields: [{from: A, to: sku, validate: ["+row[0]+"]}]"), row)
	}
}

func example(t *testing.T, p *pipeline.Program, said []string) {
	t.Helper()
	if failure := p.Apply(row.Row{Cells: cells(said[1])}, users, room(p)); failure != nil {
		t.Errorf("%s: %q: %s", said[0], said[1], failure.Message)
	}
	if failure := p.Apply(row.Row{Cells: cells(said[2])}, users, room(p)); failure == nil || failure.Message != said[3] {
		t.Errorf("%s: %q: got %+v, want %s", said[0], said[2], failure, said[3])
	}
}

// TestDocumentedMessages runs the example of own messages.
func TestDocumentedMessages(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/importers.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "### Messages\n\n```yaml\n")
	yaml, _, ok := strings.Cut(rest, "```")
	if !ok {
		t.Fatal("docs/importers.md has no example of messages")
	}
	d, err := importer.Parse("docs.yaml", []byte("importer: docs\ndestination: {table: products}\n"+
		"fields: [{from: E-Mail, to: sku}, {from: Price, to: name}]\nrules: {E-Mail: required|email, Price: numeric|min:5}\n"+yaml),
		checks())
	if err != nil {
		t.Fatal(err)
	}
	p := compile(t, d, []string{"E-Mail", "Price"}, productTable())
	for cell, want := range map[string]string{
		"":  "Please fill in e-mail address. (and 1 more error)",
		"x": "The e-mail address field must be a valid email address. (and 1 more error)",
	} {
		_, failure := apply(p, cell, "1")
		if failure == nil || failure.Message != want || failure.Fields[1].Messages[0] != "A price is at least 5." {
			t.Errorf("got %+v, want %s", failure, want)
		}
	}
}
