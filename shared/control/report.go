package control

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"ingest/shared/config"
	"ingest/shared/ledger"
	"ingest/shared/redisstore"
	"ingest/shared/run"
)

// Run returns a run with up to rows failed rows, ordered by number; without rows, and saying so in WaitingFor, when
// the ledger cannot be reached.
//
// While the registry cannot be read, a run that is not over is answered from Redis, without rows too. Who cancels ctx gets
// its error: what could not be asked then says nothing of the run.
func (c *Control) Run(ctx context.Context, id int64, rows int) (Resource, error) {
	r, err := c.get(ctx, id)
	if gone := abandoned(ctx, id); gone != nil && err != nil {
		return Resource{}, gone
	}
	if KindOf(err) == Unavailable {
		if resource, known := c.remembered(ctx, id, err); known {
			return resource, nil
		}
	}
	if err != nil {
		return Resource{}, err
	}
	resource := c.resource(ctx, r)
	if gone := abandoned(ctx, id); gone != nil && r.Final == nil {
		return Resource{}, gone
	}
	if rows <= 0 {
		return resource, nil
	}
	if r.Manifest == nil {
		resource.Rows = []Row{}
		return resource, nil
	}
	resource.Rows, err = c.rows(ctx, r, ledger.Filter{}, rows)
	if KindOf(err) == Unavailable {
		// The run is answered all the same, without rows, and says so.
		resource.Rows, err = nil, nil
		if resource.WaitingFor == nil {
			resource.WaitingFor = textOf("The rows cannot be shown: the database of connection '" + r.Connection +
				"' cannot be reached.")
		}
	}
	return resource, err
}

// abandoned returns the error of a look at a run that has been given up.
func abandoned(ctx context.Context, id int64) error {
	if !errors.Is(ctx.Err(), context.Canceled) {
		return nil
	}
	return fmt.Errorf("look at run %d: %w", id, ctx.Err())
}

// Runs returns a page of runs, newest first.
func (c *Control) Runs(ctx context.Context, req ListRequest) (List, error) {
	req = req.complete()
	if req.Page < 1 || req.PerPage < 1 || req.PerPage > maxPerPage {
		return List{}, &Error{
			Kind: Invalid, Field: "per_page",
			Message: fmt.Sprintf("The page must be at least 1 and per_page between 1 and %d.", maxPerPage),
		}
	}
	if req.Status != "" && !run.Status(req.Status).Valid() {
		return List{}, &Error{
			Kind: Invalid, Field: "status", Message: fmt.Sprintf("The status '%s' is none of %s.", req.Status, strings.Join(run.StatusNames(), ", ")),
		}
	}
	runs, total, err := c.registry.List(ctx, listFilter(req))
	if err != nil {
		return List{}, c.unavailable(err, "The registry cannot be read")
	}
	list := List{Data: make([]Resource, 0, len(runs))}
	for _, r := range runs {
		list.Data = append(list.Data, c.resource(ctx, r))
	}
	list.Links, list.Meta = page(c.settings.Path, req, total, len(runs))
	return list, nil
}

// resource puts together what registry and Redis say of a run. While Redis does not know it, the ledger's heads are
// asked; while neither can be reached, the numbers are zero and WaitingFor says so.
func (c *Control) resource(ctx context.Context, r run.Run) Resource {
	out := Resource{
		ID: r.ID, Importer: r.Importer, Status: r.Status, UserID: r.User, OriginalFilename: r.Filename, DryRun: r.DryRun,
		StartedAt: timeOf(r.StartedAt), CompletedAt: timeOf(r.CompletedAt),
		ParentID: idOf(r.Parent), RetriedFromRunID: idOf(r.Parent), RetriedBy: idOf(r.RetriedBy), Reason: textOf(r.Reason),
	}
	if r.Manifest != nil {
		out.BytesTotal = r.Manifest.Fingerprint.Size
	}
	if r.Final != nil {
		c.final(&out, r)
		return out
	}
	c.live(ctx, &out, r)
	return out
}

// final fills in the numbers of a terminal run, from the registry alone.
func (c *Control) final(out *Resource, r run.Run) {
	out.count(r.Final.Counts)
	out.Progress.Total, out.NotProcessed, out.TotalFinal = r.Final.Total, r.Final.NotProcessed, true
	if out.BytesRead = r.Final.BytesRead; r.Status == run.Completed || r.Status == run.CompletedWithErrors {
		out.BytesRead = out.BytesTotal
	}
	duration := r.CompletedAt.Sub(r.StartedAt)
	if r.StartedAt.IsZero() {
		duration = 0
	}
	out.RowsPerSecond = rate(r.Final.Counts.Processed(), duration)
	summary := &Summary{Errors: []Message{}, Warnings: []Message{}, Meta: Meta{
		SuccessfulRows: out.Progress.Successful, FailedRows: out.Progress.Failed, TotalRows: r.Final.Total,
		CreatedRows: out.Created, UpdatedRows: out.Updated, UnchangedRows: out.Unchanged, SkippedRows: out.Skipped,
		DurationSeconds: duration.Seconds(),
	}}
	if r.Reason != "" {
		summary.Errors = append(summary.Errors, Message{r.Reason})
	}
	for _, text := range warnings(r) {
		summary.Warnings = append(summary.Warnings, Message{text})
	}
	out.Summary = summary
}

