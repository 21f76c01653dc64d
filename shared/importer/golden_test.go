package importer_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ingest/shared/importer"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// knowing stands for the pipeline: it accepts what these tests use and refuses the name nope.
func knowing() importer.Checks {
	return importer.Checks{
		Rule: func(r importer.Rule) error {
			if r.Name == "nope" || (r.Name == "between" && len(r.Args) != 2) {
				return fmt.Errorf("rule %s with %d arguments is refused", r.Name, len(r.Args))
			}
			return nil
		},
		Validator: func(v importer.Validator) error {
			if v.Name == "nope" {
				return fmt.Errorf("validator %s is refused", v.Name)
			}
			return nil
		},
		RuleName: func(name string) error {
			if name == "nope" {
				return fmt.Errorf("rule name %s is refused", name)
			}
			return nil
		},
		Transform: func(t importer.Transform) error {
			if t.Name == "nope" {
				return fmt.Errorf("transform %s is refused", t.Name)
			}
			return nil
		},
	}
}

func TestProblemsOfBrokenDefinitions(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no definitions to test: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			_, problems := importer.Parse(filepath.Base(file), text, knowing())
			if problems == nil {
				t.Fatal("no problems")
			}
			got := problems.Error() + "\n"
			golden := strings.TrimSuffix(file, ".yaml") + ".golden"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}
