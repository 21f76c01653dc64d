package admin

import (
	"context"
	"errors"
	"time"

	"ingest/admin/internal/show"
	"ingest/shared/control"
	"ingest/shared/lifecycle"
	"ingest/shared/run"
)

const (
	// look is how often a waiting command asks for the run, if it is not told of its end; at first it asks sooner, since small runs are
	// over by then.
	look = 200 * time.Millisecond
	soon = 5 * time.Millisecond
	// settle is how long a new run may take to be picked up before the command says what it waits for.
	settle = 3 * time.Second
)

// errDone ends the loop of follow; nobody else sees it.
var errDone = errors.New("the run is finished")

// follow shows the progress of a run until it is terminal, and returns it. While the registry cannot be reached it
// says so and goes on asking. It returns ctx's error when ctx ends first.
func (s *session) follow(ctx context.Context, sys *system, id int64) (control.Resource, error) {
	progress := show.NewProgress(s.screen)
	defer progress.End()
	var last control.Resource
	begin, lost := s.now(), ""
	ended, end := sys.ended(ctx)
	defer end()
	err := lifecycle.LoopFrom(ctx, soon, look, ended, func(ctx context.Context) error {
		resource, err := sys.control.Run(ctx, id, 0)
		switch {
		case control.KindOf(err) == control.Unavailable:
			if lost != err.Error() {
				progress.End()
				s.screen.Note("%s – still trying.", err)
			}
			lost = err.Error()
			return nil
		case err != nil:
			return err
		}
		lost, last = "", resource
		if s.now().Sub(begin) < settle {
			resource.WaitingFor = nil
		}
		progress.Update(show.Status{Run: resource, Interrupted: sys.interrupted(), Now: s.now()})
		if resource.Status.Terminal() {
			return errDone
		}
		return nil
	})
	if errors.Is(err, errDone) {
		return last, nil
	}
	if err == nil {
		err = ctx.Err()
	}
	return last, err
}

// report prints a run as `status` does.
func (s *session) report(ctx context.Context, sys *system, r control.Resource) error {
	view := show.Status{Run: r, Interrupted: sys.interrupted(), Now: s.now()}
	if r.Progress.Failed > 0 && s.screen.Format == show.Table {
		// Only an addition: the run is shown without it when it cannot be had.
		if errorsOf, err := sys.control.ErrorSummary(ctx, r.ID); err == nil {
			view.Errors = &errorsOf
		}
	}
	return s.screen.Data(r, func(p *show.Page) { p.Status(view) })
}

// watched follows a run somebody else executes, shows the result and says it by the exit code.
func (s *session) watched(ctx context.Context, sys *system, id int64) error {
	r, err := s.watch(ctx, sys, id)
	if err != nil {
		return err
	}
	return s.conclude(r)
}

// conclude says the result of a run by the exit code; in quiet mode, where nothing else is printed, also why it is not 0.
func (s *session) conclude(r control.Resource) error {
	if s.screen.Quiet {
		switch r.Status {
		case run.CompletedWithErrors:
			s.screen.Error("Ingest run #%d: %d of %d rows failed (ingest errors %d).", r.ID, r.Progress.Failed, r.Progress.Total, r.ID)
		case run.Failed:
			reason := "no reason is known"
			if r.Reason != nil {
				reason = *r.Reason
			}
			s.screen.Error("Ingest run #%d failed: %s", r.ID, reason)
		case run.Cancelled:
			s.screen.Error("Ingest run #%d was cancelled.", r.ID)
		case run.Completed, run.Pending, run.Processing, run.Cancelling:
		}
	}
	return exitOf(r.Status)
}

func (s *session) watch(ctx context.Context, sys *system, id int64) (control.Resource, error) {
	r, err := s.follow(ctx, sys, id)
	if ctx.Err() != nil {
		if sys.interrupted() && !r.Status.Terminal() {
			s.isInterrupted(id)
		} else {
			s.goesOn(id)
		}
		return r, exit(exitInterrupted)
	}
	if err != nil {
		return r, err
	}
	return r, s.report(ctx, sys, r)
}

func (s *session) goesOn(id int64) {
	s.screen.Error("Run #%d goes on: ingest status %d --watch, ingest cancel %d.", id, id, id)
}

func (s *session) isInterrupted(id int64) {
	s.screen.Error("Run #%d is interrupted: `ingest up` continues it.", id)
}
