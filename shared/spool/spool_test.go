package spool_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"ingest/shared/lifecycle"
	"ingest/shared/spool"
)

func open(t *testing.T) (*spool.Spool, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "data", "spool")
	s, err := spool.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return s, dir
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, entry := range entries {
		all = append(all, entry.Name())
	}
	return all
}

func mode(t *testing.T, path string) fs.FileMode {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Mode().Perm()
}

func TestStoreKeepsTheWholeFileAndNothingElse(t *testing.T) {
	t.Parallel()
	s, dir := open(t)
	content := bytes.Repeat([]byte("0123456789"), 100_000)
	for _, limit := range []int64{0, int64(len(content)), 1<<63 - 1} {
		path, err := s.Store(t.Context(), iotest.HalfReader(bytes.NewReader(content)), limit)
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(path)
		if err != nil || !bytes.Equal(got, content) || filepath.Dir(path) != dir {
			t.Errorf("%s: %d bytes, %v", path, len(got), err)
		}
		if mode(t, path) != 0o600 {
			t.Errorf("mode %o", mode(t, path))
		}
	}
	if mode(t, dir) != 0o700 || mode(t, filepath.Dir(dir)) != 0o700 || mode(t, filepath.Join(dir, "id")) != 0o600 {
		t.Error("others may look into the spool")
	}
	if got := names(t, dir); len(got) != 4 {
		t.Errorf("want three files and the id, got %v", got)
	}
}

func TestFailedStoreLeavesNothing(t *testing.T) {
	t.Parallel()
	broken := errors.New("the client is gone")
	for name, test := range map[string]struct {
		store func(ctx context.Context, cancel func(), s *spool.Spool) error
		want  error
	}{
		"over the limit": {func(ctx context.Context, _ func(), s *spool.Spool) error {
			_, err := s.Store(ctx, strings.NewReader("12345"), 4)
			return err
		}, spool.ErrTooLarge},
		"reader fails": {func(ctx context.Context, _ func(), s *spool.Spool) error {
			_, err := s.Store(ctx, io.MultiReader(strings.NewReader("12345"), iotest.ErrReader(broken)), 0)
			return err
		}, broken},
		"cancelled": {func(ctx context.Context, cancel func(), s *spool.Spool) error {
			_, err := s.Store(ctx, endless(cancel), 0)
			return err
		}, context.Canceled},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, dir := open(t)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if err := test.store(ctx, cancel, s); !errors.Is(err, test.want) {
				t.Errorf("got %v", err)
			}
			if got := names(t, dir); len(got) != 1 {
				t.Errorf("left behind: %v", got)
			}
		})
	}
}

// endless never ends by itself; it calls cancel once it is read.
func endless(cancel func()) io.Reader {
	return readerFunc(func(p []byte) (int, error) {
		cancel()
		return len(p), nil
	})
}

type readerFunc func(p []byte) (int, error)

func (r readerFunc) Read(p []byte) (int, error) { return r(p) }

func TestIDIsMadeOnce(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "spool")
	if _, err := spool.Identify(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("want fs.ErrNotExist, got %v", err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Error("Identify has made the directory")
	}
	ids := make([]string, 8)
	tasks := lifecycle.NewTasks(t.Context())
	for i := range ids {
		tasks.Go("open", func(context.Context) error {
			s, err := spool.Open(dir)
			if err == nil {
				ids[i] = s.ID()
			}
			return err
		})
	}
	if err := tasks.Wait(); err != nil {
		t.Fatal(err)
	}
	id, err := spool.Identify(dir)
	if err != nil || len(id) != 32 {
		t.Fatalf("id %q, %v", id, err)
	}
	for _, other := range ids {
		if other != id {
			t.Errorf("two ids: %q and %q", other, id)
		}
	}
	if got := names(t, dir); len(got) != 1 {
		t.Errorf("left behind: %v", got)
	}
}

func TestDamagedIDIsNotReplaced(t *testing.T) {
	t.Parallel()
	_, dir := open(t)
	if err := os.WriteFile(filepath.Join(dir, "id"), []byte("1234"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := spool.Open(dir); err == nil || errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), dir) {
		t.Errorf("got %v", err)
	}
}

func TestRemoveOnlyInTheSpool(t *testing.T) {
	t.Parallel()
	s, dir := open(t)
	path, err := s.Store(t.Context(), strings.NewReader("x"), 0)
	if err != nil {
		t.Fatal(err)
	}
	elsewhere := filepath.Join(filepath.Dir(dir), filepath.Base(path))
	if err := os.WriteFile(elsewhere, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{elsewhere, filepath.Join(dir, "id"), dir, filepath.Join(dir, "..", "x"), "", filepath.Base(path)} {
		if err := s.Remove(path); err == nil {
			t.Errorf("%q was removed", path)
		}
	}
	if got := names(t, dir); len(got) != 2 {
		t.Errorf("gone: only %v are left", got)
	}
	for range 2 {
		if err := s.Remove(path); err != nil {
			t.Error(err)
		}
	}
	if got := names(t, dir); len(got) != 1 {
		t.Errorf("not removed: %v", got)
	}
}

func TestSweepTakesOnlyOldTemporaryFiles(t *testing.T) {
	t.Parallel()
	s, dir := open(t)
	stored, err := s.Store(t.Context(), strings.NewReader("x"), 0)
	if err != nil {
		t.Fatal(err)
	}
	limit := time.Date(2026, 1, 27, 10, 0, 0, 0, time.UTC)
	for name, at := range map[string]time.Time{
		"tmp-old": limit.Add(-time.Second), "tmp-new": limit.Add(time.Second), "id": limit.Add(-time.Hour),
		filepath.Base(stored): limit.Add(-time.Hour), "notes": limit.Add(-time.Hour),
	} {
		path := filepath.Join(dir, name)
		if strings.HasPrefix(name, "tmp-") || name == "notes" {
			if err := os.WriteFile(path, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if err := s.Sweep(limit); err != nil {
			t.Fatal(err)
		}
	}
	if got := strings.Join(names(t, dir), " "); got != filepath.Base(stored)+" id notes tmp-new" {
		t.Errorf("left: %s", got)
	}
	paths, err := s.Stored(limit)
	if err != nil || len(paths) != 1 || paths[0] != stored {
		t.Errorf("stored: %v, %v", paths, err)
	}
	if paths, err = s.Stored(limit.Add(-2 * time.Hour)); err != nil || len(paths) != 0 {
		t.Errorf("stored before: %v, %v", paths, err)
	}
}
