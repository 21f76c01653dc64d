package admin

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"ingest/admin/internal/line"
	"ingest/admin/internal/show"
	"ingest/shared/control"
	"ingest/shared/run"
)

type runsCommand struct {
	Status   string `help:"Only runs with this status." placeholder:"STATUS"`
	Importer string `help:"Only runs of this importer." placeholder:"SLUG"`
	Limit    int    `help:"How many runs." default:"15"`
}

// Run lists recent runs, newest first.
func (c *runsCommand) Run(ctx context.Context, s *session) error {
	if c.Status != "" && !run.Status(c.Status).Valid() {
		return mistaken(line.OneOf("--status", c.Status, run.StatusNames()))
	}
	if c.Limit < 1 || c.Limit > 100 {
		return mistaken("--limit is between 1 and 100")
	}
	return s.ask(ctx, func(sys *system) error {
		list, err := sys.control.Runs(ctx, control.ListRequest{
			PerPage: c.Limit, Status: c.Status, Importer: c.Importer,
		})
		if err != nil {
			return err
		}
		return s.screen.Document(list, func(p *show.Page) {
			p.Runs(show.RunList{List: list, Interrupted: sys.interrupted(), Now: s.now()})
		})
	})
}

type statusCommand struct {
	ID    int64 `arg:"" help:"Id of the run."`
	Watch bool  `help:"Show the progress until the run ends; exit code as of run."`
}

// Run shows one run.
func (c *statusCommand) Run(ctx context.Context, s *session) error {
	return s.ask(ctx, func(sys *system) error {
		if c.Watch {
			if _, err := sys.control.Run(ctx, c.ID, 0); err != nil {
				return err
			}
			return s.watched(ctx, sys, c.ID)
		}
		rows := s.settings.MaxShowRows
		if s.screen.Format == show.Table {
			rows = 0
		}
		r, err := sys.control.Run(ctx, c.ID, rows)
		if err != nil {
			return err
		}
		return s.report(ctx, sys, r)
	})
}

type cancelCommand struct {
	ID   int64 `arg:"" help:"Id of the run."`
	Wait bool  `help:"Wait until no further row can be written."`
}

// Run asks a run to stop.
func (c *cancelCommand) Run(ctx context.Context, s *session) error {
	return s.ask(ctx, func(sys *system) error {
		r, err := sys.control.Cancel(ctx, c.ID)
		text, message := fmt.Sprintf("Cancellation request sent for ingest run #%d.", c.ID), "Cancellation request sent."
		refused := control.KindOf(err) == control.Conflict
		if refused {
			text, err = err.Error(), nil
			message = text
		}
		if err != nil {
			return err
		}
		// A run that ended between the request and the answer was waited for like any other.
		if c.Wait && (!refused || !r.Status.Terminal()) {
			return c.await(ctx, s, sys, text)
		}
		if !r.Status.Terminal() && sys.interrupted() {
			s.screen.Note("Nothing executes runs now: `ingest up` carries it out.")
		}
		return s.screen.Document(control.Answer{Message: message, Data: r}, func(p *show.Page) { p.Line("%s", text) })
	})
}

// await waits for the end of a run whose cancellation was asked for. Cancelled is what was wanted, so it exits 0.
func (c *cancelCommand) await(ctx context.Context, s *session, sys *system, text string) error {
	s.screen.Note("%s", text)
	if sys.interrupted() {
		return errors.New("nothing executes runs now: start `ingest up`, it carries the cancellation out")
	}
	r, err := s.watch(ctx, sys, c.ID)
	if err != nil || r.Status == run.Cancelled {
		return err
	}
	return s.conclude(r)
}

type errorsCommand struct {
	ID int64 `arg:"" help:"Id of the run."`
}

// Run shows why rows failed.
func (c *errorsCommand) Run(ctx context.Context, s *session) error {
	return s.ask(ctx, func(sys *system) error {
		summary, err := sys.control.ErrorSummary(ctx, c.ID)
		if err != nil {
			return err
		}
		return s.screen.Data(summary, func(p *show.Page) { p.Errors(c.ID, summary) })
	})
}

type failedRowsCommand struct {
	ID  int64  `arg:"" help:"Id of the run."`
	To  string `short:"o" help:"Write to this file instead of standard output." placeholder:"FILE"`
	Raw bool   `help:"Do not guard cells that a spreadsheet would run as a formula."`
}

// Run writes the failed rows as CSV, whatever else --output can be: the CSV is the document.
func (c *failedRowsCommand) Run(ctx context.Context, s *session) error {
	if s.screen.Format != show.Table {
		return misuse("failed-rows prints CSV; leave --output out")
	}
	return s.ask(ctx, func(sys *system) error {
		if c.To == "" || c.To == "-" {
			return buffered(s.stdout, func(w io.Writer) error { return sys.control.FailedRows(ctx, c.ID, w, c.Raw) })
		}
		path := inside(s.workdir, c.To)
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			return fmt.Errorf("%s is a directory", c.To)
		}
		err := replace(path, func(w io.Writer) error { return sys.control.FailedRows(ctx, c.ID, w, c.Raw) })
		var file *unwritten
		if errors.As(err, &file) {
			return fmt.Errorf("%s cannot be written: %w", c.To, file)
		}
		if err == nil {
			s.screen.Note("The failed rows of ingest run #%d are in %s.", c.ID, c.To)
		}
		return err
	})
}

func buffered(w io.Writer, write func(io.Writer) error) error {
	out := bufio.NewWriterSize(w, 64<<10)
	if err := write(out); err != nil {
		return err
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write the rows: %w", err)
	}
	return nil
}

// unwritten is why a file cannot be written, without the names of the files beside it that only we know.
type unwritten struct{ cause error }

func (u *unwritten) Error() string {
	var path *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(u.cause, &path):
		return path.Err.Error()
	case errors.As(u.cause, &link):
		return link.Err.Error()
	default:
		return u.cause.Error()
	}
}

func (u *unwritten) Unwrap() error { return u.cause }

// replace writes a file as a whole: when writing fails, what was there before stays. What is wrong with the file
// itself is *unwritten.
func replace(path string, write func(io.Writer) error) error {
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return &unwritten{err}
	}
	err = errors.Join(buffered(file, write), file.Close())
	if err == nil {
		if err = os.Rename(file.Name(), path); err == nil {
			return nil
		}
		err = &unwritten{err}
	}
	return errors.Join(err, os.Remove(file.Name()))
}
