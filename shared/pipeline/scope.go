package pipeline

import (
	"slices"
	"time"

	"ingest/shared/column"
	"ingest/shared/extend"
	"ingest/shared/importer"
)

// scope is what rules, transforms and validators may ask of the importer they belong to while they are compiled. Its
// zero value serves to check their spelling alone.
type scope struct {
	// names are the source's columns, nil while there is no source.
	names *names
	// phrases are the importer's own words, nil for none.
	phrases *phrases
	// zone is where dates without a zone of their own are; nil = UTC.
	zone *time.Location
	// program is the one that is compiled, nil while there is none; tables are those that rules may ask.
	program *Program
	tables  map[string]column.Table
	// extensions are the names that the program has beside those of the language.
	extensions extend.Extensions
}

// reference is another source column that a rule or a transform names.
type reference struct {
	cell  int
	words string
}

// column resolves a source column, which need not be there: then it is absent in every row.
func (s scope) column(name string) reference {
	if s.names == nil {
		return reference{-1, Words(name)}
	}
	primary, at := s.names.column(name)
	if at < 0 {
		s.names.miss(name)
	}
	return reference{at, s.phrases.words(primary)}
}

func (s scope) location() *time.Location {
	if s.zone == nil {
		return time.UTC
	}
	return s.zone
}

// miss remembers a column that only a rule, a transform or an expression names and the header lacks.
func (n *names) miss(name string) {
	if !slices.Contains(n.missing, name) {
		n.missing = append(n.missing, name)
	}
}

// refer compiles all that can name other columns, so that those the header lacks are known.
func (n *names) refer(d importer.Definition) error {
	s := scope{names: n, phrases: newPhrases(d, n), extensions: n.extensions}
	for _, list := range d.Rules {
		if _, err := newCheck(list, s); err != nil {
			return err
		}
	}
	for _, f := range d.Fields {
		for _, t := range f.Transform {
			if t.Name == exprTransform {
				continue // computing tells which columns it names
			}
			if _, err := newTransform(t, s); err != nil {
				return untransformable(f, err)
			}
		}
	}
	return nil
}

func untransformable(f importer.Field, err error) error {
	return &Error{"The field '" + f.Source() + "' cannot be transformed: " + err.Error() + "."}
}
