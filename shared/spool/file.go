package spool

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"

	"ingest/shared/durable"
)

// write copies r into a new temporary file and returns its path when its content is on disk. No file is left behind
// an error.
func (s *Spool) write(r io.Reader, limit int64) (path string, err error) {
	path = filepath.Join(s.dir, temporary+durable.Unique())
	limited := limit > 0 && limit < math.MaxInt64
	if limited {
		r = io.LimitReader(r, limit+1)
	}
	n, err := durable.Write(path, r, 0o600)
	if err == nil && limited && n > limit {
		err = errors.Join(fmt.Errorf("%w: the limit is %d bytes", ErrTooLarge, limit), durable.Remove(path))
	}
	if err != nil {
		return "", err
	}
	return path, nil
}

// while returns r as long as ctx lasts.
func while(ctx context.Context, r io.Reader) io.Reader {
	return reader(func(p []byte) (int, error) {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		return r.Read(p)
	})
}

type reader func(p []byte) (int, error)

func (r reader) Read(p []byte) (int, error) { return r(p) }

func idPath(dir string) string { return filepath.Join(dir, "id") }

// Identify returns the id of the spool in dir. It creates nothing; where there is no spool the error wraps
// fs.ErrNotExist.
func Identify(dir string) (string, error) {
	content, err := os.ReadFile(idPath(dir))
	if err != nil {
		return "", fmt.Errorf("read the spool's id: %w", err)
	}
	id := strings.TrimSuffix(string(content), "\n")
	if !name.MatchString(id) {
		return "", fmt.Errorf("the spool's id in %s is damaged: restore it, or move the spool away when no run needs it", idPath(dir))
	}
	return id, nil
}

// makeID gives the spool in dir an id. A link, unlike a rename, fails when another process was first: its id stays.
func makeID(dir string) error {
	s := Spool{dir: dir}
	held, err := s.write(strings.NewReader(durable.Unique()+"\n"), 0)
	if err != nil {
		return fmt.Errorf("make the spool's id: %w", err)
	}
	err = os.Link(held, idPath(dir))
	if errors.Is(err, fs.ErrExist) {
		err = nil
	}
	if err == nil {
		err = durable.SyncDir(dir)
	}
	if err == nil {
		err = durable.SyncName(dir) // the directory may be new
	}
	if err = errors.Join(err, durable.Remove(held)); err != nil {
		return fmt.Errorf("make the spool's id: %w", err)
	}
	return nil
}
