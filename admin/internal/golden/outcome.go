package golden

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"ingest/shared/control"
	"ingest/shared/run"
)

// Outcome is what came of a file. Params are what the run is given: they are written by people, not by the run.
type Outcome struct {
	Params     map[string]string `yaml:"params,omitempty"`
	Status     run.Status        `yaml:"status"`
	Reason     string            `yaml:"reason,omitempty"`
	Warnings   []string          `yaml:"warnings,omitempty"`
	Counts     Counts            `yaml:"counts"`
	FailedRows []FailedRow       `yaml:"failed_rows,omitempty"`
	Tables     map[string][]Row  `yaml:"tables,omitempty"`

	// order are the columns of the tables as they are shown.
	order map[string][]string
}

// Row is a row of a table: its columns that are not NULL.
type Row map[string]string

// UnmarshalYAML leaves out what is null, as if it were not there.
func (r *Row) UnmarshalYAML(decode func(any) error) error {
	var cells map[string]*string
	if err := decode(&cells); err != nil {
		return err
	}
	*r = Row{}
	for name, cell := range cells {
		if cell != nil {
			(*r)[name] = *cell
		}
	}
	return nil
}

// Counts are the numbers of a run.
type Counts struct {
	Total        int64 `yaml:"total"`
	Created      int64 `yaml:"created"`
	Updated      int64 `yaml:"updated"`
	Unchanged    int64 `yaml:"unchanged"`
	Skipped      int64 `yaml:"skipped"`
	Failed       int64 `yaml:"failed"`
	NotProcessed int64 `yaml:"not_processed,omitempty"`
}

// FailedRow is a row that failed, and why.
type FailedRow struct {
	RowNumber  int64               `yaml:"row_number"`
	Message    string              `yaml:"message"`
	Validation map[string][]string `yaml:"validation,omitempty"`
}

// Of is the outcome of a run that has ended, without the rows of its tables. Its rows must be all that it kept.
func Of(r control.Resource) Outcome {
	o := Outcome{Status: r.Status, Counts: Counts{
		Total: r.Progress.Total, Created: r.Created, Updated: r.Updated, Unchanged: r.Unchanged, Skipped: r.Skipped,
		Failed: r.Progress.Failed, NotProcessed: r.NotProcessed,
	}}
	if r.Reason != nil {
		o.Reason = *r.Reason
	}
	if r.Summary != nil {
		for _, warning := range r.Summary.Warnings {
			o.Warnings = append(o.Warnings, warning.Message)
		}
	}
	for _, row := range r.Rows {
		if row.Errors != nil {
			o.FailedRows = append(o.FailedRows, FailedRow{row.RowNumber, row.Errors.Message, row.Errors.Validation})
		}
	}
	return o
}

// Load reads an expected outcome; false when there is none yet.
func Load(path string) (o Outcome, found bool, err error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return o, false, nil
	}
	if err != nil {
		return o, false, fmt.Errorf("read the expected outcome: %w", err)
	}
	if err := yaml.UnmarshalWithOptions(text, &o, yaml.Strict()); err != nil {
		return o, true, fmt.Errorf("%s: %s", path, yaml.FormatError(err, false, false))
	}
	return o, true, nil
}

// Store writes an expected outcome.
func (o Outcome) Store(path string) error {
	text, err := o.text(o.order)
	if err != nil {
		return err
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil { //nolint:gosec // kept with the definitions, as readable as they are
		return fmt.Errorf("write the expected outcome: %w", err)
	}
	return nil
}

// Difference says line by line how an outcome differs from the expected one, "" when it does not. How the expected one
// is spelt makes no difference.
func (o Outcome) Difference(expected Outcome) (string, error) {
	want, err := expected.text(o.order)
	if err != nil {
		return "", err
	}
	got, err := o.text(o.order)
	if err != nil || got == want {
		return "", err
	}
	return difference(want, got), nil
}

// Whole is the outcome as a difference to nothing.
func (o Outcome) Whole() (string, error) {
	text, err := o.text(o.order)
	if err != nil {
		return "", err
	}
	return "+ " + strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", "\n+ ") + "\n", nil
}

// text is the outcome in YAML, the columns of its tables in an order.
func (o Outcome) text(order map[string][]string) (string, error) {
	tables := yaml.MapSlice{}
	for _, name := range slices.Sorted(maps.Keys(o.Tables)) {
		rows := make([]yaml.MapSlice, len(o.Tables[name]))
		for i, row := range o.Tables[name] {
			rows[i] = ordered(row, order[name])
		}
		tables = append(tables, yaml.MapItem{Key: name, Value: rows})
	}
	own := o
	own.Tables = nil
	text, err := yaml.MarshalWithOptions(own, yaml.IndentSequence(true))
	if err == nil && len(tables) > 0 {
		var rest []byte
		rest, err = yaml.MarshalWithOptions(yaml.MapSlice{{Key: "tables", Value: tables}}, yaml.IndentSequence(true))
		text = append(text, rest...)
	}
	if err != nil {
		return "", fmt.Errorf("encode an outcome: %w", err)
	}
	return string(text), nil
}

func ordered(row Row, columns []string) yaml.MapSlice {
	out := yaml.MapSlice{}
	for _, name := range columns {
		if cell, ok := row[name]; ok {
			out = append(out, yaml.MapItem{Key: name, Value: cell})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(row)) {
		if !slices.Contains(columns, name) {
			out = append(out, yaml.MapItem{Key: name, Value: row[name]})
		}
	}
	return out
}
