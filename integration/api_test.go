package integration

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ingest/integration/rig"
)

// served is an installation whose API answers.
type served struct {
	*rig.System
	process *rig.Process
	api     *rig.API
}

// users is the importer of the contract's examples: it takes uploads.
const users = `importer: users
source: {type: upload}
format: {type: csv}
destination: {table: users, create_table: true}
key: [email]
on_duplicate: update
fields:
  - {from: name, to: name}
  - {from: email, to: email}
rules:
  email: required|email
  name: max:5
`

// stored reads its own source, people.csv in the working directory.
const stored = `importer: stored
source: {type: filesystem, path: people.csv}
format: {type: csv}
destination: {table: stored, create_table: true}
key: [email]
fields:
  - {from: name, to: name}
  - {from: email, to: email}
rules:
  email: required
`

// serve starts `ingest up` with nothing configured but the importers users and stored.
func serve(t *testing.T, env ...string) served {
	t.Helper()
	sys := rig.NewSystem(t, rig.SystemOptions{
		Importers: map[string]string{"users.yaml": users, "stored.yaml": stored}, Env: env,
	})
	sys.Write("people.csv", "name,email\nann,a@example.org\nbob,\n")
	return answers(t, sys, sys.Start("up"))
}

// answers waits for the API of a process and has all of its answers judged.
func answers(t *testing.T, sys *rig.System, process *rig.Process) served {
	t.Helper()
	s := served{System: sys, process: process, api: process.API()}
	s.api.Judge = judgeOf(t, s.api).judge
	return s
}

// upload sends a file as the body itself and returns the run that began.
func (s served) upload(t *testing.T, file string, query ...string) rig.Run {
	t.Helper()
	path := rig.Base + "/upload/users"
	if len(query) > 0 {
		path += "?" + strings.Join(query, "&")
	}
	return s.api.Do("POST", path, file, "Content-Type", "text/csv").Must(t, http.StatusAccepted).Run(t)
}

// runs is how many runs the installation has.
func (s served) runs(t *testing.T) int64 {
	t.Helper()
	var list struct{ Meta struct{ Total int64 } }
	s.api.Get(rig.Base).Must(t, http.StatusOK).Decode(t, &list)
	return list.Meta.Total
}

func at(id int64, rest string) string { return fmt.Sprintf("%s/%d%s", rig.Base, id, rest) }

// problem is an answer that refuses.
type problem struct {
	Type    string
	Title   string
	Status  int
	Detail  string
	Message string
	Errors  map[string][]string
	RunID   int64 `json:"run_id"`
}

// refused fails the test unless the answer is a problem with this status whose text begins with text.
func refused(t *testing.T, answer rig.Answer, status int, text string) problem {
	t.Helper()
	answer.Must(t, status)
	if kind := answer.Header.Get("Content-Type"); kind != "application/problem+json" {
		t.Errorf("the problem is %s: %s", kind, answer.Body)
	}
	var p problem
	answer.Decode(t, &p)
	if p.Status != status || p.Title != http.StatusText(status) || p.Type != "about:blank" || p.Message != p.Detail {
		t.Errorf("no problem details: %s", answer.Body)
	}
	if !strings.HasPrefix(p.Detail, text) {
		t.Errorf("the problem says %q, want %q", p.Detail, text)
	}
	names := keys(t, json.RawMessage(answer.Body))
	if want := []string{"type", "title", "status", "detail", "message"}; !slices.Equal(names[:len(want)], want) {
		t.Errorf("the members are %v", names)
	}
	if (status == http.StatusUnprocessableEntity) != (len(p.Errors) > 0) {
		t.Errorf("status %d with errors %v", status, p.Errors)
	}
	for field, messages := range p.Errors {
		if field == "" || len(messages) != 1 || messages[0] != p.Detail {
			t.Errorf("errors of %q: %q, the detail is %q", field, messages, p.Detail)
		}
	}
	return p
}

