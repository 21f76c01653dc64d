package control

import (
	"context"
	"fmt"

	"ingest/shared/importer"
	"ingest/shared/run"
)

// allOrNothing says whether a run wrote nothing because it was to write all: its failed rows alone are of no use, so that a
// retry takes all of its rows.
func allOrNothing(r run.Run) bool {
	return r.Manifest != nil && r.Manifest.Staged && r.Final != nil && (r.Final.Counts.Failed > 0 || r.Final.NotProcessed > 0)
}

// retriesAll refuses a retry of some rows where only all of them make sense: of a run that wrote nothing, and by a
// definition that takes rows which the file does not have for gone. whole says that the retry takes all rows of the run.
func (c *Control) retriesAll(ctx context.Context, original run.Run, d importer.Definition, req RetryRequest, whole bool) error {
	if whole && (req.Error != "" || req.With != "") {
		return refuse(Invalid, nil,
			"Run #%d wrote nothing (transaction: run): a retry takes all of its rows. With a mended file, start a new run.", original.ID)
	}
	if d.Missing == nil {
		return nil
	}
	all, err := c.allOfFile(ctx, original, whole)
	if err == nil && !all {
		err = refuse(Invalid, nil, "A retry takes only some rows of the file, and `missing` would take the others for gone: start a new run.")
	}
	return err
}

// allOfFile says whether what a retry of a run takes is all that a file has.
func (c *Control) allOfFile(ctx context.Context, original run.Run, whole bool) (bool, error) {
	for whole || original.Manifest == nil {
		if original.Origin.Retry == nil {
			return true, nil
		}
		parent, err := c.get(ctx, original.Parent)
		if err != nil {
			return false, fmt.Errorf("read the run that run %d retries: %w", original.ID, err)
		}
		if original.Origin.Retry.Error != "" || original.Origin.Retry.With {
			return false, nil
		}
		original, whole = parent, allOrNothing(parent)
	}
	return false, nil
}
