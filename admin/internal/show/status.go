package show

import (
	"fmt"
	"strings"
	"time"

	"ingest/shared/control"
	"ingest/shared/run"
)

// Status is a run as `status` shows it.
type Status struct {
	Run control.Resource
	// Errors is nil when nobody asked for it.
	Errors *control.ErrorSummary
	// Interrupted says that the installation is embedded and nobody executes runs.
	Interrupted bool
	// Now is the end of the duration while the run is active.
	Now time.Time
}

const topErrors = 5

// Status prints everything about one run.
func (p *Page) Status(s Status) {
	r := s.Run
	p.put(p.paint(bold, fmt.Sprintf("Ingest run #%d", r.ID)))
	p.put("")
	p.field("Importer", clean(r.Importer))
	status := p.status(r.Status)
	if s.Interrupted && !r.Status.Terminal() {
		status += " " + interrupted
	}
	if r.DryRun {
		status += " (dry run: nothing is written)"
	}
	p.field("Status", status)
	p.field("User", clean(r.UserID))
	p.field("File", clean(r.OriginalFilename))
	p.field("Started", clock(r.StartedAt))
	p.field("Completed", clock(r.CompletedAt))
	if r.StartedAt != nil {
		p.field("Duration", duration(elapsed(r, s.Now)))
	}
	if r.ParentID != nil {
		p.field("Retry of", fmt.Sprintf("run #%d", *r.ParentID))
	}
	if r.RetriedBy != nil {
		p.field("Retried by", fmt.Sprintf("run #%d", *r.RetriedBy))
	}
	p.numbers(s)
	if s.Interrupted {
		r.WaitingFor = nil // the status has said it
	}
	p.notices(r)
	if s.Errors != nil {
		p.top(r.ID, *s.Errors)
	}
}

func (p *Page) numbers(s Status) {
	r := s.Run
	total := number(r.Progress.Total)
	if !r.TotalFinal && !r.Status.Terminal() {
		total = "~" + total
	}
	p.put("")
	p.grid([]head{
		{name: "Total", number: true},
		{name: "Processed", number: true},
		{name: "Successful", number: true},
		{name: "Failed", number: true},
	},
		[][]string{{total, number(r.Progress.Processed), number(r.Progress.Successful), number(r.Progress.Failed)}})
	p.put("")
	parts := []string{
		"created " + number(r.Created), "updated " + number(r.Updated),
		"unchanged " + number(r.Unchanged), "skipped " + number(r.Skipped),
	}
	if r.NotProcessed > 0 {
		parts = append(parts, "not processed "+number(r.NotProcessed))
	}
	p.flow(parts)
	if r.Status != run.Processing {
		if r.RowsPerSecond > 0 {
			p.put(number(r.RowsPerSecond) + " rows/s")
		}
		return
	}
	if s.totalKnown() && !p.plain {
		p.put(p.paint(cyan, bar(r.Progress.Processed, r.Progress.Total, 40)))
	}
	p.flow(pace(s))
}

func (p *Page) notices(r control.Resource) {
	if r.WaitingFor != nil && *r.WaitingFor != "" {
		p.paragraph(yellow, "  ", sentence("Waiting: ", *r.WaitingFor))
	}
	if r.Reason != nil && *r.Reason != "" {
		p.paragraph(red, "  ", sentence("Reason: ", *r.Reason))
	}
	if r.Summary != nil {
		for _, w := range r.Summary.Warnings {
			p.paragraph(yellow, "  ", sentence("Warning: ", w.Message))
		}
	}
}

func (p *Page) top(id int64, e control.ErrorSummary) {
	if len(e.ErrorSummary) == 0 {
		return
	}
	p.put("")
	shown := e.ErrorSummary[:min(topErrors, len(e.ErrorSummary))]
	p.histogram("Top errors", shown, e.TotalFailedRows)
	if more := len(e.ErrorSummary) - len(shown); more > 0 {
		p.Line("%s more: ingest errors %d", number(int64(more)), id)
	}
}

func (p *Page) status(s run.Status) string {
	code := cyan
	switch s {
	case run.Completed:
		code = green
	case run.CompletedWithErrors, run.Cancelling, run.Cancelled:
		code = yellow
	case run.Failed:
		code = red
	case run.Pending, run.Processing:
	}
	return p.paint(code, string(s))
}

// stands says that the run does not get on now.
func (s Status) stands() bool {
	return s.Interrupted || s.Run.Status == run.Cancelling || s.Run.WaitingFor != nil && *s.Run.WaitingFor != ""
}

// totalKnown says whether there is a total beyond what is done: final, or at least an estimate.
func (s Status) totalKnown() bool {
	return s.Run.TotalFinal || s.Run.Progress.Total > s.Run.Progress.Processed
}

// pace says how far a run is, how fast, and, while it gets on, when it will be done.
func pace(s Status) []string {
	r := s.Run
	about := ""
	if !r.TotalFinal {
		about = "~"
	}
	parts := []string{count(r.Progress.Processed, "row", "rows") + " so far"}
	if s.totalKnown() {
		parts = []string{
			fmt.Sprintf("%d%%", percent(r.Progress.Processed, r.Progress.Total)),
			fmt.Sprintf("%s of %s%s", number(r.Progress.Processed), about, count(r.Progress.Total, "row", "rows")),
		}
	}
	if r.RowsPerSecond > 0 {
		parts = append(parts, number(r.RowsPerSecond)+" rows/s")
	}
	if r.RowsPerSecond > 0 && !s.stands() {
		left := max(0, r.Progress.Total-r.Progress.Processed)
		// A guess in tenths of a second would only flicker.
		parts = append(parts, "ETA "+seconds(time.Duration((left+r.RowsPerSecond-1)/r.RowsPerSecond)*time.Second))
	}
	if r.Progress.Failed > 0 {
		parts = append(parts, number(r.Progress.Failed)+" failed")
	}
	return parts
}

func elapsed(r control.Resource, now time.Time) time.Duration {
	if r.Summary != nil {
		return time.Duration(r.Summary.Meta.DurationSeconds * float64(time.Second))
	}
	if r.CompletedAt != nil {
		return r.CompletedAt.Sub(r.StartedAt.Time)
	}
	return now.Sub(r.StartedAt.Time)
}

// sentence puts a label before a text that may have it already, and a full stop behind it.
func sentence(label, s string) string {
	s = clean(s)
	if !strings.HasPrefix(s, label) {
		s = label + s
	}
	if !strings.HasSuffix(s, ".") {
		s += "."
	}
	return s
}
