package bench

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"time"
)

// charts is the directory of the plots, beside the page.
const charts = "benchmarks"

// Page renders the page, and the plots by file name.
func (r *Report) Page() (text string, plots map[string]string) {
	p := &page{report: r, plots: map[string]string{}}
	p.head()
	p.targets()
	for _, s := range scenes() {
		p.scene(s)
	}
	return p.text.String(), p.plots
}

type page struct {
	report *Report
	text   strings.Builder
	plots  map[string]string
}

func (p *page) line(format string, args ...any) { fmt.Fprintf(&p.text, format+"\n", args...) }

func (p *page) table(header []string, rows [][]string) {
	if len(rows) == 0 {
		return
	}
	p.line("| %s |", strings.Join(header, " | "))
	p.line("|%s", strings.Repeat("---|", len(header)))
	for _, row := range rows {
		p.line("| %s |", strings.Join(row, " | "))
	}
	p.line("")
}

func (p *page) plot(name, alt, svg string) {
	p.plots[name+".svg"] = svg
	p.line("![%s](%s)\n", alt, path.Join(charts, name+".svg"))
}

func (p *page) head() {
	r := p.report
	p.line("# Benchmarks\n")
	lasted := "in one run of "
	if r.Mixed {
		lasted = "its last run in "
	}
	p.line("Made by `make bench` (`integration/bench`) on %s, %s%s on one machine. Do not edit: what is said about a", r.Date, lasted, minutes(r.Seconds))
	p.line("target stands beside it in `integration/bench/targets.go`, the figures in [results.json](%s/results.json).\n", charts)
	p.line("**Method.** Redis (append-only file, as in `compose.yaml`), the database, one coordinator and one worker share the cores of the machine with whoever")
	turns := "Every contender runs once"
	if r.Rounds > 1 {
		turns = fmt.Sprintf("Contenders take turns – A, B, A, B … – %d times (once with %s rows and more), and the fastest round counts", r.Rounds, thousands(manyRows))
	}
	p.line("asks. Everything is as by default. %s; before each", turns)
	p.line("the table is made anew, unless the contender is about rows that are there, and in PostgreSQL a checkpoint written. Time is that of the whole command: `psql`, or `ingest run --file` against running servers, from its start to its end.")
	p.line("CPU seconds are those of every process, the database's included. Ratios hold on other machines, seconds do not.\n")
	if r.Mixed {
		p.line("**Not all of this page is of one run: only some scenes were measured again.**\n")
	}
	p.line("Products are generated with a fixed seed: SKU, Name, Description, Price, Category, Stock, about 113 bytes a row.\n")
	rows := func(facts []Fact) (rows [][]string) {
		for _, f := range facts {
			rows = append(rows, []string{f.Name, f.Value})
		}
		return rows
	}
	p.table([]string{"machine", ""}, rows(r.Machine))
	p.table([]string{"peer", ""}, rows(r.Peers))
}

func (p *page) targets() {
	p.line("## Targets\n")
	if p.report.Usual() < usualRows {
		p.line("**This was a short run: the targets are about %s rows, the figures about %s.**\n", thousands(usualRows), thousands(p.report.Usual()))
	}
	var rows [][]string
	var limits []limited
	for _, t := range targets() {
		value, measured := t.measured(p.report)
		verdict := "not measured"
		text := ""
		if measured {
			verdict, text = "missed", t.show(value)
			if t.met(value) {
				verdict = "met"
			}
		}
		rows = append(rows, []string{t.what, t.want(), text, verdict})
		switch last := len(limits) - 1; {
		case verdict != "missed" || t.limits == "":
		case last >= 0 && limits[last].by == t.limits:
			limits[last].what += "; " + t.what
		default:
			limits = append(limits, limited{t.what, t.limits})
		}
	}
	p.table([]string{"", "target", "measured", ""}, rows)
	if len(limits) > 0 {
		p.line("What limits those that are missed:\n")
		for _, of := range limits {
			p.line("- **%s.** %s", of.what, of.by)
		}
		p.line("")
	}
}

// limited are missed targets with one reason.
type limited struct{ what, by string }

// scene is a section: what was measured beside each other with the usual file, and the speed with every file.
func (p *page) scene(s scene) {
	var results []Result
	for _, result := range p.report.Results {
		if result.Scene == s.name {
			results = append(results, result)
		}
	}
	figures := p.figures(s.name)
	if len(results) == 0 && len(figures) == 0 {
		return
	}
	p.line("## %s\n\n%s\n", s.title, s.about)
	sizes := sizesOf(results)
	if len(sizes) > 0 {
		p.beside(s, results, shown(sizes))
	}
	if len(sizes) > 1 {
		p.bySize(s, results, sizes)
	}
	p.table([]string{"", ""}, figures)
	for _, process := range []string{"coordinator", "worker"} {
		p.profile(process, p.report.Profiles[s.name+": "+process])
	}
}

// shown is the size whose details the page shows: the greatest up to 1,000,000.
func shown(sizes []int) int {
	at := sizes[0]
	for _, size := range sizes {
		if size <= usualRows {
			at = size
		}
	}
	return at
}

func sizesOf(results []Result) (sizes []int) {
	for _, r := range results {
		sizes = append(sizes, r.Rows)
	}
	slices.Sort(sizes)
	return slices.Compact(sizes)
}

