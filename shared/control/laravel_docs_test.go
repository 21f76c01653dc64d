package control_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"ingest/shared/extend"
	"ingest/shared/importer"
	"ingest/shared/pipeline"
)

// TestTheLaravelPageSaysWhatIsTrue reads its importer, and every piece of YAML that stands for a transformer, a validator
// or a method, as a part of one.
func TestTheLaravelPageSaysWhatIsTrue(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/laravel.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(text)
	read := func(what, definition string) {
		if _, err := importer.Parse("page.yaml", []byte(definition), pipeline.Checks(extend.Extensions{})); err != nil {
			t.Errorf("%s: %v\n%s", what, err, definition)
		}
	}
	whole := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindStringSubmatch(page)
	if whole == nil {
		t.Fatal("the page has no importer")
	}
	read("the importer", whole[1])
	const head, fields = "importer: x\nsource: {type: upload}\ndestination: {table: t}\nkey: k\n", "fields: [{from: k, to: k}]\n"
	pieces := 0
	for _, row := range regexp.MustCompile("(?m)^\\| `[^|]*\\| (.*) \\|$").FindAllStringSubmatch(page, -1) {
		for _, piece := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(row[1], -1) {
			yaml := piece[1]
			name, _, _ := strings.Cut(strings.TrimPrefix(yaml, "{"), ":")
			switch {
			case strings.Contains(yaml, "…") || !strings.Contains(yaml, ":"):
				continue // not the whole of it
			case strings.HasPrefix(yaml, "{from: ") || strings.HasPrefix(yaml, "{to: "):
				read(row[0], head+"fields: [{from: k, to: k}, "+yaml+"]\n")
			case strings.HasPrefix(yaml, "{"):
				read(row[0], head+"fields: [{from: k, to: k, transform: ["+yaml+"]}]\n")
			case strings.HasPrefix(yaml, "validate:"):
				read(row[0], head+"fields:\n  - from: k\n    to: k\n    "+yaml+"\n")
			case name == "destination" || name == "key" || name == "use":
				continue // shown by others
			case name == "compare":
				read(row[0], head+fields+"on_duplicate: update_if_newer\n"+yaml+"\n")
			case regexp.MustCompile(`^[a-z_]+$`).MatchString(name) && name != "timestamps":
				read(row[0], head+fields+yaml+"\n")
			default:
				continue
			}
			pieces++
		}
	}
	if pieces < 25 {
		t.Errorf("only %d pieces were read", pieces)
	}
}
