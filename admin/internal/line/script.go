package line

import (
	"embed"
	"fmt"
)

// Shells lists the shells there is a script for.
func Shells() []string { return []string{"bash", "zsh", "fish"} }

//go:embed scripts
var scripts embed.FS

// Script is what makes a shell ask `ingest __complete`.
func Script(shell string) (string, error) {
	text, err := scripts.ReadFile("scripts/ingest." + shell)
	if err != nil {
		return "", fmt.Errorf("no completion for the shell %q", shell)
	}
	return string(text), nil
}
