package integration

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ingest/integration/rig"
	"ingest/shared/lifecycle"
)

// halfBad has four rows, two of which fail.
const halfBad = "name,email\nann,a@example.org\nbob,\ndan,d@example.org\neva,nobody\n"

// serveApart is serve with a Redis, a PostgreSQL and a coordinator of their own; nobody works yet.
func serveApart(t *testing.T, env ...string) served {
	t.Helper()
	server := rig.StartPostgres(t)
	sys := rig.NewSystem(t, rig.SystemOptions{
		RedisURL: rig.StartRedis(t, rig.RedisOptions{}).URL(), Database: server.Database("app"), Env: env,
		Importers: map[string]string{"users.yaml": users, "stored.yaml": stored},
	})
	sys.Write("people.csv", "name,email\nann,a@example.org\nbob,\n")
	sys.Migrate()
	return answers(t, sys, sys.Coordinator())
}

// TestAPIFlow is a run's whole life on Redis, PostgreSQL, a coordinator and a worker: begun, shown, refused a retry,
// stopped, taken up again.
func TestAPIFlow(t *testing.T) {
	t.Parallel()
	s := serveApart(t)
	cancel := func(id int64) rig.Answer { t.Helper(); return s.api.Post(at(id, "/cancel"), "") }
	retry := func(id int64, body string) rig.Answer { t.Helper(); return s.api.Post(at(id, "/retry"), body) }
	conflict := func(answer rig.Answer, text string, run int64) {
		t.Helper()
		if p := refused(t, answer, http.StatusConflict, text); p.RunID != run || p.Detail != text {
			t.Errorf("%q names run %d, want %q and %d", p.Detail, p.RunID, text, run)
		}
	}

	// Nobody works: the run waits, and says for what.
	if r := s.upload(t, halfBad); r.ID != 1 || r.Status != "pending" {
		t.Fatalf("the first run is %+v", r)
	}
	rig.Until(t, patience, "the run saying what it waits for", func() bool {
		waiting := s.api.Get(at(1, "")).Must(t, http.StatusOK).Run(t).WaitingFor
		return waiting != nil && *waiting == "Waiting: no worker is running (start `ingest worker`)."
	})
	conflict(retry(1, ""), "Run #1 is not finished yet.", 1)
	if got := s.api.Get(at(1, "/errors/summary")).Must(t, http.StatusOK).Body; got != `{"data":{"total_failed_rows":0,"error_summary":[],"validation_summary":[]}}`+"\n" {
		t.Errorf("errors of a run that has just begun: %s", got)
	}
	refused(t, s.api.Get(at(1, "/failed-rows/download")), http.StatusNotFound, "No failed rows found for this ingest run.")

	// Stopped before a row was read.
	answer := cancel(1).Must(t, http.StatusOK)
	var sent struct{ Message string }
	answer.Decode(t, &sent)
	if sent.Message != "Cancellation request sent." || !slices.Equal(keys(t, json.RawMessage(answer.Body)), []string{"message", "data"}) {
		t.Errorf("cancel answers %s", answer.Body)
	}
	if r := answer.Run(t); r.ID != 1 || r.Status != "cancelling" && r.Status != "cancelled" {
		t.Errorf("cancel answers run %+v", r)
	}
	if r := s.api.Await(1, patience); r.Status != "cancelled" || r.Progress.Processed != 0 || r.Progress.Total != r.NotProcessed {
		t.Errorf("the stopped run is %+v", r)
	}
	conflict(cancel(1), "Ingest run #1 has already finished.", 1)
	refused(t, cancel(999), http.StatusNotFound, "No ingest run found with ID 999.")
	refused(t, retry(999, ""), http.StatusNotFound, "No ingest run found with ID 999.")
	if p := refused(t, retry(1, ""), http.StatusBadRequest, "The original run has no failed rows to retry."); p.RunID != 0 {
		t.Errorf("nothing to retry names run %d", p.RunID)
	}

	// Its rows are taken up by a retry of what was not processed.
	second := retry(1, `{"unprocessed": true}`).Must(t, http.StatusAccepted).Run(t)
	if second.ID != 2 || second.ParentID == nil || *second.ParentID != 1 {
		t.Fatalf("the retry is %+v", second)
	}
	conflict(retry(1, `{"unprocessed": true}`), "Run #1 is being retried as run #2.", 2)
	conflict(retry(1, `{"unprocessed": true, "force": true}`), "Run #1 is being retried as run #2.", 2)
	s.Worker()
	if r := s.api.Await(2, patience); r.Status != "completed_with_errors" || r.Progress.Total != 4 || r.Progress.Failed != 2 {
		t.Errorf("the retry is %+v", r)
	}
	conflict(retry(1, `{"unprocessed": true}`), "Run #1 was already retried as run #2.", 2)
	if r := s.api.Get(at(1, "")).Must(t, http.StatusOK).Run(t); r.RetriedBy == nil || *r.RetriedBy != 2 {
		t.Errorf("the original names %v as its retry", r.RetriedBy)
	}

	// A dry run in between neither blocks nor is named, and a retry of it is a dry run unless forced.
	dry := retry(2, `{"dry_run": true}`).Must(t, http.StatusAccepted).Run(t)
	if r := s.api.Await(dry.ID, patience); !dry.DryRun || r.Progress.Failed != 2 {
		t.Errorf("the dry retry is %+v", r)
	}
	if r := s.api.Get(at(2, "")).Run(t); r.RetriedBy != nil {
		t.Errorf("the dry run is named: %d", *r.RetriedBy)
	}
	again := retry(dry.ID, `{}`).Must(t, http.StatusAccepted).Run(t)
	if s.api.Await(again.ID, patience); !again.DryRun {
		t.Error("the retry of a dry run writes")
	}
	if forced := retry(dry.ID, `{"force": true}`).Must(t, http.StatusAccepted).Run(t); forced.DryRun {
		t.Error("the forced retry of a dry run does not write")
	} else {
		s.api.Await(forced.ID, patience)
	}

	// Two at once: one wins, the others are refused naming it.
	answers := make([]rig.Answer, 6)
	var tasks []func(context.Context) error
	for i := range answers {
		tasks = append(tasks, func(context.Context) (err error) {
			answers[i], err = s.api.Try("POST", at(2, "/retry"), nil)
			return err
		})
	}
	if err := lifecycle.Parallel(t.Context(), tasks...); err != nil {
		t.Fatal(err)
	}
	var won int64
	for _, answer := range answers {
		if answer.Status == http.StatusAccepted {
			if won != 0 {
				t.Errorf("runs %d and %d both won", won, answer.Run(t).ID)
			}
			won = answer.Run(t).ID
		}
	}
	if won == 0 {
		t.Fatalf("nobody won: %+v", answers)
	}
	for _, answer := range answers {
		if answer.Status == http.StatusAccepted {
			continue
		}
		p := refused(t, answer, http.StatusConflict, "Run #2 ")
		if being, was := fmt.Sprintf("Run #2 is being retried as run #%d.", won), fmt.Sprintf("Run #2 was already retried as run #%d.", won); p.RunID != won || p.Detail != being && p.Detail != was {
			t.Errorf("a loser is told %q and run %d", p.Detail, p.RunID)
		}
	}
	s.api.Await(won, patience)

	// Only the rows with one message; none with that message is nothing to do.
	some := retry(2, `{"error": "The email field is required.", "force": true}`).Must(t, http.StatusAccepted).Run(t)
	if r := s.api.Await(some.ID, patience); r.Progress.Total != 1 || r.Progress.Failed != 1 {
		t.Errorf("the retry of one message is %+v", r)
	}
	refused(t, retry(2, `{"error": "The email field", "force": true}`), http.StatusBadRequest, "The original run has no failed rows to retry.")
	for id := int64(1); id <= some.ID; id++ {
		proof := s.api.Get(at(id, "/verify")).Must(t, http.StatusOK)
		var v struct{ Data struct{ Problems []string } }
		if proof.Decode(t, &v); v.Data.Problems == nil || len(v.Data.Problems) > 0 {
			t.Errorf("run %d: %s", id, proof.Body)
		}
	}
	var processes struct{ Data []struct{ Role string } }
	s.api.Get(rig.Base+"/workers").Must(t, http.StatusOK).Decode(t, &processes)
	roles := map[string]int{}
	for _, p := range processes.Data {
		roles[p.Role]++
	}
	if diff := cmp.Diff(map[string]int{"coordinator": 1, "worker": 1}, roles); diff != "" {
		t.Errorf("the live processes (-want +got):\n%s", diff)
	}
}

