package show

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"ingest/shared/control"
)

// longest is how much of a cell a table shows.
const longest = 200

// cell is a value as tables show it; nil is nothing, called absent or NULL.
func (p *Page) cell(value *string, absent bool) string {
	switch {
	case absent:
		return p.paint(dim, "(absent)")
	case value == nil:
		return p.paint(dim, "NULL")
	case *value == "", *value == "NULL", *value == "(absent)", strings.TrimSpace(*value) != *value:
		return strconv.Quote(*value)
	}
	text := []rune(clean(*value))
	if len(text) > longest {
		return string(text[:longest-1]) + "…"
	}
	return string(text)
}

// Preview prints rows side by side with what would become of them.
func (p *Page) Preview(v control.Preview) {
	p.field("Importer", clean(v.Importer))
	p.field("File", clean(v.File))
	table := v.Table
	if v.Connection != "" && v.Connection != "default" {
		table = v.Connection + ":" + table
	}
	p.field("Table", clean(table))
	for _, note := range v.Notes {
		p.field("Note", clean(note))
	}
	for _, row := range v.Rows {
		p.put("")
		p.heading(row.RowNumber, row.Line, row.Status)
		p.failures(row.Errors)
		if len(row.Fields) == 0 {
			p.cells(v.Columns, row.Data)
			continue
		}
		p.fields(row.Fields, row.Lists)
		for _, list := range row.Nested {
			p.nested(list)
		}
	}
	if v.More {
		p.put("")
		p.Line("There are more rows.")
	}
}

// heading says which row follows, and its status.
func (p *Page) heading(number, line int64, status string) {
	at := ""
	if line > 0 {
		at = fmt.Sprintf(" (line %d)", line)
	}
	code := ""
	if status == control.PreviewFailed {
		code = red
	}
	p.put(p.paint(bold, fmt.Sprintf("Row %d", number)) + at + ": " + p.paint(code, clean(strings.ReplaceAll(status, "_", " "))))
}

// failures prints why a row failed, column by column.
func (p *Page) failures(e *control.RowErrors) {
	if e == nil {
		return
	}
	p.paragraph(red, "    ", "  "+clean(e.Message))
	listed := 0
	for _, messages := range e.Validation {
		listed += len(messages)
	}
	if listed < 2 {
		return
	}
	for _, column := range sorted(e.Validation) {
		for _, message := range e.Validation[column] {
			p.paragraph("", "      ", "    "+clean(column)+": "+clean(message))
		}
	}
}

// cells prints a row as read.
func (p *Page) cells(columns []string, data map[string]string) {
	rows := [][]string{}
	for _, name := range columns {
		value, there := data[name]
		rows = append(rows, []string{clean(name), p.cell(&value, !there)})
	}
	if len(rows) > 0 {
		p.grid([]head{{name: "Source"}, {name: "Cell"}}, rows)
	}
}

// fields prints the fields of a row side by side, then its lists.
func (p *Page) fields(fields, lists []control.FilledField) {
	var rows [][]string
	for _, f := range slices.Concat(fields, lists) {
		rows = append(rows, []string{clean(f.From), p.cell(f.Read, false), clean(f.Column), p.filled(f)})
	}
	p.grid([]head{{name: "Source"}, {name: "Cell"}, {name: "Column"}, {name: "Value"}}, rows)
}

// filled is what a column gets, or why nothing.
func (p *Page) filled(f control.FilledField) string {
	if f.Errors != nil {
		return p.paint(red, clean(strings.Join(f.Errors, "; ")))
	}
	value := p.cell(f.Value, f.Absent)
	if f.Values != nil {
		list := strings.Join(f.Values, ", ")
		value = p.cell(&list, false)
	}
	if f.Related != "" && !f.Absent {
		value += p.paint(dim, " (in "+clean(f.Related)+")")
	}
	return value
}

