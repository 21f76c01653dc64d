package durable_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"ingest/shared/durable"
)

func only(t *testing.T, dir, name, want string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 || entries[0].Name() != name {
		t.Fatalf("the directory has %v, want %s alone (%v)", entries, name, err)
	}
	if text, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(text) != want {
		t.Errorf("%s is %q (%v), want %q", name, text, err, want)
	}
}

func TestReplace(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "f")
	for _, text := range []string{"old", "new"} {
		if err := durable.Replace(path, strings.NewReader(text), 0o600); err != nil {
			t.Fatal(err)
		}
		only(t, dir, "f", text)
	}
	broken := errors.New("broken")
	if err := durable.Replace(path, io.MultiReader(strings.NewReader("half"), iotest.ErrReader(broken)), 0o600); !errors.Is(err, broken) {
		t.Errorf("the error is %v", err)
	}
	only(t, dir, "f", "new")
}

func TestSweepRemovesWhatWasLeftHalfWritten(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{"f", ".ingest-0123"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := durable.Sweep(dir, time.Now().Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, ".ingest-0123")); err != nil {
		t.Errorf("a file that is being written is gone: %v", err)
	}
	if err := durable.Sweep(dir, time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	only(t, dir, "f", "x")
}
