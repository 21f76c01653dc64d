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
)

// write copies r into a new temporary file and returns its path when its content is on disk. No file is left behind
// an error.
func (s *Spool) write(r io.Reader, limit int64) (path string, err error) {
	path = filepath.Join(s.dir, temporary+newName())
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return "", err
	}
	if limit > 0 && limit < math.MaxInt64 {
		r = io.LimitReader(r, limit+1)
	}
	n, err := io.Copy(file, r)
	if err == nil && limit > 0 && n > limit {
		err = fmt.Errorf("%w: the limit is %d bytes", ErrTooLarge, limit)
	}
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return "", errors.Join(err, remove(path))
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

// syncDir makes the names in a directory last.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

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
	held, err := s.write(strings.NewReader(newName()+"\n"), 0)
	if err != nil {
		return fmt.Errorf("make the spool's id: %w", err)
	}
	err = os.Link(held, idPath(dir))
	if errors.Is(err, fs.ErrExist) {
		err = nil
	}
	if err == nil {
		err = syncDir(dir)
	}
	if err == nil {
		// The directory may be new: its own name must last too, where this user may look at the one above.
		if err = syncDir(filepath.Dir(dir)); errors.Is(err, fs.ErrPermission) {
			err = nil
		}
	}
	if err = errors.Join(err, remove(held)); err != nil {
		return fmt.Errorf("make the spool's id: %w", err)
	}
	return nil
}
