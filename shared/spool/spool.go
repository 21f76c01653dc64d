// Package spool keeps what was uploaded or downloaded until its run is over.
//
// A stored file is complete and on disk, or not there at all, whatever is killed when. Directories are made with
// mode 0700, files with 0600. A spool has an id, so that runs can say which machines see their file.
package spool

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"ingest/shared/durable"
)

// temporary begins the names of files that are being written.
const temporary = "tmp-"

var name = regexp.MustCompile(`^[0-9a-f]{32}$`)

// ErrTooLarge is wrapped by Store when the input is over the limit.
var ErrTooLarge = errors.New("too large")

// Spool is one directory of stored files. It is safe for concurrent use, by several processes too.
type Spool struct{ dir, id string }

// Open opens the spool in dir and makes what is missing: the directory, and the id, once, whoever comes first. The
// mode of a directory that exists is left as it is.
func Open(dir string) (*Spool, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("open spool: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open spool: %w", err)
	}
	id, err := Identify(dir)
	if errors.Is(err, fs.ErrNotExist) {
		if err = makeID(dir); err == nil {
			id, err = Identify(dir)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("open spool: %w", err)
	}
	return &Spool{dir: dir, id: id}, nil
}

// ID returns the spool's id, 32 hex digits.
func (s *Spool) ID() string { return s.id }

// Store copies r into a new file and returns its absolute path when it is safely on disk. Over the limit (0 = none)
// the error wraps ErrTooLarge, and at most one byte more than the limit is read. No file is left behind an error.
// Store ends with ctx as soon as a read returns; a reader that can stall needs its own time limit.
func (s *Spool) Store(ctx context.Context, r io.Reader, limit int64) (path string, err error) {
	held, err := s.write(while(ctx, r), limit)
	if err != nil {
		return "", fmt.Errorf("store in the spool %s: %w", s.dir, err)
	}
	path = filepath.Join(s.dir, durable.Unique())
	if err = durable.Rename(held, path); err != nil {
		return "", fmt.Errorf("store in the spool %s: %w", s.dir, errors.Join(err, durable.Remove(held), durable.Remove(path)))
	}
	return path, nil
}

// Remove deletes a stored file. A file that is gone is no error; a path Store cannot have returned is one, and
// nothing is deleted.
func (s *Spool) Remove(path string) error {
	if filepath.Dir(path) != s.dir || !name.MatchString(filepath.Base(path)) {
		return fmt.Errorf("remove %q from the spool %s: not a file of this spool", path, s.dir)
	}
	if err := durable.Remove(path); err != nil {
		return fmt.Errorf("remove from the spool: %w", err)
	}
	return nil
}

// Sweep deletes what a crash left half written before olderThan. Stored files are never touched. It may run at any
// time, also while another process stores.
func (s *Spool) Sweep(olderThan time.Time) error {
	return s.each(olderThan, func(path string) error {
		if !strings.HasPrefix(filepath.Base(path), temporary) {
			return nil
		}
		return durable.Remove(path)
	})
}

// Stored returns the paths of the files stored before olderThan, for whoever knows which of them runs still need.
func (s *Spool) Stored(olderThan time.Time) ([]string, error) {
	var paths []string
	err := s.each(olderThan, func(path string) error {
		if name.MatchString(filepath.Base(path)) {
			paths = append(paths, path)
		}
		return nil
	})
	return paths, err
}

// each calls do for every file last written before olderThan, and goes on when one fails.
func (s *Spool) each(olderThan time.Time, do func(path string) error) error {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return fmt.Errorf("read the spool: %w", err)
	}
	var all error
	for _, entry := range entries {
		info, err := entry.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil && info.Mode().IsRegular() && info.ModTime().Before(olderThan) {
			err = do(filepath.Join(s.dir, entry.Name()))
		}
		if err != nil {
			all = errors.Join(all, fmt.Errorf("look through the spool: %w", err))
		}
	}
	return all
}
