package api

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"ingest/shared/control"
	"ingest/shared/run"
)

const (
	// fresh is how old an answer about a run may be that this process has not changed itself. While a run has been asked for only
	// for a short time it is a tenth of that: who waits for a small import is not told late, and the looks are few all the same.
	fresh = 200 * time.Millisecond
	// asked is how long nobody may ask for a run that counts as asked for all the time.
	asked = time.Second
)

// lookTime bounds one look at a run, which answers for all who ask meanwhile.
const lookTime = 30 * time.Second

// view is a run as it was answered: encoded once, however many ask.
type view struct {
	body   []byte // {"data": run}
	status run.Status
}

// views answers who asks about runs. Any number of clients that ask for the same run cost registry, Redis and ledger one
// look. It is safe for concurrent use.
type views struct {
	control *control.Control
	now     func() time.Time
	looks   singleflight.Group

	mu    sync.Mutex
	known map[viewKey]known
}

type viewKey struct {
	id   int64
	rows int
}

type known struct {
	view view
	at   time.Time
	// since is when it was first asked for.
	since time.Time
}

func newViews(c *control.Control, now func() time.Time) *views {
	return &views{control: c, now: now, known: map[viewKey]known{}}
}

// get returns the run with up to rows rows.
func (v *views) get(ctx context.Context, id int64, rows int) (view, error) {
	key := viewKey{id, rows}
	if seen, ok := v.seen(key); ok {
		return seen, nil
	}
	got, err, _ := v.looks.Do(fmt.Sprint(key), func() (any, error) {
		if seen, ok := v.seen(key); ok {
			return seen, nil
		}
		// Others may wait for this look, too.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lookTime)
		defer cancel()
		r, err := v.control.Run(ctx, id, rows)
		if err != nil {
			return view{}, err
		}
		body, err := json.Marshal(data[control.Resource]{r})
		if err != nil {
			return view{}, err
		}
		made := view{body: body, status: r.Status}
		v.keep(key, made)
		return made, nil
	})
	made, _ := got.(view)
	return made, err
}

func (v *views) seen(key viewKey) (view, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	seen, ok := v.known[key]
	return seen.view, ok && v.now().Sub(seen.at) < min(fresh, seen.at.Sub(seen.since)/10)
}

func (v *views) keep(key viewKey, made view) {
	v.mu.Lock()
	defer v.mu.Unlock()
	now := v.now()
	for old, seen := range v.known {
		if now.Sub(seen.at) >= asked {
			delete(v.known, old)
		}
	}
	since := now
	if seen, ok := v.known[key]; ok {
		since = seen.since
	}
	v.known[key] = known{made, now, since}
}

// forget makes the next answer about a run a new one.
func (v *views) forget(id int64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for key := range v.known {
		if key.id == id {
			delete(v.known, key)
		}
	}
}
