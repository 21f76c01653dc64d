package admin

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ingest/shared/lifecycle"
)

// TestAQuietStandardInputCanBeLeft: Ctrl-C ends a command that waits for more of a pipe nobody writes to, and no file
// stays in the spool.
func TestAQuietStandardInputCanBeLeft(t *testing.T) {
	t.Parallel()
	dir := installation(t)
	stdin, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := errors.Join(stdin.Close(), writer.Close()); err != nil {
			t.Error(err)
		}
	}()
	if _, err := writer.WriteString("email,age\nz@example.com,9\n"); err != nil {
		t.Fatal(err)
	}
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	var errs bytes.Buffer
	codes := make(chan int, 1)
	running := lifecycle.NewTasks(t.Context())
	running.Go("run", func(context.Context) error {
		codes <- Main(ctx, []string{"run", "people", "--file", "-"}, Options{
			Stdin: stdin, Stdout: &bytes.Buffer{}, Stderr: &errs, Environ: []string{}, Workdir: dir,
		})
		return nil
	})
	spooled := filepath.Join(dir, ".ingest", "spool", "tmp-*")
	eventually(t, "what was written is in the spool", func() bool {
		found, err := filepath.Glob(spooled)
		if err != nil || len(found) != 1 {
			return false
		}
		info, err := os.Stat(found[0])
		return err == nil && info.Size() > 0
	})
	interrupt()
	select {
	case code := <-codes:
		if code != exitInterrupted {
			t.Errorf("exit %d: %s", code, errs.String())
		}
	case <-time.After(10 * time.Second):
		t.Fatal("the command goes on reading")
	}
	if err := running.Wait(); err != nil {
		t.Error(err)
	}
	for _, file := range tree(t, filepath.Join(dir, ".ingest/spool")) {
		if file != "/id" {
			t.Errorf("the spool keeps %s", file)
		}
	}
	if got := ingest(t, dir, nil, "runs"); got.out != "No ingest runs.\n" {
		t.Errorf("%+v", got)
	}
}

// TestTheSpoolIsCleaned of what killed processes left a day ago, and of nothing that a run names.
func TestTheSpoolIsCleaned(t *testing.T) {
	t.Parallel()
	dir := installation(t)
	if code := Main(t.Context(), []string{"run", "people", "--file", "-", "--quiet"}, Options{
		Stdin: strings.NewReader("email,age\nz@example.com,x\n"), Stdout: &bytes.Buffer{}, Stderr: &bytes.Buffer{},
		Environ: []string{}, Workdir: dir,
	}); code != 3 {
		t.Fatalf("exit %d", code)
	}
	spooled := filepath.Join(dir, ".ingest", "spool")
	kept := tree(t, spooled)
	if len(kept) != 2 {
		t.Fatalf("the spool holds %v, want its id and the file of the run", kept)
	}
	lost, unfinished := "/"+strings.Repeat("a", 32), "/tmp-"+strings.Repeat("b", 32)
	fresh, begun := "/"+strings.Repeat("c", 32), "/tmp-"+strings.Repeat("d", 32)
	for _, name := range []string{lost, unfinished, fresh, begun} {
		write(t, spooled+name, "email,age\n")
	}
	old := time.Now().Add(-25 * time.Hour)
	for _, name := range append([]string{lost, unfinished}, kept...) {
		if err := os.Chtimes(spooled+name, old, old); err != nil {
			t.Fatal(err)
		}
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	up := lifecycle.NewTasks(t.Context())
	up.Go("up", func(context.Context) error {
		Main(ctx, []string{"up", "--listen", "127.0.0.1:0"}, Options{
			Stdout: &bytes.Buffer{}, Stderr: &bytes.Buffer{}, Environ: []string{}, Workdir: dir,
		})
		return nil
	})
	gone := func(name string) bool {
		_, err := os.Stat(spooled + name)
		return os.IsNotExist(err)
	}
	eventually(t, "what was left is removed", func() bool { return gone(lost) && gone(unfinished) })
	stop()
	if err := up.Wait(); err != nil {
		t.Error(err)
	}
	for _, name := range append([]string{fresh, begun}, kept...) {
		if gone(name) {
			t.Errorf("%s was removed", name)
		}
	}
}
