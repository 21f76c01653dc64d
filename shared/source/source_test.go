package source_test

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"ingest/shared/run"
	"ingest/shared/source"
)

func write(t *testing.T, path, content string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func inspect(t *testing.T, path string) run.Fingerprint {
	t.Helper()
	f, err := source.Inspect(path)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestSameUntilTheFileChanges(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("0123456789abcdef", 32<<10)
	began := time.Date(2026, 1, 27, 10, 0, 0, 0, time.UTC)
	for name, test := range map[string]struct {
		before string
		change func(t *testing.T, path string)
		want   string
	}{
		"nothing": {"a,b\n", func(*testing.T, string) {}, ""},
		"empty":   {"", func(*testing.T, string) {}, ""},
		"size": {
			strings.Repeat("x", 10), func(t *testing.T, path string) { write(t, path, strings.Repeat("x", 12)) },
			"The source file PATH has changed since the run began (size 10 → 12 bytes).",
		},
		"beginning": {
			long, func(t *testing.T, path string) { write(t, path, "X"+long[1:]) },
			"The source file PATH has changed since the run began (same size, other content).",
		},
		"end": {
			long, func(t *testing.T, path string) { write(t, path, long[1:]+"X") },
			"The source file PATH has changed since the run began (same size, other content).",
		},
		"middle": {long, func(t *testing.T, path string) {
			write(t, path, long[:len(long)/2]+"X"+long[len(long)/2+1:])
			if err := os.Chtimes(path, began, began.Add(time.Second)); err != nil {
				t.Fatal(err)
			}
		}, "The source file PATH has changed since the run began (modified 2026-01-27T10:00:00Z → 2026-01-27T10:00:01Z)."},
		"gone": {"a", func(t *testing.T, path string) {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
		}, "The source file PATH is gone."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := write(t, filepath.Join(t.TempDir(), "data.csv"), test.before)
			if err := os.Chtimes(path, began, began); err != nil {
				t.Fatal(err)
			}
			f := inspect(t, path)
			test.change(t, path)
			err := source.Same(path, f)
			if test.want == "" {
				if err != nil {
					t.Errorf("unchanged, but %v", err)
				}
				return
			}
			var changed *source.Changed
			if !errors.As(err, &changed) || changed.Message != strings.ReplaceAll(test.want, "PATH", path) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestOnlyRegularFilesAreOpened(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	fifo, socket := filepath.Join(dir, "fifo"), filepath.Join(dir, "s")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	link := filepath.Join(dir, "link")
	if err := os.Symlink(fifo, link); err != nil {
		t.Fatal(err)
	}
	for path, kind := range map[string]string{
		dir: "a directory", fifo: "a FIFO", link: "a FIFO", socket: "a socket", "/dev/zero": "a device", "/dev/null": "a device",
	} {
		_, inspected := source.Inspect(path)
		_, opened := source.Open(path)
		same := source.Same(path, run.Fingerprint{})
		for _, err := range []error{inspected, opened, same} {
			if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), kind) {
				t.Errorf("%s: got %v", path, err)
			}
		}
		var changed *source.Changed
		if errors.As(same, &changed) {
			t.Errorf("%s: a file of another kind is not taken for a changed one: %v", path, same)
		}
	}
}

func TestMissingFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "none.csv")
	_, inspected := source.Inspect(path)
	_, opened := source.Open(path)
	for _, err := range []error{inspected, opened} {
		if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), path) {
			t.Errorf("got %v", err)
		}
	}
}

func TestSumIsOfTheContentAlone(t *testing.T) {
	t.Parallel()
	sum := func(path string) string {
		t.Helper()
		got, err := source.Sum(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	// The ends are equal, and there is more between them than is read at once.
	long := strings.Repeat("0123456789abcdef", 128<<10)
	middle := long[:len(long)/2] + "x" + long[len(long)/2+1:]
	dir := t.TempDir()
	one := write(t, filepath.Join(dir, "one"), long)
	two := write(t, filepath.Join(dir, "two"), long)
	if err := os.Chtimes(two, time.Unix(1, 0), time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	if sum(one) != sum(two) {
		t.Error("the same content has two sums")
	}
	if sum(one) == sum(write(t, filepath.Join(dir, "three"), middle)) {
		t.Error("another content has the same sum")
	}
	if got := sum(write(t, filepath.Join(dir, "empty"), "")); got != "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" {
		t.Errorf("the sum of nothing is %s", got)
	}
	if _, err := source.Sum(t.Context(), dir); err == nil {
		t.Error("a directory has a sum")
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := source.Sum(ended, one); !errors.Is(err, context.Canceled) {
		t.Errorf("a sum that nobody wants: %v", err)
	}
}
