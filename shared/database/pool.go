package database

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

// Pool holds the connections of a configuration by name, each opened once, on first use. It is safe for concurrent use.
type Pool struct {
	configs map[string]Config

	mu     sync.Mutex
	open   map[string]*DB
	closed bool
}

// NoConnection is returned for a name that is not configured here; elsewhere it may be.
type NoConnection struct {
	Name  string
	known []string
}

// Error lists the names that are.
func (n *NoConnection) Error() string {
	return fmt.Sprintf("there is no connection '%s' (known: %s)", n.Name, strings.Join(n.known, ", "))
}

// NewPool returns a pool of these connections; the key is the name. It opens nothing.
func NewPool(configs map[string]Config) *Pool {
	named := make(map[string]Config, len(configs))
	for name, config := range configs {
		config.Name = name
		named[name] = config
	}
	return &Pool{configs: named, open: map[string]*DB{}}
}

// Names lists the connections, sorted.
func (p *Pool) Names() []string { return slices.Sorted(maps.Keys(p.configs)) }

// Get returns the connection of that name, *NoConnection for an unknown name; for one that is no SQL database the one that
// has the engine's tables for it. It does not connect.
func (p *Pool) Get(name string) (*DB, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.get(name)
}

func (p *Pool) get(name string) (*DB, error) {
	if p.closed {
		return nil, errors.New("the connections are closed")
	}
	if db, ok := p.open[name]; ok {
		return db, nil
	}
	config, ok := p.configs[name]
	if !ok {
		return nil, &NoConnection{Name: name, known: p.Names()}
	}
	if config.Of != "" {
		return p.get(config.Of)
	}
	db, err := Open(config)
	if err != nil {
		return nil, err
	}
	p.open[name] = db
	return db, nil
}

// Close closes what has been opened. It may be called more than once; Get then fails.
func (p *Pool) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	var all error
	for _, name := range slices.Sorted(maps.Keys(p.open)) {
		all = errors.Join(all, p.open[name].Close())
	}
	clear(p.open)
	return all
}
