package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"

	"ingest/shared/control"
)

// Upload is a file to import.
type Upload struct {
	// Name is what people call the file.
	Name string
	Body io.Reader
	// Size is the length of Body, -1 when it is not known.
	Size int64
	// Again makes Body begin anew, for a request whose answer was lost; nil where that cannot be done.
	Again func() error
}

// Upload sends a file and starts a run on it, whatever the importer's own source. It returns when the server has stored
// the file. The request's own File is not looked at.
func (c *Client) Upload(ctx context.Context, req control.StartRequest, u Upload) (control.Resource, error) {
	// Said either way, so that a run that is refused is refused before the file is sent.
	query := url.Values{"replace": {"true"}, "dry_run": {strconv.FormatBool(req.DryRun)}}
	for name, value := range req.Params {
		query.Add("param", name+"="+value)
	}
	return c.form(ctx, call{method: http.MethodPost, path: "/upload/" + url.PathEscape(req.Importer), query: query}, nil, u)
}

// Mend sends a file of mended rows and retries with it. It returns when the server has found that they fit. The
// request's own With is not looked at.
func (c *Client) Mend(ctx context.Context, id int64, req control.RetryRequest, u Upload) (control.Resource, error) {
	fields := map[string]string{}
	for name, set := range map[string]bool{"dry_run": req.DryRun, "unprocessed": req.Unprocessed, "force": req.Force} {
		if set {
			fields[name] = "true"
		}
	}
	if req.Error != "" {
		fields["error"] = req.Error
	}
	return c.form(ctx, call{method: http.MethodPost, path: path(id, "/retry")}, fields, u)
}

// form sends a request with a file, once more when its answer was lost. It is a form, because there an empty file is a
// file, too.
func (c *Client) form(ctx context.Context, request call, fields map[string]string, u Upload) (control.Resource, error) {
	head, tail, kind, err := form(u.Name, fields)
	if err != nil {
		return control.Resource{}, err
	}
	request.once, request.kind, request.size = newKey(), kind, -1
	if u.Size >= 0 {
		request.size = int64(len(head)) + u.Size + int64(len(tail))
	}
	whole := func() *once {
		return &once{Reader: io.MultiReader(strings.NewReader(head), u.Body, strings.NewReader(tail)), closed: make(chan struct{})}
	}
	first := whole()
	request.file = first
	answer, err := c.send(ctx, request)
	if control.KindOf(err) == control.Unavailable && u.Again != nil && first.left(ctx) && u.Again() == nil {
		request.file = whole()
		answer, err = c.send(ctx, request)
	}
	if err != nil {
		return control.Resource{}, err
	}
	var body data[control.Resource]
	err = c.decode(answer, &body)
	return body.Data, err
}

// once is a body that tells when its request has let go of it: that may be later than the answer.
type once struct {
	io.Reader
	end    sync.Once
	closed chan struct{}
}

// Close implements io.Closer.
func (o *once) Close() error {
	o.end.Do(func() { close(o.closed) })
	return nil
}

