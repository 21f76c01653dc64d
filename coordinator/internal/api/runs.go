package api

import (
	"fmt"
	"net/http"
	"time"

	"go.uber.org/zap"

	"ingest/shared/control"
	"ingest/shared/importer"
)

func (a *API) list(w http.ResponseWriter, r *http.Request) error {
	q := queryOf(r)
	req := control.ListRequest{
		Page: int(q.number("page", 1, 1)), PerPage: int(q.number("per_page", 0, 1)),
		Status: q.text("status"), Importer: q.text("importer"),
	}
	if q.err != nil {
		return q.err
	}
	list, err := a.Control.Runs(r.Context(), req)
	if err != nil {
		return err
	}
	return answer(w, http.StatusOK, list)
}

func (a *API) show(w http.ResponseWriter, r *http.Request) error {
	q := queryOf(r)
	rows := int(q.number("rows", int64(a.Config.MaxShowRows), 0))
	if q.err != nil {
		return q.err
	}
	id, err := idOf(r)
	if err != nil {
		return err
	}
	seen, err := a.views.get(r.Context(), id, min(rows, a.Config.MaxShowRows))
	if err != nil {
		return err
	}
	return answerText(w, http.StatusOK, seen.body)
}

func (a *API) rows(w http.ResponseWriter, r *http.Request) error {
	q := queryOf(r)
	req := control.RowsRequest{After: q.number("cursor", 0, 0), Limit: int(q.number("per_page", 0, 1))}
	switch q.text("status") {
	case "":
	case "failed":
		req.Failed = true
	default:
		q.fail("status", "The status must be failed, or left out for all rows that were kept.")
	}
	if q.err != nil {
		return q.err
	}
	id, err := idOf(r)
	if err != nil {
		return err
	}
	page, err := a.Control.Rows(r.Context(), id, req)
	if err != nil {
		return err
	}
	return answer(w, http.StatusOK, page)
}

func (a *API) errors(w http.ResponseWriter, r *http.Request) error {
	id, err := idOf(r)
	if err != nil {
		return err
	}
	summary, err := a.Control.ErrorSummary(r.Context(), id)
	if err != nil {
		return err
	}
	return answer(w, http.StatusOK, data[control.ErrorSummary]{summary})
}

func (a *API) download(w http.ResponseWriter, r *http.Request) error {
	q := queryOf(r)
	raw := q.flag("raw")
	if q.err != nil {
		return q.err
	}
	id, err := idOf(r)
	if err != nil {
		return err
	}
	out := &stream{w: w, now: a.Now, limit: a.limits.answer, control: http.NewResponseController(w), begin: func(h http.Header) {
		h.Set("Content-Type", "text/csv; charset=UTF-8")
		h.Set("Content-Disposition", fmt.Sprintf(`attachment; filename="failed-rows-%d.csv"`, id))
	}}
	err = a.Control.FailedRows(r.Context(), id, out, raw)
	switch {
	case err == nil:
		a.audit(r, "failed rows downloaded", id)
		return nil
	case out.begun:
		// The client must see that the file is not whole.
		a.Log.Warn("a download broke off", zap.Int64("run", id), zap.Error(err))
		panic(http.ErrAbortHandler) //nolint:forbidigo // net/http's own way to break an answer off
	case control.KindOf(err) == control.NothingToDo:
		return problem(http.StatusNotFound, err.Error())
	default:
		return err
	}
}

// stream is an answer that is sent as it is made, with headers once there is something to send. A client that does not
// take it within the limit is cut off.
type stream struct {
	w       http.ResponseWriter
	control *http.ResponseController
	now     func() time.Time
	limit   time.Duration
	begin   func(http.Header)
	begun   bool
}

// Write implements io.Writer.
func (s *stream) Write(p []byte) (int, error) {
	_ = s.control.SetWriteDeadline(s.now().Add(s.limit)) // every connection of ours has deadlines
	if !s.begun {
		s.begun = true
		s.begin(s.w.Header())
		s.w.WriteHeader(http.StatusOK)
	}
	return s.w.Write(p) //nolint:gosec // an attachment or events, never a page
}

