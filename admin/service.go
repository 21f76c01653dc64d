package admin

import (
	"context"
	"fmt"
	"io"

	"ingest/shared/control"
)

// service is what the commands ask for: *control.Control, or whatever speaks to one.
type service interface {
	Start(ctx context.Context, req control.StartRequest) (r control.Resource, repeated bool, err error)
	Cancel(ctx context.Context, id int64) (control.Resource, error)
	Retry(ctx context.Context, id int64, req control.RetryRequest) (r control.Resource, repeated bool, err error)
	Run(ctx context.Context, id int64, rows int) (control.Resource, error)
	Runs(ctx context.Context, req control.ListRequest) (control.List, error)
	ErrorSummary(ctx context.Context, id int64) (control.ErrorSummary, error)
	FailedRows(ctx context.Context, id int64, w io.Writer, raw bool) error
	Explain(ctx context.Context, id, number int64) (control.Explanation, error)
	Preview(ctx context.Context, req control.PreviewRequest) (control.Preview, error)
	Importers(ctx context.Context) ([]control.ImporterInfo, error)
	Check(ctx context.Context, slugs []string, connect bool) ([]control.CheckResult, error)
	Processes(ctx context.Context) ([]control.ProcessInfo, error)
	Verify(ctx context.Context, id int64) (control.Verification, error)
	Rebuild(ctx context.Context, id int64) error
}

// fresh answers for an installation whose database does not exist yet: there are no runs, and asking makes none.
type fresh struct {
	service
	// path is where the API begins.
	path string
}

func (fresh) Cancel(_ context.Context, id int64) (control.Resource, error) {
	return control.Resource{}, noRun(id)
}

func (fresh) Run(_ context.Context, id int64, _ int) (control.Resource, error) {
	return control.Resource{}, noRun(id)
}

func (f fresh) Runs(_ context.Context, req control.ListRequest) (control.List, error) {
	return control.NoRuns(f.path, req), nil
}

func (fresh) ErrorSummary(_ context.Context, id int64) (control.ErrorSummary, error) {
	return control.ErrorSummary{}, noRun(id)
}

func (fresh) FailedRows(_ context.Context, id int64, _ io.Writer, _ bool) error { return noRun(id) }

func (fresh) Explain(_ context.Context, id, _ int64) (control.Explanation, error) {
	return control.Explanation{}, noRun(id)
}

func (fresh) Verify(_ context.Context, id int64) (control.Verification, error) {
	return control.Verification{}, noRun(id)
}

func (fresh) Rebuild(_ context.Context, id int64) error { return noRun(id) }

func noRun(id int64) error {
	return &control.Error{Kind: control.NotFound, Message: fmt.Sprintf("No ingest run found with ID %d.", id)}
}