// TestAPIRunAsTheContractShowsIt: the keys, in this order, whatever the run is doing; no number is ever null.
func TestAPIRunAsTheContractShowsIt(t *testing.T) {
	t.Parallel()
	s := serve(t, "INGEST_MAX_SHOW_ROWS=2")
	begun := s.api.Do("POST", rig.Base+"/upload/users?filename=users.csv",
		"name,email\nann,a@example.org\nbob,\ncelestine,x\ndan,d@example.org\neva,nobody\n", "Content-Type", "text/csv")
	begun.Must(t, http.StatusAccepted)
	if got := begun.Header.Get("Location"); got != at(1, "") {
		t.Errorf("Location is %q", got)
	}
	if got := begun.Header.Get("Content-Type"); got != "application/json; charset=utf-8" {
		t.Errorf("Content-Type is %q", got)
	}
	names, values := resource(t, begun.Body)
	if diff := cmp.Diff(contractKeys, names); diff != "" {
		t.Errorf("the run that began (-want +got):\n%s", diff)
	}
	if string(values["original_filename"]) != `"users.csv"` || string(values["summary"]) != "null" {
		t.Errorf("the run that began is %s", begun.Body)
	}
	s.api.Await(1, patience)
	shown := s.api.Get(at(1, "")).Must(t, http.StatusOK)
	names, values = resource(t, shown.Body)
	if diff := cmp.Diff(append(slices.Clone(contractKeys), "rows"), names); diff != "" {
		t.Errorf("the shown run (-want +got):\n%s", diff)
	}
	for name, want := range map[string]string{
		"importer": `"users"`, "status": `"completed_with_errors"`, "progress": `{"total":5,"processed":5,"successful":2,"failed":3}`,
		"dry_run": "false", "created": "2", "updated": "0", "unchanged": "0", "skipped": "0", "not_processed": "0",
		"bytes_read": "75", "bytes_total": "75", "total_final": "true", "parent_id": "null", "retried_from_run_id": "null",
		"retried_by": "null", "waiting_for": "null", "reason": "null",
		"rows": `[{"row_number":2,"line":3,"status":"failed","data":{"email":"","name":"bob"},` +
			`"errors":{"message":"The email field is required.","validation":{"email":["The email field is required."]}}},` +
			`{"row_number":3,"line":4,"status":"failed","data":{"email":"x","name":"celestine"},` +
			`"errors":{"message":"The email field must be a valid email address. (and 1 more error)",` +
			`"validation":{"email":["The email field must be a valid email address."],` +
			`"name":["The name field must not be greater than 5 characters."]}}}]`,
	} {
		if string(values[name]) != want {
			t.Errorf("%s is %s, want %s", name, values[name], want)
		}
	}
	for _, name := range []string{"started_at", "completed_at"} {
		if text := string(values[name]); len(text) != len(`"2026-01-27T10:00:00.000000Z"`) || !strings.HasSuffix(text, `Z"`) {
			t.Errorf("%s is %s", name, text)
		}
	}

	// Where the command line says the same: one body for both.
	var rest, cli any
	shown.Decode(t, &rest)
	decode(t, s.Must(0, "status", "1", "--output", "json"), &cli)
	if diff := cmp.Diff(rest, cli); diff != "" {
		t.Errorf("the command line differs (-rest +cli):\n%s", diff)
	}

	for query, want := range map[string]int{"?rows=0": -1, "?rows=1": 1, "?rows=2": 2, "?rows=5000": 2, "": 2} {
		_, values := resource(t, s.api.Get(at(1, query)).Must(t, http.StatusOK).Body)
		rows, found := values["rows"]
		got := -1
		if found {
			var all []json.RawMessage
			decode(t, string(rows), &all)
			got = len(all)
		}
		if got != want {
			t.Errorf("%s shows %d rows, want %d (-1: no rows at all)", query, got, want)
		}
	}
	for _, query := range []string{"?rows=-1", "?rows=x", "?rows=1e3", "?rows=99999999999999999999", "?rows=1&rows=2"} {
		refused(t, s.api.Get(at(1, query)), http.StatusUnprocessableEntity, "The ")
	}
	for _, id := range []string{"0", "999", "00000000000000000999", "99999999999999999999999"} {
		refused(t, s.api.Get(rig.Base+"/"+id), http.StatusNotFound, "No ingest run found with ID ")
	}
	refused(t, s.api.Get(at(999, "")), http.StatusNotFound, "No ingest run found with ID 999.")
}

