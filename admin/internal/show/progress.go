package show

import (
	"fmt"
	"time"
	"unicode/utf8"

	"ingest/shared/run"
)

// quietTime is how long plain progress is silent while nothing changes by a tenth.
const quietTime = 5 * time.Second

// Progress prints how a run gets on, to Err: on a terminal one line that is drawn anew, else a line whenever a tenth
// is done, something else than the numbers changes, or a few seconds have passed. It is not safe for concurrent use.
type Progress struct {
	screen Screen
	drawn  bool
	last   step
	at     time.Time
}

type step struct {
	status      run.Status
	tenth       int
	waiting     string
	reason      string
	interrupted bool
}

// NewProgress returns a progress that has printed nothing yet.
func NewProgress(s Screen) *Progress { return &Progress{screen: s} }

// Update shows the state of the run at a time.
func (g *Progress) Update(s Status) {
	if g.screen.Quiet {
		return
	}
	line := describe(s)
	if g.screen.Live {
		g.drawn = true
		fmt.Fprintf(g.screen.Err, "\r\x1b[K%s", g.oneLine(s, line))
		return
	}
	now := stepOf(s)
	if now == g.last && s.Now.Sub(g.at) < quietTime {
		return
	}
	g.last, g.at = now, s.Now
	fmt.Fprintln(g.screen.Err, line)
}

// End clears the line on a terminal, so that what follows begins on an empty one. It may be called more than once.
func (g *Progress) End() {
	if g.drawn {
		fmt.Fprint(g.screen.Err, "\r\x1b[K")
		g.drawn = false
	}
}

func stepOf(s Status) step {
	now := step{status: s.Run.Status, interrupted: s.Interrupted}
	if s.Run.Status == run.Processing {
		now.tenth = percent(s.Run.Progress.Processed, s.Run.Progress.Total) / 10
	}
	if s.Run.WaitingFor != nil {
		now.waiting = *s.Run.WaitingFor
	}
	if s.Run.Reason != nil {
		now.reason = *s.Run.Reason
	}
	return now
}

func describe(s Status) string {
	r := s.Run
	line := fmt.Sprintf("Run #%d %s", r.ID, clean(r.Importer))
	switch {
	case s.Interrupted && !r.Status.Terminal():
		return fmt.Sprintf("%s %s (interrupted: `ingest up` continues it)", line, r.Status)
	case r.Reason != nil && *r.Reason != "":
		return fmt.Sprintf("%s %s · %s", line, r.Status, sentence("Reason: ", *r.Reason))
	case r.WaitingFor != nil && *r.WaitingFor != "":
		return fmt.Sprintf("%s %s · %s", line, r.Status, sentence("Waiting: ", *r.WaitingFor))
	case r.Status == run.Processing && r.Progress.Total > 0:
		return line + " " + pace(s)
	default:
		return fmt.Sprintf("%s %s", line, r.Status)
	}
}

// oneLine puts a bar before a line where there is room, and cuts what would wrap: only the last line of a wrapped
// one could be drawn anew.
func (g *Progress) oneLine(s Status, line string) string {
	room := g.screen.width() - 1
	if left := room - utf8.RuneCountInString(line) - 1; left >= 5 && s.Run.Status == run.Processing && s.totalKnown() {
		return bar(s.Run.Progress.Processed, s.Run.Progress.Total, min(left, barWidth)) + " " + line
	}
	if runes := []rune(line); len(runes) > room {
		return string(runes[:room-1]) + "…"
	}
	return line
}
