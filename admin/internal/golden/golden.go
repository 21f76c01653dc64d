// Package golden compares what an importer makes of files with what it is expected to make of them.
//
// The files lie in testdata/IMPORTER beside the definitions: NAME.csv (or what the importer reads), NAME.expected.yaml
// and, where tables or rows have to be there before, NAME.before.sql. An Outcome is the same at every run of the same
// file: what only tells runs apart – numbers that the database gives, the time of the run – is not in it.
package golden

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Dir is the directory, within that of the importers, that holds the files.
const Dir = "testdata"

const (
	expectedSuffix = ".expected.yaml"
	beforeSuffix   = ".before.sql"
)

// Case is a file and what belongs to it.
type Case struct {
	Name string
	// File is the source, Expected where the outcome is kept, whether it is there or not. Before prepares the database,
	// empty where nothing is to be prepared.
	File, Expected, Before string
}

// Cases lists the files of an importer by name; none when it has no directory.
func Cases(importers, slug string) ([]Case, error) {
	dir := filepath.Join(importers, Dir, slug)
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the test files: %w", err)
	}
	var all []Case
	beside := map[string]bool{}
	for _, entry := range entries {
		name := entry.Name()
		switch {
		case entry.IsDir() || strings.HasPrefix(name, "."):
		case strings.HasSuffix(name, expectedSuffix) || strings.HasSuffix(name, beforeSuffix):
			beside[name] = true
		default:
			bare := nameOf(name)
			all = append(all, Case{Name: bare, File: filepath.Join(dir, name), Expected: filepath.Join(dir, bare+expectedSuffix)})
		}
	}
	for i := range all {
		one := &all[i]
		if i > 0 && all[i-1].Name == one.Name {
			return nil, fmt.Errorf("%s and %s have the same name: their outcome would be one file", all[i-1].File, one.File)
		}
		if beside[one.Name+beforeSuffix] {
			one.Before = filepath.Join(dir, one.Name+beforeSuffix)
		}
		delete(beside, one.Name+expectedSuffix)
		delete(beside, one.Name+beforeSuffix)
	}
	for name := range beside {
		return nil, fmt.Errorf("%s belongs to no file: remove it, or name it like the file it is for", filepath.Join(dir, name))
	}
	return all, nil
}

// Strangers are directories of test files that belong to none of the importers.
func Strangers(importers string, slugs []string) ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(importers, Dir))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read the test files: %w", err)
	}
	var found []string
	for _, entry := range entries {
		if entry.IsDir() && !slices.Contains(slugs, entry.Name()) {
			found = append(found, filepath.Join(importers, Dir, entry.Name()))
		}
	}
	return found, nil
}

// nameOf is a file's name without the extensions of its format and its compression.
func nameOf(file string) string {
	for _, packed := range []string{".gz", ".zst", ".bz2"} {
		file = strings.TrimSuffix(file, packed)
	}
	return strings.TrimSuffix(file, filepath.Ext(file))
}
