package integration

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"ingest/integration/rig"
	"ingest/shared/lifecycle"
	"ingest/shared/token"
)

// TestAPIIdempotencyKey: a repeated request is the first one's run, whoever repeats it when; nothing of it is left.
func TestAPIIdempotencyKey(t *testing.T) {
	t.Parallel()
	const header = "Idempotency-Key"
	path := filepath.Join(t.TempDir(), "tokens.yaml")
	one, oneLine := token.New("ann", token.Operator, time.Time{})
	two, twoLine := token.New("bob", token.Operator, time.Time{})
	if err := os.WriteFile(path, []byte(oneLine+"\n"+twoLine+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := serve(t, "INGEST_TOKENS_FILE="+path)
	bob := s.api.As(two)
	s.api = s.api.As(one)
	upload := func(api *rig.API, key, file, query string) rig.Answer {
		t.Helper()
		return api.Do("POST", rig.Base+"/upload/users"+query, file, "Content-Type", "text/csv", header, key)
	}
	first := upload(s.api, "k1", halfBad, "").Must(t, http.StatusAccepted).Run(t)
	s.api.Await(first.ID, patience)
	kept := len(spooled(t, s.System)) // for a retry
	again := upload(s.api, "k1", halfBad, "").Must(t, http.StatusAccepted)
	if got := again.Run(t); got.ID != first.ID || got.Status != "completed_with_errors" || again.Header.Get("Location") != at(first.ID, "") {
		t.Errorf("the repeated upload answers %s", again.Body)
	}
	body, kind := form(t, field{"file", "other.csv", halfBad})
	if got := s.api.Do("POST", rig.Base+"/upload/users", body, "Content-Type", kind, header, "k1").Must(t, http.StatusAccepted).Run(t); got.ID != first.ID {
		t.Errorf("the same file as a form is run %d", got.ID)
	}
	if got := len(spooled(t, s.System)); got != kept {
		t.Errorf("repeated uploads left %d files in the spool", got-kept)
	}
	for name, answer := range map[string]rig.Answer{
		"another file":     upload(s.api, "k1", oneUser, ""),
		"a dry run":        upload(s.api, "k1", halfBad, "?dry_run=1"),
		"another importer": s.api.Do("POST", rig.Base+"/upload/stored?replace=true", halfBad, "Content-Type", "text/csv", header, "k1"),
		"a trigger":        s.api.Post(rig.Base+"/trigger/stored", "", header, "k1"),
		"a retry":          s.api.Post(at(first.ID, "/retry"), "", header, "k1"),
	} {
		p := refused(t, answer, 422, fmt.Sprintf("The Idempotency-Key was used for another request (run #%d).", first.ID))
		if len(p.Errors[header]) == 0 || p.RunID != first.ID {
			t.Errorf("%s: %s", name, answer.Body)
		}
	}
	if got := len(spooled(t, s.System)); got != kept {
		t.Errorf("refused uploads left %d files in the spool", got-kept)
	}
	if got := upload(bob, "k1", halfBad, "").Must(t, http.StatusAccepted).Run(t); got.ID == first.ID {
		t.Error("two users share a key")
	}

	// Trigger and retry.
	triggered := s.api.Post(rig.Base+"/trigger/stored", "", header, "k2").Must(t, http.StatusAccepted).Run(t)
	if got := s.api.Post(rig.Base+"/trigger/stored", "{}", header, "k2").Must(t, http.StatusAccepted).Run(t); got.ID != triggered.ID {
		t.Errorf("the repeated trigger is run %d, want %d", got.ID, triggered.ID)
	}
	refused(t, s.api.Post(rig.Base+"/trigger/stored", `{"dry_run": true}`, header, "k2"), 422, "The Idempotency-Key was used")
	s.api.Await(triggered.ID, patience)
	retried := s.api.Post(at(triggered.ID, "/retry"), "", header, "k3").Must(t, http.StatusAccepted).Run(t)
	if got := s.api.Post(at(triggered.ID, "/retry"), "{}", header, "k3").Must(t, http.StatusAccepted).Run(t); got.ID != retried.ID {
		t.Errorf("the repeated retry is run %d, want %d", got.ID, retried.ID)
	}
	refused(t, s.api.Post(at(triggered.ID, "/retry"), `{"force": true}`, header, "k3"), 422, "The Idempotency-Key was used")
	refused(t, s.api.Post(at(first.ID, "/retry"), "", header, "k3"), 422, "The Idempotency-Key was used")
	s.api.Await(retried.ID, patience)

	// What was refused has not used its key up.
	refused(t, s.api.Do("POST", rig.Base+"/upload/users", "", "Content-Type", "text/csv", header, "k4"), 422, "The file field is required.")
	upload(s.api, "k4", oneUser, "").Must(t, http.StatusAccepted)

	for _, key := range []string{"", strings.Repeat("x", 256), "a b", " ", "é", "a\tb"} {
		for _, answer := range []rig.Answer{upload(s.api, key, oneUser, ""), s.api.Post(rig.Base+"/trigger/stored", "", header, key)} {
			if p := refused(t, answer, 422, "The Idempotency-Key must be one text of 1 to 255 visible ASCII characters."); len(p.Errors[header]) == 0 {
				t.Errorf("%q: %v", key, p.Errors)
			}
		}
	}
	refused(t, s.api.Post(rig.Base+"/trigger/stored", "", header, "a", header, "b"), 422, "The Idempotency-Key must be one text")
	upload(s.api, strings.Repeat("x", 255), oneUser, "").Must(t, http.StatusAccepted)
	upload(s.api, `"quoted"/~!`, oneUser, "").Must(t, http.StatusAccepted)

	// Twenty at once are one run, for uploads, triggers and retries.
	for name, request := range map[string]func() (rig.Answer, error){
		"upload": func() (rig.Answer, error) {
			return s.api.Try("POST", rig.Base+"/upload/users", strings.NewReader(halfBad), "Content-Type", "text/csv", header, "many")
		},
		"trigger": func() (rig.Answer, error) {
			return s.api.Try("POST", rig.Base+"/trigger/stored", nil, header, "more")
		},
		"retry": func() (rig.Answer, error) {
			return s.api.Try("POST", at(first.ID, "/retry"), nil, header, "most")
		},
	} {
		before := s.runs(t)
		answers := make([]rig.Answer, 20)
		var tasks []func(context.Context) error
		for i := range answers {
			tasks = append(tasks, func(context.Context) (err error) {
				answers[i], err = request()
				return err
			})
		}
		if err := lifecycle.Parallel(t.Context(), tasks...); err != nil {
			t.Fatal(err)
		}
		for _, answer := range answers {
			if got := answer.Must(t, http.StatusAccepted).Run(t).ID; got != answers[0].Run(t).ID {
				t.Errorf("%s: runs %d and %d", name, got, answers[0].Run(t).ID)
			}
		}
		if got := s.runs(t) - before; got != 1 {
			t.Errorf("%s: twenty at once made %d runs", name, got)
		}
		s.api.Await(answers[0].Run(t).ID, patience)
	}
}

// TestAPIKilledBeforeItAnswers kills the server around the end of an upload, at every moment between the last byte and
// the answer: there is no run then or exactly one, and the repeated request is that one.
func TestAPIKilledBeforeItAnswers(t *testing.T) {
	t.Parallel()
	t.Run("up", func(t *testing.T) {
		t.Parallel()
		s := serve(t)
		killedBeforeItAnswers(t, s, func() *rig.Process { return s.Start("up") })
	})
	t.Run("coordinator", func(t *testing.T) {
		t.Parallel()
		s := serveApart(t)
		s.Worker()
		killedBeforeItAnswers(t, s, s.Coordinator)
	})
}

func killedBeforeItAnswers(t *testing.T, s served, start func() *rig.Process) {
	t.Helper()
	random := rand.New(rand.NewPCG(3, 4))
	var file strings.Builder
	file.WriteString("name,email\n")
	for i := range 2000 {
		fmt.Fprintf(&file, "u%d,u%d@example.org\n", i%1000, i)
	}
	unanswered, made := 0, 0
	for round := range 12 {
		before := s.runs(t)
		key := fmt.Sprintf("round-%d", round)
		path, headers := rig.Base+"/upload/users", []string{"Content-Type", "text/csv", "Idempotency-Key", key}
		// The answer normally comes after some milliseconds, on a busy disk after many. In the first rounds the end of the
		// body never comes.
		after := time.Duration(random.IntN(1000)) * time.Microsecond << max(0, round-3)
		sent, killed := make(chan struct{}), make(chan struct{})
		body := &telling{r: strings.NewReader(file.String()), told: sent, at: file.Len()}
		if round < 3 {
			body.at, body.hold = 20_000, killed
		}
		var answer rig.Answer
		var lost error
		err := lifecycle.Parallel(t.Context(), func(context.Context) error {
			answer, lost = s.api.Try("POST", path, body, headers...)
			return nil
		}, func(ctx context.Context) error {
			select {
			case <-sent:
			case <-ctx.Done():
			}
			err := lifecycle.Wait(ctx, after, nil)
			s.process.Signal(os.Kill)
			close(killed)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		s.process.Wait(patience)
		s = answers(t, s.System, start())
		had := s.runs(t) - before
		switch {
		case had > 1:
			t.Fatalf("round %d: %d runs", round, had)
		case round < 3 && had != 0:
			t.Errorf("round %d: half a file made a run", round)
		case lost != nil:
			unanswered++
		case answer.Status == http.StatusAccepted && had != 1:
			t.Errorf("round %d: the run that was answered is lost", round)
		}
		if lost != nil {
			made += int(had)
		}
		again, err := s.api.Try("POST", path, strings.NewReader(file.String()), headers...)
		if err != nil {
			t.Fatal(err)
		}
		r := s.api.Await(again.Must(t, http.StatusAccepted).Run(t).ID, patience)
		if got := s.runs(t) - before; got != 1 || r.Progress.Total != 2000 || r.Status != "completed" {
			t.Errorf("round %d: %d runs, the last is %s with %d rows", round, got, r.Status, r.Progress.Total)
		}
		verify(t, s.System, r.ID)
	}
	// What was half written is swept away once it is old, by whoever starts next; what runs may need is not.
	old := time.Now().Add(-2 * time.Hour)
	for _, name := range spooled(t, s.System) {
		if err := os.Chtimes(filepath.Join(s.Dir, "data", "spool", name), old, old); err != nil {
			t.Fatal(err)
		}
	}
	whole := 0
	for _, name := range spooled(t, s.System) {
		if !strings.HasPrefix(name, "tmp-") {
			whole++
		}
	}
	s.process.Term()
	s.process = start()
	s.process.API()
	var left []string
	rig.Until(t, patience, "the sweep of what was half written", func() bool {
		left = spooled(t, s.System)
		return !slices.ContainsFunc(left, func(name string) bool { return strings.HasPrefix(name, "tmp-") })
	})
	if len(left) != whole {
		t.Errorf("%d whole files were there, now %v", whole, left)
	}
	t.Logf("%d of 12 requests had no answer, %d of them had made a run", unanswered, made)
	if unanswered < 3 {
		t.Errorf("only %d requests had no answer: the kills came too late to prove anything", unanswered)
	}
}

// telling reads and tells when so many bytes were read; then it holds, if it shall.
type telling struct {
	r    io.Reader
	told chan struct{}
	hold chan struct{}
	read int
	at   int
}

// Read implements io.Reader.
func (r *telling) Read(p []byte) (int, error) {
	if r.told == nil && r.hold != nil {
		<-r.hold
	}
	n, err := r.r.Read(p[:min(len(p), 4096)])
	if r.read += n; r.read >= r.at && r.told != nil {
		close(r.told)
		r.told = nil
	}
	return n, err
}
