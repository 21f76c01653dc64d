package admin

import (
	"context"

	"ingest/admin/internal/show"
)

type explainCommand struct {
	ID  int64 `arg:"" help:"Id of the run."`
	Row int64 `help:"Number of the row; the first one of the source is 1." required:"" placeholder:"N"`
}

// Run shows the way of one row of a run.
func (c *explainCommand) Run(ctx context.Context, s *session) error {
	if c.Row < 1 {
		return mistaken("--row is a number from 1 on")
	}
	return s.ask(ctx, func(sys *system) error {
		explanation, err := sys.control.Explain(ctx, c.ID, c.Row)
		if err != nil {
			return err
		}
		return s.screen.Data(explanation, func(p *show.Page) { p.Explanation(explanation) })
	})
}