func (a *API) cancel(w http.ResponseWriter, r *http.Request) error {
	id, err := idOf(r)
	if err != nil {
		return err
	}
	if err := decode(w, r, &struct{}{}); err != nil {
		return err
	}
	resource, err := a.Control.Cancel(r.Context(), id)
	a.views.forget(id)
	if err != nil {
		return err
	}
	a.audit(r, "run cancelled", id)
	return answer(w, http.StatusOK, control.Answer{Message: "Cancellation request sent.", Data: resource})
}

func (a *API) rebuild(w http.ResponseWriter, r *http.Request) error {
	id, err := idOf(r)
	if err != nil {
		return err
	}
	if err := decode(w, r, &struct{}{}); err != nil {
		return err
	}
	if err := a.Control.Rebuild(r.Context(), id); err != nil {
		return err
	}
	a.views.forget(id)
	a.audit(r, "run rebuilt", id)
	return answer(w, http.StatusOK, Message{control.RebuildText(id)})
}

// Message is an answer that is one sentence.
type Message struct {
	Message string `json:"message"`
}

func (a *API) verify(w http.ResponseWriter, r *http.Request) error {
	id, err := idOf(r)
	if err != nil {
		return err
	}
	proof, err := a.Control.Verify(r.Context(), id)
	if err != nil {
		return err
	}
	return answer(w, http.StatusOK, data[control.Verification]{proof})
}

// started answers with a run that was begun.
func (a *API) started(w http.ResponseWriter, r *http.Request, resource control.Resource) error {
	a.audit(r, "run started", resource.ID)
	w.Header().Set("Location", fmt.Sprintf("%s/%d", a.Config.Path, resource.ID))
	return answer(w, http.StatusAccepted, data[control.Resource]{resource})
}

// audit logs who did what.
func (a *API) audit(r *http.Request, what string, id int64) {
	a.Log.Info(what, zap.Int64("run", id), zap.String("user", userOf(r)), zap.String("from", r.RemoteAddr))
}

func (a *API) importers(w http.ResponseWriter, r *http.Request) error {
	all, err := a.Control.Importers(r.Context())
	if err != nil {
		return err
	}
	return answer(w, http.StatusOK, data[[]control.ImporterInfo]{all})
}

func (a *API) importer(w http.ResponseWriter, r *http.Request) error {
	definition, err := a.Control.Importer(r.Context(), slugOf(r))
	if err != nil {
		return err
	}
	return answer(w, http.StatusOK, data[importer.Definition]{definition})
}

func (a *API) check(w http.ResponseWriter, r *http.Request) error {
	q := queryOf(r)
	connect := q.flag("connect")
	if q.err != nil {
		return q.err
	}
	results, err := a.Control.Check(r.Context(), q.values["importer"], connect)
	if err != nil {
		return err
	}
	return answer(w, http.StatusOK, data[[]control.CheckResult]{results})
}

func (a *API) workers(w http.ResponseWriter, r *http.Request) error {
	all, err := a.Control.Processes(r.Context())
	if err != nil {
		return err
	}
	return answer(w, http.StatusOK, data[[]control.ProcessInfo]{all})
}

func (a *API) healthz(w http.ResponseWriter, _ *http.Request) error {
	return answer(w, http.StatusOK, Health{"ok"})
}

func (a *API) readyz(w http.ResponseWriter, r *http.Request) error {
	if err := a.Ready(r.Context()); err != nil {
		a.Log.Warn("not ready", zap.Error(err))
		return problem(http.StatusServiceUnavailable, "Not ready: Redis or the registry cannot be reached.")
	}
	return answer(w, http.StatusOK, Health{"ready"})
}

// Health is what a probe is told.
type Health struct {
	Status string `json:"status"`
}
