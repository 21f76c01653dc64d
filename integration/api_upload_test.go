package integration

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ingest/integration/rig"
)

// field is one part of a form; a file when it has a file name.
type field struct{ name, filename, value string }

// form is the body of a form and its content type.
func form(t *testing.T, fields ...field) (body, kind string) {
	t.Helper()
	var text strings.Builder
	w := multipart.NewWriter(&text)
	for _, f := range fields {
		var part io.Writer
		var err error
		if f.filename != "" {
			part, err = w.CreateFormFile(f.name, f.filename)
		} else {
			part, err = w.CreateFormField(f.name)
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(part, f.value); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return text.String(), w.FormDataContentType()
}

// spooled are the files in the spool that uploads have left, half-written ones too.
func spooled(t *testing.T, sys *rig.System) []string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(sys.Dir, "data", "spool"))
	if err != nil {
		t.Fatal(err)
	}
	var files []string
	for _, entry := range entries {
		if entry.Name() != "id" {
			files = append(files, entry.Name())
		}
	}
	return files
}

const oneUser = "name,email\nann,a@example.org\n"

// TestAPIUpload takes a file as a form and as the body itself, with every spelling of dry_run.
func TestAPIUpload(t *testing.T) {
	t.Parallel()
	s := serve(t)
	path := rig.Base + "/upload/users"
	withForm := func(query string, fields ...field) rig.Answer {
		t.Helper()
		body, kind := form(t, fields...)
		return s.api.Do("POST", path+query, body, "Content-Type", kind)
	}
	raw := func(query, body, kind string) rig.Answer {
		t.Helper()
		return s.api.Do("POST", path+query, body, "Content-Type", kind)
	}
	file := field{"file", "users.csv", oneUser}
	for name, c := range map[string]struct {
		answer rig.Answer
		dry    bool
		file   string
	}{
		"form":                 {withForm("", file), false, "users.csv"},
		"form, dry_run=true":   {withForm("", file, field{"dry_run", "", "true"}), true, "users.csv"},
		"form, dry_run=1":      {withForm("", field{"dry_run", "", "1"}, file), true, "users.csv"},
		"form, dry_run=false":  {withForm("", file, field{"dry_run", "", "false"}), false, "users.csv"},
		"form, dry_run=0":      {withForm("", field{"dry_run", "", "0"}, file), false, "users.csv"},
		"form, query":          {withForm("?dry_run=true", file), true, "users.csv"},
		"body":                 {raw("?filename=b.csv", oneUser, "text/csv"), false, "b.csv"},
		"body without a name":  {raw("", oneUser, "text/csv"), false, "upload"},
		"body, dry_run=true":   {raw("?dry_run=true", oneUser, "text/csv; charset=utf-8"), true, "upload"},
		"body, dry_run=1":      {raw("?dry_run=1", oneUser, "application/octet-stream"), true, "upload"},
		"body, dry_run=false":  {raw("?dry_run=false", oneUser, "application/x-www-form-urlencoded"), false, "upload"},
		"body, dry_run=0":      {raw("?dry_run=0", oneUser, "image/png"), false, "upload"},
		"body without a type":  {s.api.Do("POST", path, oneUser), false, "upload"},
		"an empty file":        {withForm("", field{"file", "empty.csv", ""}), false, "empty.csv"},
		"only a header":        {withForm("", field{"file", "head.csv", "name,email\n"}), false, "head.csv"},
		"a field with no name": {withForm("", field{"file", "", oneUser}), false, "upload"},
	} {
		r := c.answer.Must(t, http.StatusAccepted).Run(t)
		if r.DryRun != c.dry || r.Status != "pending" {
			t.Errorf("%s: %s, dry run %t", name, r.Status, r.DryRun)
		}
		_, values := resource(t, c.answer.Body)
		if got := string(values["original_filename"]); got != fmt.Sprintf("%q", c.file) {
			t.Errorf("%s: the file is called %s, want %s", name, got, c.file)
		}
		if r := s.api.Await(r.ID, patience); r.Status != "completed" {
			t.Errorf("%s: the run is %s: %s", name, r.Status, text(r.Reason))
		}
	}
	if left := spooled(t, s.System); len(left) > 0 {
		t.Errorf("runs with nothing to retry left %v in the spool", left)
	}
	before := s.runs(t)

	for _, flag := range []string{"yes", "TRUE", "2", " true", "on"} {
		p := refused(t, raw("?dry_run="+url.QueryEscape(flag), oneUser, "text/csv"), 422, "The dry_run field must be true or false.")
		if len(p.Errors["dry_run"]) == 0 {
			t.Errorf("dry_run=%q: %v", flag, p.Errors)
		}
		refused(t, withForm("", file, field{"dry_run", "", flag}), 422, "The dry_run field must be true or false.")
	}
	for name, answer := range map[string]rig.Answer{
		"an empty body":           raw("", "", "text/csv"),
		"a form without a file":   withForm("", field{"dry_run", "", "true"}),
		"an empty form":           withForm(""),
		"an empty file of no use": raw("?filename=x.csv", "", "application/octet-stream"),
	} {
		if p := refused(t, answer, 422, "The file field is required."); len(p.Errors["file"]) == 0 {
			t.Errorf("%s: %v", name, p.Errors)
		}
	}
	refused(t, withForm("", file, file), 422, "The file field must be given once.")
	// A misspelt option must not start the real thing.
	refused(t, withForm("", file, field{"dryrun", "", "true"}), 422, "There is no field 'dryrun'")
	refused(t, raw("?dryrun=true", oneUser, "text/csv"), 422, "There is no parameter 'dryrun'")
	refused(t, withForm("", file, field{"param", "", "month"}), 422, "The param field must be a name and a value")
	refused(t, raw("?param=month=1&param=month=2", oneUser, "text/csv"), 422, "The parameter 'month' is given twice.")
	refused(t, withForm("?param=month=1", file, field{"param", "", "region=x"}), 422, "The importer 'users' has no parameter")
	for _, kind := range []string{
		"application/json", "application/json; charset=utf-8", "application/problem+json", "multipart/mixed; boundary=x",
		"multipart/form-data", "text/", ";", "text/csv; charset",
	} {
		refused(t, raw("", oneUser, kind), http.StatusUnsupportedMediaType, "")
	}
	for _, broken := range []string{"--x", "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f\"\r\n\r\nabc", "no form"} {
		refused(t, raw("", broken, "multipart/form-data; boundary=x"), http.StatusBadRequest, "The request body ended")
	}
	var many []field
	for range 80 {
		many = append(many, field{"dry_run", "", "true"})
	}
	refused(t, withForm("", many...), http.StatusBadRequest, "The form has more than ")

	for _, slug := range []string{"nobody", "..", "users.yaml", "USERS", "%2e%2e", strings.Repeat("x", 3000)} {
		answer := s.api.Do("POST", rig.Base+"/upload/"+slug, oneUser, "Content-Type", "text/csv")
		decoded, _ := url.PathUnescape(slug)
		refused(t, answer, http.StatusNotFound, "No importer found with the slug '"+decoded+"'.")
	}
	p := refused(t, s.api.Do("POST", rig.Base+"/upload/stored", oneUser, "Content-Type", "text/csv"), 422,
		"The importer 'stored' reads its own source (filesystem)")
	if len(p.Errors["importer"]) == 0 {
		t.Errorf("another source: %v", p.Errors)
	}
	if s.runs(t) != before {
		t.Errorf("refused requests made %d runs", s.runs(t)-before)
	}
	if left := spooled(t, s.System); len(left) > 0 {
		t.Errorf("refused requests left %v in the spool", left)
	}
	replaced := s.api.Do("POST", rig.Base+"/upload/stored?replace=true&filename=mine.csv", "name,email\neva,e@example.org\n", "Content-Type", "text/csv")
	r := s.api.Await(replaced.Must(t, http.StatusAccepted).Run(t).ID, patience)
	if rows := s.Dump("stored", "email"); r.Status != "completed" || strings.Join(rows, " ") != "email=e@example.org" {
		t.Errorf("the run of the replaced source is %s, the table has %v", r.Status, rows)
	}

	// A broken definition harms itself only, and says where.
	s.Write("importers/broken.yaml", "importer: broken\nsource: {type: upload}\nfeilds: []\n")
	refused(t, s.api.Do("POST", rig.Base+"/upload/broken", oneUser, "Content-Type", "text/csv"), 422, "")
	s.Must(0, "check", "users")
}

