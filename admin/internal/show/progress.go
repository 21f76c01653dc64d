package show

import (
	"fmt"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"

	"ingest/shared/run"
)

// quietTime is how long plain progress is silent while nothing changes by a tenth.
const quietTime = 5 * time.Second

// Progress prints how a run gets on, to Err: on a terminal a few lines that are drawn anew, else a line whenever a
// tenth is done, something else than the numbers changes, or a few seconds have passed. It is not safe for concurrent
// use.
type Progress struct {
	screen Screen
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
	if live := g.screen.Live; live != nil {
		page := &Page{color: live.Color}
		live.Draw(func(width int) []string { return page.progress(s, width) })
		return
	}
	now := stepOf(s)
	if now == g.last && s.Now.Sub(g.at) < quietTime {
		return
	}
	g.last, g.at = now, s.Now
	fmt.Fprintln(g.screen.Err, describe(s))
}

// End takes the lines off the terminal, so that what follows begins on an empty one. It may be called more than once.
func (g *Progress) End() {
	if live := g.screen.Live; live != nil && !g.screen.Quiet {
		live.Clear()
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

// describe is a run on one line.
func describe(s Status) string {
	r := s.Run
	line := fmt.Sprintf("Run #%d %s", r.ID, clean(r.Importer))
	switch {
	case s.Interrupted && !r.Status.Terminal():
		return fmt.Sprintf("%s %s %s", line, r.Status, interrupted)
	case s.notice() != "":
		return fmt.Sprintf("%s %s · %s", line, r.Status, s.notice())
	case r.Status == run.Processing && r.Progress.Total > 0:
		return line + " " + strings.Join(pace(s), " · ")
	default:
		return fmt.Sprintf("%s %s", line, r.Status)
	}
}

// interrupted is what the status of a run is that nobody executes.
const interrupted = "(interrupted: `ingest up` continues it)"

// notice is why a run does not get on, empty when it does.
func (s Status) notice() string {
	switch r := s.Run; {
	case r.Reason != nil && *r.Reason != "":
		return sentence("Reason: ", *r.Reason)
	case r.WaitingFor != nil && *r.WaitingFor != "":
		return sentence("Waiting: ", *r.WaitingFor)
	default:
		return ""
	}
}

const (
	liveBar = 40
	// noticeLines is how much of a long notice is shown.
	noticeLines = 3
)

// progress is a run as it is drawn anew.
func (p *Page) progress(s Status, width int) []string {
	r := s.Run
	head := []string{fmt.Sprintf("Run #%d %s", r.ID, clean(r.Importer)), p.status(r.Status)}
	if r.DryRun {
		head = append(head, "dry run")
	}
	if r.StartedAt != nil && !r.Status.Terminal() {
		head = append(head, seconds(elapsed(r, s.Now)))
	}
	lines := flow(head, width)
	if r.Status == run.Processing || r.Status == run.Cancelling {
		parts := pace(s)
		if s.totalKnown() {
			share := parts[0]
			parts = parts[1:]
			full := bar(r.Progress.Processed, r.Progress.Total, min(liveBar, width-len(" 100%")))
			lines = append(lines, p.paint(cyan, full)+fmt.Sprintf(" %4s", share))
		}
		lines = append(lines, flow(parts, width)...)
	}
	notice, code := s.notice(), yellow
	switch {
	case s.Interrupted && !r.Status.Terminal():
		notice = "Interrupted: `ingest up` continues it."
	case r.Reason != nil:
		code = red
	}
	if notice == "" {
		return lines
	}
	wrapped := strings.Split(text.WrapSoft(notice, width), "\n")
	if len(wrapped) > noticeLines {
		wrapped = wrapped[:noticeLines]
		wrapped[noticeLines-1] = text.Snip(strings.TrimRight(wrapped[noticeLines-1], " ")+"……", width, "…")
	}
	for _, line := range wrapped {
		lines = append(lines, p.paint(code, strings.TrimRight(line, " ")))
	}
	return lines
}

func (p *Page) flow(parts []string) {
	for _, line := range flow(parts, p.width) {
		p.put(line)
	}
}

// flow puts parts on as few lines as the width allows.
func flow(parts []string, width int) (lines []string) {
	const between = " · "
	line := ""
	for _, part := range parts {
		switch {
		case line == "":
			line = part
		case text.StringWidthWithoutEscSequences(line+between+part) <= width:
			line += between + part
		default:
			lines = append(lines, line)
			line = part
		}
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}