func warnings(r run.Run) []string {
	all := r.Warnings
	if r.Manifest != nil {
		all = append(all[:len(all):len(all)], r.Manifest.Warnings...)
	}
	if r.Final != nil {
		all = append(all[:len(all):len(all)], r.Final.Warnings...)
	}
	if r.Final != nil && max(len(r.Final.Errors), len(r.Final.Validation)) > run.MaxMessages {
		all = append(all[:len(all):len(all)], "More than 1000 different messages: the rest is counted as (other).")
	}
	return all
}

// live fills in the numbers of a run that is not terminal.
func (c *Control) live(ctx context.Context, out *Resource, r run.Run) {
	progress, known := c.progress(ctx, r)
	if !known {
		out.WaitingFor = c.fromHeads(ctx, out, r)
		return
	}
	out.count(progress.Counts)
	out.BytesRead = progress.SplitBytes
	out.TotalFinal = progress.SplitDone
	out.Progress.Total = max(total(progress), out.Progress.Processed)
	if !r.StartedAt.IsZero() {
		out.RowsPerSecond = rate(out.Progress.Processed, c.now().Sub(r.StartedAt))
	}
	out.WaitingFor = c.waitingFor(ctx, r, progress)
}

// described is a run that is not over as Redis knows it; false when Redis does not.
func (c *Control) described(ctx context.Context, id int64) (run.Run, redisstore.Progress, bool) {
	if c.redis == nil {
		return run.Run{}, redisstore.Progress{}, false
	}
	r, known, err := c.redis.Described(ctx, id)
	if err != nil || !known {
		return run.Run{}, redisstore.Progress{}, false
	}
	progress, known := c.progress(ctx, r)
	r.Status = progress.Status
	return r, progress, known && !r.Status.Terminal()
}

// remembered reports a run from Redis alone, because of an error of the registry.
func (c *Control) remembered(ctx context.Context, id int64, err error) (Resource, bool) {
	r, progress, known := c.described(ctx, id)
	if !known {
		return Resource{}, false
	}
	out := c.resource(ctx, r)
	out.BytesTotal = progress.BytesTotal
	out.WaitingFor = textOf(cutOff(config.DefaultConnection, err))
	if strings.Contains(progress.Waiting, "'"+config.DefaultConnection+"'") {
		// A worker has noticed it, too, and knows since when.
		out.WaitingFor = textOf(since(progress))
	}
	return out, true
}

// progress is what Redis knows of the run.
func (c *Control) progress(ctx context.Context, r run.Run) (redisstore.Progress, bool) {
	if c.redis == nil {
		return redisstore.Progress{}, false
	}
	progress, known, err := c.redis.Progress(ctx, r.ID)
	return progress, err == nil && known && progress.UID == r.UID
}

// total is the number of rows, estimated by bytes while the source is still being read.
func total(p redisstore.Progress) int64 {
	if p.SplitDone || p.SplitBytes == 0 || p.BytesTotal <= p.SplitBytes {
		return max(p.Total, p.SplitRows)
	}
	return int64(float64(p.SplitRows) * float64(p.BytesTotal) / float64(p.SplitBytes))
}

// fromHeads fills in what the ledger knows, and says what the run waits for.
func (c *Control) fromHeads(ctx context.Context, out *Resource, r run.Run) *string {
	waiting := c.unknown(ctx, r)
	db, err := c.databases.Get(r.Connection)
	if err != nil || r.Manifest == nil {
		return textOf(waiting)
	}
	heads, err := ledger.New(db).Heads(ctx, r.UID)
	if ctx.Err() != nil {
		return nil
	}
	if err != nil {
		return textOf(cutOff(r.Connection, err))
	}
	counts, total := sum(heads, r.Manifest.Expected)
	out.count(counts)
	out.Progress.Total = total
	return textOf(waiting)
}

// sum is what the heads have together. total is the number of rows that were sealed, before that of those that are expected,
// but not less than what was processed.
func sum(heads []ledger.Head, expected int64) (counts run.Counts, total int64) {
	for _, head := range heads {
		counts = counts.Add(head.Counts)
		total += max(0, head.SealedRows)
	}
	return counts, max(cmp.Or(total, expected), counts.Processed())
}

func (r *Resource) count(counts run.Counts) {
	r.Created, r.Updated, r.Unchanged, r.Skipped = counts.Created, counts.Updated, counts.Unchanged, counts.Skipped
	r.Progress.Processed, r.Progress.Successful, r.Progress.Failed = counts.Processed(), counts.Successful(), counts.Failed
}

func rate(rows int64, d time.Duration) int64 {
	if d <= 0 {
		return 0
	}
	return int64(float64(rows) / d.Seconds())
}

func timeOf(t time.Time) *Time {
	if t.IsZero() {
		return nil
	}
	return &Time{t}
}

func idOf(id int64) *int64 {
	if id == 0 {
		return nil
	}
	return &id
}

func textOf(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
