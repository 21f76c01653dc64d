package api

import (
	"context"
	"encoding/hex"
	"fmt"
	"mime"
	"net/http"

	"ingest/shared/control"
)

// retryBody are the options of a retry.
type retryBody struct {
	DryRun      bool   `json:"dry_run,omitempty"`
	Error       string `json:"error,omitempty"`
	Unprocessed bool   `json:"unprocessed,omitempty"`
	Force       bool   `json:"force,omitempty"`
}

// request is what control is asked for.
func (b retryBody) request(r *http.Request, once control.Once) control.RetryRequest {
	return control.RetryRequest{
		DryRun: b.DryRun, Error: b.Error, Unprocessed: b.Unprocessed, Force: b.Force, User: userOf(r), Once: once,
	}
}

// retry begins a run with the failed rows of another: as they were read, or, where the request is a form, as they stand
// in its file.
func (a *API) retry(w http.ResponseWriter, r *http.Request) error {
	id, err := idOf(r)
	if err != nil {
		return err
	}
	begin := a.retryRead
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err == nil && kind == "multipart/form-data" {
		begin = a.retryMended
	}
	resource, err := begin(w, r, id)
	a.views.forget(id)
	if err != nil {
		return err
	}
	return a.started(w, r, resource)
}

func (a *API) retryRead(w http.ResponseWriter, r *http.Request, id int64) (control.Resource, error) {
	var body retryBody
	if err := decode(w, r, &body); err != nil {
		return control.Resource{}, err
	}
	once, err := onceOf(r, fmt.Sprintf("retry %d %+v", id, body))
	if err != nil {
		return control.Resource{}, err
	}
	resource, _, err := a.Control.Retry(r.Context(), id, body.request(r, once))
	return resource, err
}

func (a *API) retryMended(_ http.ResponseWriter, r *http.Request, id int64) (control.Resource, error) {
	if err := a.Control.Retryable(r.Context(), id); err != nil {
		return control.Resource{}, err
	}
	var body retryBody
	u := &upload{fields: map[string]func(text string) error{
		"dry_run": setting("dry_run", &body.DryRun), "unprocessed": setting("unprocessed", &body.Unprocessed),
		"force": setting("force", &body.Force), "error": func(text string) error {
			body.Error = text
			return nil
		},
	}}
	return a.take(r, u, func() (control.Resource, bool, error) { return a.mend(r, id, body, u) })
}

// mend begins the retry with a file that is safely on disk.
func (a *API) mend(r *http.Request, id int64, body retryBody, u *upload) (control.Resource, bool, error) {
	request := ""
	if u.sum != nil {
		request = fmt.Sprintf("retry %d %+v %s", id, body, hex.EncodeToString(u.sum.Sum(nil)))
	}
	once, err := onceOf(r, request)
	if err != nil {
		return control.Resource{}, false, err
	}
	asked := body.request(r, once)
	asked.With, asked.Filename = u.path, filename(u.name)
	// The file is here: that the client has gone meanwhile does not make it unwanted.
	return a.Control.Retry(context.WithoutCancel(r.Context()), id, asked)
}
