package admin

import (
	"context"

	"ingest/admin/internal/show"
)

type listCommand struct{}

// Run lists the importers.
func (c *listCommand) Run(ctx context.Context, s *session) error {
	return s.ask(ctx, func(sys *system) error {
		importers, err := sys.control.Importers(ctx)
		if err != nil {
			return err
		}
		return s.screen.Data(importers, func(p *show.Page) { p.Importers(importers) })
	})
}

type checkCommand struct {
	Importers []string `arg:"" optional:"" name:"importer" help:"Slugs; all importers when left out."`
	Connect   bool     `help:"Also look at the real tables."`
}

// Run validates importer definitions; a problem is exit code 1.
func (c *checkCommand) Run(ctx context.Context, s *session) error {
	return s.ask(ctx, func(sys *system) error {
		results, err := sys.control.Check(ctx, c.Importers, c.Connect)
		if err != nil {
			return err
		}
		if err := s.screen.Data(results, func(p *show.Page) { p.Checks(results) }); err != nil {
			return err
		}
		for _, result := range results {
			if len(result.Problems) > 0 {
				return exit(exitRefused)
			}
		}
		return nil
	})
}

type workersCommand struct{}

// Run lists the live workers and coordinators.
func (c *workersCommand) Run(ctx context.Context, s *session) error {
	return s.ask(ctx, func(sys *system) error {
		processes, err := sys.control.Processes(ctx)
		if err != nil {
			return err
		}
		return s.screen.Data(processes, func(p *show.Page) { p.Processes(processes) })
	})
}
