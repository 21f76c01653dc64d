package pipeline

import (
	"maps"
	"slices"

	"ingest/shared/importer"
)

// Language are the names that importers can use.
func Language() importer.Language {
	l := importer.Language{
		Rules: slices.Sorted(maps.Keys(rules)), Transforms: map[string][]string{}, Validators: map[string][]string{},
	}
	for name, entry := range transforms {
		l.Transforms[name] = slices.Clone(entry.options)
	}
	l.Transforms[exprTransform] = nil // what it has is an expression, never a table
	for name, entry := range validators {
		l.Validators[name] = slices.Clone(entry.options)
	}
	return l
}
