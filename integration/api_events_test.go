package integration

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ingest/integration/rig"
	"ingest/shared/lifecycle"
)

// event is one Server-Sent Event; an event without data only moves the place.
type event struct{ id, name, data string }

func (e event) run(t *testing.T) rig.Run {
	t.Helper()
	var r rig.Run
	decode(t, e.data, &r)
	return r
}

// stream is an open event stream, read as a browser does.
type stream struct {
	tasks *lifecycle.Tasks

	mu    sync.Mutex
	all   []event
	last  string
	ended bool
	// err is how it ended, nil for properly.
	err error
}

// follow opens an event stream, from the event with that id if there is one.
func follow(t *testing.T, api *rig.API, path, last string) *stream {
	t.Helper()
	request, err := api.Request("GET", path, nil, "Last-Event-ID", last, "Accept", "text/event-stream")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	client := &http.Client{Transport: api.Client.Transport} // no limit: a stream lasts
	response, err := client.Do(request.WithContext(ctx))
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	if kind := response.Header.Get("Content-Type"); response.StatusCode != http.StatusOK || kind != "text/event-stream; charset=utf-8" {
		t.Errorf("%s: %d %s", path, response.StatusCode, kind)
	}
	s := &stream{tasks: lifecycle.NewTasks(ctx), last: last}
	s.tasks.Go("read "+path, func(context.Context) error {
		defer func() { _ = response.Body.Close() }() // it was only read
		s.read(response.Body)
		return nil
	})
	t.Cleanup(func() {
		cancel()
		if err := s.tasks.Wait(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func (s *stream) read(body io.Reader) {
	lines := bufio.NewScanner(body)
	lines.Buffer(nil, 1<<20)
	var now event
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), ":")
		value = strings.TrimPrefix(value, " ")
		s.mu.Lock()
		switch {
		case lines.Text() == "":
			if now.id != "" {
				s.last = now.id
			}
			if now.data != "" {
				s.all = append(s.all, now)
			}
			now = event{}
		case name == "id":
			now.id = value
		case name == "event":
			now.name = value
		case name == "data":
			now.data += value
		}
		s.mu.Unlock()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended, s.err = true, lines.Err()
}

// events are those that came so far, and the id to come back with.
func (s *stream) events() (all []event, last string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append(all, s.all...), s.last
}

// over says whether the stream has ended, and how.
func (s *stream) over() (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ended, s.err
}

// await blocks until the run was told with that status.
func (s *stream) await(t *testing.T, id int64, status string) {
	t.Helper()
	rig.Until(t, patience, "run being told "+status, func() bool {
		all, _ := s.events()
		for _, e := range all {
			if r := e.run(t); r.ID == id && r.Status == status {
				return true
			}
		}
		return false
	})
}

// awaitEnd blocks until the server has ended the stream properly.
func (s *stream) awaitEnd(t *testing.T) {
	t.Helper()
	rig.Until(t, patience, "the stream ending", func() bool { ended, _ := s.over(); return ended })
	if _, err := s.over(); err != nil {
		t.Errorf("the stream broke: %v", err)
	}
}

// TestAPIRunEvents: the run whenever it changes, until its terminal status and no further.
func TestAPIRunEvents(t *testing.T) {
	t.Parallel()
	s := serveApart(t)
	refused(t, s.api.Get(at(9, "/events")), http.StatusNotFound, "No ingest run found with ID 9.")
	id := s.upload(t, halfBad).ID
	first := follow(t, s.api, at(id, "/events"), "")
	rig.Until(t, patience, "the first event", func() bool { all, _ := first.events(); return len(all) > 0 })
	_, early := first.events()
	s.Worker()
	first.await(t, id, "completed_with_errors")
	first.awaitEnd(t)
	all, last := first.events()
	for i, e := range all {
		if e.name != "run" || e.id == "" || i > 0 && e.id == all[i-1].id {
			t.Errorf("event %d is %+v", i, e)
		}
		if diff := cmp.Diff(contractKeys, keys(t, json.RawMessage(e.data))); diff != "" {
			t.Errorf("event %d (-want +got):\n%s", i, diff)
		}
		if i > 0 && e.run(t).Progress.Processed < all[i-1].run(t).Progress.Processed {
			t.Errorf("progress goes back: %s", e.data)
		}
		if e.run(t).Terminal() != (i == len(all)-1) {
			t.Errorf("event %d of %d is %s", i, len(all), e.run(t).Status)
		}
	}
	// Who saw the end has nothing more to come back for; who did not is told.
	answer := s.api.Get(at(id, "/events"), "Last-Event-ID", last)
	if answer.Status != http.StatusNoContent || answer.Body != "" {
		t.Errorf("coming back after the end: %d %s", answer.Status, answer.Body)
	}
	for _, before := range []string{"", early, "nonsense"} {
		again := follow(t, s.api, at(id, "/events"), before)
		again.awaitEnd(t)
		if all, _ := again.events(); len(all) != 1 || all[0].run(t).Status != "completed_with_errors" || all[0].id != last {
			t.Errorf("coming back from %q: %+v", before, all)
		}
	}
}

// TestAPIAllEvents tells of several runs, of those that ended while the client was away, and ends with the server.
func TestAPIAllEvents(t *testing.T) {
	t.Parallel()
	s := serve(t)
	done := s.api.Await(s.upload(t, oneUser).ID, patience)
	first := follow(t, s.api, rig.Base+"/events", "")
	second, third := s.upload(t, oneUser), s.upload(t, halfBad)
	first.await(t, second.ID, "completed")
	first.await(t, third.ID, "completed_with_errors")
	all, _ := first.events()
	for _, e := range all {
		if e.run(t).ID == done.ID {
			t.Errorf("a run that was over before is told: %s", e.data)
		}
	}
	// The place moves on behind what was told.
	rig.Until(t, patience, "the place being told", func() bool { _, last := first.events(); return last != "" && last != all[0].id })
	_, place := first.events()
	var away []int64
	for range 3 {
		away = append(away, s.api.Await(s.upload(t, oneUser).ID, patience).ID)
	}
	back := follow(t, s.api, rig.Base+"/events", place)
	for _, id := range away {
		back.await(t, id, "completed")
	}
	for _, nonsense := range []string{"x", "0", "-", "18446744073709551616-0"} {
		odd := follow(t, s.api, rig.Base+"/events", nonsense)
		r := s.upload(t, oneUser)
		odd.await(t, r.ID, "completed")
	}
	if ended, _ := back.over(); ended {
		t.Error("the stream of all runs ended by itself")
	}
	if code := s.process.Term(); code != 0 {
		t.Errorf("the server ended with %d", code)
	}
	first.awaitEnd(t)
	back.awaitEnd(t)
}

// TestAPIEventsSurviveRedis: a stream goes on when Redis is killed, and when it comes back with nothing.
func TestAPIEventsSurviveRedis(t *testing.T) {
	t.Parallel()
	redis := rig.StartRedis(t, rig.RedisOptions{})
	sys := rig.NewSystem(t, rig.SystemOptions{RedisURL: redis.URL(), Importers: map[string]string{"users.yaml": users}})
	sys.Migrate()
	s := answers(t, sys, sys.Coordinator())
	id := s.upload(t, halfBad).ID
	one, all := follow(t, s.api, at(id, "/events"), ""), follow(t, s.api, rig.Base+"/events", "")
	for _, events := range []*stream{one, all} {
		rig.Until(t, patience, "the first event", func() bool { told, _ := events.events(); return len(told) > 0 })
	}
	redis.Kill9()
	rig.Until(t, patience, "not being ready", func() bool { return s.api.Get("/readyz").Status == http.StatusServiceUnavailable })
	redis.Start()
	sys.Worker()
	one.await(t, id, "completed_with_errors")
	one.awaitEnd(t)
	all.await(t, id, "completed_with_errors")
	if ended, _ := all.over(); ended {
		t.Error("the stream of all runs has ended")
	}
	// A Redis that lost everything hears of the coordinator at its next heartbeat; before that no upload is taken.
	rig.Until(t, patience, "the coordinator being known again", func() bool {
		return strings.Contains(s.api.Get(rig.Base+"/workers").Body, `"coordinator"`)
	})
	later := s.upload(t, oneUser)
	all.await(t, later.ID, "completed")
}
