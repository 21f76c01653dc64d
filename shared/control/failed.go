package control

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"iter"
	"strconv"
	"strings"
	"unicode/utf8"

	"ingest/shared/chunk"
	"ingest/shared/importer"
	"ingest/shared/ledger"
	"ingest/shared/pipeline"
	"ingest/shared/row"
	"ingest/shared/run"
)

// ErrorSummary returns both histograms of a run. It works while the run is processing.
func (c *Control) ErrorSummary(ctx context.Context, id int64) (ErrorSummary, error) {
	r, err := c.get(ctx, id)
	if KindOf(err) == Unavailable {
		if remembered, _, known := c.described(ctx, id); known {
			r, err = remembered, nil
		}
	}
	if err != nil {
		return ErrorSummary{}, err
	}
	out := ErrorSummary{ErrorSummary: []run.MessageCount{}, ValidationSummary: []run.MessageCount{}}
	if r.Final != nil {
		out.ErrorSummary = append(out.ErrorSummary, r.Final.Errors...)
		out.ValidationSummary = append(out.ValidationSummary, r.Final.Validation...)
	} else if _, known := c.progress(ctx, r); known {
		errors, validation, err := c.redis.Histograms(ctx, id)
		if err != nil {
			return out, refuse(Unavailable, err, "Redis cannot be reached.")
		}
		out.ErrorSummary = append(out.ErrorSummary, errors...)
		out.ValidationSummary = append(out.ValidationSummary, validation...)
	} else if r.Manifest != nil {
		if err := c.summaryFromLedger(ctx, r, &out); err != nil {
			return out, err
		}
	}
	for _, entry := range out.ErrorSummary {
		out.TotalFailedRows += entry.Count
	}
	return out, nil
}

func (c *Control) summaryFromLedger(ctx context.Context, r run.Run, out *ErrorSummary) error {
	db, err := c.databases.Get(r.Connection)
	if err != nil {
		return refuse(Invalid, err, "%s", err.Error())
	}
	errors, validation, err := ledger.New(db).Histograms(ctx, r.UID)
	if err != nil {
		return c.unavailable(err, "The ledger cannot be read")
	}
	out.ErrorSummary, out.ValidationSummary = run.Histogram(errors), run.Histogram(validation)
	return nil
}

// logged yields the rows of a run that were kept, by number.
func (c *Control) logged(ctx context.Context, r run.Run, f ledger.Filter) (iter.Seq2[chunk.Logged, error], error) {
	db, err := c.databases.Get(r.Connection)
	if err != nil {
		return nil, refuse(Invalid, err, "%s", err.Error())
	}
	return ledger.New(db).Logged(ctx, r.UID, r.Manifest.Lanes(), f), nil
}

// rows returns the first rows of a run that were kept and that the filter selects.
func (c *Control) rows(ctx context.Context, r run.Run, f ledger.Filter, limit int) ([]Row, error) {
	definition, err := definitionOf(r)
	if err != nil {
		return nil, err
	}
	names, meant := pipeline.PrimaryNames(definition, r.Manifest.Header), pipeline.Meant(r.Manifest.Header)
	logged, err := c.logged(ctx, r, f)
	if err != nil {
		return nil, err
	}
	out := []Row{}
	for entry, err := range logged {
		if err != nil {
			return out, c.unavailable(err, "The failed rows cannot be read")
		}
		out = append(out, rowOf(entry, names, meant))
		if len(out) == limit {
			break
		}
	}
	return out, nil
}

// dataOf are the cells of a row by the names of their columns, without the guards that meant takes off.
func dataOf(r row.Row, names []string, meant func(string) string) map[string]string {
	data := make(map[string]string, len(names))
	for i, cell := range r.Cells {
		if i < len(names) && names[i] != "" {
			data[names[i]] = strings.Clone(strings.ToValidUTF8(meant(cell), "�"))
		}
	}
	return data
}

