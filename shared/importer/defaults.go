package importer

import (
	"slices"

	"ingest/shared/importer/document"
)

// defaultsFile is the file of a directory whose keys count for every importer that does not have them.
const defaultsFile = "_defaults.yaml"

// surroundings are what the other files of a directory say to an importer.
type surroundings struct {
	// defaults is nil where there are none; broken says that they cannot be read.
	defaults *document.Node
	broken   bool
	mappings map[string]*mapping
}

// has says whether a table has a key.
func has(table *document.Node, key string) bool {
	return slices.ContainsFunc(table.Entries, func(e document.Entry) bool { return e.Key.Text == key })
}

// merged is the root with the keys of the defaults that it lacks; where both have the table of one of these keys, with
// the keys that this table lacks.
func merged(root, defaults *document.Node) *document.Node {
	if defaults == nil || root.Kind != document.Map {
		return root
	}
	deep := []string{"source", "format", "destination", "params"}
	out := *root
	out.Entries = slices.Clone(root.Entries)
	for i, e := range out.Entries {
		if !slices.Contains(deep, e.Key.Text) {
			continue
		}
		for _, d := range defaults.Entries {
			if d.Key.Text == e.Key.Text && d.Value.Kind == document.Map {
				out.Entries[i].Value = merged(e.Value, d.Value)
			}
		}
	}
	for _, d := range defaults.Entries {
		if !has(root, d.Key.Text) {
			out.Entries = append(out.Entries, d)
		}
	}
	return &out
}

// parseDefaults reads the file of defaults. What its keys say is read with each importer.
func parseDefaults(file string, text []byte) (*document.Node, Problems) {
	root, problems := document.Parse(file, text)
	if root == nil || len(problems) > 0 {
		return nil, problems
	}
	r := document.Reader{File: file}
	r.Table(root, "the defaults")
	for _, e := range root.Entries {
		if e.Key.Text == "importer" || e.Key.Text == "mapping" {
			r.Report(e.Key, "it is for all importers of the directory", "a file of defaults has no key %q", e.Key.Text)
		}
	}
	return root, r.Problems
}
