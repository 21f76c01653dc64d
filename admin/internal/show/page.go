package show

import (
	"bytes"
	"fmt"
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
}

// Line prints one line; control characters in it are escaped.
func (p *Page) Line(format string, args ...any) {
	fmt.Fprintln(&p.text, lines(fmt.Sprintf(format, args...)))
}

// put prints text that is clean already and may be coloured.
func (p *Page) put(line string) { fmt.Fprintln(&p.text, line) }

// field prints a named value; an empty one is left out.
func (p *Page) field(name, value string) {
	if value != "" {
		fmt.Fprintf(&p.text, "%-12s%s\n", name, value)
	}
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
	if !p.color || s == "" {
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
	fit(widths, heads, p.width-len(gap)*len(heads))

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
	fmt.Fprintln(&p.text, t.Render())
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