// nested prints the rows of a nested list side by side.
func (p *Page) nested(list control.NestedList) {
	p.put("")
	p.paragraph(bold, "  ", clean(list.From)+" → "+clean(list.Into)+": "+count(int64(len(list.Rows)), "row", "rows"))
	for _, message := range list.Errors {
		p.paragraph(red, "    ", "  "+clean(message))
	}
	var rows [][]string
	for i, one := range list.Rows {
		for _, f := range slices.Concat(one.Fields, one.Lists) {
			rows = append(rows, []string{strconv.Itoa(i + 1), clean(f.From), p.cell(f.Read, false), clean(f.Column), p.filled(f)})
		}
	}
	if len(rows) > 0 {
		p.grid([]head{{name: "#", number: true}, {name: "Source"}, {name: "Cell"}, {name: "Column"}, {name: "Value"}}, rows)
	}
}

// Explanation prints the way of one row.
func (p *Page) Explanation(e control.Explanation) {
	p.heading(e.RowNumber, e.Line, e.Status)
	p.failures(e.Errors)
	if e.Note != nil {
		p.paragraph("", "  ", "  "+clean(*e.Note))
	}
	p.put("")
	dry := ""
	if e.DryRun {
		dry = ", dry run"
	}
	p.field("Run", fmt.Sprintf("#%d (%s%s)", e.RunID, clean(e.Importer), dry))
	p.field("Place", fmt.Sprintf("partition %d, chunk %d", e.Partition, e.Chunk))
	if e.Attempts != nil {
		p.field("Attempts", number(*e.Attempts))
	}
	p.field("Read from", map[string]string{
		control.FromLedger: "the ledger, which kept it", control.FromSource: "the source, once more",
	}[e.ReadFrom])
	if len(e.Data) > 0 {
		p.section("As read")
		p.cells(e.Columns, e.Data)
	}
	if len(e.BeforeRow) > 0 {
		p.section("Made by before_row")
		rows := make([][]string, len(e.BeforeRow))
		for i, made := range e.BeforeRow {
			rows[i] = []string{clean(made.Column), p.cell(made.Value, false)}
		}
		p.grid([]head{{name: "Column"}, {name: "Value"}}, rows)
	}
	if len(e.Rules) > 0 {
		p.section("Rules")
		p.rules(e.Rules)
	}
	if len(e.Fields) > 0 {
		p.section("Into " + clean(e.Into))
		p.ways(slices.Concat(e.Fields, e.Lists))
	}
	for _, list := range e.Nested {
		p.nested(list)
	}
}

func (p *Page) section(name string) {
	p.put("")
	p.put(p.paint(bold, name))
}

func (p *Page) rules(all []control.JudgedRule) {
	rows := make([][]string, len(all))
	for i, r := range all {
		result := strings.ReplaceAll(r.Result, "_", " ")
		switch r.Result {
		case control.RulePassed:
			result = p.paint(green, result)
		case control.RuleFailed:
			result = p.paint(red, clean(cmp.Or(r.Message, result)))
		default:
			result = p.paint(dim, result)
		}
		rows[i] = []string{clean(r.Column), clean(r.Rule), result}
	}
	p.grid([]head{{name: "Source"}, {name: "Rule"}, {name: "Result"}}, rows)
}

// ways prints each field with its transforms below it.
func (p *Page) ways(all []control.FilledField) {
	var rows [][]string
	for _, f := range all {
		rows = append(rows, []string{clean(f.From), "", p.cell(f.Read, false)})
		for _, s := range f.Steps {
			out := p.cell(s.Output, false)
			if s.Error != "" {
				out = p.paint(red, clean(s.Error))
			}
			rows = append(rows, []string{"", clean(s.Transform), out})
		}
		rows = append(rows, []string{"", "→ " + clean(f.Column), p.filled(f)})
	}
	p.grid([]head{{name: "Source"}, {name: "Step"}, {name: "Value"}}, rows)
}

func sorted(m map[string][]string) []string { return slices.Sorted(maps.Keys(m)) }
