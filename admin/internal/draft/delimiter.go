package draft

import (
	"errors"
	"fmt"
	"io"

	"ingest/shared/format"
	"ingest/shared/row"
)

// usual are the delimiters that are tried, the more usual first.
var usual = []string{",", ";", "\t", "|"}

// tried is how many rows each is tried on.
const tried = 1000

// each opens the sample, calls begin once and then next with every row, until that answers false.
func (s Source) each(delimiter string, begin func(*format.CSV) error, next func(*format.CSV, row.Row) (bool, error)) (err error) {
	file, err := s.Open()
	if err != nil {
		return fmt.Errorf("open the sample: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	c, err := format.Open(file, format.Options{Delimiter: delimiter, Compression: s.Compression})
	if err != nil {
		return err
	}
	defer c.Close()
	if err := begin(c); err != nil {
		return err
	}
	var r row.Row
	for {
		err := c.Next(&r)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if more, err := next(c, r); err != nil || !more {
			return err
		}
	}
}

// findDelimiter takes the one that the file names, else the one by which most rows have as many cells as the header, and
// of several the one that gives more columns.
func (d *Draft) findDelimiter(s Source) error {
	named := ""
	err := s.each("", func(c *format.CSV) error {
		named = c.Delimiter()
		return nil
	}, func(*format.CSV, row.Row) (bool, error) { return false, nil })
	if d.told = named != "" && named != usual[0]; d.told {
		d.delimiter = named
		return err
	}
	d.delimiter = usual[0]
	best := 1
	for _, delimiter := range usual {
		width, agreeing, divided, judged := 0, 0, 0, 0
		wrong := s.each(delimiter, func(c *format.CSV) error {
			width = len(c.Header())
			return nil
		}, func(_ *format.CSV, r row.Row) (bool, error) {
			judged++
			if len(r.Cells) > 1 {
				divided++
			}
			if r.Fault == "" && len(r.Cells) == width {
				agreeing++
			}
			return judged < tried, nil
		})
		if wrong != nil {
			continue // by another it may be readable; what is wrong with all of them is told when it is read
		}
		share := agreeing*d.judged - d.agreeing*judged
		// A name with a semicolon in it does not make a delimiter of it.
		if 2*divided < judged && delimiter != usual[0] {
			continue
		}
		if width > 1 && (best == 1 || share > 0 || share == 0 && width > best) || delimiter == usual[0] {
			d.delimiter, d.agreeing, d.judged, best = delimiter, agreeing, judged, max(width, 1)
		}
	}
	return nil
}
