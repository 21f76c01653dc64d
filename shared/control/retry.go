package control

import (
	"context"
	"errors"
	"fmt"

	"ingest/shared/database"
	"ingest/shared/importer"
	"ingest/shared/ledger"
	"ingest/shared/registry"
	"ingest/shared/run"
	"ingest/shared/source"
)

// Retry begins a new run with the rows of a finished one that failed, numbers kept, by the importer's current
// definition. Two at once: the registry decides, one wins, the other is refused naming it. A dry run neither blocks,
// is named, nor counts as a retry. A repeated request (see Once) returns the first run and true; a spooled file is then
// nobody's.
func (c *Control) Retry(ctx context.Context, id int64, req RetryRequest) (r Resource, repeated bool, err error) {
	if first, repeated, err := c.repeated(ctx, req.Once); err != nil || repeated {
		return first, repeated, err
	}
	r, repeated, err = c.retry(ctx, id, req)
	if KindOf(err) == Conflict && req.Once.Key != "" {
		// What is in the way may be the first of the same requests, which came in between.
		if first, repeated, again := c.repeated(ctx, req.Once); again != nil || repeated {
			return first, repeated, again
		}
	}
	return r, repeated, err
}

// Retryable refuses what can be known of a retry before its file is read: an unknown run, one that is not finished.
func (c *Control) Retryable(ctx context.Context, id int64) error {
	_, err := c.finished(ctx, id)
	return err
}

func (c *Control) finished(ctx context.Context, id int64) (run.Run, error) {
	original, err := c.get(ctx, id)
	if err == nil && !original.Status.Terminal() {
		err = &Error{Kind: Conflict, RunID: id, Message: fmt.Sprintf("Run #%d is not finished yet.", id)}
	}
	return original, err
}

func (c *Control) retry(ctx context.Context, id int64, req RetryRequest) (Resource, bool, error) {
	original, err := c.finished(ctx, id)
	if err != nil {
		return Resource{}, false, err
	}
	dry := req.DryRun || (original.DryRun && !req.Force)
	if !dry && !req.Force && original.RetriedBy != 0 {
		return Resource{}, false, c.alreadyRetried(ctx, original.ID, original.RetriedBy)
	}
	definition, err := c.definition(original.Importer)
	if err != nil {
		return Resource{}, false, err
	}
	params, err := inherited(original, definition)
	if err != nil {
		return Resource{}, false, err
	}
	if definition, err = given(definition, params); err != nil {
		return Resource{}, false, err
	}
	if err := c.ready(ctx, definition); err != nil {
		return Resource{}, false, err
	}
	whole := allOrNothing(original)
	if err := c.retriesAll(ctx, original, definition, req, whole); err != nil {
		return Resource{}, false, err
	}
	var origin run.Origin
	filename := original.Filename
	if req.With != "" {
		filename = req.Filename
		origin, err = c.mendedOrigin(ctx, original, definition, req)
	} else {
		origin, err = c.retryOrigin(ctx, original, req)
	}
	if err != nil {
		return Resource{}, false, err
	}
	snapshot, hash := definition.Snapshot()
	var warnings []string
	if hash != original.Hash {
		warnings = []string{"The definition of the importer has changed since the original run."}
	}
	if whole {
		warnings = append(warnings, fmt.Sprintf("Run #%d wrote nothing (transaction: run): all of its rows are retried.", id))
	}
	created, repeated, err := c.registry.Create(ctx, registry.NewRun{
		Importer: definition.Slug, Connection: definition.Destination.Connection, Definition: snapshot, Hash: hash,
		Origin: origin, DryRun: dry, Parent: id, Claim: !dry, Force: req.Force,
		Alone: definition.Overlap == importer.OverlapRefuse, User: req.User,
		Filename: filename, Warnings: warnings, IdempotencyKey: req.Once.Key, Request: req.Once.Request,
	})
	var claimed *registry.Claimed
	if errors.As(err, &claimed) {
		return Resource{}, false, c.alreadyRetried(ctx, id, claimed.By)
	}
	if err != nil {
		return Resource{}, false, c.unregistered(err, definition.Slug, "The retry could not be registered")
	}
	if repeated {
		r, err := c.same(ctx, created, req.Once)
		return r, true, err
	}
	c.wake(ctx)
	return c.resource(ctx, created), false, nil
}

// retryOrigin selects the rows of the retry and refuses one that would have none. Retrying a retry that was stopped
// takes along what it never processed; of another run only when asked to.
func (c *Control) retryOrigin(ctx context.Context, original run.Run, req RetryRequest) (run.Origin, error) {
	unprocessed, err := c.takesUnprocessed(ctx, original, req)
	if err != nil {
		return run.Origin{}, err
	}
	failed, err := c.failedRows(ctx, original, req.Error)
	if err != nil {
		return run.Origin{}, err
	}
	if !failed && !unprocessed {
		return run.Origin{}, nothingFailed()
	}
	origin := run.Origin{Retry: &run.Selection{Error: req.Error, Unprocessed: unprocessed}}
	for from, all := original, unprocessed; rereads(from, all); {
		if from.Origin.Fetch && from.Origin.Path == "" {
			return run.Origin{}, refuse(NothingToDo, nil, "The original run ended before its source was fetched: start a new run.")
		}
		if from.Origin.Own() {
			if err := unchanged(from); err != nil {
				return run.Origin{}, refuse(Invalid, err, "The rows cannot be read from the source again: %v", err)
			}
			origin.Path, origin.Spool = from.Origin.Path, from.Origin.Spool
			break
		}
		all = from.Origin.Retry.Unprocessed
		if from, err = c.get(ctx, from.Parent); err != nil {
			return run.Origin{}, err
		}
	}
	return origin, nil
}

