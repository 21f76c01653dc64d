package admin

import (
	"context"

	"ingest/admin/internal/show"
	"ingest/shared/control"
)

type previewCommand struct {
	Importer string            `arg:"" help:"Slug of the importer."`
	File     *string           `help:"Look at this file instead of the importer's source." placeholder:"FILE"`
	Rows     int               `help:"How many rows." default:"10"`
	Param    map[string]string `help:"A parameter of the importer; may be repeated." placeholder:"NAME=VALUE" mapsep:"none"`
}

// Run takes the first rows of a source through the pipeline. Nothing is written and no run begins.
func (c *previewCommand) Run(ctx context.Context, s *session) error {
	if c.Rows < 1 || c.Rows > control.MaxPreview {
		return mistaken("--rows is between 1 and 1000")
	}
	request := control.PreviewRequest{Importer: c.Importer, Rows: c.Rows, Params: c.Param}
	if c.File != nil {
		switch {
		case *c.File == "":
			return misuse("--file is empty")
		case *c.File == "-":
			return misuse("preview reads the beginning of a file: standard input could not be imported after it; store it in a file")
		case s.remote != nil:
			return misuse("a server previews the source that the importer names: to preview a file, run this where the importers " +
				"are and leave --server out")
		}
		request.File = inside(s.workdir, *c.File)
	}
	return s.look(ctx, func(sys *system) error {
		preview, err := sys.control.Preview(ctx, request)
		if err != nil {
			return err
		}
		return s.screen.Data(preview, func(p *show.Page) { p.Preview(preview) })
	})
}
