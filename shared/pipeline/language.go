package pipeline

import (
	"maps"
	"slices"

	"ingest/shared/extend"
	"ingest/shared/importer"
)

// Language are the names that importers can use in a program with these extensions.
func Language(x extend.Extensions) importer.Language {
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
	l.Formats, l.Sources = map[string][]string{}, map[string][]string{}
	for _, t := range x.Transforms {
		l.Transforms[t.Name] = t.Options
	}
	for _, v := range x.Validators {
		l.Validators[v.Name] = v.Options
	}
	for _, f := range x.Formats {
		l.Formats[f.Name] = f.Options
	}
	for _, s := range x.Sources {
		l.Sources[s.Name] = s.Options
	}
	l.Rules = append(l.Rules, x.Names().Rules...)
	return l
}
