package api

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"net/http"
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/gorilla/mux"
	"go.uber.org/zap"

	"ingest/shared/control"
	"ingest/shared/format"
	"ingest/shared/importer"
	"ingest/shared/spool"
)

const (
	// maxParts and maxField bound what an upload may carry beside its file; control judges the length of a parameter.
	maxParts = 64
	maxField = 8 << 10
	maxName  = 255
	// heardOut is how much of a body that is refused is read all the same.
	heardOut = 8 << 20
	// maxUploads is how many files may be on their way to the spool at once.
	maxUploads = 512
	// around is how much a form may add to a file.
	around = 64 << 10
)

func slugOf(r *http.Request) string { return mux.Vars(r)["importer"] }

// upload takes a file, as a form or as the body itself, and starts a run when it is safely on disk.
func (a *API) upload(w http.ResponseWriter, r *http.Request) error {
	q := queryOf(r)
	u := &upload{name: q.text("filename"), dryRun: q.flag("dry_run"), replace: q.flag("replace")}
	u.fields = map[string]func(text string) error{"dry_run": setting("dry_run", &u.dryRun), "param": u.params.add}
	if q.err != nil {
		return q.err
	}
	for _, text := range q.values["param"] {
		if err := u.params.add(text); err != nil {
			return err
		}
	}
	once, err := onceOf(r, "")
	if err != nil {
		return err
	}
	kind, err := a.Control.Uploadable(r.Context(), control.UploadRequest{
		Importer: slugOf(r), Replace: u.replace, Real: !u.dryRun && (q.text("dry_run") != "" || !isForm(r)), Once: once,
	})
	if err != nil {
		return err
	}
	u.foreign = kind != importer.CSV
	resource, err := a.take(r, u, func() (control.Resource, bool, error) { return a.start(r, u) })
	if err != nil {
		return err
	}
	return a.started(w, r, resource)
}

// take stores the file of a request and begins a run on it. Where there is none in the end, or there was one before, the
// file is removed.
func (a *API) take(r *http.Request, u *upload, begin func() (control.Resource, bool, error)) (resource control.Resource, err error) {
	if r.ContentLength > int64(a.Config.MaxUpload)+around {
		return resource, a.tooLarge()
	}
	if _, err := onceOf(r, ""); err != nil {
		return resource, err // before the file comes
	}
	if err := u.named(u.name); err != nil {
		return resource, err
	}
	select {
	case a.uploads <- struct{}{}:
		defer func() { <-a.uploads }()
	default:
		return resource, problem(http.StatusTooManyRequests, fmt.Sprintf("%d uploads are under way: try again later.", maxUploads))
	}
	if r.Header.Get("Idempotency-Key") != "" {
		u.sum = sha256.New()
	}
	err = a.receive(r, u)
	if err == nil && u.path == "" {
		err = invalid("file", "The file field is required.")
	}
	repeated := false
	if err == nil {
		resource, repeated, err = begin()
	}
	// Where the registry could not be asked whether there is a run now, the file stays: the spool is swept of files that no
	// run names.
	if refused := err != nil && control.KindOf(err) != control.Unavailable; u.path != "" && (refused || repeated) {
		if removeErr := a.Spool.Remove(u.path); removeErr != nil {
			a.Log.Warn("an upload that is not needed was not removed", zap.Error(removeErr))
		}
	}
	return resource, err
}

// isForm says whether fields may come with the file: one of them can say that the run is a dry one.
func isForm(r *http.Request) bool {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && kind == "multipart/form-data"
}

// upload is a file on its way to the spool.
type upload struct {
	path    string
	name    string
	dryRun  bool
	replace bool
	// foreign says that the importer reads a format of an extension.
	foreign bool
	params  params
	// fields are those that a form may have beside the file.
	fields map[string]func(text string) error
	// sum is of the content, nil where nobody asks for it.
	sum hash.Hash
}

