package format

import (
	"errors"
	"io"
	"slices"

	"ingest/shared/extend"
	"ingest/shared/importer"
	"ingest/shared/row"
)

// Rows are the rows of a source in any format. They are not for concurrent use, Read excepted.
type Rows interface {
	// Header are its cells as written; nil when the source is empty.
	Header() []string
	// Delimiter is what stands between cells; empty where the format has none.
	Delimiter() string
	// Next reads the next row into r. The cells are valid until the next call. It returns io.EOF at the end, an *Error when
	// the source cannot be read further. A record that is broken in itself is a row with a Fault.
	Next(r *row.Row) error
	// Read is about how many bytes of the source, as it is stored, hold the rows so far.
	Read() int64
	Close() error
}

// OpenRows begins to read a source that is called name in the format of an importer: CSV, or an extension. The
// caller keeps r and closes it after Close. An *Error says why the source is not readable so; other errors wrap those of r.
func OpenRows(r io.Reader, name string, f importer.Format, x extend.Extensions) (Rows, error) {
	compression := CompressionOf(name)
	if own, ok := x.Format(f.Type); ok {
		return openOwn(r, compression, f, own)
	}
	if f.Type != importer.CSV {
		return nil, failure("This program does not have the format '%s'.", f.Type)
	}
	csv, err := Open(r, Options{Delimiter: f.Delimiter, MaxRecord: f.MaxRecord, Compression: compression})
	if err != nil {
		return nil, err // as Rows it would not be nil
	}
	return csv, nil
}

// own reads a format that is an extension.
type own struct {
	source *counter
	packed *decompressor
	rows   extend.Rows
	header []string
	limit  int
	number int64
	err    error
}

func openOwn(r io.Reader, compression string, f importer.Format, format extend.Format) (Rows, error) {
	begin, err := format.Build(f.Options)
	if err != nil {
		return nil, failure("The format of the importer is wrong: %v.", err)
	}
	o := &own{source: &counter{r: r}, limit: int(f.MaxRecord)}
	if o.limit <= 0 {
		o.limit = defaultMaxRecord
	}
	if o.packed, err = decompress(o.source, compression); err != nil {
		return nil, err
	}
	// What the format is given remembers its own errors, so that they are not taken for the format's.
	if o.packed != nil {
		o.rows, err = begin(o.packed)
	} else {
		o.rows, err = begin(o.source)
	}
	if errors.Is(err, io.EOF) && o.source.err == nil {
		o.err = io.EOF
		return o, nil
	}
	if err == nil {
		o.header, err = o.checkedHeader()
	}
	if err != nil {
		return nil, errors.Join(o.explain(err), o.Close())
	}
	return o, nil
}

func (o *own) checkedHeader() ([]string, error) {
	header := o.rows.Header()
	if len(header) > maxColumns {
		return nil, failure("The header has %d columns; at most %d can be read.", len(header), maxColumns)
	}
	if size := sizeOf(header); size > maxHeader {
		return nil, failure("The header is larger than %s.", byteSize(maxHeader))
	}
	return slices.Clone(header), nil
}

func sizeOf(cells []string) (size int) {
	for _, cell := range cells {
		size += len(cell)
	}
	return size
}

// Header implements Rows.
func (o *own) Header() []string { return o.header }

// Delimiter implements Rows.
func (o *own) Delimiter() string { return "" }

// Read implements Rows: what was taken from the source.
func (o *own) Read() int64 { return o.source.n.Load() }

// Next implements Rows.
func (o *own) Next(r *row.Row) error {
	if o.err != nil {
		return o.err
	}
	next, err := o.rows.Next()
	if err != nil {
		o.err = o.explain(err)
		return o.err
	}
	o.number++
	*r = row.Row{Number: o.number, Line: max(0, next.Line), Cells: next.Cells, Fault: next.Fault}
	if next.Fault != "" {
		r.Fault = extend.Message(errors.New(next.Fault))
	}
	if sizeOf(next.Cells) > o.limit {
		r.Cells, r.Fault = nil, "The row is larger than "+byteSize(int64(o.limit))+"."
	}
	return nil
}

// explain tells errors of the source, which may pass, from those of the format, which are reasons.
func (o *own) explain(err error) error {
	var known *Error
	switch {
	case errors.Is(err, io.EOF) && o.source.err == nil:
		return io.EOF
	case errors.As(err, &known):
		return known
	case o.source.err != nil:
		return readError(o.source.err)
	default:
		return failure("The source cannot be read: %s", extend.Message(err))
	}
}

// Close implements Rows.
func (o *own) Close() error {
	var err error
	if closer, ok := o.rows.(io.Closer); ok {
		err = closer.Close()
	}
	if o.packed != nil {
		o.packed.close()
	}
	if o.err == nil {
		o.err = errors.New("read source: the reader is closed")
	}
	return err
}
