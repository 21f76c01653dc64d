package show

import (
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
		name := i.Importer
		if name == "" {
			name = i.File
		}
		// The error names the file; only its first line fits a list.
		first, _, more := strings.Cut(i.Error, "\n")
		p.put(p.paint(red, "Broken: ") + clean(name) + ": " + clean(first))
		if more {
			p.Line("        more: ingest check %s", name)
		}
	}
}

// Checks prints what `check` found.
func (p *Page) Checks(all []control.CheckResult) {
	if len(all) == 0 {
		p.put("No importers.")
	}
	for _, c := range all {
		name := c.Importer
		if name == "" {
			name = c.File
		}
		if len(c.Problems) == 0 {
			p.put(p.paint(green, "ok") + "  " + clean(name) + "  " + p.paint(dim, clean(c.File)))
			continue
		}
		p.put(p.paint(red, count(int64(len(c.Problems)), "problem", "problems")) + " in " + clean(name))
		for _, problem := range c.Problems {
			p.put("  " + strings.ReplaceAll(lines(problem), "\n", "\n  "))
		}
	}
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