// page is a page of runs.
type page struct {
	Data []struct {
		ID       int64
		Importer string
		Status   string
	}
	Links struct{ First, Last, Prev, Next *string }
	Meta  struct {
		CurrentPage int `json:"current_page"`
		From, To    *int64
		LastPage    int `json:"last_page"`
		Path        string
		PerPage     int `json:"per_page"`
		Total       int64
	}
}

func (p page) ids() (ids []int64) {
	for _, r := range p.Data {
		ids = append(ids, r.ID)
	}
	return ids
}

// TestAPIList pages newest first; links are path-absolute and keep what was asked for.
func TestAPIList(t *testing.T) {
	t.Parallel()
	s := serve(t)
	get := func(path string) page {
		t.Helper()
		var p page
		s.api.Get(path).Must(t, http.StatusOK).Decode(t, &p)
		return p
	}
	empty := s.api.Get(rig.Base+"/").Must(t, http.StatusOK)
	if want := `{"data":[],"links":{"first":"/api/v1/ingest?page=1","last":"/api/v1/ingest?page=1","prev":null,"next":null},` +
		`"meta":{"current_page":1,"from":null,"last_page":1,"path":"/api/v1/ingest","per_page":15,"to":null,"total":0}}` + "\n"; empty.Body != want {
		t.Errorf("no runs:\n%s\nwant\n%s", empty.Body, want)
	}
	for i := range 17 {
		file := "name,email\nann,a@example.org\n"
		if i%2 == 1 {
			file += "bob,\n"
		}
		s.api.Await(s.upload(t, file).ID, patience)
	}
	first := get(rig.Base)
	if got := first.ids(); len(got) != 15 || got[0] != 17 || got[14] != 3 || !slices.IsSortedFunc(got, func(a, b int64) int { return int(b - a) }) {
		t.Errorf("the first page is %v", got)
	}
	if m := first.Meta; *m.From != 1 || *m.To != 15 || m.Total != 17 || m.LastPage != 2 || m.PerPage != 15 || m.Path != rig.Base {
		t.Errorf("meta %+v", m)
	}
	if l := first.Links; *l.First != rig.Base+"?page=1" || *l.Last != rig.Base+"?page=2" || l.Prev != nil || *l.Next != rig.Base+"?page=2" {
		t.Errorf("links %+v", l)
	}
	second := get(*first.Links.Next)
	if got := second.ids(); !slices.Equal(got, []int64{2, 1}) || second.Links.Next != nil || *second.Links.Prev != rig.Base+"?page=1" {
		t.Errorf("the second page is %v, links %+v", got, second.Links)
	}

	// Following the links of a filtered list shows every run of it once.
	var failed []int64
	for next := rig.Base + "?status=completed_with_errors&importer=users&per_page=3"; next != ""; {
		p := get(next)
		failed = append(failed, p.ids()...)
		if p.Meta.PerPage != 3 || p.Meta.Total != 8 || !strings.Contains(*p.Links.Last, "importer=users&page=3&per_page=3&status=completed_with_errors") {
			t.Errorf("a page of the filtered list: %+v %s", p.Meta, *p.Links.Last)
		}
		next = ""
		if p.Links.Next != nil {
			next = *p.Links.Next
		}
	}
	if !slices.Equal(failed, []int64{16, 14, 12, 10, 8, 6, 4, 2}) {
		t.Errorf("the filtered list has %v", failed)
	}
	beyond := get(rig.Base + "?page=9")
	if len(beyond.Data) != 0 || beyond.Meta.From != nil || beyond.Meta.To != nil || beyond.Meta.CurrentPage != 9 {
		t.Errorf("beyond the last page: %+v", beyond)
	}
	if p := get(rig.Base + "?importer=stored"); len(p.Data) != 0 || p.Meta.Total != 0 {
		t.Errorf("runs of an importer without runs: %+v", p)
	}
	if p := get(rig.Base + "?per_page=100"); len(p.Data) != 17 {
		t.Errorf("per_page=100 has %d runs", len(p.Data))
	}
	for _, query := range []string{
		"per_page=0", "per_page=101", "per_page=-1", "per_page=x", "page=0", "page=-1", "page=x", "page=99999999999999999999",
		"status=done", "stauts=failed", "page=1&page=2", "token=x",
	} {
		name, _, _ := strings.Cut(query, "=")
		p := refused(t, s.api.Get(rig.Base+"?"+query), http.StatusUnprocessableEntity, "The")
		if len(p.Errors[name]) == 0 {
			t.Errorf("%s is refused for %v", query, p.Errors)
		}
	}
}