// setting is a field of a form that is true or false.
func setting(name string, to *bool) func(text string) error {
	return func(text string) (err error) {
		*to, err = flagOf(name, text)
		return err
	}
}

// named gives the upload the name of its file and refuses one that says that it is something else than CSV.
func (u *upload) named(name string) error {
	u.name = name
	if u.foreign {
		return nil // what its files are called is not known here
	}
	if err := format.CheckName(filename(name)); err != nil {
		return invalid("file", err.Error())
	}
	return nil
}

func (a *API) start(r *http.Request, u *upload) (control.Resource, bool, error) {
	request := ""
	if u.sum != nil {
		request = fmt.Sprintf("upload %s %t %t %s%s", slugOf(r), u.dryRun, u.replace, hex.EncodeToString(u.sum.Sum(nil)), u.params)
	}
	once, err := onceOf(r, request)
	if err != nil {
		return control.Resource{}, false, err
	}
	// The file is here: that the client has gone meanwhile does not make it unwanted.
	return a.Control.Start(context.WithoutCancel(r.Context()), control.StartRequest{
		Importer: slugOf(r), File: u.path, Spooled: true, Filename: filename(u.name), Params: u.params,
		DryRun: u.dryRun, User: userOf(r), Once: once,
	})
}

// receive stores the file of a request. Content types that cannot be a file are refused.
func (a *API) receive(r *http.Request, u *upload) error {
	kind, parameters, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case r.Header.Get("Content-Type") == "":
		return a.store(r, u, r.Body)
	case err != nil:
		return problem(http.StatusUnsupportedMediaType, "The Content-Type cannot be read.")
	case kind == "multipart/form-data" && parameters["boundary"] != "":
		return a.form(r, u, multipart.NewReader(r.Body, parameters["boundary"]))
	case kind == "application/json" || strings.HasSuffix(kind, "+json") || strings.HasPrefix(kind, "multipart/"):
		return problem(http.StatusUnsupportedMediaType,
			"Send the file as the field 'file' of a form (multipart/form-data), or as the body itself with another type, like text/csv.")
	default:
		return a.store(r, u, r.Body)
	}
}

// form reads a form to its end; its fields may stand before or behind the file.
func (a *API) form(r *http.Request, u *upload, parts *multipart.Reader) error {
	for range maxParts {
		part, err := parts.NextPart()
		if err == io.EOF { // unwrapped: a form that ends before its last boundary wraps it
			return nil
		}
		if err != nil {
			return broken(err)
		}
		switch name := part.FormName(); {
		case name == "file" && u.path != "":
			return invalid("file", "The file field must be given once.")
		case name == "file":
			if part.FileName() != "" {
				if err := u.named(part.FileName()); err != nil {
					return err
				}
			}
			if err := a.store(r, u, part); err != nil {
				return err
			}
			if u.path == "" { // an empty file is a file
				if err := a.keep(r, u, strings.NewReader("")); err != nil {
					return err
				}
			}
		case u.fields[name] != nil:
			text, err := io.ReadAll(io.LimitReader(part, maxField))
			if err != nil {
				return broken(err)
			}
			if err := u.fields[name](string(text)); err != nil {
				return err
			}
		default:
			known := slices.Concat([]string{"file"}, slices.Sorted(maps.Keys(u.fields)))
			return invalid(name, "There is no field '"+name+"'; known: "+strings.Join(known, ", ")+".")
		}
	}
	return problem(http.StatusBadRequest, fmt.Sprintf("The form has more than %d fields.", maxParts))
}

// store puts a body into the spool; an empty one is no file.
func (a *API) store(r *http.Request, u *upload, body io.Reader) error {
	first := make([]byte, 1)
	if n, err := io.ReadFull(body, first); n == 0 {
		if errors.Is(err, io.EOF) {
			return nil
		}
		return broken(err)
	}
	return a.keep(r, u, io.MultiReader(strings.NewReader(string(first)), body))
}

