package integration

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"ingest/integration/rig"
)

var (
	keyRow = regexp.MustCompile("^\\| (`[^|]+) \\|")
	quoted = regexp.MustCompile("`([a-z_.0-9]+)")
)

// TestContractUsesEveryKey: what the tables of docs/importers.md call a key, transform, validator or rule is part of a
// clause.
func TestContractUsesEveryKey(t *testing.T) {
	t.Parallel()
	var used strings.Builder
	for _, clauses := range contract(t) {
		for _, c := range clauses {
			used.WriteString(c.name + "\n" + c.importer + "\n")
		}
	}
	root, err := rig.Root()
	if err != nil {
		t.Fatal(err)
	}
	docs, err := os.ReadFile(filepath.Join(root, "docs", "importers.md"))
	if err != nil {
		t.Fatal(err)
	}
	var section string
	keys := 0
	for line := range strings.Lines(string(docs)) {
		if title, ok := strings.CutPrefix(strings.TrimLeft(line, "#"), " "); ok && strings.HasPrefix(line, "#") {
			section = strings.TrimSpace(title)
		}
		row := keyRow.FindStringSubmatch(line)
		switch section {
		case "Keys", "Fields", "Relations", "Nested lists", "Transforms", "Field validators", "Rules", "Schema":
		default:
			continue
		}
		if row == nil {
			continue
		}
		for _, name := range quoted.FindAllStringSubmatch(row[1], -1) {
			key := name[1][strings.LastIndexByte(name[1], '.')+1:]
			if keys++; !regexp.MustCompile(`\b` + key + `\b`).MatchString(used.String()) {
				t.Errorf("no clause has %s (%s)", key, section)
			}
		}
	}
	if keys < 100 {
		t.Errorf("only %d keys are documented", keys)
	}
}
