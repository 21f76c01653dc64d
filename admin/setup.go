package admin

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"

	"ingest/admin/internal/show"
	"ingest/shared/control"
	"ingest/shared/database"
	"ingest/shared/importer"
	"ingest/shared/pipeline"
	"ingest/shared/sink"
)

type migrateCommand struct{}

// Run makes or updates the tables of the engine in every connection to a database; those of the others are in `default`. One
// that fails does not keep back the others.
func (c *migrateCommand) Run(ctx context.Context, s *session) error {
	databases := newPool(s.settings, s.extensions, false)
	defer databases.Close()
	done := []show.Migration{}
	failed, sinks := false, sink.New(s.settings, s.extensions)
	for _, name := range connections(s.settings) {
		if sinks.Has(name) {
			continue
		}
		migration, err := migrate(ctx, databases, name)
		if err = located(s.settings, name, err); err != nil {
			failed = true
			migration.Result = fmt.Sprintf("failed: %v", err)
		}
		done = append(done, migration)
	}
	if err := s.screen.Data(done, func(p *show.Page) { p.Migrations(done) }); err != nil {
		return err
	}
	if failed {
		return exit(exitRefused)
	}
	return nil
}

func migrate(ctx context.Context, databases *database.Pool, name string) (show.Migration, error) {
	migration := show.Migration{Connection: name, Result: "up to date"}
	db, err := databases.Get(name)
	if err != nil {
		return migration, err
	}
	migration.Database = string(db.Dialect())
	if err := db.Ping(ctx); err != nil {
		return migration, err
	}
	if errors.Is(database.Migrated(ctx, db), database.ErrNotMigrated) {
		migration.Result = "migrated"
	}
	return migration, database.Migrate(ctx, db)
}

type schemaCommand struct{}

// Run prints the JSON Schema of importers, whatever the configuration is.
func (c *schemaCommand) Run(s *session) error {
	screen := s.screen
	if screen.Format == show.Table {
		screen.Format = show.JSON // it has no other form
	}
	return screen.Document(importer.JSONSchema(pipeline.Language(s.extensions)), func(*show.Page) {})
}

type configCommand struct{}

// Run shows the effective configuration and where each value comes from, without secrets.
func (c *configCommand) Run(_ context.Context, s *session) error {
	if err := s.findNamespace(); err != nil {
		return err
	}
	var settings []show.Setting
	for _, e := range s.settings.Effective() {
		settings = append(settings, show.Setting{Key: e.Key, Value: e.Value, Origin: string(e.Origin)})
	}
	return s.screen.Data(settings, func(p *show.Page) { p.Settings(settings) })
}

type versionCommand struct{}

// Run says which program this is.
func (c *versionCommand) Run(_ context.Context, s *session) error {
	v := buildVersion()
	return s.screen.Data(v, func(p *show.Page) { p.Version(v) })
}

// buildVersion is what the Go tool noted in the binary.
func buildVersion() show.Version {
	v := show.Version{Version: "unknown"}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	v.Version, v.Go = info.Main.Version, info.GoVersion
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" {
			v.Revision = setting.Value[:min(12, len(setting.Value))]
		}
	}
	return v
}

type verifyCommand struct {
	ID int64 `arg:"" help:"Id of the run."`
}

// Run recomputes a run's numbers from the ledger; a problem is exit code 1.
func (c *verifyCommand) Run(ctx context.Context, s *session) error {
	return s.ask(ctx, func(sys *system) error {
		v, err := sys.control.Verify(ctx, c.ID)
		if err != nil {
			return err
		}
		if err := s.screen.Data(v, func(p *show.Page) { p.Verification(v) }); err != nil {
			return err
		}
		if len(v.Problems) > 0 {
			return exit(exitRefused)
		}
		return nil
	})
}

type rebuildCommand struct {
	ID int64 `arg:"" help:"Id of the run."`
}

// Run forgets the Redis state of a run; the coordinator restores it.
func (c *rebuildCommand) Run(ctx context.Context, s *session) error {
	return s.ask(ctx, func(sys *system) error {
		if err := sys.control.Rebuild(ctx, c.ID); err != nil {
			return err
		}
		text := control.RebuildText(c.ID)
		return s.screen.Document(map[string]string{"message": text}, func(p *show.Page) { p.Line("%s", text) })
	})
}
