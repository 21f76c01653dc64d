// Package show prints what the commands answer: tables of at most 80 columns for people, JSON and YAML for programs,
// and the progress of a run.
//
// A result goes to Out as one document and nothing else goes there; progress, hints and errors go to Err. Text that
// comes from files is printed with its control characters escaped, so that a file cannot drive the terminal.
package show

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"github.com/goccy/go-yaml"
)

// Format is the form of a result.
type Format string

// The forms.
const (
	Table Format = "table"
	JSON  Format = "json"
	YAML  Format = "yaml"
)

const defaultWidth = 80

// Screen is where a command prints. The zero Width means 80 columns. It is not safe for concurrent use.
type Screen struct {
	Out, Err io.Writer
	Format   Format
	// Quiet leaves out everything but errors.
	Quiet bool
	// Color allows colours in tables.
	Color bool
	// Plain says that Out is no terminal: tables have no bars.
	Plain bool
	// Live is not nil when Err is a terminal: progress is drawn there, and Err must be it, too.
	Live  *Live
	Width int
	// Dir is the working directory: files below it are named relative to it in tables.
	Dir string
}

// Data prints a result in the envelope of the REST API, {"data": …}, or as a table.
func (s Screen) Data(value any, table func(*Page)) error {
	return s.Document(map[string]any{"data": value}, table)
}

// Document prints a result as it is, or as a table. In quiet mode it prints nothing.
func (s Screen) Document(value any, table func(*Page)) error {
	if s.Quiet {
		return nil
	}
	switch s.Format {
	case JSON, YAML:
		return s.encode(value)
	default:
		page := &Page{color: s.Color, plain: s.Plain, width: s.width(), dir: s.Dir}
		table(page)
		_, err := s.Out.Write(page.text.Bytes())
		return wrap("print the result", err)
	}
}

// Note prints a hint to Err; in quiet mode it does not.
func (s Screen) Note(format string, args ...any) {
	if !s.Quiet {
		s.Error(format, args...)
	}
}

// Error prints a line to Err.
func (s Screen) Error(format string, args ...any) {
	fmt.Fprintln(s.Err, lines(fmt.Sprintf(format, args...)))
}

func (s Screen) width() int {
	if s.Width <= 0 {
		return defaultWidth
	}
	return s.Width
}

func (s Screen) encode(value any) error {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(value); err != nil {
		return fmt.Errorf("encode the result: %w", err)
	}
	document := text.Bytes()
	if s.Format == YAML {
		var err error
		// By way of JSON, so that both have the same keys in the same order.
		if document, err = yaml.JSONToYAML(document); err != nil {
			return fmt.Errorf("encode the result: %w", err)
		}
	}
	_, err := s.Out.Write(document)
	return wrap("print the result", err)
}

func wrap(doing string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", doing, err)
}
