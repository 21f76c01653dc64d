// Package mended reads the file with which a retry mends the failed rows of a run: the CSV of these rows, corrected.
//
// Rows come in the order of their numbers, whatever their order in the file, each under the number and the line that it
// has in the original. A row that is none of the failed ones, or there twice, is an error that names it. The same file and
// the same failed rows give the same rows. Memory is bounded: a file in order is read as it comes, another one is put in
// order in memory or, where it does not fit, refused.
package mended

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"strconv"
	"strings"

	"ingest/shared/chunk"
	"ingest/shared/format"
	"ingest/shared/importer"
	"ingest/shared/pipeline"
	"ingest/shared/row"
	"ingest/shared/run"
	"ingest/shared/source"
)

const (
	// sortable is how much of a file is put in order, as it lies in memory.
	sortable = 64 << 20
	// shown is how many unknown rows an error names.
	shown = 10
)

// File is an open file of mended rows. It is not safe for concurrent use.
type File struct {
	name   string
	handle *os.File
	csv    *format.CSV
	// at is the column of the numbers.
	at   int
	room int
}

// Original is the run whose rows are mended.
type Original struct {
	id int64
	// names are its columns as its failed rows name them.
	names  []string
	failed iter.Seq2[chunk.Logged, error]
}

// Of makes an Original of a run that has a manifest, and of its failed rows, ordered by number.
func Of(r run.Run, failed iter.Seq2[chunk.Logged, error]) (Original, error) {
	definition, err := importer.FromSnapshot(r.Definition)
	if err != nil {
		return Original{}, fmt.Errorf("read the definition of run %d: %w", r.ID, err)
	}
	return Original{id: r.ID, names: pipeline.PrimaryNames(definition, r.Manifest.Header), failed: failed}, nil
}

// Open opens the file at path, up to and with its header. name is what people call it: its ending says how it is packed.
// Of the format of the importer only what CSV needs is looked at, whatever the source of the original was. A
// *format.Error says why the file cannot be one of mended rows. The caller closes the File.
func Open(path, name string, f importer.Format) (*File, error) {
	handle, err := source.Open(path)
	if err != nil {
		return nil, err
	}
	out := &File{name: name, handle: handle, room: sortable}
	out.csv, err = format.Open(handle, format.Options{
		Delimiter: f.Delimiter, MaxRecord: f.MaxRecord, Compression: format.CompressionOf(name),
	})
	if err != nil {
		return nil, errors.Join(out.named(err), handle.Close())
	}
	switch out.at = pipeline.NumberAt(out.csv.Header()); {
	case out.csv.Header() == nil:
		err = out.wrong(" is empty.")
	case out.at < 0:
		err = out.wrong(" has no column %s (its delimiter is taken to be %q): mend the file that `ingest failed-rows` wrote and "+
			"leave that column in it.", pipeline.RowNumber, out.csv.Delimiter())
	}
	if err != nil {
		return nil, errors.Join(err, out.Close())
	}
	return out, nil
}

// Header returns the cells of the file's own header.
func (f *File) Header() []string { return f.csv.Header() }

// Delimiter returns the delimiter in use.
func (f *File) Delimiter() string { return f.csv.Delimiter() }

// Read returns how many bytes of the file were read.
func (f *File) Read() int64 { return f.csv.Read() }

// Close closes the file.
func (f *File) Close() error { return errors.Join(f.csv.Close(), f.handle.Close()) }

// Rows yields the rows. The cells of a row are valid until the next one is asked for. It can be called once; after an
// error it ends. What is wrong with the file is a *format.Error; a row that failed for its shape and is not mended has a
// Fault.
func (f *File) Rows(of Original) iter.Seq2[row.Row, error] {
	return func(yield func(row.Row, error) bool) {
		judge := newShapes(f.Header(), of.names)
		next, stop := iter.Pull2(of.failed)
		defer stop()
		known, err, more := next()
		var unknown []string
		last := int64(0)
		for r, wrong := range f.ordered() {
			for more && err == nil && wrong == nil && known.Row.Number < r.Number {
				known, err, more = next()
			}
			if wrong = errors.Join(wrong, err); wrong != nil {
				yield(row.Row{}, wrong)
				return
			}
			last = r.Number
			if !more || known.Row.Number != r.Number {
				if unknown = append(unknown, strconv.FormatInt(r.Number, 10)); len(unknown) > shown {
					break
				}
			}
			if unknown != nil {
				continue // only to name others like it
			}
			r.Line = known.Row.Line
			if judge.judge(&r, known.Message); !yield(r, nil) {
				return
			}
		}
		switch {
		case unknown != nil:
			yield(row.Row{}, f.strangers(of.id, unknown))
		case last == 0:
			yield(row.Row{}, f.wrong(" has no rows."))
		}
	}
}

func (f *File) strangers(original int64, unknown []string) error {
	text := strings.Join(unknown[:min(shown, len(unknown))], ", ")
	if len(unknown) > shown {
		text += " and more"
	}
	return f.wrong(": not among the failed rows of run #%d, by their %s: %s.", original, pipeline.RowNumber, text)
}

// next reads the next row under the number that it has in the file.
func (f *File) next(r *row.Row) error {
	if err := f.csv.Next(r); err != nil {
		return f.named(err)
	}
	if r.Fault != "" {
		return f.wrong(": %s", r.Fault)
	}
	text := ""
	if f.at < len(r.Cells) {
		text = strings.TrimSpace(r.Cells[f.at])
	}
	number, err := strconv.ParseInt(text, 10, 64)
	if err != nil || number < 1 {
		return f.wrong(", line %d: the %s is missing or not the number of a row.", r.Line, pipeline.RowNumber)
	}
	r.Number = number
	return nil
}

// named makes the reader's error one that says which file it is about; the end of the file is none.
func (f *File) named(err error) error {
	var known *format.Error
	if errors.As(err, &known) {
		return f.wrong(": %s", known.Message)
	}
	if errors.Is(err, io.EOF) {
		return io.EOF
	}
	return fmt.Errorf("read the mended rows: %w", err)
}

func (f *File) wrong(text string, args ...any) error {
	return &format.Error{Message: f.name + fmt.Sprintf(text, args...)}
}