// TestAPIErrorsAndDownload are sections 4 and 5 of the contract.
func TestAPIErrorsAndDownload(t *testing.T) {
	t.Parallel()
	s := serve(t)
	file := "name,email\n=1+1,\ncelestine,\nann,a@example.org\nann,x\nevaeva,y\n-5,\n"
	if r := s.api.Await(s.upload(t, file).ID, patience); r.Status != "completed_with_errors" {
		t.Fatalf("the run is %+v", r)
	}
	want := `{"data":{"total_failed_rows":5,"error_summary":[{"message":"The email field is required.","count":2},` +
		`{"message":"The email field is required. (and 1 more error)","count":1},` +
		`{"message":"The email field must be a valid email address.","count":1},` +
		`{"message":"The email field must be a valid email address. (and 1 more error)","count":1}],` +
		`"validation_summary":[{"message":"email: The email field is required.","count":3},` +
		`{"message":"email: The email field must be a valid email address.","count":2},` +
		`{"message":"name: The name field must not be greater than 5 characters.","count":2}]}}` + "\n"
	if got := s.api.Get(at(1, "/errors/summary")).Must(t, http.StatusOK).Body; got != want {
		t.Errorf("the summary is\n%s\nwant\n%s", got, want)
	}
	download := s.api.Get(at(1, "/failed-rows/download")).Must(t, http.StatusOK)
	for name, want := range map[string]string{
		"Content-Type": "text/csv; charset=UTF-8", "Content-Disposition": `attachment; filename="failed-rows-1.csv"`,
		"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store",
	} {
		if got := download.Header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	rows := "name,email,_error_message,_row_number\n" +
		"'=1+1,,The email field is required.,1\n" +
		"celestine,,The email field is required. (and 1 more error),2\n" +
		"ann,x,The email field must be a valid email address.,4\n" +
		"evaeva,y,The email field must be a valid email address. (and 1 more error),5\n" +
		"-5,,The email field is required.,6\n"
	if download.Body != rows {
		t.Errorf("the download is\n%s\nwant\n%s", download.Body, rows)
	}
	for query, want := range map[string]string{
		"?raw=1": strings.Replace(rows, "'=", "=", 1), "?raw=true": strings.Replace(rows, "'=", "=", 1), "?raw=0": rows, "?raw=false": rows,
	} {
		if got := s.api.Get(at(1, "/failed-rows/download"+query)).Must(t, http.StatusOK).Body; got != want {
			t.Errorf("%s:\n%s\nwant\n%s", query, got, want)
		}
	}
	refused(t, s.api.Get(at(1, "/failed-rows/download?raw=maybe")), 422, "The raw field must be true or false.")

	// Download, mend, upload: the guard comes off and the surplus columns are ignored.
	mended := strings.NewReplacer("'=1+1,,", "'=1+1,f@example.org,", "celestine,,", "cel,c@example.org,", "ann,x,", "ann,x@example.org,",
		"evaeva,y,", "eva,y@example.org,", "-5,,", "-5,m@example.org,").Replace(download.Body)
	if r := s.api.Await(s.upload(t, mended).ID, patience); r.Status != "completed" || r.Created != 5 {
		t.Errorf("the mended file is %+v", r)
	}
	if table := strings.Join(s.Dump("users", "email", "name"), "\n"); !strings.Contains(table, "email=f@example.org\tname==1+1") {
		t.Errorf("the guard was imported:\n%s", table)
	}
	refused(t, s.api.Get(at(2, "/failed-rows/download")), http.StatusNotFound, "No failed rows found for this ingest run.")
	if got := s.api.Get(at(2, "/errors/summary")).Must(t, http.StatusOK).Body; got != `{"data":{"total_failed_rows":0,"error_summary":[],"validation_summary":[]}}`+"\n" {
		t.Errorf("no failures: %s", got)
	}
	for _, rest := range []string{"/errors/summary", "/failed-rows/download", "/verify", "/rows", "/events"} {
		refused(t, s.api.Get(at(999, rest)), http.StatusNotFound, "No ingest run found with ID 999.")
	}
	// A duplicate under the strategy fail names the key as the source calls it.
	s.Write("importers/users.yaml", strings.Replace(users, "on_duplicate: update", "on_duplicate: fail", 1))
	r := s.api.Await(s.upload(t, "name,email\nann,a@example.org\n").ID, patience)
	if got := s.api.Get(at(r.ID, "/errors/summary")).Body; !strings.Contains(got, `{"message":"Duplicate entry found for key 'email'.","count":1}`) {
		t.Errorf("a duplicate: %s", got)
	}
}

// TestAPITriggerAndImporters: for every source but uploads; definitions are read anew each time.
func TestAPITriggerAndImporters(t *testing.T) {
	t.Parallel()
	s := serve(t)
	trigger := func(slug, body string, headers ...string) rig.Answer {
		t.Helper()
		return s.api.Post(rig.Base+"/trigger/"+slug, body, headers...)
	}
	for body, dry := range map[string]bool{"": false, "{}": false, " ": false, `{"dry_run": true}`: true, `{"dry_run": false}`: false} {
		answer := trigger("stored", body).Must(t, http.StatusAccepted)
		r := answer.Run(t)
		if r.DryRun != dry || r.Importer != "stored" || named(t, answer) != "people.csv" {
			t.Errorf("%q began %s", body, answer.Body)
		}
		if got := answer.Header.Get("Location"); got != at(r.ID, "") {
			t.Errorf("Location is %q", got)
		}
		if r := s.api.Await(r.ID, patience); r.Status != "completed_with_errors" || r.Progress.Total != 2 {
			t.Errorf("%q: %+v", body, r)
		}
	}
	before := s.runs(t)
	for body, want := range map[string]struct {
		status int
		text   string
	}{
		`{"dry-run": true}`:                  {422, "There is no field 'dry-run'."},
		`{"id": 7, "dry_run": true}`:         {422, "There is no field 'id'."},
		`{"dry_run": "true"}`:                {422, "The dry_run field must be true or false."},
		`{"dry_run": 1}`:                     {422, "The dry_run field must be true or false."},
		`{"dry_run": true, "dry_run": true}`: {422, "The dry_run field is given twice."},
		`[]`:                                 {400, "The body is not a JSON object."},
		`null`:                               {400, "The body is not a JSON object."},
		`"x"`:                                {400, "The body is not a JSON object."},
		`{"dry_run": true`:                   {400, "The body is not a JSON object."},
		`{} {}`:                              {400, "The body is not a JSON object."},
		`dry_run=true`:                       {400, "The body is not a JSON object."},
		`{"x": "` + strings.Repeat("x", 1<<20) + `"}`: {413, "The body is larger than 1048576 bytes."},
		strings.Repeat(`{"x":`, 100_000):              {400, "The body is not a JSON object."},
	} {
		refused(t, trigger("stored", body), want.status, want.text)
	}
	refused(t, s.api.Do("POST", rig.Base+"/trigger/stored", "{}", "Content-Type", "text/plain"), http.StatusUnsupportedMediaType, "The body must be JSON")
	refused(t, s.api.Do("POST", rig.Base+"/trigger/stored", "{}"), http.StatusUnsupportedMediaType, "The body must be JSON")
	refused(t, trigger("x", ""), http.StatusNotFound, "No importer found with the slug 'x'.")
	p := refused(t, trigger("users", ""), 422, "The importer 'users' takes an upload")
	if len(p.Errors["importer"]) == 0 {
		t.Errorf("an upload is triggered: %v", p.Errors)
	}
	s.Write("importers/outside.yaml", strings.NewReplacer("stored", "outside", "people.csv", "../../etc/passwd").Replace(stored))
	refused(t, trigger("outside", ""), 422, "")
	s.Write("importers/gone.yaml", strings.NewReplacer("stored", "gone", "people.csv", "gone.csv").Replace(stored))
	refused(t, trigger("gone", ""), 422, "")
	if got := s.runs(t); got != before {
		t.Errorf("refused triggers made %d runs", got-before)
	}

	s.Write("importers/broken.yaml", "importer: broken\nfeilds: []\n")
	var listed struct {
		Data []struct{ Importer, Source, Table, Error string }
	}
	s.api.Get(rig.Base+"/importers").Must(t, http.StatusOK).Decode(t, &listed)
	got := map[string]string{}
	for _, one := range listed.Data {
		got[one.Importer] = one.Source
		if (one.Error != "") != (one.Importer == "broken") {
			t.Errorf("%s: %q", one.Importer, one.Error)
		}
	}
	if diff := cmp.Diff(map[string]string{"broken": "", "gone": "filesystem", "outside": "filesystem", "stored": "filesystem", "users": "upload"}, got); diff != "" {
		t.Errorf("the importers (-want +got):\n%s", diff)
	}
	shown := s.api.Get(rig.Base+"/importers/users").Must(t, http.StatusOK)
	var definition struct {
		Data struct {
			Importer    string
			Source      struct{ Type string }
			Destination struct{ Table, URL string }
			Key         []string
		}
	}
	shown.Decode(t, &definition)
	if d := definition.Data; d.Importer != "users" || d.Source.Type != "upload" || d.Destination.Table != "users" || strings.Contains(shown.Body, "sqlite:") {
		t.Errorf("the definition is %s", shown.Body)
	}
	refused(t, s.api.Get(rig.Base+"/importers/x"), http.StatusNotFound, "No importer found with the slug 'x'.")
	refused(t, s.api.Get(rig.Base+"/importers/broken"), 422, "")

	var checked struct {
		Data []struct {
			Importer string
			Problems []string
		}
	}
	s.api.Get(rig.Base+"/check?importer=users&importer=broken").Must(t, http.StatusOK).Decode(t, &checked)
	for _, one := range checked.Data {
		if (len(one.Problems) > 0) != (one.Importer == "broken") {
			t.Errorf("check says of %s: %q", one.Importer, one.Problems)
		}
	}
	if len(checked.Data) != 2 {
		t.Errorf("%d importers were checked", len(checked.Data))
	}
	refused(t, s.api.Get(rig.Base+"/check?importer=x"), http.StatusNotFound, "No importer found with the slug 'x'.")
	refused(t, s.api.Get(rig.Base+"/check?connect=maybe"), 422, "The connect field must be true or false.")
}
