package show

import (
	"cmp"
	"strconv"
	"strings"

	"ingest/shared/control"
)

// Importers prints what can be run; a broken definition is shown with its first error.
func (p *Page) Importers(all []control.ImporterInfo) {
	if len(all) == 0 {
		p.put("No importers.")
		return
	}
	var rows [][]string
	var broken []control.ImporterInfo
	for _, i := range all {
		if i.Error != "" {
			broken = append(broken, i)
			continue
		}
		table := i.Table
		if i.Connection != "" && i.Connection != "default" {
			table = i.Connection + ":" + table
		}
		rows = append(rows, []string{
			clean(i.Importer), clean(i.Source), clean(i.Format), clean(table),
			clean(strings.Join(i.Key, ", ")), clean(i.OnDuplicate),
		})
	}
	if len(rows) > 0 {
		p.grid([]head{
			{name: "Importer"},
			{name: "Source"},
			{name: "Format", fixed: true},
			{name: "Table"},
			{name: "Key"},
			{name: "Duplicates", fixed: true},
		}, rows)
	}
	for _, i := range broken {
		name := cmp.Or(i.Importer, i.File)
		p.paragraph("", "  ", p.paint(red, "Broken: ")+clean(name)+" (more: ingest check "+clean(name)+")")
		first, _, _ := strings.Cut(i.Error, "\n")
		p.indented(first)
	}
}

// indented prints text of several lines under a heading.
func (p *Page) indented(s string) {
	for line := range strings.SplitSeq(p.relative(s), "\n") {
		p.paragraph("", "      ", "  "+clean(line))
	}
}

// Checks prints what `check` found.
func (p *Page) Checks(all []control.CheckResult) {
	if len(all) == 0 {
		p.put("No importers.")
	}
	for _, c := range all {
		name := cmp.Or(c.Importer, p.relative(c.File))
		if len(c.Problems) == 0 {
			p.paragraph("", "    ", p.paint(green, "ok")+"  "+clean(name)+"  "+p.paint(dim, clean(p.relative(c.File))))
		} else {
			p.paragraph("", "  ", p.paint(red, count(int64(len(c.Problems)), "problem", "problems"))+" in "+clean(name))
		}
		for _, problem := range c.Problems {
			p.indented(problem)
		}
		if len(c.Warnings) > 0 {
			p.paragraph("", "  ", p.paint(yellow, count(int64(len(c.Warnings)), "warning", "warnings"))+" for "+clean(name))
		}
		for _, warning := range c.Warnings {
			p.indented(warning)
		}
	}
}

// Made is an importer that was drafted from a sample.
type Made struct {
	Importer string `json:"importer"`
	File     string `json:"file"`
	Rows     int    `json:"rows"`
	Columns  int    `json:"columns"`
	// Listed says that the importer is where commands look for it, Sample is what a run has to be told of the sample.
	Listed bool   `json:"-"`
	Sample string `json:"-"`
}

// Made prints where the importer is and what comes next.
func (p *Page) Made(m Made) {
	p.Line("%s maps %s, judged by %s of the sample.", p.relative(m.File),
		count(int64(m.Columns), "column", "columns"), count(int64(m.Rows), "row", "rows"))
	if !m.Listed {
		return
	}
	file := ""
	if m.Sample != "" {
		file = " --file " + m.Sample
	}
	p.Line("Read it – each guess stands beside its evidence –, then: ingest run %s%s --dry-run", m.Importer, file)
}

// Processes prints the live workers and coordinators.
func (p *Page) Processes(all []control.ProcessInfo) {
	if len(all) == 0 {
		p.put("No worker and no coordinator is running.")
		return
	}
	rows := make([][]string, len(all))
	for i, process := range all {
		doing := make([]string, len(process.Slots))
		for n, slot := range process.Slots {
			doing[n] = clean(slot)
		}
		rows[i] = []string{
			clean(process.Role), clean(process.Host), strconv.Itoa(process.PID), clean(process.Version),
			process.SeenAt.UTC().Format("15:04:05"), strings.Join(doing, "\n"),
		}
	}
	p.grid([]head{
		{name: "Role", fixed: true},
		{name: "Host"},
		{name: "PID", number: true},
		{name: "Version"},
		{name: "Seen", fixed: true},
		{name: "Doing"},
	}, rows)
}
