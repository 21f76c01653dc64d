package api

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write what the tests expect")

// TestTheDocumentNamesEveryRoute of the API, and no other.
func TestTheDocumentNamesEveryRoute(t *testing.T) {
	t.Parallel()
	const path = "../../../docs/api.md"
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	table := regexp.MustCompile(`(?s)(<!-- routes[^\n]*\n\|[^\n]*\n\|[^\n]*\n)(.*?)(<!-- end of routes -->)`)
	if !table.Match(text) {
		t.Fatal("the table of the routes is not there")
	}
	var rows strings.Builder
	for _, r := range (&API{}).routes() {
		role, path := string(r.role), "`"+pathParameter.ReplaceAllString(r.path, "{$1}")+"`"
		if r.role == open {
			role = "–"
		}
		if r.root {
			path += " (of the server)"
		}
		fmt.Fprintf(&rows, "| %s | %s | %s | %s |\n", r.method, path, role, r.doc.summary)
	}
	want := table.ReplaceAllString(string(text), "${1}"+strings.ReplaceAll(rows.String(), "$", "$$")+"${3}")
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if want != string(text) {
		t.Errorf("docs/api.md is behind the routes: go test ./coordinator/internal/api -run Document -update")
	}
}
