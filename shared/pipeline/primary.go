package pipeline

import (
	"strings"

	"ingest/shared/importer"
)

// PrimaryNames are the source's columns as failed rows name them: the primary name where a field finds the column,
// else the header cell trimmed. "" stands for columns without a name and those that begin with _ and are not mapped.
func PrimaryNames(d importer.Definition, header []string) []string {
	list := make([]string, len(header))
	for i, name := range header {
		if short := strings.TrimSpace(name); !strings.HasPrefix(short, "_") {
			list[i] = short
		}
	}
	n, err := newNames(header, d.Fields)
	if err != nil {
		return list
	}
	named := map[int]bool{}
	for _, f := range d.Fields {
		if at, ok := n.field(f); ok && !named[at] {
			named[at] = true
			list[at] = f.From[0]
		}
	}
	return list
}
