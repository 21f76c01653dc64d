package control

import (
	"context"
	"fmt"

	"ingest/shared/importer"
)

// UploadRequest is what is known of an upload before its file comes.
type UploadRequest struct {
	Importer string
	// Replace says that the file is to replace the source of an importer that reads its own.
	Replace bool
	// Real says that it will be no dry run; false where that is not known yet.
	Real bool
	Once Once
}

// Uploadable refuses what can be known of an upload before it is read: an unknown importer, one that takes its rows from
// elsewhere, a destination that is not ready, another run in the way. It returns the type of the format that the file has to have.
func (c *Control) Uploadable(ctx context.Context, req UploadRequest) (format string, err error) {
	definition, err := c.definition(req.Importer)
	if err != nil {
		return "", err
	}
	if definition.Source.Type != importer.Upload && !req.Replace {
		return "", &Error{Kind: Invalid, Field: "importer", Message: fmt.Sprintf(
			"The importer '%s' reads its own source (%s): trigger it, or say replace=true to have the file read instead.",
			req.Importer, definition.Source.Type)}
	}
	if err := c.ready(ctx, definition); err != nil {
		return "", err
	}
	if definition.Overlap != importer.OverlapRefuse || !req.Real {
		return definition.Format.Type, nil
	}
	by, running, err := c.registry.Running(ctx, definition.Slug)
	if err != nil {
		return "", c.unavailable(err, "The registry cannot be read")
	}
	if !running {
		return definition.Format.Type, nil
	}
	// What is in the way may be the run of the same request.
	_, repeated, err := c.registry.First(ctx, req.Once.Key)
	if err != nil {
		return "", c.unavailable(err, "The registry cannot be read")
	}
	if repeated {
		return definition.Format.Type, nil
	}
	return "", overlapping(by, definition.Slug)
}

func overlapping(by int64, slug string) *Error {
	return &Error{Kind: Conflict, RunID: by, Message: fmt.Sprintf(
		"Run #%d of the importer '%s' is not finished yet (overlap: refuse).", by, slug)}
}
