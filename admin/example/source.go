package main

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"ingest/shared/extend"
)

// zipped reads one file of an archive below the coordinator's working directory: `source: {type: zip, file: in/2026.zip,
// entry: "${month}.txt"}`.
func zipped() extend.Source {
	return extend.Source{Name: "zip", Options: []string{"file", "entry"}, New: func(o *extend.Options) (extend.Stream, error) {
		file, entry := o.Required("file"), o.Required("entry")
		if !filepath.IsLocal(file) {
			// A parameter may be a part of it.
			o.Refuse("file", "needs a file below the working directory as 'file'")
		}
		return extend.Stream{Name: filepath.Base(entry), Open: func(context.Context) (io.ReadCloser, error) {
			archive, err := zip.OpenReader(file)
			if err != nil {
				return nil, fmt.Errorf("the archive %s cannot be read", file)
			}
			content, err := archive.Open(entry)
			if err != nil {
				return nil, errors.Join(fmt.Errorf("the archive %s has no file %s", file, entry), archive.Close())
			}
			return within{content, archive}, nil
		}}, nil
	}}
}

// within is a file of an archive, which is closed with it.
type within struct {
	io.ReadCloser
	archive io.Closer
}

// Close closes both.
func (w within) Close() error { return errors.Join(w.ReadCloser.Close(), w.archive.Close()) }
