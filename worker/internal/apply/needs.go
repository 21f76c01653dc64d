package apply

import (
	"ingest/shared/extend"
	"ingest/shared/importer"
	"ingest/shared/pipeline"
)

// Needs are the name of the destination's connection in a definition, and the names of the language that a worker with
// these extensions would have to have besides.
func Needs(definition []byte, x extend.Extensions) (connection string, lacks []string, err error) {
	d, err := importer.FromSnapshot(definition)
	if err != nil {
		return "", nil, err
	}
	return d.Destination.Connection, pipeline.Lacks(d, x).Rows().List(), nil
}
