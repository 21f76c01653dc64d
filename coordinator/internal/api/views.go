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
// look; who asks all the time does not even wait for it: a new one is on its way before an answer is too old. It is safe for
// concurrent use.
type views struct {
	control *control.Control
	now     func() time.Time
	looks   singleflight.Group
	// ahead are the looks nobody waits for.
	ahead sync.WaitGroup

	mu    sync.Mutex
	known map[viewKey]*known
	// changes counts what this process has changed: an answer that was asked for before is not kept.
	changes int
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
	// renewed says that a new look has been begun.
	renewed bool
}

func newViews(c *control.Control, now func() time.Time) *views {
	return &views{control: c, now: now, known: map[viewKey]*known{}}
}

// get returns the run with up to rows rows.
func (v *views) get(ctx context.Context, id int64, rows int) (view, error) {
	key := viewKey{id, rows}
	seen, ok, renew := v.seen(key)
	if !ok {
		return v.look(ctx, key)
	}
	if renew {
		v.ahead.Go(func() {
			// Who asks next is told what went wrong: they look themselves.
			_, _ = v.look(ctx, key)
		})
	}
	return seen, nil
}

// wait blocks until no look is under way that nobody waits for. Nobody may ask any more.
func (v *views) wait() { v.ahead.Wait() }

// look is one look at a run for all who ask for it meanwhile.
func (v *views) look(ctx context.Context, key viewKey) (view, error) {
	v.mu.Lock()
	changes := v.changes
	v.mu.Unlock()
	got, err, _ := v.looks.Do(fmt.Sprint(key, changes), func() (any, error) {
		// Others may wait for this look, too.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lookTime)
		defer cancel()
		r, err := v.control.Run(ctx, key.id, key.rows)
		if err != nil {
			return view{}, err
		}
		body, err := json.Marshal(data[control.Resource]{r})
		if err != nil {
			return view{}, err
		}
		made := view{body: body, status: r.Status}
		v.keep(key, made, changes)
		return made, nil
	})
	made, _ := got.(view)
	return made, err
}

// seen returns an answer that is not too old; renew says that it soon will be, to one of those who ask.
func (v *views) seen(key viewKey) (seen view, ok, renew bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	one := v.known[key]
	if one == nil {
		return view{}, false, false
	}
	limit := min(fresh, one.at.Sub(one.since)/10)
	age := v.now().Sub(one.at)
	if age >= limit {
		return view{}, false, false
	}
	if age > limit*3/4 && !one.renewed {
		one.renewed, renew = true, true
	}
	return one.view, true, renew
}

func (v *views) keep(key viewKey, made view, changes int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if changes != v.changes {
		return
	}
	now := v.now()
	for old, seen := range v.known {
		if now.Sub(seen.at) >= asked {
			delete(v.known, old)
		}
	}
	since := now
	if seen := v.known[key]; seen != nil {
		since = seen.since
	}
	v.known[key] = &known{view: made, at: now, since: since}
}

// forget makes the next answer about a run a new one.
func (v *views) forget(id int64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.changes++
	for key := range v.known {
		if key.id == id {
			delete(v.known, key)
		}
	}
}
