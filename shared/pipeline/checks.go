package pipeline

import (
	"fmt"

	"ingest/shared/extend"
	"ingest/shared/importer"
)

// Checks are what an importer may say in a program with these extensions: whether there is a rule, a transform, a validator,
// a format or a source of that name, and whether its options or arguments are right. Errors are for the author of an
// importer.
func Checks(x extend.Extensions) importer.Checks {
	s := scope{extensions: x}
	formats, sources := map[string]func(map[string]any) error{}, map[string]func(map[string]any) error{}
	for _, format := range x.Formats {
		formats[format.Name] = func(options map[string]any) error {
			_, err := format.Build(options)
			return err
		}
	}
	for _, source := range x.Sources {
		sources[source.Name] = func(options map[string]any) error {
			if importer.HasPlaceholder(options) {
				return source.Check(options)
			}
			_, err := source.Build(options)
			return err
		}
	}
	return importer.Checks{
		Rule: func(r importer.Rule) error {
			_, _, err := newRule(r, ruleContext{scope: s})
			return err
		},
		Transform: func(t importer.Transform) error {
			_, err := newTransform(t, s)
			return err
		},
		Validator: func(v importer.Validator) error {
			_, err := newValidator(v, s)
			return err
		},
		RuleName: func(name string) error {
			entry, err := s.rule(name)
			if err == nil && entry.family == marker {
				return fmt.Errorf("the rule '%s' has no message", name)
			}
			return err
		},
		Formats: formats, Sources: sources,
	}
}

// Names are those of the language that every program has.
func Names() extend.Names {
	return extend.Names{
		Transforms: sortedNames(transforms), Rules: sortedNames(rules), Validators: sortedNames(validators),
		Formats: importer.Formats(), Sources: importer.Sources(),
	}
}

// Lacks are the names that a definition needs and a program with these extensions does not have.
func Lacks(d importer.Definition, x extend.Extensions) extend.Names {
	return d.Uses().Without(Names().With(x.Names()))
}
