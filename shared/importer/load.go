package importer

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"ingest/shared/importer/document"
)

// ErrUnknown says that no file defines the importer asked for.
var ErrUnknown = errors.New("unknown importer")

// UnknownError is ErrUnknown with the slug that was asked for and the nearest one there is, if any is near.
type UnknownError struct {
	Slug string
	Hint string
}

// Error is what a user is told.
func (e UnknownError) Error() string {
	text := fmt.Sprintf("No importer found with the slug '%s'.", e.Slug)
	if e.Hint != "" {
		// A sentence of its own: the first one is what clients compare.
		text += " D" + strings.TrimPrefix(e.Hint, "d")
	}
	return text
}

// Unknown is the error for a slug that none of the listed definitions has.
func Unknown(slug string, listed []Listed) UnknownError {
	slugs := make([]string, len(listed))
	for i, l := range listed {
		slugs[i] = l.Slug
	}
	return UnknownError{Slug: slug, Hint: document.Suggest(slug, slugs)}
}

// Unwrap makes errors.Is(err, ErrUnknown) true.
func (e UnknownError) Unwrap() error { return ErrUnknown }

// Listed is one definition file. File is its name in the directory; where that lies is not everybody's business. Err is nil, Problems, or why the file could not be read; then Definition is
// zero and Slug is what the file says, or its name without extension when it does not say.
type Listed struct {
	Slug       string
	File       string
	Definition Definition
	Err        error
	// claimed says that the slug stands in the file.
	claimed bool
	root    *document.Node
}

// At is a problem at the value of a key, like destination, connection; at the nearest one above it where the file
// leaves it out. In a list a step is a position, counted from 0, or what the item fills (its key `to`).
func (l Listed) At(message string, path ...string) Problem {
	node := l.root
	if node == nil {
		return Problem{File: l.File, Message: message}
	}
	for _, step := range path {
		next := node.Child(step)
		if next == nil {
			break
		}
		node = next
	}
	return Problem{File: l.File, Line: node.Line, Column: node.Column, Message: message}
}

// AtField is a problem of the field that fills a column, or of `use` where a mapping brings it.
func (l Listed) AtField(message, to, key string) Problem {
	if l.root != nil {
		fields := l.root.Child("fields")
		if use := l.root.Child("use"); use != nil && (fields == nil || fields.Child(to) == nil) {
			return l.At(message, "use")
		}
	}
	return l.At(message, "fields", to, key)
}

// Load reads the importer with that slug from the directory, anew at each call. The error is an UnknownError
// (errors.Is ErrUnknown), or what List says about the file, or that the directory cannot be read.
func Load(dir, slug string, c Checks) (Definition, error) {
	// A file that does not spell the slug out is hardly its own; only where no other one is, all of them are read.
	named, err := some(dir, c, func(text []byte) bool { return bytes.Contains(text, []byte(slug)) })
	if err != nil {
		return Definition{}, err
	}
	if l, found := pick(named, slug); found && l.claimed {
		return l.Definition, l.Err
	}
	all, err := List(dir, c)
	if err != nil {
		return Definition{}, err
	}
	if l, found := pick(all, slug); found {
		return l.Definition, l.Err
	}
	return Definition{}, Unknown(slug, all)
}

// pick prefers the file that claims the slug to one that only has it as its name.
func pick(all []Listed, slug string) (Listed, bool) {
	i := slices.IndexFunc(all, func(l Listed) bool { return l.Slug == slug && l.claimed })
	if i < 0 {
		i = slices.IndexFunc(all, func(l Listed) bool { return l.Slug == slug })
	}
	if i < 0 {
		return Listed{}, false
	}
	return all[i], true
}

// List reads every .yaml and .yml file of the directory, sorted by slug. A broken file harms only itself; a slug
// that two files claim is a problem of both. The error is that the directory cannot be read.
func List(dir string, c Checks) ([]Listed, error) {
	return some(dir, c, func([]byte) bool { return true })
}

