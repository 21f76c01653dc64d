package pipeline

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

func sortedNames[V any](table map[string]V) []string { return slices.Sorted(maps.Keys(table)) }

// unknown is the error for a name that is not among those of the language, with the nearest one.
func unknown(noun, name string, known []string) error {
	best, distance := "", 3
	for _, candidate := range known {
		if d := edits(strings.ToLower(name), candidate); d < distance && d < len(candidate) {
			best, distance = candidate, d
		}
	}
	if best != "" {
		return fmt.Errorf("there is no %s '%s' (did you mean '%s'?)", noun, name, best)
	}
	return fmt.Errorf("there is no %s '%s'; there are %s", noun, name, strings.Join(known, ", "))
}

// edits is the number of insertions, deletions and replacements between two short texts.
func edits(a, b string) int {
	line := make([]int, len(b)+1)
	for j := range line {
		line[j] = j
	}
	for i := range len(a) {
		before := line[0]
		line[0] = i + 1
		for j := range len(b) {
			replace := before
			if a[i] != b[j] {
				replace++
			}
			before = line[j+1]
			line[j+1] = min(replace, before+1, line[j]+1)
		}
	}
	return line[len(b)]
}
