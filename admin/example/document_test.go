package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestTheDocumentShowsTheExample: what docs/extending.md quotes is what is built and run.
func TestTheDocumentShowsTheExample(t *testing.T) {
	t.Parallel()
	document, err := os.ReadFile(filepath.Join("..", "..", "docs", "extending.md"))
	if err != nil {
		t.Fatal(err)
	}
	for language, file := range map[string]string{"go": "main.go", "yaml": "payments.yaml"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		_, block, found := strings.Cut(string(document), "```"+language+"\n")
		block, _, closed := strings.Cut(block, "```")
		if !found || !closed || !strings.Contains(string(text), block) {
			t.Errorf("the %s block of docs/extending.md is not in %s:\n%s", language, file, block)
		}
	}
}
