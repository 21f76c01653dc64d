package extend

import "io"

// Format turns bytes into rows: `format: {type: NAME, OPTION: …}`. Decompression by the name of the file (.gz, .zst),
// `nulls`, `short_rows` and `max_record` are the engine's.
type Format struct {
	Name string
	// Options are the names it takes.
	Options []string
	// New judges the options, when an importer is read and whenever a source is, and returns what begins to read a stream. Its
	// error goes on after the name: "needs a sheet".
	New func(o *Options) (func(r io.Reader) (Rows, error), error)
}

// Rows are the rows of one stream, which is read from its beginning to its end in bounded memory. The same bytes give the
// same header and rows, whatever the sizes of the reads they come in. An error ends the run: its text is the reason,
// behind "The source cannot be read: ". One that is also an io.Closer is closed in the end.
type Rows interface {
	// Header is known when the reading begins; nil means that the stream is empty.
	Header() []string
	// Next returns the next row, io.EOF behind the last one. Its cells are looked at before the next call only.
	Next() (Row, error)
}

// Row is one row of a stream.
type Row struct {
	// Cells are in the order of the header, as text.
	Cells []string
	// Line is where the row begins, counting from 1; 0 where streams of the format have no lines.
	Line int64
	// Fault fails the row, with this message, without ending the run: the row cannot be read as cells.
	Fault string
}

// Format is the one of that name.
func (x Extensions) Format(name string) (Format, bool) {
	return find(x.Formats, func(f Format) bool { return f.Name == name })
}

// Build gives the format its options. The error is for the author of an importer.
func (f Format) Build(given map[string]any) (func(r io.Reader) (Rows, error), error) {
	return build("format", f.Name, f.Options, given, f.New)
}
