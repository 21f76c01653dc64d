package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"

	"ingest/shared/importer/document"
)

// DefaultFile is read when no other file is named; it need not exist.
const DefaultFile = "configs/ingest.yaml"

var connectionPattern = regexp.MustCompile(`^[a-z][a-z0-9_-]*$`)

// File is what a configuration file says. The zero value says nothing. It is not for concurrent use: it notes
// which of its values were asked for.
type File struct {
	// Path is the file that was read, empty when there was none.
	Path string
	// base is what its relative paths are relative to.
	base        string
	values      map[string]setting // by flag
	connections []connection
	// given are the flags that Lookup answered: their values come from here.
	given map[string]bool
}

// setting is a key's value (string, or []any of string) and where it stands.
type setting struct {
	value any
	at    Problem
}

type connection struct {
	name       string
	at         Problem
	Connection Connection
}

// ReadFile reads a configuration file strictly. The empty path means DefaultFile in the working directory and
// then a missing file is no error; a named file must be there. The error is Problems when the file could be read:
// unknown keys, wrong shapes and values that cannot be read, all at once.
func ReadFile(path string) (File, error) { return ReadFileIn("", path) }

// ReadFileIn is ReadFile with relative paths taken from workdir; an empty workdir is the process's own.
func ReadFileIn(workdir, path string) (File, error) {
	optional := path == ""
	if optional {
		path = DefaultFile
	}
	absolute := path
	if !filepath.IsAbs(path) {
		absolute = filepath.Join(workdir, path)
	}
	absolute, err := filepath.Abs(absolute)
	if err != nil {
		return File{}, fmt.Errorf("read configuration: %w", err)
	}
	text, err := read(absolute)
	if optional && errors.Is(err, fs.ErrNotExist) {
		return File{}, nil
	}
	if err != nil {
		return File{}, fmt.Errorf("read configuration: %w", err)
	}
	file, problems := parse(path, text)
	if err := problems.Err(); err != nil {
		return File{}, err
	}
	file.Path = absolute
	file.base = filepath.Dir(absolute)
	if filepath.Base(file.base) == "configs" {
		file.base = filepath.Dir(file.base)
	}
	return file, nil
}

// read takes one byte more than a document may have, so that parsing can refuse it.
func read(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, document.MaxBytes+1))
}

// Lookup is what the file says for a flag, as kong can take it: a string, or []any of strings for a list. Answer
// kong's resolver with it only when none of the flag's environment variables is set – kong itself would let a
// resolver beat the environment – and never ask for a flag that stands on the command line (kong does not).
// Complete takes every value that was asked for as coming from the file.
func (f File) Lookup(flag string) (value any, ok bool) {
	s, ok := f.values[flag]
	if ok {
		f.given[flag] = true
	}
	return s.value, ok
}

func parse(name string, text []byte) (File, Problems) {
	file := File{values: map[string]setting{}, given: map[string]bool{}}
	root, problems := document.Parse(name, text)
	if root == nil {
		return file, problems
	}
	r := &reading{Reader: document.Reader{File: name}, file: &file}
	var scratch Config
	var top []document.Key
	tables := map[string][]document.Key{}
	var order []string
	for _, k := range keysOf(&scratch) {
		table, name, nested := cutKey(k.name)
		if !nested {
			top = append(top, r.key(k.name, k))
			continue
		}
		if _, known := tables[table]; !known {
			order = append(order, table)
		}
		tables[table] = append(tables[table], r.key(name, k))
	}
	for _, table := range order {
		top = append(top, document.Key{Name: table, Read: func(n *document.Node) { r.Keys(n, table, tables[table]) }})
	}
	top = append(top, document.Key{Name: "connections", Read: r.connections})
	r.Keys(root, "the configuration", top)
	return file, r.Problems
}

type reading struct {
	document.Reader
	file *File
}

// key reads a value into the scratch configuration, to see that it can be read, and keeps its text.
func (r *reading) key(name string, k key) document.Key {
	return document.Key{Name: name, Read: func(n *document.Node) {
		s := setting{at: Problem{File: r.File, Line: n.Line, Column: n.Column}}
		if _, list := k.value.Interface().([]string); list {
			texts, _, ok := r.Texts(n, k.name)
			if !ok {
				return
			}
			values := make([]any, len(texts))
			for i, text := range texts {
				values[i] = text
			}
			s.value = values
		} else {
			text, ok := r.Text(n, k.name)
			if !ok {
				return
			}
			if err := k.set(text); err != nil {
				r.Report(n, "", "%s: %v", k.name, err)
				return
			}
			s.value = text
		}
		r.file.values[k.flag] = s
	}}
}

func (r *reading) connections(n *document.Node) {
	if !r.Table(n, "connections") {
		return
	}
	seen := map[string]string{}
	for _, e := range n.Entries {
		name := e.Key.Text
		if !connectionPattern.MatchString(name) {
			r.Report(e.Key, "", "a connection's name is lower-case letters, digits, - and _, beginning with a letter, not %q", name)
			continue
		}
		if twin, taken := seen[envName(name)]; taken && twin != name {
			r.Report(e.Key, "", "the connections %q and %q share their environment variable", twin, name)
		}
		seen[envName(name)] = name
		c := connection{name: name, at: Problem{File: r.File, Line: e.Value.Line, Column: e.Value.Column}}
		r.Keys(e.Value, fmt.Sprintf("connection %q", name), []document.Key{
			{Name: "url", Read: func(n *document.Node) {
				text, _ := r.Filled(n, "the url")
				c.Connection.URL = Secret(text)
				c.at.Line, c.at.Column = n.Line, n.Column
			}},
			{Name: "ledger_schema", Read: func(n *document.Node) { c.Connection.LedgerSchema, _ = r.Filled(n, "ledger_schema") }},
		})
		r.file.connections = append(r.file.connections, c)
	}
}
