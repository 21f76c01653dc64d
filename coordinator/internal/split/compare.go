package split

import (
	"context"
	"errors"
	"fmt"

	"ingest/shared/run"
	"ingest/shared/source"
)

// compare looks whether the source is the one of the last import: then the manifest is that of a source without rows, and
// names the run that imported it.
func (s *Splitter) compare(ctx context.Context, r run.Run, m *run.Manifest) (err error) {
	if m.Content, err = source.Sum(ctx, r.Origin.Path); err != nil {
		if ctx.Err() != nil {
			return errors.Join(ctx.Err(), err)
		}
		return sourceFailure(err)
	}
	last, found, err := s.registry.Imported(ctx, r.Importer)
	if err != nil {
		return err
	}
	// The hash of the definition covers the parameters.
	if !found || last.Hash != r.Hash || last.Manifest == nil || last.Manifest.Content != m.Content {
		return nil
	}
	if m.UnchangedSince = last.Manifest.UnchangedSince; m.UnchangedSince == 0 {
		m.UnchangedSince = last.ID
	}
	m.Header, m.Partitions = nil, 1
	m.Warnings = append(m.Warnings, fmt.Sprintf(
		"The source is unchanged since run #%d: nothing was imported (if_unchanged: skip).", m.UnchangedSince))
	return nil
}
