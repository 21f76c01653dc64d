package database

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"ingest/shared/lifecycle"
)

// inspectEvery is between two tries to reach a database that is to be inspected.
const inspectEvery = 5 * time.Second

// setting is one of a server that decides what a crash can cost.
type setting struct {
	name string
	// query asks for its value as text.
	query string
	// weak are the values that have a cost.
	weak []string
	cost string
}

const (
	damages = "a crash of its machine can damage it"
	loses   = "a crash can lose what was committed last"
)

// settings are those of each dialect. SQLite has none: its connections set all of it themselves.
var settings = map[Dialect][]setting{
	Postgres: {
		{name: "fsync", query: "SELECT current_setting('fsync')", weak: []string{"off"}, cost: damages + " and lose what was committed"},
		{name: "full_page_writes", query: "SELECT current_setting('full_page_writes')", weak: []string{"off"}, cost: damages},
		// Open decides it for the session: it is off only behind something that does not pass that on.
		{name: "synchronous_commit", query: "SELECT current_setting('synchronous_commit')", weak: []string{"off"}, cost: loses},
	},
	MySQL: {
		{
			name: "innodb_flush_log_at_trx_commit", query: "SELECT CAST(@@innodb_flush_log_at_trx_commit AS CHAR)",
			weak: []string{"0", "2"}, cost: loses,
		},
		{name: "innodb_doublewrite", query: "SELECT CAST(@@innodb_doublewrite AS CHAR)", weak: []string{"0", "OFF"}, cost: damages},
		{
			name: "innodb_flush_method", query: "SELECT CAST(@@innodb_flush_method AS CHAR)", weak: []string{"nosync"},
			cost: damages + " and lose what was committed",
		},
		// What is not in the binary log is rolled back by the recovery.
		{
			name: "sync_binlog", query: "SELECT CAST(CASE WHEN @@log_bin THEN @@sync_binlog ELSE 1 END AS CHAR)", weak: []string{"0"}, cost: loses,
		},
	},
}

// Weaknesses are the settings by which a commit may not be for ever, each as a line.
func (d *DB) Weaknesses(ctx context.Context) (found []string, err error) {
	for _, s := range settings[d.dialect] {
		var value string
		if err := d.QueryRow(ctx, s.query).Scan(&value); err != nil {
			return nil, fmt.Errorf("ask for %s: %w", s.name, err)
		}
		if slices.Contains(s.weak, value) {
			found = append(found, fmt.Sprintf("the database of connection '%s' has %s = %s: %s", d.name, s.name, value, s.cost))
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
