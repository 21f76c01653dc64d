package pipeline

import (
	"slices"
	"strings"

	"ingest/shared/importer"
)

// PrimaryNames are the source's columns as failed rows name them: the primary name where a field finds the column,
// else, or where another column has that name already, the header cell trimmed. "" stands for columns without a name
// and those that begin with _ and are not mapped.
func PrimaryNames(d importer.Definition, header []string) []string {
	header = meant(header)
	list := make([]string, len(header))
	for i, name := range header {
		if short := strings.TrimSpace(name); !strings.HasPrefix(short, "_") {
			list[i] = short
		}
	}
	n, err := newNames(header, sources(d))
	if err != nil {
		return list
	}
	named := map[int]bool{}
	for _, f := range sources(d) {
		at, ok := n.cell(f)
		if !ok || named[at] {
			continue
		}
		named[at] = true
		// Two fields may have one primary name and find two columns by their aliases.
		list[at] = strings.TrimSpace(header[at])
		if !slices.Contains(list, f.From[0]) {
			list[at] = f.From[0]
		}
	}
	return list
}
