package control

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"iter"
	"slices"
	"strconv"
	"strings"

	"ingest/shared/chunk"
	"ingest/shared/importer"
	"ingest/shared/ledger"
	"ingest/shared/pipeline"
	"ingest/shared/run"
)

// ErrorSummary returns both histograms of a run. It works while the run is processing.
func (c *Control) ErrorSummary(ctx context.Context, id int64) (ErrorSummary, error) {
	r, err := c.get(ctx, id)
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
	return ledger.New(db).Logged(ctx, r.UID, r.Manifest.Partitions, f), nil
}

// rows returns the first rows of a run that were kept: the failed ones, or all where all are logged.
func (c *Control) rows(ctx context.Context, r run.Run, limit int) ([]Row, error) {
	names, err := primaryNames(r)
	if err != nil {
		return nil, err
	}
	logged, err := c.logged(ctx, r, ledger.Filter{})
	if err != nil {
		return nil, err
	}
	out := []Row{}
	for entry, err := range logged {
		if err != nil {
			return out, c.unavailable(err, "The failed rows cannot be read")
		}
		out = append(out, rowOf(entry, names))
		if len(out) == limit {
			break
		}
	}
	return out, nil
}

func rowOf(entry chunk.Logged, names []string) Row {
	data := make(map[string]string, len(names))
	for i, cell := range entry.Row.Cells {
		if i < len(names) && names[i] != "" {
			data[names[i]] = strings.ToValidUTF8(cell, "�")
		}
	}
	out := Row{RowNumber: entry.Row.Number, Line: entry.Row.Line, Status: entry.Status, Data: data}
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

// primaryNames are the names of the run's source columns, aliases replaced by their primary name, in source order.
func primaryNames(r run.Run) ([]string, error) {
	definition, err := importer.FromSnapshot(r.Definition)
	if err != nil {
		return nil, fmt.Errorf("read the definition of run %d: %w", r.ID, err)
	}
	return pipeline.PrimaryNames(definition, r.Manifest.Header), nil
}

// FailedRows writes the failed rows of a run as CSV, ordered by number: primary names in source order, then
// _error_message and _row_number. Cells that a spreadsheet would run as a formula are guarded with ' unless raw.
// Without failed rows it writes nothing and returns NothingToDo.
func (c *Control) FailedRows(ctx context.Context, id int64, w io.Writer, raw bool) error {
	r, err := c.get(ctx, id)
	if err != nil {
		return err
	}
	none := refuse(NothingToDo, nil, "No failed rows found for this ingest run.")
	if r.Manifest == nil {
		return none
	}
	names, err := primaryNames(r)
	if err != nil {
		return err
	}
	logged, err := c.logged(ctx, r, ledger.Filter{Failed: true})
	if err != nil {
		return err
	}
	var kept []int
	head := []string{}
	for i, name := range names {
		if name != "" {
			kept, head = append(kept, i), append(head, name)
		}
	}
	out := csv.NewWriter(w)
	guard := guarded
	if raw {
		guard = func(cell string) string { return cell }
	}
	first := true
	record := make([]string, len(head)+2)
	for entry, err := range logged {
		if err != nil {
			return c.unavailable(err, "The failed rows cannot be read")
		}
		if first {
			first = false
			if err := out.Write(slices.Concat(head, []string{"_error_message", "_row_number"})); err != nil {
				return fmt.Errorf("write the failed rows: %w", err)
			}
		}
		for at, i := range kept {
			record[at] = ""
			if i < len(entry.Row.Cells) {
				record[at] = guard(entry.Row.Cells[i])
			}
		}
		record[len(head)] = guard(entry.Message)
		record[len(head)+1] = strconv.FormatInt(entry.Row.Number, 10)
		if err := out.Write(record); err != nil {
			return fmt.Errorf("write the failed rows: %w", err)
		}
	}
	if first {
		return none
	}
	out.Flush()
	if err := out.Error(); err != nil {
		return fmt.Errorf("write the failed rows: %w", err)
	}
	return nil
}

// guarded puts a ' before a cell that a spreadsheet would run as a formula (OWASP, CSV injection); numbers excepted.
func guarded(cell string) string {
	if cell == "" || !strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
		return cell
	}
	if _, err := strconv.ParseFloat(cell, 64); err == nil && cell[0] != '=' && cell[0] != '@' {
		return cell
	}
	return "'" + cell
}
