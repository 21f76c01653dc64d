package main

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"

	"ingest/shared/extend"
)

// fixed reads lines whose columns have fixed widths in bytes: `format: {type: fixed, columns: ["id:6", "name:20"]}`.
func fixed() extend.Format {
	return extend.Format{Name: "fixed", Options: []string{"columns"}, New: func(o *extend.Options) (func(io.Reader) (extend.Rows, error), error) {
		var header []string
		var widths []int
		for _, text := range o.Texts("columns") {
			name, width, _ := strings.Cut(text, ":")
			n, err := strconv.Atoi(width)
			if err != nil || n < 1 || name == "" {
				o.Refuse("columns", "needs columns like name:20, not '%s'", text)
			}
			header, widths = append(header, name), append(widths, n)
		}
		if len(header) == 0 {
			o.Refuse("columns", "needs a list of columns as 'columns'")
		}
		return func(r io.Reader) (extend.Rows, error) {
			lines := bufio.NewScanner(r)
			lines.Buffer(nil, 1<<20)
			return &fixedRows{header: header, widths: widths, lines: lines}, nil
		}, nil
	}}
}

type fixedRows struct {
	header []string
	widths []int
	lines  *bufio.Scanner
	line   int64
}

// Header implements extend.Rows.
func (f *fixedRows) Header() []string { return f.header }

// Next implements extend.Rows.
func (f *fixedRows) Next() (extend.Row, error) {
	for f.lines.Scan() {
		f.line++
		text := f.lines.Text()
		if strings.TrimSpace(text) == "" {
			continue
		}
		row := extend.Row{Line: f.line}
		for _, width := range f.widths {
			cell := text[:min(width, len(text))]
			text = text[len(cell):]
			row.Cells = append(row.Cells, strings.TrimRight(cell, " "))
		}
		if text != "" {
			row.Fault = fmt.Sprintf("line %d: text behind the last column", f.line)
		}
		return row, nil
	}
	if err := f.lines.Err(); err != nil {
		return extend.Row{}, fmt.Errorf("line %d: %w", f.line+1, err)
	}
	return extend.Row{}, io.EOF
}