// some is List of the files whose text is wanted.
func some(dir string, c Checks, wanted func(text []byte) bool) ([]Listed, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("read importers: %w", err)
	}
	in, all := surround(dir, c)
	for _, entry := range entries {
		if !definition(entry.Name()) || entry.Name() == defaultsFile {
			continue
		}
		text, err := readFile(dir, entry.Name())
		if err == nil && !wanted(text) {
			continue
		}
		l := Listed{File: entry.Name(), Err: err}
		if err == nil {
			l = listed(entry.Name(), text, c, in)
		}
		if l.claimed = l.Slug != ""; !l.claimed {
			l.Slug = nameOf(entry.Name())
		}
		all = append(all, l)
	}
	slices.SortStableFunc(all, func(a, b Listed) int { return cmp.Compare(a.Slug, b.Slug) })
	refuseTwins(all)
	return all, nil
}

// definition says whether a file is one of ours.
func definition(name string) bool {
	extension := filepath.Ext(name)
	return (extension == ".yaml" || extension == ".yml") && !strings.HasPrefix(name, ".")
}

func nameOf(file string) string { return strings.TrimSuffix(file, filepath.Ext(file)) }

// surround reads what stands beside the importers: the defaults and the reusable mappings. Broken ones are listed.
func surround(dir string, c Checks) (in surroundings, broken []Listed) {
	in.mappings = map[string]*mapping{}
	refuse := func(file string, err error) {
		if err != nil {
			broken = append(broken, Listed{Slug: nameOf(file), File: file, Err: err})
		}
	}
	text, err := readFile(dir, defaultsFile)
	if err == nil {
		var problems Problems
		in.defaults, problems = parseDefaults(defaultsFile, text)
		err = problems.Err()
	}
	if !errors.Is(err, os.ErrNotExist) {
		in.broken = err != nil
		refuse(defaultsFile, err)
	}
	entries, err := os.ReadDir(filepath.Join(dir, mappingsDir))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		refuse(mappingsDir, fmt.Errorf("read mappings: %w", err))
	}
	for _, entry := range entries {
		if definition(entry.Name()) {
			file := mappingsDir + "/" + entry.Name()
			refuse(file, in.read(dir, file, c))
		}
	}
	return in, broken
}

// read adds a mapping; of two with one name the second is refused.
func (in surroundings) read(dir, file string, c Checks) error {
	text, err := readFile(dir, file)
	if err != nil {
		return err
	}
	m, problems := parseMapping(file, text, c)
	if first := in.mappings[m.name]; m.name != "" && first != nil {
		return append(problems, Problem{
			File: file, Hint: "also in " + first.file, Message: fmt.Sprintf("the name %q is used by several files", m.name),
		}).Err()
	}
	if m.name != "" {
		in.mappings[m.name] = m
	}
	return problems.Err()
}

func listed(name string, text []byte, c Checks, in surroundings) Listed {
	d, problems := parse(name, text, c, in)
	if err := problems.Err(); err != nil {
		return Listed{Slug: d.Slug, File: name, Err: err}
	}
	root, _ := document.Parse(name, text)
	return Listed{Slug: d.Slug, File: name, Definition: d, root: root}
}

// readFile reads one byte more than is allowed, so that Parse can say that it is too much.
func readFile(dir, name string) ([]byte, error) {
	path := filepath.Join(dir, name)
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("read importer: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, Problems{{File: name, Message: "this is not a file"}}
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read importer: %w", err)
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, document.MaxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read importer: %w", err)
	}
	return text, nil
}

// refuseTwins makes a slug that several files claim a problem of each of them.
func refuseTwins(all []Listed) {
	files := map[string][]string{}
	for _, l := range all {
		if l.claimed {
			files[l.Slug] = append(files[l.Slug], l.File)
		}
	}
	for i := range all {
		l := &all[i]
		twins := files[l.Slug]
		if !l.claimed || len(twins) < 2 {
			continue
		}
		others := slices.DeleteFunc(slices.Clone(twins), func(file string) bool { return file == l.File })
		problems := Problems{{
			File: l.File, Hint: "also in " + strings.Join(others, ", "),
			Message: fmt.Sprintf("the slug %q is used by several files", l.Slug),
		}}
		var own Problems
		if errors.As(l.Err, &own) {
			problems = append(problems, own...)
		}
		l.Definition, l.Err = Definition{}, problems
	}
}
