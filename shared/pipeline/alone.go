package pipeline

import (
	"fmt"

	"ingest/shared/column"
	"ingest/shared/importer"
)

// Alone returns a transform as a function of one text, for texts that are in no row yet: what it makes of it, false when
// it cannot read it. Transforms that look at more than the cell are an error.
func Alone(t importer.Transform) (func(text string) (string, bool), error) {
	if t.Name == "concat" || t.Name == exprTransform {
		return nil, fmt.Errorf("the transform '%s' needs a row", t.Name)
	}
	step, err := newTransform(t, scope{})
	if err != nil {
		return nil, err
	}
	return func(text string) (string, bool) {
		v, wrong := step(column.Value{Text: text, State: column.Set}, record{computed: new(computed)})
		return v.Text, wrong == nil && v.State == column.Set
	}, nil
}
