package database

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ingest/shared/lifecycle"
)

// inspectEvery is between two tries to reach a database that is to be inspected.
const inspectEvery = 5 * time.Second

// undurable says for settings of a PostgreSQL server that are off what a crash can cost.
var undurable = []struct{ setting, cost string }{
	{"fsync", "a crash of its machine can damage it and lose what was committed"},
	{"full_page_writes", "a crash of its machine can damage it"},
	{"synchronous_commit", "a crash of the server can lose what was committed last"},
}

// Weaknesses are the settings by which a commit may not be for ever, each as a line; none for SQLite, where connections
// set all of it themselves. What PostgreSQL lets a session decide is decided by Open, so that it is found here only behind
// something that does not pass it on.
func (d *DB) Weaknesses(ctx context.Context) (found []string, err error) {
	if d.dialect != Postgres {
		return nil, nil
	}
	for _, u := range undurable {
		var value string
		if err := d.QueryRow(ctx, "SELECT current_setting(?)", u.setting).Scan(&value); err != nil {
			return nil, fmt.Errorf("ask for %s: %w", u.setting, err)
		}
		if value == "off" {
			found = append(found, fmt.Sprintf("the database of connection '%s' has %s off: %s", d.name, u.setting, u.cost))
		}
	}
	return found, nil
}

// Inspect tells the weaknesses of every connection, once it can be reached. It creates no SQLite file. It blocks until all
// have answered or ctx ends.
func (p *Pool) Inspect(ctx context.Context, tell func(weakness string)) error {
	var tasks []func(context.Context) error
	seen := map[*DB]bool{}
	for _, name := range p.Names() {
		db, err := p.Get(name)
		if err != nil || seen[db] {
			continue // whoever needs it says why it cannot be opened
		}
		seen[db] = true
		tasks = append(tasks, func(ctx context.Context) error { return db.inspect(ctx, tell) })
	}
	return lifecycle.Parallel(ctx, tasks...)
}

func (d *DB) inspect(ctx context.Context, tell func(weakness string)) error {
	for {
		found, err := d.Weaknesses(ctx)
		if err == nil {
			for _, weakness := range found {
				tell(weakness)
			}
			return nil
		}
		if err := lifecycle.Wait(ctx, inspectEvery, nil); errors.Is(err, ctx.Err()) {
			return nil
		}
	}
}
