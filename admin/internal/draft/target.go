package draft

import (
	"fmt"
	"slices"
	"strings"

	"ingest/shared/importer"
	"ingest/shared/pipeline"
)

// longest is what every database allows for a name, less room for a number behind it.
const longest = 63 - len("_9999")

// taken are names that databases have for columns of their own, and `id`-like ones of SQLite's rows.
var taken = []string{"tableoid", "ctid", "xmin", "xmax", "cmin", "cmax", "oid", "rowid"}

// nameTargets gives every column a name in the table: that of the header in snake case and ASCII, each once.
func nameTargets(columns []*observed) {
	used := map[string]bool{}
	for _, c := range columns {
		name := snake(c.header)
		switch {
		case name == "":
			name = fmt.Sprintf("column_%d", c.at+1)
		case name[0] >= '0' && name[0] <= '9', slices.Contains(taken, name):
			name = "column_" + name
		}
		name = strings.TrimRight(name[:min(len(name), longest)], "_")
		c.to = name
		for n := 2; used[c.to]; n++ {
			c.to = fmt.Sprintf("%s_%d", name, n)
		}
		used[c.to] = true
	}
}

func snake(text string) string {
	slug, err := pipeline.Alone(importer.Transform{Name: "slug", Options: map[string]any{"separator": "_"}})
	if err != nil {
		return ""
	}
	name, _ := slug(pipeline.Words(text))
	// Letters that have no way to be written in ASCII are left out.
	name = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '_' {
			return r
		}
		return -1
	}, name)
	return strings.Trim(name, "_")
}