// TestAPIUploadNames: what a client calls its file is only ever shown.
func TestAPIUploadNames(t *testing.T) {
	t.Parallel()
	s := serve(t)
	long := strings.Repeat("é", 2000)
	for name, want := range map[string]string{
		"../../etc/passwd":         "passwd",
		`C:\Users\ann\users.csv`:   "users.csv",
		"a\x00b.csv":               "ab.csv",
		"con":                      "con",
		"\ufeff":                   "upload",
		"\ufeffusers.csv":          "users.csv",
		`"; filename=x`:            `"; filename=x`,
		"a\r\nSet-Cookie: x=y.csv": "aSet-Cookie: x=y.csv",
		"\x1b[31mred.csv":          "[31mred.csv",
		"a\u202egnp.csv":           "agnp.csv",
		"..":                       "upload",
		".":                        "upload",
		"/":                        "upload",
		"":                         "upload",
		"   ":                      "upload",
		"<script>.csv":             "<script>.csv",
		"users\xff.csv":            "users.csv",
		long + ".csv":              strings.Repeat("é", 125) + ".csv",
	} {
		answer := s.api.Do("POST", rig.Base+"/upload/users?filename="+url.QueryEscape(name), oneUser, "Content-Type", "text/csv")
		if got := named(t, answer.Must(t, http.StatusAccepted)); got != want {
			t.Errorf("%q is kept as %q, want %q", name, got, want)
		}
	}
	for header, want := range map[string]string{
		`filename="../../etc/passwd"`:      "passwd",
		`filename="C:\\dir\\users.csv"`:    "users.csv",
		`filename="a\"; filename=x"`:       `a"; filename=x`,
		`filename*=UTF-8''na%C3%AFve.csv`:  "naïve.csv",
		`filename*=UTF-8''a%0D%0Ab.csv`:    "ab.csv",
		`filename*=UTF-8''..%2F..%2Fx.csv`: "x.csv",
	} {
		body := "--x\r\nContent-Disposition: form-data; name=\"file\"; " + header + "\r\n\r\n" + oneUser + "\r\n--x--\r\n"
		answer := s.api.Do("POST", rig.Base+"/upload/users", body, "Content-Type", "multipart/form-data; boundary=x")
		if got := named(t, answer.Must(t, http.StatusAccepted)); got != want {
			t.Errorf("%s is kept as %q, want %q", header, got, want)
		}
	}
	// The ending of a name says how the file is packed, also of a name that is too long.
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := io.WriteString(w, oneUser); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"users.csv.gz", long + ".csv.gz"} {
		answer := s.api.Do("POST", rig.Base+"/upload/users?filename="+url.QueryEscape(name), packed.String(), "Content-Type", "text/csv")
		r := s.api.Await(answer.Must(t, http.StatusAccepted).Run(t).ID, patience)
		if r.Status != "completed" || r.Progress.Total != 1 {
			t.Errorf("%.20s… is %s: %s", name, r.Status, text(r.Reason))
		}
	}
	// No name is believed where the content says otherwise.
	for content, reason := range map[string]string{
		"PK\x03\x04 and so on": "The file looks like", "<!DOCTYPE html><html></html>": "The file looks like", "%PDF-1.7\n": "The file looks like",
	} {
		r := s.api.Await(s.upload(t, content, "filename=users.csv").ID, patience)
		if r.Status != "failed" || !strings.HasPrefix(text(r.Reason), reason) {
			t.Errorf("%.10q is %s: %s", content, r.Status, text(r.Reason))
		}
	}
	if strings.Contains(s.process.Output(), "\x1b[31m") {
		t.Error("a control character of a client is in the log")
	}
}