func (p *page) beside(s scene, results []Result, rows int) {
	reference, compared := p.report.of(s.name, s.beside, rows)
	var lines [][]string
	var bars []bar
	for _, r := range results {
		if r.Rows != rows {
			continue
		}
		best := r.Best()
		ratio := ""
		if compared {
			ratio = fmt.Sprintf("%.2f ×", r.Speed()/reference.Speed())
		}
		lines = append(lines, []string{
			r.Contender, fmt.Sprintf("%.2f", best.Seconds), thousands(int(r.Speed())), ratio, fmt.Sprintf("%.2f", best.CPU.total()),
			seconds(best, "database"), seconds(best, "worker"), seconds(best, "coordinator"), seconds(best, "redis"), seconds(best, client),
			used(r, "worker"), used(r, "coordinator"), used(r, "redis"),
		})
		bars = append(bars, bar{r.Contender, r.Speed(), isOurs(r.Contender)})
	}
	p.line("%s rows:\n", thousands(rows))
	against := ""
	if compared {
		against = "beside " + s.beside
	}
	p.table([]string{"", "seconds", "rows/s", against, "CPU s", "database", "worker", "coordinator", "Redis", "client", "MiB: worker", "coordinator", "Redis"}, lines)
	name := strings.ReplaceAll(s.name, "/", "-")
	if strings.HasPrefix(s.name, "products/") {
		bars = append(bars, bar{"the original (published)", originalSpeed, false})
	}
	p.plot(name, s.title+": rows per second", barChart(fmt.Sprintf("%s: rows per second, %s rows", s.title, thousands(rows)), bars))
}

func (p *page) bySize(s scene, results []Result, sizes []int) {
	header := []string{"rows/s with a file of"}
	for _, size := range sizes {
		header = append(header, thousands(size)+" rows")
	}
	var rows [][]string
	var series []curve
	at := map[string]int{}
	for _, r := range results {
		n, known := at[r.Contender]
		if !known {
			n = len(rows)
			at[r.Contender] = n
			rows = append(rows, append([]string{r.Contender}, make([]string, len(sizes))...))
			series = append(series, curve{name: r.Contender})
		}
		rows[n][1+slices.Index(sizes, r.Rows)] = thousands(int(r.Speed()))
		series[n].points = append(series[n].points, point{float64(r.Rows), r.Speed()})
	}
	p.table(header, rows)
	if strings.HasPrefix(s.name, "products/") {
		published := curve{name: "the original (published)"}
		for _, size := range sizes {
			published.points = append(published.points, point{float64(size), originalSpeed})
		}
		series = append(series, published)
	}
	p.plot(strings.ReplaceAll(s.name, "/", "-")+"-sizes", s.title+": speed by size", lineChart(s.title+": rows per second by rows of the file", series))
}

// profile shows where a process spends its time: the packages that have more than a fiftieth of it.
func (p *page) profile(process string, packages map[string]float64) {
	var rows [][]string
	for _, name := range slices.SortedFunc(maps.Keys(packages), func(a, b string) int {
		return cmp.Or(cmp.Compare(packages[b], packages[a]), strings.Compare(a, b))
	}) {
		if packages[name] >= 2 {
			rows = append(rows, []string{"`" + name + "`", fmt.Sprintf("%.1f %%", packages[name])})
		}
	}
	p.table([]string{"CPU profile of the " + process + ", by package", ""}, rows)
}

// figures are the notes of a scene.
func (p *page) figures(scene string) (rows [][]string) {
	for name, value := range p.report.Figures {
		if what, ok := strings.CutPrefix(name, scene+": "); ok {
			rows = append(rows, []string{what, number(value)})
		}
	}
	slices.SortFunc(rows, func(a, b []string) int { return strings.Compare(a[0], b[0]) })
	return rows
}

func isOurs(contender string) bool { return strings.HasPrefix(contender, "ingest") }

func seconds(s Sample, process string) string {
	if _, watched := s.CPU[process]; !watched {
		return "–"
	}
	return fmt.Sprintf("%.2f", s.CPU[process])
}

// used is the memory of a process of the engine; beside a peer it only waits.
func used(r Result, process string) string {
	peak := 0.0
	for _, sample := range r.Samples {
		peak = max(peak, sample.Peak[process])
	}
	if peak == 0 || !isOurs(r.Contender) {
		return "–"
	}
	return fmt.Sprintf("%.0f", peak)
}

func minutes(seconds float64) string {
	return (time.Duration(seconds) * time.Second).Round(time.Second).String()
}

// number writes a figure with as many digits as it deserves.
func number(value float64) string {
	switch {
	case value >= 1000:
		return thousands(int(value + 0.5))
	case value >= 100:
		return fmt.Sprintf("%.0f", value)
	default:
		return fmt.Sprintf("%.3g", value)
	}
}

// thousands writes a number with commas.
func thousands(n int) string {
	text := fmt.Sprint(n)
	var parts []string
	for len(text) > 3 {
		parts = append([]string{text[len(text)-3:]}, parts...)
		text = text[:len(text)-3]
	}
	return strings.Join(append([]string{text}, parts...), ",")
}