func nothingFailed() error {
	return refuse(NothingToDo, nil, "The original run has no failed rows to retry.")
}

// takesUnprocessed says whether a retry takes along rows that the run never processed.
func (c *Control) takesUnprocessed(ctx context.Context, original run.Run, req RetryRequest) (bool, error) {
	if allOrNothing(original) {
		return true, nil
	}
	if !req.Unprocessed && original.Parent == 0 {
		return false, nil
	}
	return c.unfinished(ctx, original)
}

// rereads says whether a retry of the run needs more than the rows the run kept.
func rereads(original run.Run, unprocessed bool) bool {
	return unprocessed || original.Manifest == nil || original.Manifest.LogRows == run.LogNone
}

func unchanged(r run.Run) error {
	if r.Manifest == nil {
		return nil // nothing was read yet
	}
	return source.Same(r.Origin.Path, r.Manifest.Fingerprint)
}

// unfinished says whether a stopped run left rows that it never processed.
func (c *Control) unfinished(ctx context.Context, r run.Run) (bool, error) {
	if r.Status != run.Cancelled && r.Status != run.Failed {
		return false, nil
	}
	if r.Manifest == nil {
		return true, nil
	}
	db, err := c.databases.Get(r.Connection)
	if err != nil {
		return false, refuse(Invalid, err, "%s", err.Error())
	}
	heads, err := ledger.New(db).Heads(ctx, r.UID)
	if err != nil {
		return false, c.unavailable(err, "The ledger cannot be read")
	}
	for _, head := range heads {
		if head.SealedChunks < 0 || head.Next-1 < head.SealedChunks {
			return true, nil
		}
	}
	return false, nil
}

// failedRows says whether the run has failed rows, with that message if it is given.
func (c *Control) failedRows(ctx context.Context, original run.Run, message string) (bool, error) {
	if original.Final.Counts.Failed == 0 || message == "" {
		return original.Final.Counts.Failed > 0, nil
	}
	db, err := c.databases.Get(original.Connection)
	if err != nil {
		return false, refuse(Invalid, err, "%s", err.Error())
	}
	for _, err := range ledger.New(db).Logged(ctx, original.UID, original.Manifest.Lanes(), ledger.Filter{Message: message}) {
		if err != nil {
			return false, c.unavailable(err, "The failed rows cannot be read")
		}
		return true, nil
	}
	return false, nil
}

func (c *Control) alreadyRetried(ctx context.Context, id, by int64) error {
	text := fmt.Sprintf("Run #%d was already retried as run #%d.", id, by)
	switch retry, err := c.get(ctx, by); {
	case err != nil:
	case !retry.Status.Terminal():
		text = fmt.Sprintf("Run #%d is being retried as run #%d.", id, by)
	case retry.Origin.Retry == nil:
	case retry.Origin.Retry.With:
		text += " That took the rows of its file only: force a retry to take the others, too."
	case retry.Origin.Retry.Error != "":
		text += " That took the rows with one message only: force a retry to take the others, too."
	}
	return &Error{Kind: Conflict, RunID: by, Message: text}
}

func finishedText(id int64) string { return fmt.Sprintf("Ingest run #%d has already finished.", id) }

func failingText(r run.Run) string {
	return fmt.Sprintf("Ingest run #%d is being stopped already, it ends as failed: %s", r.ID, r.Reason)
}

// RebuildText is what a surface says after a Rebuild.
func RebuildText(id int64) string {
	return fmt.Sprintf("The Redis state of ingest run #%d is forgotten: the coordinator restores it.", id)
}

// Rebuild forgets what Redis knows of a run that is not terminal; the coordinator restores it from registry and
// ledger. It is safe at any time and only costs repeated work.
func (c *Control) Rebuild(ctx context.Context, id int64) error {
	r, err := c.get(ctx, id)
	if err != nil {
		return err
	}
	if r.Status.Terminal() {
		return &Error{Kind: Conflict, RunID: id, Message: finishedText(id)}
	}
	if c.redis == nil {
		return refuse(Unavailable, nil, "Nothing is served: there is no Redis state to rebuild (`ingest up` continues the run).")
	}
	if err := c.redis.Forget(ctx, id); err != nil {
		return refuse(Unavailable, err, "Redis cannot be reached: %s", database.Explain(err).Reason())
	}
	c.wake(ctx)
	return nil
}