func named(t *testing.T, answer rig.Answer) string {
	t.Helper()
	_, values := resource(t, answer.Body)
	var name string
	if err := json.Unmarshal(values["original_filename"], &name); err != nil {
		t.Fatal(err)
	}
	return name
}

// TestAPIUploadLimit: one byte under the limit, at it, over it, however the body comes.
func TestAPIUploadLimit(t *testing.T) {
	t.Parallel()
	const limit = 1 << 10
	s := serve(t, "INGEST_MAX_UPLOAD=1KiB")
	sized := func(size int) string { return oneUser + strings.Repeat("\n", size-len(oneUser)) }
	const text = "The file is larger than the limit of 1KiB (max_upload)."
	for size, fits := range map[int]bool{limit - 1: true, limit: true, limit + 1: false, 200 << 10: false} {
		body, kind := form(t, field{"file", "users.csv", sized(size)})
		chunked, err := s.api.Try("POST", rig.Base+"/upload/users", io.MultiReader(strings.NewReader(sized(size))), "Content-Type", "text/csv")
		if err != nil {
			t.Fatal(err)
		}
		for name, answer := range map[string]rig.Answer{
			"raw":     s.api.Do("POST", rig.Base+"/upload/users", sized(size), "Content-Type", "text/csv"),
			"chunked": chunked,
			"form":    s.api.Do("POST", rig.Base+"/upload/users", body, "Content-Type", kind),
		} {
			if !fits {
				refused(t, answer, http.StatusRequestEntityTooLarge, text)
			} else if answer.Status != http.StatusAccepted {
				t.Errorf("%d bytes, %s: %d %s", size, name, answer.Status, answer.Body)
			}
		}
	}
	if got := s.runs(t); got != 6 {
		t.Errorf("%d runs, want 6", got)
	}

	// Who announces too much is refused before anything is sent.
	if got := s.send(t, "POST "+rig.Base+"/upload/users HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9999999999\r\n\r\n"); !strings.Contains(got, " 413 ") || !strings.Contains(got, text) {
		t.Errorf("announced: %s", got)
	}
	// Who sends less than announced has sent nothing.
	for _, request := range []string{
		"Content-Length: 500\r\n\r\n" + oneUser,
		"Transfer-Encoding: chunked\r\n\r\n10\r\nname,email\nann,a\r\n",
		"Transfer-Encoding: chunked\r\n\r\nxyz\r\n",
	} {
		got := s.send(t, "POST "+rig.Base+"/upload/users HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/csv\r\n"+request)
		if strings.Contains(got, " 202 ") {
			t.Errorf("a broken body was taken: %s", got)
		}
	}
	// A request that says its length in two ways is none.
	got := s.send(t, "POST "+rig.Base+"/upload/users HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/csv\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nname,e")
	if !strings.Contains(got, " 400 ") {
		t.Errorf("two lengths: %s", got)
	}
	if got := s.runs(t); got != 6 {
		t.Errorf("%d runs, want 6", got)
	}
	rig.Until(t, patience, "the spool being empty", func() bool { return len(spooled(t, s.System)) == 0 })
}

// send writes bytes as they are, closes its side, and returns what comes back.
func (s served) send(t *testing.T, request string) string {
	t.Helper()
	connection, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", s.api.Address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = connection.Close() }()
	if _, err := io.WriteString(connection, request); err != nil {
		t.Fatal(err)
	}
	if half, ok := connection.(*net.TCPConn); !ok || half.CloseWrite() != nil {
		t.Fatal("the connection cannot be closed by half")
	}
	answer, err := io.ReadAll(bufio.NewReader(connection))
	if err != nil {
		t.Fatal(err)
	}
	return string(answer)
}
