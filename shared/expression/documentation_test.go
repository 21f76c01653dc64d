package expression_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"ingest/shared/column"
	"ingest/shared/expression"
)

// example is a line of the tables in docs/importers.md: an expression and what it gives.
var example = regexp.MustCompile("(?m)^\\| `(.+)` \\| `(.*)` \\|$")

func TestExamplesOfTheDocumentation(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/importers.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "\n## Expressions\n")
	section, _, _ = strings.Cut(section, "\n## ")
	row := map[string]string{
		"price": "12.50", "qty": "3", "name": " Ärmel ", "tags": "red, blue", "json": `{"a":[1,2]}`, "value": "1999",
	}
	examples := example.FindAllStringSubmatch(section, -1)
	for _, e := range examples {
		got, problem := eval(t, strings.ReplaceAll(e[1], `\|`, "|"), row)
		if got.State == column.Null {
			got.Text = "NULL"
		}
		if problem != "" || got.Text != e[2] {
			t.Errorf("%s: got %q (%s), documented is %q", e[1], got.Text, problem, e[2])
		}
	}
	for _, name := range expression.Functions() {
		if !regexp.MustCompile("`[^`\n]*\\b" + name + `\(`).MatchString(section) {
			t.Errorf("the function %s has no example", name)
		}
	}
	if len(examples) < len(expression.Functions()) {
		t.Errorf("only %d examples were found", len(examples))
	}
}