func (a *API) keep(r *http.Request, u *upload, body io.Reader) error {
	if u.sum != nil {
		body = io.TeeReader(body, u.sum)
	}
	source := &judged{r: body}
	path, err := a.Spool.Store(r.Context(), source, int64(a.Config.MaxUpload))
	if err != nil && source.err == nil {
		// A connection that is closed while data is on its way is reset, and who is still sending may not hear the answer.
		_, _ = io.CopyN(io.Discard, body, heardOut)
	}
	switch {
	case errors.Is(err, spool.ErrTooLarge):
		return a.tooLarge()
	case source.err != nil:
		return broken(source.err)
	case err != nil:
		a.Log.Error("an upload could not be stored", zap.Error(err))
		return problem(http.StatusServiceUnavailable, "The file could not be stored: the spool has no room or cannot be written.")
	}
	u.path = path
	return nil
}

func (a *API) tooLarge() error {
	return problem(http.StatusRequestEntityTooLarge,
		fmt.Sprintf("The file is larger than the limit of %s (max_upload).", a.Config.MaxUpload))
}

// judged remembers that the client is to blame for what went wrong.
type judged struct {
	r   io.Reader
	err error
}

// Read implements io.Reader.
func (j *judged) Read(p []byte) (int, error) {
	n, err := j.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		j.err = err
	}
	return n, err
}

// broken is a body that ended before its end.
func broken(err error) error {
	var known *Problem
	if errors.As(err, &known) {
		return known
	}
	return problem(http.StatusBadRequest, "The request body ended before it was complete, or is no form.")
}

// filename makes what a client calls its file safe to show: the last element of a path of any system, without control
// characters, at most 255 bytes. Its ending, which says how the file is packed, is kept.
func filename(name string) string {
	name = path.Base(strings.ReplaceAll(strings.ToValidUTF8(name, ""), `\`, "/"))
	name = strings.Map(func(c rune) rune {
		if unicode.IsControl(c) || !unicode.IsPrint(c) && c != ' ' {
			return -1
		}
		return c
	}, name)
	ending := path.Ext(name)
	if len(ending) > maxName/2 {
		ending = ""
	}
	for stem := strings.TrimSuffix(name, ending); len(name) > maxName; name = stem + ending {
		_, size := utf8.DecodeLastRuneInString(stem)
		stem = stem[:len(stem)-size]
	}
	if name = strings.TrimSpace(name); slices.Contains([]string{"", ".", "..", "/"}, name) {
		return "upload"
	}
	return name
}

// triggerBody are the options of a trigger.
type triggerBody struct {
	DryRun bool   `json:"dry_run,omitempty"`
	Params params `json:"params,omitempty"`
}

// params are a run's parameters by name.
type params map[string]string

// add takes name=value, as a form and a query have it.
func (p *params) add(text string) error {
	name, value, ok := strings.Cut(text, "=")
	if !ok {
		return invalid("param", "The param field must be a name and a value, like month=2026-01.")
	}
	if _, twice := (*p)[name]; twice {
		return invalid("param", "The parameter '"+name+"' is given twice.")
	}
	if *p == nil {
		*p = params{}
	}
	(*p)[name] = value
	return nil
}

// String makes requests with the same parameters equal, and others different; "" for none.
func (p params) String() string {
	if len(p) == 0 {
		return ""
	}
	text, _ := json.Marshal(map[string]string(p)) // sorted by name; texts have a JSON form
	return " " + string(text)
}

func (a *API) trigger(w http.ResponseWriter, r *http.Request) error {
	var body triggerBody
	if err := decode(w, r, &body); err != nil {
		return err
	}
	once, err := onceOf(r, fmt.Sprintf("trigger %s {DryRun:%t}%s", slugOf(r), body.DryRun, body.Params))
	if err != nil {
		return err
	}
	resource, _, err := a.Control.Start(r.Context(), control.StartRequest{
		Importer: slugOf(r), Params: body.Params, DryRun: body.DryRun, User: userOf(r), Once: once,
	})
	if err != nil {
		return err
	}
	return a.started(w, r, resource)
}
