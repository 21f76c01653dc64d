package document

import (
	"fmt"
	"strings"
)

// Suggest is the hint for a name nobody knows: `did you mean "fields"?` when one of the known names is near,
// empty otherwise.
func Suggest(name string, known []string) string {
	best := nearest(name, known)
	if best == "" {
		return ""
	}
	return fmt.Sprintf("did you mean %q?", best)
}

// nearest is the known name that was probably meant, empty when none is near.
func nearest(name string, known []string) string {
	best, least := "", max(1, len(name)/3)+1
	for _, candidate := range known {
		if d := distance(strings.ToLower(name), strings.ToLower(candidate)); d < least {
			best, least = candidate, d
		}
	}
	return best
}

// suggestOrList falls back to naming everything that is known.
func suggestOrList(name string, known []string) string {
	if hint := Suggest(name, known); hint != "" {
		return hint
	}
	return "known: " + strings.Join(known, ", ")
}

// longestName bounds the work of distance: no name of ours comes near it.
const longestName = 64

// distance counts insertions, deletions, substitutions and swaps of neighbours that make b of a.
func distance(a, b string) int {
	if len(a) > longestName || len(b) > longestName {
		return longestName
	}
	before, last, next := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		next[0] = i
		for j := 1; j <= len(b); j++ {
			change := 1
			if a[i-1] == b[j-1] {
				change = 0
			}
			next[j] = min(last[j]+1, next[j-1]+1, last[j-1]+change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				next[j] = min(next[j], before[j-2]+1)
			}
		}
		before, last, next = last, next, before
	}
	return last[len(b)]
}
