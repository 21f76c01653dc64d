package pipeline_test

import (
	"encoding/csv"
	"os"
	"regexp"
	"strings"
	"testing"
)

// fences are a definition, a file and what becomes of its rows, one after the other in docs/importers.md.
var fences = regexp.MustCompile("(?s)```yaml\n([^`]*)```\n\n```csv\n([^`]*)```\n\n```text\n([^`]*)```\n")

func TestExamplesOfTheDocumentation(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/importers.md")
	if err != nil {
		t.Fatal(err)
	}
	examples := fences.FindAllStringSubmatch(string(text), -1)
	if len(examples) < 5 {
		t.Fatalf("only %d examples were found", len(examples))
	}
	for _, e := range examples {
		records, err := csv.NewReader(strings.NewReader(e[2])).ReadAll()
		if err != nil {
			t.Fatalf("%s: %v", e[2], err)
		}
		p := from(t, e[1], records[0])
		want := strings.Split(strings.TrimSpace(e[3]), "\n")
		if len(want) != len(records)-1 {
			t.Errorf("%d rows, %d outcomes:\n%s", len(records)-1, len(want), e[0])
			continue
		}
		for i, cells := range records[1:] {
			got := outcome(p, cells...)
			if got == "" {
				got = "(nothing)"
			}
			if got != want[i] {
				t.Errorf("row %d of\n%s\ngot  %s\nwant %s", i+1, e[1], got, want[i])
			}
		}
	}
}
