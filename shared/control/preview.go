package control

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"ingest/shared/column"
	"ingest/shared/database"
	"ingest/shared/destination"
	"ingest/shared/importer"
	"ingest/shared/pipeline"
	"ingest/shared/row"
	"ingest/shared/run"
	"ingest/shared/sink"
	"ingest/shared/source"
)

// PreviewRequest says what to look at.
type PreviewRequest struct {
	Importer string
	// File replaces the importer's source path; it is read with the user's own rights. Empty = the importer's source.
	File string
	// Rows is how many rows to show; 0 = 10.
	Rows   int
	Params map[string]string
}

// MaxPreview is how many rows a preview can have.
const MaxPreview = 1000

const (
	defaultPreview = 10
	// previewBytes is how much of a file's cells a preview holds.
	previewBytes = 4 << 20
	// describeTime is how long a preview waits for the database.
	describeTime = 5 * time.Second
)

// Preview is what an importer would make of the first rows of a source.
type Preview struct {
	Importer   string `json:"importer"`
	File       string `json:"file"`
	Connection string `json:"connection"`
	Table      string `json:"table"`
	// Types says whose types the values have: those of the table, or those that create_table gives.
	Types string `json:"types"`
	// Notes are what a person should know: why it is not the table, the warnings that a run would have.
	Notes []string `json:"notes"`
	// Columns are the primary names of the source's columns, in its order.
	Columns []string     `json:"columns"`
	Rows    []PreviewRow `json:"rows"`
	// More says that the source has more rows.
	More bool `json:"more"`
}

// Where the types of a preview come from.
const (
	TypesOfTable   = "table"
	TypesOfCreated = "create_table"
)

// PreviewRow is a row and its way. Its status is passed, failed or skipped: what the database says is not known.
type PreviewRow struct {
	RowNumber int64  `json:"row_number"`
	Line      int64  `json:"line"`
	Status    string `json:"status"`
	// Data are the cells as read, by primary column names.
	Data   map[string]string `json:"data"`
	Errors *RowErrors        `json:"errors"`
	Way
}

// The statuses of a previewed row.
const (
	PreviewPassed  = "passed"
	PreviewFailed  = "failed"
	PreviewSkipped = "skipped"
)

// Preview takes the first rows of a source through the pipeline. It begins no run and writes nothing; what it reads and
// holds is bounded whatever the size of the source.
func (c *Control) Preview(ctx context.Context, req PreviewRequest) (Preview, error) {
	if req.Rows == 0 {
		req.Rows = defaultPreview
	}
	if req.Rows < 1 || req.Rows > MaxPreview {
		return Preview{}, &Error{Kind: Invalid, Field: "rows", Message: fmt.Sprintf("The rows must be between 1 and %d.", MaxPreview)}
	}
	d, err := c.definition(req.Importer)
	if err != nil {
		return Preview{}, err
	}
	if d, err = given(d, req.Params); err != nil {
		return Preview{}, err
	}
	path, err := c.path(StartRequest{File: req.File}, d)
	if err != nil {
		return Preview{}, err
	}
	if _, err := source.Inspect(path); err != nil {
		return Preview{}, refuse(Invalid, err, "%s", err.Error())
	}
	p := previewing{control: c, definition: d, limit: req.Rows, preview: Preview{
		Importer: d.Slug, File: filepath.Base(path), Connection: d.Destination.Connection, Table: d.Destination.Table,
		Types: TypesOfTable, Notes: []string{}, Columns: []string{}, Rows: []PreviewRow{},
	}}
	of := run.Run{Importer: d.Slug, Origin: run.Origin{Path: path}, Filename: filepath.Base(path)}
	if err := c.reader.Head(ctx, of, d.Format, func(header []string) error { return p.begin(ctx, header) }, p.take); err != nil {
		return Preview{}, err
	}
	if p.program == nil {
		p.note("The source is empty.")
	}
	return p.preview, nil
}

// previewing is a preview that is being made.
type previewing struct {
	control    *Control
	definition importer.Definition
	program    *pipeline.Program
	// names are the primary names of the source's columns, meant takes the guards off their cells.
	names []string
	meant func(cell string) string
	// missing are the tables that do not exist.
	missing []string
	// unreachable is why no table can be described.
	unreachable error
	limit       int
	bytes       int
	preview     Preview
}

