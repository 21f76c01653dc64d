// Package durable writes files that are on disk, whole, under their names, or not there at all, whatever is killed when.
package durable

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Write copies r into a new file and returns how much it was when its content is on disk. The file's name lasts once Rename
// gave it one. No file is left behind an error.
func Write(path string, r io.Reader, mode fs.FileMode) (n int64, err error) {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return 0, err
	}
	n, err = io.Copy(file, r)
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return n, errors.Join(err, Remove(path))
	}
	return n, nil
}

// Rename gives a file in the same directory another name, taking the place of what has it, and returns when it lasts.
func Rename(from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return err
	}
	return SyncDir(filepath.Dir(to))
}

// SyncDir makes the names in a directory last.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// SyncName makes the name of a directory last, where this user may look at the one above.
func SyncName(dir string) error {
	if err := SyncDir(filepath.Dir(dir)); !errors.Is(err, fs.ErrPermission) {
		return err
	}
	return nil
}

// Remove deletes a file that may be gone already.
func Remove(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Unique is a name that nobody else has.
func Unique() string {
	var random [16]byte
	_, _ = rand.Read(random[:]) // never fails
	return hex.EncodeToString(random[:])
}

// held begins the names of files that Replace is writing: who looks for names in the directory does not see them.
const held = ".ingest-"

// Replace writes a file in the place of one that may be there. Whoever opens the name finds the old content or the new one,
// whole. Several may replace the same one.
func Replace(path string, r io.Reader, mode fs.FileMode) error {
	temporary := filepath.Join(filepath.Dir(path), held+Unique())
	if _, err := Write(temporary, r, mode); err != nil {
		return err
	}
	if err := Rename(temporary, path); err != nil {
		return errors.Join(err, Remove(temporary))
	}
	return nil
}

// Sweep deletes what a crash left half written by Replace before olderThan. It may run at any time.
func Sweep(dir string, olderThan time.Time) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	var all error
	for _, entry := range entries {
		if !strings.HasPrefix(entry.Name(), held) {
			continue
		}
		info, err := entry.Info()
		if err == nil && info.Mode().IsRegular() && info.ModTime().Before(olderThan) {
			err = Remove(filepath.Join(dir, entry.Name()))
		}
		if !errors.Is(err, fs.ErrNotExist) {
			all = errors.Join(all, err)
		}
	}
	return all
}
