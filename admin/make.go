package admin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"ingest/admin/internal/draft"
	"ingest/admin/internal/show"
	"ingest/shared/format"
	"ingest/shared/importer"
	"ingest/shared/pipeline"
	"ingest/shared/source"
)

type makeCommand struct {
	Importer makeImporterCommand `cmd:"" help:"Write the first version of an importer from a sample of its source."`
}

type makeImporterCommand struct {
	Name  string `arg:"" help:"Slug of the new importer; its table is called so, too."`
	From  string `required:"" help:"Sample of the source, as it is or compressed (.gz, .zst)." placeholder:"FILE"`
	Rows  int    `help:"Look at this many rows at most." default:"100000"`
	To    string `short:"o" help:"Write to this file instead of the importers directory; - is standard output." placeholder:"FILE"`
	Force bool   `help:"Replace the file when there is one."`
}

// Run infers what a sample can tell and writes it, with the evidence, where the importers of this configuration are.
func (c *makeImporterCommand) Run(_ context.Context, s *session) error {
	if err := c.check(s); err != nil {
		return err
	}
	sample := inside(s.workdir, c.From)
	made, err := draft.Read(draft.Source{
		Open:        func() (io.ReadCloser, error) { return source.Open(sample) },
		Compression: format.CompressionOf(sample), Rows: c.Rows,
	})
	if err != nil {
		return fmt.Errorf("%s: %w", c.From, err)
	}
	found := sourcePath(s.settings.Roots, sample)
	text := made.Importer(draft.Names{Importer: c.Name, Sample: filepath.Base(sample), Path: found})
	if _, err := importer.Parse(c.Name+".yaml", text, pipeline.Checks(s.extensions)); err != nil {
		return fmt.Errorf("%s makes no importer that can be used: %w", c.From, err)
	}
	if c.To == "-" {
		if _, err := s.stdout.Write(text); err != nil {
			return fmt.Errorf("print the importer: %w", err)
		}
		return nil
	}
	path := filepath.Join(s.settings.Importers, c.Name+".yaml")
	if c.To != "" {
		path = inside(s.workdir, c.To)
	}
	if err := c.write(path, text); err != nil {
		return err
	}
	written := show.Made{Importer: c.Name, File: path, Rows: made.Rows(), Columns: made.Columns(), Listed: c.To == ""}
	if found == "" {
		written.Sample = c.From
	}
	return s.screen.Data(written, func(p *show.Page) { p.Made(written) })
}

func (c *makeImporterCommand) check(s *session) error {
	if c.To == "-" && s.screen.Format != show.Table {
		return misuse("make importer --to - prints the importer; leave --output out")
	}
	if c.Rows < 1 {
		return misuse("--rows is at least 1, not %d", c.Rows)
	}
	if err := importer.CheckSlug(c.Name); err != nil {
		return misuse("%v", err)
	}
	if c.To != "" {
		return nil
	}
	all, err := importer.List(s.settings.Importers, pipeline.Checks(s.extensions))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, other := range all {
		if other.Slug == c.Name && other.File != c.Name+".yaml" {
			return fmt.Errorf("the importer '%s' is already defined by %s: choose another name", c.Name, other.File)
		}
	}
	return nil
}

// write makes the file. Definitions hold no secrets, and the processes that run them may be another user's.
func (c *makeImporterCommand) write(path string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil { //nolint:gosec // see above
		return fmt.Errorf("make the directory of the importer: %w", err)
	}
	how := os.O_EXCL
	if c.Force {
		how = os.O_TRUNC
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|how, 0o644) //nolint:gosec // see above
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s is there already: --force replaces it, --to writes elsewhere", path)
	}
	if err != nil {
		return fmt.Errorf("write the importer: %w", err)
	}
	_, err = file.Write(text)
	if err = errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("write the importer: %w", err)
	}
	return nil
}

// sourcePath is the path by which an importer finds a file, empty when it lies in none of the roots.
func sourcePath(roots []string, file string) string {
	real, err := filepath.EvalSymlinks(file)
	if err != nil {
		return ""
	}
	for _, root := range roots {
		path, err := filepath.Rel(root, file)
		if err != nil || path == ".." || strings.HasPrefix(path, ".."+string(filepath.Separator)) {
			continue
		}
		// An earlier root may have another file of that name.
		if found, err := source.Resolve(roots, path); err == nil && found == real {
			return filepath.ToSlash(path)
		}
	}
	return ""
}
