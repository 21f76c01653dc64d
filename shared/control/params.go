package control

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"ingest/shared/column"
	"ingest/shared/importer"
	"ingest/shared/importer/document"
	"ingest/shared/run"
)

// maxParam is the length of a parameter's value in bytes.
const maxParam = 4 << 10

// given puts parameters into a definition: from there every process of the run has them. Unknown and missing ones are
// refused, before there is a run.
func given(d importer.Definition, params map[string]string) (importer.Definition, error) {
	names := make([]string, len(d.Params))
	for i, p := range d.Params {
		if names[i] = p.Name; p.Required {
			if _, ok := params[p.Name]; !ok {
				return d, wrongParam("The parameter '%s' is required by the importer '%s' (--param %s=…).", p.Name, d.Slug, p.Name)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(params)) {
		switch value := params[name]; {
		case !slices.Contains(names, name):
			hint := document.Suggest(name, names)
			if hint == "" {
				hint = "there are: " + strings.Join(names, ", ")
			}
			if len(names) == 0 {
				hint = "it has none"
			}
			return d, wrongParam("The importer '%s' has no parameter '%s' (%s).", d.Slug, name, hint)
		case len(value) > maxParam:
			return d, wrongParam("The parameter '%s' has more than %d bytes.", name, maxParam)
		case column.Readable(value) != "":
			return d, wrongParam("The parameter '%s' %s", name, column.Readable(value))
		}
	}
	d.Given = nil
	if len(params) > 0 {
		d.Given = maps.Clone(params)
	}
	return d, nil
}

func wrongParam(format string, args ...any) error {
	return &Error{Kind: Invalid, Field: "params", Message: fmt.Sprintf(format, args...)}
}

// inherited are the parameters of a run for its retry: those that the importer still has.
func inherited(original run.Run, d importer.Definition) (map[string]string, error) {
	// What is wanted here is one key; the rest may be of a version that this one does not know.
	var snapshot struct {
		Given map[string]string `json:"given"`
	}
	if err := json.Unmarshal(original.Definition, &snapshot); err != nil {
		return nil, fmt.Errorf("read the definition of run %d: %w", original.ID, err)
	}
	maps.DeleteFunc(snapshot.Given, func(name, _ string) bool {
		return !slices.ContainsFunc(d.Params, func(p importer.Param) bool { return p.Name == name })
	})
	return snapshot.Given, nil
}
