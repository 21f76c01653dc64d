package control

import (
	"context"
	"errors"
	"fmt"

	"ingest/shared/format"
	"ingest/shared/importer"
	"ingest/shared/ledger"
	"ingest/shared/mended"
	"ingest/shared/pipeline"
	"ingest/shared/run"
)

// mendedOrigin makes the file of a retry its source and refuses one that does not fit the run. The whole file is looked
// at: what is wrong with it is mended in a spreadsheet, not by another run.
func (c *Control) mendedOrigin(ctx context.Context, original run.Run, d importer.Definition, req RetryRequest) (run.Origin, error) {
	if req.Error != "" {
		return run.Origin{}, &Error{
			Kind: Invalid, Field: "error", Message: "The rows of a retry with a file are those of the file: leave the error out.",
		}
	}
	unprocessed, err := c.takesUnprocessed(ctx, original, req)
	if err != nil {
		return run.Origin{}, err
	}
	if unprocessed {
		return run.Origin{}, &Error{Kind: Invalid, Field: "unprocessed", Message: fmt.Sprintf("Run #%d has rows that it never "+
			"processed, and a file can only mend failed ones: retry it with its unprocessed rows first, then that retry with the "+
			"file, which finds its rows there.", original.ID)}
	}
	if original.Final.Counts.Failed == 0 {
		return run.Origin{}, nothingFailed()
	}
	if err := c.fits(ctx, original, d, req); err != nil {
		return run.Origin{}, err
	}
	spool, err := c.spoolID(ctx)
	if err != nil {
		return run.Origin{}, err
	}
	return run.Origin{Path: req.With, Spool: spool, Spooled: true, Retry: &run.Selection{With: true}}, nil
}

// fits reads the mended rows beside the failed ones they are to replace.
func (c *Control) fits(ctx context.Context, original run.Run, d importer.Definition, req RetryRequest) error {
	file, err := mended.Open(req.With, req.Filename, d.Format)
	if err != nil {
		return misfit(err)
	}
	defer file.Close()
	if err := pipeline.CheckHeader(d, pipeline.Setting{Header: file.Header(), Extensions: c.extensions}); err != nil {
		return misfit(err)
	}
	failed, err := c.logged(ctx, original, ledger.Filter{Failed: true})
	if err != nil {
		return err
	}
	of, err := mended.Of(original, failed)
	if err != nil {
		return err
	}
	for _, err := range file.Rows(of) {
		var wrong *format.Error
		if errors.As(err, &wrong) {
			return misfit(err)
		}
		if err != nil {
			return c.unavailable(err, "The failed rows cannot be read")
		}
	}
	return nil
}

func misfit(err error) error {
	return &Error{Kind: Invalid, Field: "file", Message: err.Error(), err: err}
}