func rowOf(entry chunk.Logged, names []string, meant func(string) string) Row {
	out := Row{RowNumber: entry.Row.Number, Line: entry.Row.Line, Status: entry.Status, Data: dataOf(entry.Row, names, meant)}
	if entry.Status != chunk.StatusFailed {
		return out
	}
	failures := &RowErrors{Message: entry.Message, Validation: map[string][]string{}}
	for _, field := range entry.Fields {
		failures.Validation[field.Column] = append(failures.Validation[field.Column], field.Messages...)
	}
	out.Errors = failures
	return out
}

func definitionOf(r run.Run) (importer.Definition, error) {
	definition, err := importer.FromSnapshot(r.Definition)
	if err != nil {
		return definition, fmt.Errorf("read the definition of run %d: %w", r.ID, err)
	}
	return definition, nil
}

// FailedRows writes the failed rows of a run as CSV with the run's own delimiter, ordered by number: primary names in
// source order, then _error_message and _row_number. Cells that a spreadsheet would run as a formula are guarded with
// ' unless raw, those of the header, too. Without failed rows it writes nothing and returns NothingToDo.
func (c *Control) FailedRows(ctx context.Context, id int64, w io.Writer, raw bool) error {
	r, err := c.get(ctx, id)
	if err != nil {
		return err
	}
	none := refuse(NothingToDo, nil, "No failed rows found for this ingest run.")
	if r.Manifest == nil {
		return none
	}
	definition, err := definitionOf(r)
	if err != nil {
		return err
	}
	logged, err := c.logged(ctx, r, ledger.Filter{Failed: true})
	if err != nil {
		return err
	}
	out := &failedCSV{
		w: w, delimiter: r.Manifest.Delimiter, named: definition.Format.Delimiter != "", guard: pipeline.Guarded,
		meant: pipeline.Meant(r.Manifest.Header), names: pipeline.PrimaryNames(definition, r.Manifest.Header),
	}
	if raw {
		out.guard = func(cell string) string { return cell }
	}
	for entry, err := range logged {
		if err != nil {
			return c.unavailable(err, "The failed rows cannot be read")
		}
		if err := out.write(entry); err != nil {
			return fmt.Errorf("write the failed rows: %w", err)
		}
	}
	if out.csv == nil {
		return none
	}
	out.csv.Flush()
	if err := out.csv.Error(); err != nil {
		return fmt.Errorf("write the failed rows: %w", err)
	}
	return nil
}

// failedCSV writes rows in a form that the run's importer reads again. Nothing is written before the first row.
type failedCSV struct {
	w         io.Writer
	delimiter string
	// named says that the importer names the delimiter; else the file has to.
	named bool
	guard func(cell string) string
	// meant takes guards off that the cells came with: the run's source was a file of failed rows, too.
	meant func(cell string) string
	// names are those of the source's columns, "" for one that is left out.
	names []string

	csv    *csv.Writer
	record []string
}

func (f *failedCSV) write(entry chunk.Logged) error {
	if f.csv == nil {
		if err := f.begin(); err != nil {
			return err
		}
	}
	f.record = f.record[:0]
	for i, name := range f.names {
		switch {
		case name == "":
		case i < len(entry.Row.Cells):
			f.record = append(f.record, f.guard(f.meant(entry.Row.Cells[i])))
		default:
			f.record = append(f.record, "")
		}
	}
	f.record = append(f.record, f.guard(entry.Message), strconv.FormatInt(entry.Row.Number, 10))
	return f.csv.Write(f.record)
}

func (f *failedCSV) begin() error {
	f.csv = csv.NewWriter(f.w)
	if f.delimiter != "" {
		f.csv.Comma, _ = utf8.DecodeRuneInString(f.delimiter)
	}
	if !f.named && f.csv.Comma != ',' {
		if _, err := fmt.Fprintf(f.w, "sep=%c\n", f.csv.Comma); err != nil {
			return err
		}
	}
	for _, name := range f.names {
		if name != "" {
			f.record = append(f.record, f.guard(name))
		}
	}
	return f.csv.Write(append(f.record, pipeline.ErrorMessage, pipeline.RowNumber))
}
