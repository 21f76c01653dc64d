// Package sink keeps the connections whose rows go to no SQL database but to other destinations, built in or added by a program.
//
// A name is a sink's exactly if the URL of its connection begins with the name of such a destination; then it has no tables,
// and the ledger of its runs is in the connection `default`.
package sink

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"ingest/shared/column"
	"ingest/shared/config"
	"ingest/shared/extend"
	"ingest/shared/importer"
)

// Pool holds sinks by the names of their connections, each opened once, on first use. It is safe for concurrent use.
type Pool struct {
	urls       map[string]string
	extensions extend.Extensions

	mu   sync.Mutex
	open map[string]extend.Sink
}

// New returns the sinks among the connections of a configuration. It opens nothing.
func New(c config.Config, x extend.Extensions) *Pool {
	p := &Pool{urls: map[string]string{}, extensions: x, open: map[string]extend.Sink{}}
	for name, connection := range c.Connections {
		if url := connection.URL.Reveal(); name != config.DefaultConnection {
			if _, ok := x.Destination(scheme(url)); ok {
				p.urls[name] = url
			}
		}
	}
	return p
}

func scheme(url string) string {
	name, _, _ := strings.Cut(url, ":")
	return name
}

// Has says whether a connection is a sink.
func (p *Pool) Has(name string) bool {
	_, ok := p.urls[name]
	return ok
}

// Get returns the sink of a connection that is one.
func (p *Pool) Get(name string) (extend.Sink, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if sink, ok := p.open[name]; ok {
		return sink, nil
	}
	url, ok := p.urls[name]
	if !ok {
		return nil, fmt.Errorf("the connection '%s' is no sink", name)
	}
	d, _ := p.extensions.Destination(scheme(url))
	sink, err := d.Build(url)
	if err != nil {
		return nil, err
	}
	p.open[name] = sink
	return sink, nil
}

// Reach says why nothing could be written to the sink of a connection now. A sink that cannot be asked is reachable.
func (p *Pool) Reach(ctx context.Context, name string) error {
	url := p.urls[name]
	d, ok := p.extensions.Destination(scheme(url))
	if !ok {
		return fmt.Errorf("the connection '%s' is no sink", name)
	}
	sink, err := d.Build(url)
	if err != nil {
		return err
	}
	if checker, ok := sink.(extend.Checker); ok {
		err = checker.Check(ctx)
	}
	return errors.Join(err, sink.Close())
}

// Close closes what has been opened.
func (p *Pool) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all error
	for _, name := range slices.Sorted(maps.Keys(p.open)) {
		if err := p.open[name].Close(); err != nil {
			all = errors.Join(all, fmt.Errorf("close the connection '%s': %w", name, err))
		}
	}
	clear(p.open)
	return all
}

// Refuse returns why a definition cannot go to the sink of its connection: what it asks for needs a database. Nil when it can.
func (p *Pool) Refuse(d importer.Definition) error {
	url := p.urls[d.Destination.Connection]
	to, _ := p.extensions.Destination(scheme(url))
	lacks := func(what string) error {
		return fmt.Errorf("the connection '%s' is no SQL database (%s): it has no %s", d.Destination.Connection, to.Name, what)
	}
	asks := slices.ContainsFunc(d.Rules, func(list importer.Rules) bool {
		return slices.ContainsFunc(list.Rules, func(r importer.Rule) bool { return r.Table() != "" })
	})
	switch {
	case len(d.Relations) > 0:
		return lacks("relations")
	case len(d.Nested) > 0:
		return lacks("nested lists")
	case asks:
		return lacks("tables that rules could ask (exists, unique)")
	case d.Unmapped == importer.UnmappedPass:
		return lacks("columns for unmapped ones")
	case d.Destination.Timestamps:
		return lacks("timestamps")
	case d.Transaction != "":
		return lacks("transactions")
	case len(d.Key) == 0 && to.NeedsKey:
		return fmt.Errorf("the connection '%s' (%s) needs a key: set `key`", d.Destination.Connection, to.Name)
	case len(d.Key) > 0 && len(to.Strategies) == 0:
		return fmt.Errorf("the connection '%s' (%s) takes no key: leave `key` out", d.Destination.Connection, to.Name)
	case len(d.Key) > 0 && !to.Takes(string(d.OnDuplicate)):
		return fmt.Errorf("the connection '%s' (%s) does not know on_duplicate: %s; it knows %s",
			d.Destination.Connection, to.Name, d.OnDuplicate, strings.Join(to.Strategies, ", "))
	default:
		return nil
	}
}

// Table is what stands for a table of a sink: a column for every field, of the type that the field names, and the key.
func Table(d importer.Definition, name string) (column.Table, error) {
	t := column.Table{Name: name}
	for _, f := range d.Fields {
		kind := column.Type{Kind: column.Text}
		if f.Type != "" {
			var err error
			if kind, err = importer.ColumnType(f.Type); err != nil {
				return t, fmt.Errorf("field '%s': %w", f.To, err)
			}
		}
		t.Columns = append(t.Columns, column.Column{Name: f.To, Type: kind})
	}
	if len(d.Key) == 0 {
		return t, nil
	}
	key := column.Index{Name: "key"}
	for _, name := range d.Key {
		if c, ok := d.KeyColumn(name); ok {
			key.Columns = append(key.Columns, c.To)
		}
	}
	t.Unique = []column.Index{key}
	return t, nil
}
