package admin

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"ingest/shared/extend"
	"ingest/shared/lifecycle"
)

// sending is a source that sends what a reader has.
func sending(open func(ctx context.Context) (io.ReadCloser, error)) extend.Source {
	return extend.Source{Name: "mine", Options: []string{"name"}, New: func(o *extend.Options) (extend.Stream, error) {
		return extend.Stream{Name: o.Text("name", "x.csv"), Open: open}, nil
	}}
}

const fromMine = `importer: x
source: {type: mine}
destination: {table: x}
fields: [{from: a, to: a}]
`

type readFunc func(p []byte) (int, error)

func (r readFunc) Read(p []byte) (int, error) { return r(p) }

// unclosable ends with an error.
type unclosable struct{ io.Reader }

func (unclosable) Close() error { return errors.New("the sum does not fit") }

// TestASourceThatFails ends its run with the reason, and leaves no file.
func TestASourceThatFails(t *testing.T) {
	t.Parallel()
	half := func(err error) io.Reader {
		return io.MultiReader(strings.NewReader("a\n1\n"), readFunc(func([]byte) (int, error) { return 0, err }))
	}
	for name, c := range map[string]struct {
		open func(ctx context.Context) (io.ReadCloser, error)
		says string
	}{
		"it cannot be opened": {
			func(context.Context) (io.ReadCloser, error) { return nil, errors.New("no such\nbucket") },
			"The source could not be opened: no such bucket",
		},
		"it breaks off": {
			func(context.Context) (io.ReadCloser, error) {
				return io.NopCloser(half(errors.New("connection reset"))), nil
			},
			"The source could not be read: connection reset",
		},
		"it is wrong at its end": {
			func(context.Context) (io.ReadCloser, error) { return unclosable{strings.NewReader("a\n1\n")}, nil },
			"The source could not be read: the sum does not fit",
		},
		"it is too large": {
			func(context.Context) (io.ReadCloser, error) {
				return io.NopCloser(strings.NewReader(strings.Repeat("a\n", 1000))), nil
			},
			"The source is larger than the limit of 1KiB (max_source).",
		},
		"it stalls": {
			func(ctx context.Context) (io.ReadCloser, error) {
				return io.NopCloser(io.MultiReader(strings.NewReader("a\n1\n"), readFunc(func([]byte) (int, error) {
					<-ctx.Done()
					return 0, ctx.Err()
				}))), nil
			},
			"The source sent nothing for 300ms (source_timeout).",
		},
		"it panics": {
			func(context.Context) (io.ReadCloser, error) { panic("secret") },
			"The source could not be split (internal error).",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := extendedBy(t, extend.Extensions{Sources: []extend.Source{sending(c.open)}}, fromMine)
			got := e.run(t.Context(), "run", "x")
			if got.code != 4 || !strings.Contains(got.out+got.errors, c.says) {
				t.Errorf("got %+v, want %q", got, c.says)
			}
			if files := e.spool(t); len(files) != 0 {
				t.Errorf("the spool holds %v", files)
			}
			if got := e.run(t.Context(), "retry", "1", "--unprocessed"); got.code != exitRefused ||
				!strings.Contains(got.errors, "start a new run") {
				t.Errorf("retry: %+v", got)
			}
		})
	}
}

// TestAFetchedSourceWhoseRunFails is not kept for a run that never began to read it.
func TestAFetchedSourceWhoseRunFails(t *testing.T) {
	t.Parallel()
	e := extendedBy(t, extend.Extensions{Sources: []extend.Source{sending(func(context.Context) (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader("b,b\n1,2\n")), nil
	})}}, fromMine)
	if got := e.run(t.Context(), "run", "x"); got.code != 4 || !strings.Contains(got.out, "appears twice in the header") {
		t.Errorf("got %+v", got)
	}
	if files := e.spool(t); len(files) != 0 {
		t.Errorf("the spool holds %v", files)
	}
}

// TestARunIsCancelledWhileItsSourceIsFetched: it does not wait for the source.
func TestARunIsCancelledWhileItsSourceIsFetched(t *testing.T) {
	t.Parallel()
	opened := make(chan struct{})
	reader, writer := io.Pipe()
	e := extendedBy(t, extend.Extensions{Sources: []extend.Source{sending(func(context.Context) (io.ReadCloser, error) {
		close(opened)
		return reader, nil // it hears of the end by being closed
	})}}, fromMine)
	var got result
	tasks := lifecycle.NewTasks(t.Context())
	tasks.Go("run", func(ctx context.Context) error {
		got = e.run(ctx, "run", "x", "--source-timeout", "1h")
		return nil
	})
	<-opened
	if _, err := io.WriteString(writer, "a\n1\n"); err != nil {
		t.Error(err)
	}
	if status := e.run(t.Context(), "status", "1"); !strings.Contains(status.out, "Waiting: the source is fetched.") {
		t.Errorf("status: %+v", status)
	}
	if cancelled := e.run(t.Context(), "cancel", "1"); cancelled.code != 0 {
		t.Errorf("cancel: %+v", cancelled)
	}
	if err := tasks.Wait(); err != nil || got.code != 5 {
		t.Errorf("the run: %+v, %v", got, err)
	}
	if files := e.spool(t); len(files) != 0 {
		t.Errorf("the spool holds %v", files)
	}
}

// TestAFetchThatIsInterrupted leaves nothing, and the next process that executes runs fetches anew.
func TestAFetchThatIsInterrupted(t *testing.T) {
	t.Parallel()
	opened, times := make(chan struct{}), 0
	e := extendedBy(t, extend.Extensions{Sources: []extend.Source{sending(func(ctx context.Context) (io.ReadCloser, error) {
		times++
		if times > 1 {
			return io.NopCloser(strings.NewReader("a\n1\n")), nil
		}
		return io.NopCloser(io.MultiReader(strings.NewReader("a\n1\n"), readFunc(func([]byte) (int, error) {
			close(opened)
			<-ctx.Done()
			return 0, ctx.Err()
		}))), nil
	})}}, fromMine)
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	var got result
	tasks := lifecycle.NewTasks(t.Context())
	tasks.Go("run", func(context.Context) error {
		got = e.run(ctx, "run", "x", "--source-timeout", "1h")
		return nil
	})
	<-opened
	interrupt()
	if err := tasks.Wait(); err != nil || got.code != exitInterrupted {
		t.Errorf("the interrupted run: %+v, %v", got, err)
	}
	if files := e.spool(t); len(files) != 0 {
		t.Errorf("the spool holds %v", files)
	}
	var up result
	tasks = lifecycle.NewTasks(t.Context())
	tasks.Go("up", func(ctx context.Context) error {
		up = e.run(ctx, "up", "--listen", "")
		return nil
	})
	got = e.run(t.Context(), "status", "1", "--watch")
	if got.code != 0 || !strings.Contains(got.out, "created 1") {
		t.Errorf("the run: %+v", got)
	}
	tasks.Stop()
	if err := tasks.Wait(); err != nil || up.code != 0 {
		t.Errorf("up: %+v, %v", up, err)
	}
}
