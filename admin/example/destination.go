package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"ingest/shared/extend"
)

// jsonl is the destination of connections like `jsonl:exports`: a file of JSON objects for every chunk, below a directory
// of the table's name. The file is named by the chunk, so that one that is delivered again takes its own place.
func jsonl() extend.Destination {
	return extend.Destination{Name: "jsonl", Open: func(url string) (extend.Sink, error) {
		dir := url[len("jsonl:"):]
		if dir == "" {
			return nil, errors.New("needs a directory: jsonl:exports")
		}
		return files{dir}, nil
	}}
}

type files struct{ dir string }

func (f files) Write(_ context.Context, c extend.Chunk) ([]string, error) {
	if !filepath.IsLocal(c.Table) {
		return nil, extend.Permanent(errors.New("the table's name is no name of a directory"))
	}
	var lines bytes.Buffer
	for _, row := range c.Rows {
		object := map[string]any{}
		for i, value := range row.Values {
			switch {
			case value == nil:
			case value.Null:
				object[c.Columns[i]] = nil
			default:
				object[c.Columns[i]] = value.Text
			}
		}
		if err := json.NewEncoder(&lines).Encode(object); err != nil {
			return nil, fmt.Errorf("encode a row: %w", err)
		}
	}
	dir := filepath.Join(f.dir, c.Table)
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, fmt.Errorf("make the directory: %w", err)
	}
	// Renamed when it is whole: who reads the directory sees no half of a chunk.
	path := filepath.Join(dir, c.Key+".jsonl")
	if err := os.WriteFile(path+".part", lines.Bytes(), 0o600); err != nil {
		return nil, fmt.Errorf("write a chunk: %w", err)
	}
	return nil, os.Rename(path+".part", path)
}

func (files) Close() error { return nil }