// left waits until nobody reads the body any more; false when ctx ends first.
func (o *once) left(ctx context.Context) bool {
	select {
	case <-o.closed:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// form is what stands around a file in a form with these fields, and the content type of that.
func form(name string, fields map[string]string) (head, tail, kind string, err error) {
	var text strings.Builder
	parts := multipart.NewWriter(&text)
	for name, value := range fields {
		if err = parts.WriteField(name, value); err != nil {
			return "", "", "", fmt.Errorf("make the form: %w", err)
		}
	}
	if _, err = parts.CreateFormFile("file", name); err != nil {
		return "", "", "", fmt.Errorf("make the form: %w", err)
	}
	head = text.String()
	if err = parts.Close(); err != nil {
		return "", "", "", fmt.Errorf("make the form: %w", err)
	}
	return head, strings.TrimPrefix(text.String(), head), parts.FormDataContentType(), nil
}

// Start triggers an importer that reads its own source; a file is for Upload.
func (c *Client) Start(ctx context.Context, req control.StartRequest) (control.Resource, bool, error) {
	var body data[control.Resource]
	err := c.ask(ctx, call{
		method: http.MethodPost, path: "/trigger/" + url.PathEscape(req.Importer), once: newKey(),
		body: map[string]any{"dry_run": req.DryRun, "params": req.Params},
	}, &body)
	return body.Data, false, err
}

// Cancel is control's.
func (c *Client) Cancel(ctx context.Context, id int64) (control.Resource, error) {
	var body control.Answer
	err := c.ask(ctx, call{method: http.MethodPost, path: path(id, "/cancel")}, &body)
	if control.KindOf(err) == control.Conflict {
		// control returns the run beside the refusal.
		r, readErr := c.Run(ctx, id, 0)
		return r, errors.Join(err, readErr)
	}
	return body.Data, err
}

// Retry is control's; a file is for Mend.
func (c *Client) Retry(ctx context.Context, id int64, req control.RetryRequest) (control.Resource, bool, error) {
	options := map[string]any{"dry_run": req.DryRun, "unprocessed": req.Unprocessed, "force": req.Force}
	if req.Error != "" {
		options["error"] = req.Error
	}
	var body data[control.Resource]
	err := c.ask(ctx, call{method: http.MethodPost, path: path(id, "/retry"), body: options, once: newKey()}, &body)
	return body.Data, false, err
}

// Run is control's; the server may show fewer rows.
func (c *Client) Run(ctx context.Context, id int64, rows int) (control.Resource, error) {
	var body data[control.Resource]
	err := c.ask(ctx, call{method: http.MethodGet, path: path(id, ""), query: url.Values{"rows": {strconv.Itoa(rows)}}}, &body)
	return body.Data, err
}

// Runs is control's.
func (c *Client) Runs(ctx context.Context, req control.ListRequest) (control.List, error) {
	query := url.Values{}
	for name, value := range map[string]string{"status": req.Status, "importer": req.Importer} {
		if value != "" {
			query.Set(name, value)
		}
	}
	for name, value := range map[string]int{"page": req.Page, "per_page": req.PerPage} {
		if value != 0 {
			query.Set(name, strconv.Itoa(value))
		}
	}
	var body control.List
	err := c.ask(ctx, call{method: http.MethodGet, path: "", query: query}, &body)
	return body, err
}

// ErrorSummary is control's.
func (c *Client) ErrorSummary(ctx context.Context, id int64) (control.ErrorSummary, error) {
	var body data[control.ErrorSummary]
	err := c.ask(ctx, call{method: http.MethodGet, path: path(id, "/errors/summary")}, &body)
	return body.Data, err
}

// FailedRows is control's. An answer that breaks off is an error.
func (c *Client) FailedRows(ctx context.Context, id int64, w io.Writer, raw bool) (err error) {
	query := url.Values{}
	if raw {
		query.Set("raw", "true")
	}
	answer, err := c.send(ctx, call{method: http.MethodGet, path: path(id, "/failed-rows/download"), query: query})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, answer.Close()) }()
	if _, err := io.Copy(w, answer); err != nil {
		return fmt.Errorf("download the failed rows: %w", err)
	}
	return nil
}

// Explain is control's.
func (c *Client) Explain(ctx context.Context, id, number int64) (control.Explanation, error) {
	var body data[control.Explanation]
	err := c.ask(ctx, call{method: http.MethodGet, path: path(id, "/rows/"+strconv.FormatInt(number, 10))}, &body)
	return body.Data, err
}

// Preview is control's, of the importer's own source.
func (c *Client) Preview(ctx context.Context, req control.PreviewRequest) (control.Preview, error) {
	query := url.Values{}
	if req.Rows != 0 {
		query.Set("rows", strconv.Itoa(req.Rows))
	}
	for name, value := range req.Params {
		query.Add("param", name+"="+value)
	}
	var body data[control.Preview]
	err := c.ask(ctx, call{method: http.MethodGet, path: "/importers/" + url.PathEscape(req.Importer) + "/preview", query: query}, &body)
	return body.Data, err
}

// Importers is control's.
func (c *Client) Importers(ctx context.Context) ([]control.ImporterInfo, error) {
	var body data[[]control.ImporterInfo]
	err := c.ask(ctx, call{method: http.MethodGet, path: "/importers"}, &body)
	return body.Data, err
}

// Check is control's.
func (c *Client) Check(ctx context.Context, slugs []string, connect bool) ([]control.CheckResult, error) {
	query := url.Values{"importer": slugs}
	if connect {
		query.Set("connect", "true")
	}
	var body data[[]control.CheckResult]
	err := c.ask(ctx, call{method: http.MethodGet, path: "/check", query: query}, &body)
	return body.Data, err
}

// Processes is control's.
func (c *Client) Processes(ctx context.Context) ([]control.ProcessInfo, error) {
	var body data[[]control.ProcessInfo]
	err := c.ask(ctx, call{method: http.MethodGet, path: "/workers"}, &body)
	return body.Data, err
}

// Verify is control's.
func (c *Client) Verify(ctx context.Context, id int64) (control.Verification, error) {
	var body data[control.Verification]
	err := c.ask(ctx, call{method: http.MethodGet, path: path(id, "/verify")}, &body)
	return body.Data, err
}

// Rebuild is control's.
func (c *Client) Rebuild(ctx context.Context, id int64) error {
	var body control.Answer
	return c.ask(ctx, call{method: http.MethodPost, path: path(id, "/rebuild")}, &body)
}