func (p *previewing) note(format string, args ...any) {
	p.preview.Notes = append(p.preview.Notes, fmt.Sprintf(format, args...))
}

// begin compiles the program for a header.
func (p *previewing) begin(ctx context.Context, header []string) error {
	setting := pipeline.Setting{Header: header, Started: p.control.now().UTC(), Tables: map[string]column.Table{}, Extensions: p.control.extensions}
	var err error
	if setting.Table, err = p.table(ctx, p.definition.Destination.Table); err != nil {
		return err
	}
	setting.Tables[p.definition.Destination.Table] = setting.Table
	for _, name := range p.definition.Tables() {
		if setting.Tables[name], err = p.table(ctx, name); err != nil {
			return err
		}
	}
	switch connection := p.definition.Destination.Connection; len(p.missing) {
	case 0:
	case 1:
		p.note("The table %s does not exist yet in the connection '%s': %s.", p.missing[0], connection, instead)
	default:
		p.note("The tables %s do not exist yet in the connection '%s': %s.", strings.Join(p.missing, ", "), connection, instead)
	}
	if p.program, err = pipeline.Compile(p.definition, setting); err != nil {
		return refuse(Invalid, err, "%s", err.Error())
	}
	if len(p.program.Lookups())+len(p.definition.Relations)+len(p.definition.Nested) > 0 {
		p.note("Nothing is looked for in tables: rules and relations that do are taken to find what they need.")
	}
	p.preview.Notes = append(p.preview.Notes, p.program.Warnings()...)
	p.names, p.meant = pipeline.PrimaryNames(p.definition, header), pipeline.Meant(header)
	p.preview.Columns = named(p.names)
	return nil
}

const instead = "types are those that create_table gives"

// table is the real table, else one as the definition needs it.
func (p *previewing) table(ctx context.Context, name string) (column.Table, error) {
	connection := p.definition.Destination.Connection
	if p.control.sinks.Has(connection) {
		return sink.Table(p.definition, name)
	}
	dialect := database.SQLite
	db, err := p.control.databases.Get(connection)
	if err == nil && p.unreachable == nil {
		dialect = db.Dialect()
		describing, cancel := context.WithTimeout(ctx, describeTime)
		defer cancel()
		var table column.Table
		if table, err = db.Table(describing, name); err == nil {
			return table, nil
		}
	}
	if p.unreachable != nil {
		err = p.unreachable
	}
	p.preview.Types = TypesOfCreated
	unknown := (*database.NoConnection)(nil)
	switch {
	case ctx.Err() != nil:
		return column.Table{}, ctx.Err()
	case errors.Is(err, database.ErrNoTable), errors.Is(err, database.ErrNoFile):
		p.missing = append(p.missing, "'"+name+"'")
	case p.unreachable != nil:
	case errors.As(err, &unknown):
		p.unreachable = err
		p.note("The connection '%s' is not configured: %s.", connection, instead)
	default:
		p.unreachable = err
		p.note("The connection '%s' cannot be asked for its tables (%s): %s.", connection, database.Explain(err).Reason(), instead)
	}
	table, err := destination.Planned(dialect, p.definition, name)
	if err != nil {
		return table, refuse(Invalid, err, "%s", err.Error())
	}
	return table, nil
}

// take adds a row; false when there is no room for another one.
func (p *previewing) take(r row.Row) bool {
	for _, cell := range r.Cells {
		p.bytes += len(cell)
	}
	if len(p.preview.Rows) == p.limit || p.bytes > previewBytes && len(p.preview.Rows) > 0 {
		if p.preview.More = true; len(p.preview.Rows) < p.limit {
			p.note("Only %d rows are shown: they are large.", len(p.preview.Rows))
		}
		return false
	}
	t := p.program.Trace(r, p.definition)
	shown := PreviewRow{RowNumber: r.Number, Line: r.Line, Status: PreviewPassed, Way: wayOf(t), Data: dataOf(r, p.names, p.meant)}
	switch {
	case t.Failure == nil:
	case t.Failure.Skip:
		shown.Status = PreviewSkipped
	default:
		shown.Status, shown.Errors = PreviewFailed, errorsOf(t.Failure)
	}
	p.preview.Rows = append(p.preview.Rows, shown)
	return true
}