// rowPage is a page of the rows a run kept.
type rowPage struct {
	Data []struct {
		Number int64 `json:"row_number"`
		Status string
		Errors *struct{ Message string }
	}
	Links struct{ Next *string }
	Meta  struct {
		PerPage    int     `json:"per_page"`
		NextCursor *string `json:"next_cursor"`
	}
}

// TestAPIRowsByCursor: the pages hold every row that was kept once, by number.
func TestAPIRowsByCursor(t *testing.T) {
	t.Parallel()
	var file strings.Builder
	file.WriteString("name,email\n")
	var all, failed []int64
	for i := int64(1); i <= 23; i++ {
		all = append(all, i)
		email := fmt.Sprintf("u%d@example.org", i)
		if i%3 == 0 {
			failed, email = append(failed, i), ""
		}
		fmt.Fprintf(&file, "u%d,%s\n", i, email)
	}
	for kept, want := range map[string]map[string][]int64{
		"failed": {"": failed, "&status=failed": failed},
		"all":    {"": all, "&status=failed": failed},
		"none":   {"": failed, "&status=failed": failed},
	} {
		t.Run(kept, func(t *testing.T) {
			t.Parallel()
			s := serve(t, "INGEST_LOG_ROWS="+kept, "INGEST_CHUNK_SIZE=2")
			s.api.Await(s.upload(t, file.String()).ID, patience)
			for filter, want := range want {
				for _, size := range []int{1, 4, 7, 8, 100} {
					var got []int64
					for next := at(1, fmt.Sprintf("/rows?per_page=%d%s", size, filter)); next != ""; {
						var p rowPage
						s.api.Get(next).Must(t, http.StatusOK).Decode(t, &p)
						if len(p.Data) > size || p.Meta.PerPage != size || (p.Links.Next == nil) != (p.Meta.NextCursor == nil) {
							t.Fatalf("%s: %d rows, meta %+v", next, len(p.Data), p.Meta)
						}
						for _, r := range p.Data {
							got = append(got, r.Number)
							if (r.Status == "failed") != (r.Errors != nil) {
								t.Errorf("row %d is %s with errors %v", r.Number, r.Status, r.Errors)
							}
						}
						next = ""
						if p.Links.Next != nil {
							next = *p.Links.Next
						}
					}
					if !slices.Equal(got, want) {
						t.Errorf("%d a page%s: rows %v, want %v", size, filter, got, want)
					}
				}
			}
			if kept == "failed" {
				body := s.api.Get(at(1, "/rows?cursor=20")).Must(t, http.StatusOK).Body
				want := `{"data":[{"row_number":21,"line":22,"status":"failed","data":{"email":"","name":"u21"},"errors":{"message":` +
					`"The email field is required.","validation":{"email":["The email field is required."]}}}],` +
					`"links":{"next":null},"meta":{"per_page":100,"next_cursor":null}}` + "\n"
				if body != want {
					t.Errorf("the last page is\n%s\nwant\n%s", body, want)
				}
			}
			for _, query := range []string{"per_page=0", "per_page=1001", "cursor=x", "cursor=-1", "status=ok", "status=completed", "x=y"} {
				refused(t, s.api.Get(at(1, "/rows?"+query)), http.StatusUnprocessableEntity, "The")
			}
			refused(t, s.api.Get(at(9, "/rows")), http.StatusNotFound, "No ingest run found with ID 9.")
		})
	}
}
