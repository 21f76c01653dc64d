package show

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// Page collects what a command prints for people.
type Page struct {
	text  bytes.Buffer
	color bool
	plain bool
	width int
	// dir is left out of the names of files below it.
	dir string
}

// Line prints a sentence; control characters in it are escaped.
func (p *Page) Line(format string, args ...any) {
	p.paragraph("", "", clean(fmt.Sprintf(format, args...)))
}

// put prints text that is clean already and may be coloured.
func (p *Page) put(line string) { fmt.Fprintln(&p.text, line) }

// field prints a named value, which may be coloured; an empty one is left out.
func (p *Page) field(name, value string) {
	if value != "" {
		p.paragraph("", strings.Repeat(" ", fieldWidth), fmt.Sprintf("%-*s%s", fieldWidth, name, value))
	}
}

const fieldWidth = 12

// paragraph prints clean text on as many lines as it takes, in a colour; all but the first are indented.
func (p *Page) paragraph(code, indent, s string) {
	if text.StringWidthWithoutEscSequences(s) <= p.width {
		p.put(p.paint(code, s))
		return
	}
	first, rest := broken(s, p.width)
	p.put(p.paint(code, first))
	for rest != "" {
		first, rest = broken(rest, p.width-len(indent))
		p.put(indent + p.paint(code, first))
	}
}

// broken breaks text behind the last word that fits, or within a word that is longer than the line.
func broken(s string, width int) (line, rest string) {
	if text.StringWidthWithoutEscSequences(s) <= width {
		return s, ""
	}
	room, end, blank, colour := width, len(s), 0, false
	for i, r := range s {
		if colour = colour || r == '\x1b'; colour {
			colour = r != 'm'
			continue
		}
		if room -= text.RuneWidth(r); room < 0 {
			end = i
		}
		if r == ' ' {
			blank = i
		}
		if room < 0 {
			break
		}
	}
	if strings.TrimSpace(s[:blank]) != "" {
		end = blank
	}
	return strings.TrimRight(s[:end], " "), strings.TrimLeft(s[end:], " ")
}

// relative names files as seen from where the command was started.
func (p *Page) relative(s string) string {
	if len(p.dir) < 2 {
		return s
	}
	return strings.ReplaceAll(s, p.dir+string(filepath.Separator), "")
}

const (
	bold   = "1"
	dim    = "2"
	red    = "31"
	green  = "32"
	yellow = "33"
	cyan   = "36"
)

func (p *Page) paint(code, s string) string {
	if !p.color || s == "" || code == "" {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

// head is the heading of a column.
type head struct {
	name string
	// number aligns the column to the right.
	number bool
	// fixed columns keep their width when the table is too wide.
	fixed bool
}

const (
	gap    = "  "
	rule   = "─"
	narrow = 8
)

// grid prints rows under headings. Columns that are not fixed are wrapped until the table fits the page.
func (p *Page) grid(heads []head, rows [][]string) {
	widths := make([]int, len(heads))
	for i, h := range heads {
		widths[i] = text.StringWidthWithoutEscSequences(h.name)
		for _, row := range rows {
			widths[i] = max(widths[i], text.LongestLineLen(row[i]))
		}
	}
	fit(widths, heads, p.width-len(gap)*(len(heads)-1))

	t := table.NewWriter()
	t.SetStyle(plain())
	t.SuppressTrailingSpaces()
	configs := make([]table.ColumnConfig, len(heads))
	header := make(table.Row, len(heads))
	for i, h := range heads {
		header[i] = p.paint(bold, h.name)
		configs[i] = table.ColumnConfig{Number: i + 1, WidthMax: widths[i], WidthMaxEnforcer: wrapLines}
		if h.number {
			configs[i].Align, configs[i].AlignHeader = text.AlignRight, text.AlignRight
		}
	}
	t.SetColumnConfigs(configs)
	t.AppendHeader(header)
	for _, row := range rows {
		cells := make(table.Row, len(row))
		for i, cell := range row {
			cells[i] = cell
		}
		t.AppendRow(cells)
	}
	// The rule ends with the last column, not with the gap behind it.
	fmt.Fprintln(&p.text, strings.Replace(t.Render(), rule+rule+"\n", "\n", 1))
}

// fit narrows the widest column that may be narrowed until all fit into room.
func fit(widths []int, heads []head, room int) {
	for {
		sum, widest := 0, -1
		for i, w := range widths {
			sum += w
			if !heads[i].fixed && !heads[i].number && w > narrow && (widest < 0 || w > widths[widest]) {
				widest = i
			}
		}
		if sum <= room || widest < 0 {
			return
		}
		widths[widest]--
	}
}

// wrapLines wraps each line of a cell on its own.
func wrapLines(cell string, width int) string {
	wrapped := strings.Split(cell, "\n")
	for i, line := range wrapped {
		wrapped[i] = text.WrapSoft(line, width)
	}
	return strings.Join(wrapped, "\n")
}

func plain() table.Style {
	box := table.StyleBoxLight
	box.PaddingLeft, box.PaddingRight = "", gap
	return table.Style{
		Name: "plain",
		Box:  box,
		Format: table.FormatOptions{
			Header: text.FormatDefault, Row: text.FormatDefault, Footer: text.FormatDefault,
		},
		Options: table.Options{SeparateHeader: true},
	}
}
