package api

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/cespare/xxhash/v2"

	"ingest/shared/control"
	"ingest/shared/lifecycle"
	"ingest/shared/token"
)

const (
	// tick is how often a stream looks for changes, alive how often it says something when there are none.
	tick  = 250 * time.Millisecond
	alive = 15 * time.Second
	// readmit is how often it looks whether its client may still read.
	readmit = 2 * time.Second
)

// runEvents sends a run whenever it changes and ends with its terminal status. The id of an event tells its content: who
// comes back with the last one gets what has changed since, or 204 when the run was over then.
func (a *API) runEvents(w http.ResponseWriter, r *http.Request) error {
	id, err := idOf(r)
	if err != nil {
		return err
	}
	seen, err := a.views.get(r.Context(), id, 0)
	if err != nil {
		return err
	}
	last := r.Header.Get("Last-Event-ID")
	if seen.status.Terminal() && last == eventID(seen.body) {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	events := a.events(w)
	return a.follow(r, events, func(ctx context.Context) (bool, error) {
		seen, err := a.views.get(ctx, id, 0)
		switch {
		case control.KindOf(err) == control.Unavailable:
			return false, events.note("the run cannot be read now")
		case err != nil:
			return true, events.note("the run cannot be read any more")
		}
		if eventID := eventID(seen.body); eventID != last {
			last = eventID
			if err := events.send(eventID, seen.body); err != nil {
				return true, err
			}
		}
		return seen.status.Terminal(), nil
	})
}

// allEvents sends every run that is not over whenever it changes, and every run that ends. The id of an event is the
// place in the log of ended runs up to which all were told: who comes back with it is told of those that ended since.
func (a *API) allEvents(w http.ResponseWriter, r *http.Request) error {
	ended, next, err := a.Control.Ended(r.Context(), r.Header.Get("Last-Event-ID"))
	if err != nil {
		return err
	}
	place := r.Header.Get("Last-Event-ID")
	if len(ended) == 0 {
		place = next
	}
	sent, over := map[int64]string{}, map[int64]string{}
	events := a.events(w)
	return a.follow(r, events, func(ctx context.Context) (bool, error) {
		active, err := a.Control.Active(ctx)
		if err != nil {
			return false, events.note("the runs cannot be read now")
		}
		// Who was active and is not any more has ended, also when the log of ended runs was lost.
		now := map[int64]bool{}
		for _, id := range active {
			now[id] = true
		}
		changed := append(active, ended...)
		for id := range sent {
			if !now[id] {
				changed = append(changed, id)
			}
		}
		for _, id := range changed {
			seen, err := a.views.get(ctx, id, 0)
			if control.KindOf(err) == control.NotFound {
				continue // pruned
			}
			if err != nil {
				return false, events.note("the runs cannot be read now")
			}
			what := eventID(seen.body)
			if sent[id] == what || over[id] == what {
				continue
			}
			if sent[id] = what; seen.status.Terminal() && !now[id] {
				delete(sent, id)
				over[id] = what
			}
			if err := events.send(place, seen.body); err != nil {
				return true, err
			}
		}
		if place != next {
			// Only now all that ended before this place were told.
			place = next
			if err := events.write("id: " + place + "\n\n"); err != nil {
				return true, err
			}
		}
		if ended, next, err = a.Control.Ended(ctx, place); err != nil {
			return false, events.note("the ended runs cannot be read now")
		}
		return false, nil
	})
}

func eventID(body []byte) string { return fmt.Sprintf("%016x", xxhash.Sum64(body)) }

// follow looks for changes until look says that there will be none, the client goes, or the API stops. Who asks for the
// headers only is told no more.
func (a *API) follow(r *http.Request, events *eventStream, look func(ctx context.Context) (over bool, err error)) error {
	ctx := r.Context()
	if r.Method == http.MethodHead {
		return events.note("alive")
	}
	admitted := a.Now()
	for {
		over, err := look(ctx)
		if err == nil {
			err = events.alive()
		}
		if now := a.Now(); err == nil && now.Sub(admitted) >= readmit {
			_, err = a.admit(r, token.Viewer)
			admitted = now
		}
		if over || err != nil || lifecycle.Wait(ctx, tick, a.over) != nil || a.stopping() {
			return nil //nolint:nilerr // what could be said was sent; nobody is left to tell of the rest
		}
	}
}

func (a *API) stopping() bool {
	select {
	case <-a.over:
		return true
	default:
		return false
	}
}

// eventStream writes Server-Sent Events (WHATWG HTML, section 9.2).
type eventStream struct {
	out     *stream
	now     func() time.Time
	written time.Time
}

func (a *API) events(w http.ResponseWriter) *eventStream {
	out := &stream{w: w, now: a.Now, limit: a.limits.answer, control: http.NewResponseController(w), begin: func(h http.Header) {
		h.Set("Content-Type", "text/event-stream; charset=utf-8")
		h.Set("X-Accel-Buffering", "no")
	}}
	return &eventStream{out: out, now: a.Now}
}

// send sends a run; body is one line of JSON, the envelope is left out.
func (e *eventStream) send(id string, body []byte) error {
	run := bytes.TrimSuffix(bytes.TrimPrefix(body, []byte(`{"data":`)), []byte("}"))
	return e.write(fmt.Sprintf("id: %s\nevent: run\ndata: %s\n\n", id, run))
}

// note sends a comment, which clients skip.
func (e *eventStream) note(text string) error { return e.write(": " + text + "\n\n") }

// alive keeps a quiet connection open, and opens a new one.
func (e *eventStream) alive() error {
	if e.now().Sub(e.written) < alive {
		return nil
	}
	return e.note("alive")
}

func (e *eventStream) write(text string) error {
	e.written = e.now()
	if _, err := e.out.Write([]byte(text)); err != nil {
		return err
	}
	return e.out.control.Flush()
}
