package integration

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"ingest/integration/rig"
	"ingest/shared/lifecycle"
)

// begun is a coordinator on a Redis of its own and a database of every kind, with the importers users and stored having
// these further keys. Nobody works yet, so runs begin and do not end.
func begun(t *testing.T, to target, keys string) served {
	t.Helper()
	settings := rig.SystemOptions{
		RedisURL:  rig.StartRedis(t, rig.RedisOptions{}).URL(),
		Importers: map[string]string{"users.yaml": users + keys, "stored.yaml": stored + keys},
	}
	if to == toPostgres {
		settings.Database = rig.StartPostgres(t).Database("app")
	}
	sys := rig.NewSystem(t, settings)
	sys.Write("people.csv", "name,email\nann,a@example.org\nbob,\n")
	sys.Migrate()
	return answers(t, sys, sys.Coordinator())
}

func (s served) trigger(t *testing.T, body string, headers ...string) rig.Answer {
	t.Helper()
	return s.api.Do("POST", rig.Base+"/trigger/stored", body, append(headers, "Content-Type", "application/json")...)
}

func (s served) waiting(t *testing.T, id int64) string {
	t.Helper()
	return text(s.api.Get(at(id, "")).Must(t, http.StatusOK).Run(t).WaitingFor)
}

// TestARunIsRefusedWhileAnotherIsNotOver, however it is to begin; dry runs are not, and are not in the way.
func TestARunIsRefusedWhileAnotherIsNotOver(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, to target) {
		s := begun(t, to, "overlap: refuse\n")
		busy := func(answer rig.Answer, run int64, slug string) {
			t.Helper()
			want := fmt.Sprintf("Run #%d of the importer '%s' is not finished yet (overlap: refuse).", run, slug)
			if p := refused(t, answer, http.StatusConflict, want); p.Detail != want || p.RunID != run {
				t.Errorf("%q names run %d, want %q", p.Detail, p.RunID, want)
			}
		}
		s.trigger(t, `{"dry_run": true}`).Must(t, http.StatusAccepted)

		// Several at once: one begins.
		answers := make([]rig.Answer, 6)
		var tasks []func(context.Context) error
		for i := range answers {
			tasks = append(tasks, func(context.Context) (err error) {
				answers[i], err = s.api.Try("POST", rig.Base+"/trigger/stored", strings.NewReader(""))
				return err
			})
		}
		if err := lifecycle.Parallel(t.Context(), tasks...); err != nil {
			t.Fatal(err)
		}
		first := int64(0)
		for _, answer := range answers {
			if answer.Status == http.StatusAccepted {
				if first != 0 {
					t.Errorf("runs %d and %d began", first, answer.Run(t).ID)
				}
				first = answer.Run(t).ID
			}
		}
		for _, answer := range answers {
			if answer.Status != http.StatusAccepted {
				busy(answer, first, "stored")
			}
		}
		said := s.CLI("run", "stored", "--detach")
		if want := fmt.Sprintf("Run #%d of the importer 'stored' is not finished yet (overlap: refuse).", first); said.Code != 1 || !strings.Contains(said.Stderr, want) {
			t.Errorf("run: %+v", said)
		}

		// A file is neither kept nor, where it is certain that it is not wanted, read.
		path := rig.Base + "/upload/users"
		upload := s.api.Do("POST", path, halfBad, "Content-Type", "text/csv", "Idempotency-Key", "k").Must(t, http.StatusAccepted).Run(t)
		files := len(spooled(t, s.System))
		if answer := s.send(t, "POST "+path+" HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/csv\r\nContent-Length: 1000\r\n\r\n"); !strings.HasPrefix(answer, "HTTP/1.1 409 ") {
			t.Errorf("a file that never comes: %s", answer)
		}
		body, kind := form(t, field{"file", "a.csv", oneUser})
		busy(s.api.Do("POST", path, body, "Content-Type", kind), upload.ID, "users")
		busy(s.api.Do("POST", path+"?dry_run=0", body, "Content-Type", kind), upload.ID, "users")
		if got := len(spooled(t, s.System)); got != files {
			t.Errorf("refused uploads left %d files", got-files)
		}
		if again := s.api.Do("POST", path, halfBad, "Content-Type", "text/csv", "Idempotency-Key", "k").Must(t, http.StatusAccepted).Run(t); again.ID != upload.ID {
			t.Errorf("the repeated upload is run %d, not %d", again.ID, upload.ID)
		}
		body, kind = form(t, field{"file", "a.csv", oneUser}, field{"dry_run", "", "true"})
		s.api.Do("POST", path, body, "Content-Type", kind).Must(t, http.StatusAccepted)
		s.upload(t, oneUser, "dry_run=true")

		// Over: the next one begins, and is in the way of a retry.
		worker := s.Worker()
		s.api.Await(first, patience)
		s.api.Await(upload.ID, patience)
		worker.Term()
		next := s.trigger(t, "").Must(t, http.StatusAccepted).Run(t).ID
		busy(s.api.Post(at(first, "/retry"), ""), next, "stored")
		s.api.Post(at(first, "/retry"), `{"dry_run": true}`).Must(t, http.StatusAccepted)
		s.api.Post(at(next, "/cancel"), "").Must(t, http.StatusOK)
		s.api.Await(next, patience)
		s.api.Post(at(first, "/retry"), "").Must(t, http.StatusAccepted)
	})
}

