package show

import (
	"fmt"
	"strconv"
	"time"

	"ingest/shared/control"
	"ingest/shared/run"
)

// RunList is a page of runs as `runs` shows it.
type RunList struct {
	control.List
	// Interrupted says that the installation is embedded and nobody executes runs.
	Interrupted bool
	// Now says which year needs no telling.
	Now time.Time
}

// Runs prints a page of runs.
func (p *Page) Runs(list RunList) {
	if len(list.Data) == 0 {
		p.put("No ingest runs.")
		return
	}
	rows := make([][]string, len(list.Data))
	for i, r := range list.Data {
		rows[i] = []string{
			strconv.FormatInt(r.ID, 10), clean(r.Importer), p.marked(r, list.Interrupted),
			number(r.Progress.Processed), number(r.Progress.Failed), day(r.StartedAt, list.Now),
		}
	}
	p.grid([]head{
		{name: "ID", number: true},
		{name: "Importer"},
		{name: "Status", fixed: true},
		{name: "Processed", number: true},
		{name: "Failed", number: true},
		{name: "Started", fixed: true},
	}, rows)
	if more := list.Meta.Total - int64(len(list.Data)); more > 0 {
		p.put(count(more, "older run", "older runs") + " not shown (--limit)")
	}
}

// statusWidth is that of the longest status: what stands behind a status goes to the next line where it is wider.
const statusWidth = len(run.CompletedWithErrors)

// marked is a run's status with what makes it another than it looks.
func (p *Page) marked(r control.Resource, interrupted bool) string {
	var marks []string
	if interrupted && !r.Status.Terminal() {
		marks = append(marks, "(interrupted)")
	}
	if r.DryRun {
		marks = append(marks, "(dry run)")
	}
	if r.ParentID != nil {
		marks = append(marks, fmt.Sprintf("(retry of #%d)", *r.ParentID))
	}
	cell, width := p.status(r.Status), len(r.Status)
	for _, mark := range marks {
		between := " "
		if width += 1 + len(mark); width > statusWidth {
			between, width = "\n", len(mark)
		}
		cell += between + mark
	}
	return cell
}

// Errors prints both histograms of a run.
func (p *Page) Errors(id int64, e control.ErrorSummary) {
	if e.TotalFailedRows == 0 {
		p.Line("Ingest run #%d has no failed rows.", id)
		return
	}
	p.Line("Ingest run #%d: %s", id, count(e.TotalFailedRows, "failed row", "failed rows"))
	p.put("")
	p.histogram("Errors", e.ErrorSummary, e.TotalFailedRows)
	if len(e.ValidationSummary) > 0 {
		p.put("")
		p.histogram("Validation", e.ValidationSummary, e.TotalFailedRows)
	}
}

// day is a time in short: without the year when it is this one's.
func day(t *control.Time, now time.Time) string {
	switch {
	case t == nil:
		return ""
	case t.UTC().Year() == now.UTC().Year():
		return t.UTC().Format("Jan _2 15:04")
	default:
		return t.UTC().Format("2006-01-02")
	}
}

const barWidth = 20

func (p *Page) histogram(title string, counts []run.MessageCount, whole int64) {
	rows := make([][]string, len(counts))
	for i, c := range counts {
		rows[i] = []string{clean(c.Message), number(c.Count)}
		if !p.plain {
			rows[i] = append(rows[i], p.paint(red, bar(c.Count, whole, barWidth)))
		}
	}
	heads := []head{{name: title}, {name: "Rows", number: true}}
	if !p.plain {
		heads = append(heads, head{name: "", fixed: true})
	}
	p.grid(heads, rows)
}

// Verification prints what each place says about a run, side by side.
func (p *Page) Verification(v control.Verification) {
	p.Line("Ingest run #%d: %s, %s, %s", v.ID, v.Status, count(v.Chunks, "chunk", "chunks"), count(v.Total, "row", "rows"))
	p.put("")
	if len(v.Sources) == 0 && len(v.Problems) == 0 {
		what := "has no chunk yet"
		if v.Status.Terminal() {
			what = "ended before its first chunk"
		}
		p.put("Nothing was written: the run " + what + ".")
		return
	}
	heads := []head{{name: "Rows"}}
	for _, s := range v.Sources {
		heads = append(heads, head{name: clean(s.Source), number: true})
	}
	numbers := []struct {
		name string
		of   func(run.Counts) int64
	}{
		{"processed", run.Counts.Processed},
		{"successful", run.Counts.Successful},
		{"created", func(c run.Counts) int64 { return c.Created }},
		{"updated", func(c run.Counts) int64 { return c.Updated }},
		{"unchanged", func(c run.Counts) int64 { return c.Unchanged }},
		{"skipped", func(c run.Counts) int64 { return c.Skipped }},
		{"failed", func(c run.Counts) int64 { return c.Failed }},
	}
	rows := make([][]string, len(numbers))
	for i, n := range numbers {
		rows[i] = []string{n.name}
		for _, s := range v.Sources {
			rows[i] = append(rows[i], number(n.of(s.Counts)))
		}
	}
	p.grid(heads, rows)
	p.put("")
	if len(v.Problems) == 0 {
		p.put(p.paint(green, "All numbers agree."))
	}
	for _, problem := range v.Problems {
		p.paragraph(red, "  ", sentence("Problem: ", problem))
	}
}
