package integration

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"ingest/integration/rig"
)

// block returns the first fenced block of a language behind a heading.
func block(t *testing.T, text, heading, language string) string {
	t.Helper()
	_, rest, found := strings.Cut(text, "\n## "+heading+"\n")
	if !found {
		t.Fatalf("README.md has no heading %q", heading)
	}
	_, rest, found = strings.Cut(rest, "```"+language+"\n")
	body, _, closed := strings.Cut(rest, "```")
	if !found || !closed {
		t.Fatalf("README.md has no %s block behind %q", language, heading)
	}
	return body
}

// TestTheReadme: its importer, its commands and its curl lines do what it says, as they stand there.
func TestTheReadme(t *testing.T) {
	t.Parallel()
	root, err := rig.Root()
	if err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	sys := rig.NewSystem(t, rig.SystemOptions{
		Importers: map[string]string{"people.yaml": block(t, string(readme), "Your first import", "yaml")},
	})
	sys.Write("people.csv", "Name,E-Mail,Born\nAda,ada@example.org,1815-12-10\nBob,,\n Cy ,CY@example.org,1950-01-01\n")
	sys.Must(0, "check", "people")
	sys.Must(0, "preview", "people")
	sys.Must(3, "run", "people", "--dry-run")
	sys.Must(3, "run", "people")
	sys.Must(0, "explain", "2", "--row", "2")
	up := sys.Start("up")
	lines := strings.ReplaceAll(block(t, string(readme), "The API", "sh"), "localhost:8080", up.API().Address)
	var api, run string
	for _, line := range strings.Split(strings.TrimSpace(lines), "\n") {
		if !strings.HasPrefix(line, "curl ") {
			api += line + "\n"
			continue
		}
		command := exec.Command("bash", "-euc", api+strings.Replace(line, "curl ", "curl --fail-with-body -sS ", 1))
		command.Dir = sys.Dir
		var stderr strings.Builder
		command.Stderr = &stderr
		answer, err := command.Output()
		if err != nil {
			t.Fatalf("%s: %v\n%s%s", line, err, answer, stderr.String())
		}
		if strings.Contains(line, "/upload/") {
			run = string(answer)
			if status := sys.Await(3, patience).Status; status != "completed_with_errors" {
				t.Errorf("the uploaded file is %s", status)
			}
		}
	}
	var body struct{ Data rig.Run }
	if err := json.Unmarshal([]byte(run), &body); err != nil || body.Data.ID != 3 {
		t.Errorf("the upload answered %s (%v)", run, err)
	}
	failed, err := os.ReadFile(filepath.Join(sys.Dir, "failed.csv"))
	if err != nil || !regexp.MustCompile(`(?m)^Bob,,,The e-mail field is required\.,2$`).Match(failed) {
		t.Errorf("the downloaded file: %v\n%s", err, failed)
	}
	if code := up.Term(); code != 0 {
		t.Errorf("up ended with %d", code)
	}
}