// TestRunsWaitForThoseBeforeThem, in the order of their ids, whoever is killed and whatever is cancelled.
func TestRunsWaitForThoseBeforeThem(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, to target) {
		s := begun(t, to, "overlap: wait\n")
		trigger := func(body string) int64 { t.Helper(); return s.trigger(t, body).Must(t, http.StatusAccepted).Run(t).ID }
		waits := func(id, before int64) {
			t.Helper()
			want := fmt.Sprintf("Waiting: run #%d of the same importer is not finished.", before)
			rig.Until(t, patience, fmt.Sprintf("run %d waiting for run %d", id, before), func() bool { return s.waiting(t, id) == want })
			if shown := s.Must(0, "status", fmt.Sprint(id)); !strings.Contains(shown, want) || !strings.Contains(shown, "pending") {
				t.Errorf("status says:\n%s", shown)
			}
		}
		begins := func(id int64) {
			t.Helper()
			rig.Until(t, patience, fmt.Sprintf("the beginning of run %d", id), func() bool {
				return s.api.Get(at(id, "")).Run(t).Status == "processing"
			})
		}
		first := trigger("")
		begins(first)
		second, cancelled, third := trigger(""), trigger(""), trigger("")
		other := s.upload(t, oneUser).ID
		dry := trigger(`{"dry_run": true}`)
		waits(second, first)
		waits(cancelled, first)
		waits(third, first)
		begins(dry)
		begins(other)

		s.process.Kill9()
		s = answers(t, s.System, s.Coordinator())
		s.api.Post(at(cancelled, "/cancel"), "").Must(t, http.StatusOK)
		if r := s.api.Await(cancelled, patience); r.Status != "cancelled" || r.StartedAt != nil {
			t.Errorf("the run that was cancelled while it waited is %+v", r)
		}
		s.api.Post(at(first, "/cancel"), "").Must(t, http.StatusOK)
		begins(second)
		waits(third, second)
		if got := s.waiting(t, second); strings.Contains(got, "same importer") {
			t.Errorf("the second says: %s", got)
		}

		s.Worker()
		var times []string
		for _, id := range []int64{second, third} {
			if r := s.api.Await(id, patience); r.Status != "completed_with_errors" {
				t.Errorf("run %d is %s", id, r.Status)
			}
			var told struct {
				Data struct {
					StartedAt   string `json:"started_at"`
					CompletedAt string `json:"completed_at"`
				}
			}
			s.api.Get(at(id, "")).Decode(t, &told)
			times = append(times, told.Data.StartedAt, told.Data.CompletedAt)
		}
		if !slices.IsSorted(times) {
			t.Errorf("the runs were not one after the other: %v", times)
		}
		retry := s.api.Post(at(second, "/retry"), "").Must(t, http.StatusAccepted).Run(t)
		if r := s.api.Await(retry.ID, patience); r.Status != "completed_with_errors" {
			t.Errorf("the retry is %s", r.Status)
		}
	})
}
