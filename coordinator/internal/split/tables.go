package split

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"ingest/shared/column"
	"ingest/shared/database"
	"ingest/shared/destination"
	"ingest/shared/importer"
	"ingest/shared/run"
	"ingest/shared/sink"
)

// Scratch are the tables a dry run makes for itself where the real ones do not exist, those that refer to others behind
// them.
func Scratch(r run.Run) []string {
	d, err := importer.FromSnapshot(r.Definition)
	if err != nil {
		return nil // then it made none
	}
	var names []string
	for _, name := range tablesOf(d) {
		names = append(names, scratch(r, d, name))
	}
	return names
}

func tablesOf(d importer.Definition) []string {
	return append([]string{d.Destination.Table}, d.Tables()...)
}

// scratch is the name of the table that stands for another one in a dry run.
func scratch(r run.Run, d importer.Definition, table string) string {
	if i := slices.Index(tablesOf(d), table); i > 0 {
		return fmt.Sprintf("ingest_dry_%s_%d", r.UID, i)
	}
	return "ingest_dry_" + r.UID
}

// tables describes the tables of the definition, making them first where the importer says so. A dry run makes no table
// that stays: it works on some of its own, dropped at the end.
func (s *Splitter) tables(ctx context.Context, r run.Run, d importer.Definition, db *database.DB) (main column.Table, all map[string]column.Table, err error) {
	if s.sinks.Has(d.Destination.Connection) {
		return s.sunk(d)
	}
	described := func(name string) string { return name }
	if d.Destination.Creates(db.Dialect() == database.SQLite) {
		if described, err = create(ctx, r, d, db); err != nil {
			return main, nil, err
		}
	}
	if main, err = s.table(ctx, d, db, d.Destination.Table, described); err != nil {
		return main, nil, err
	}
	all = map[string]column.Table{d.Destination.Table: main} // which relations and rules may name, too
	for _, name := range d.Tables() {
		if all[name], err = s.table(ctx, d, db, name, described); err != nil {
			return main, nil, err
		}
	}
	return main, all, nil
}

// create makes the tables that are missing. described are the names that the tables of the definition have for the run.
func create(ctx context.Context, r run.Run, d importer.Definition, db *database.DB) (described func(name string) string, err error) {
	described = func(name string) string { return name }
	if r.DryRun {
		// What is wrong with the tables is said of those that people know.
		missing, err := destination.MissingTables(ctx, db, d)
		if err != nil {
			return nil, fmt.Errorf("look which tables of %s are missing: %w", d.Slug, err)
		}
		described = func(name string) string {
			if slices.ContainsFunc(missing, func(t destination.MissingTable) bool { return t.Name == name }) {
				return scratch(r, d, name)
			}
			return name
		}
	}
	if err := destination.Create(ctx, db, d.Renamed(described)); err != nil {
		return nil, fmt.Errorf("create the tables of %s: %w", d.Slug, err)
	}
	return described, nil
}

// sunk are what stands for tables where the rows go to a sink.
func (s *Splitter) sunk(d importer.Definition) (main column.Table, others map[string]column.Table, err error) {
	if err := s.sinks.Refuse(d); err != nil {
		return main, nil, &failure{reason: "The destination cannot take the rows: " + err.Error() + "."}
	}
	if main, err = sink.Table(d, d.Destination.Table); err != nil {
		return main, nil, err
	}
	others = map[string]column.Table{}
	for _, choice := range d.TableWhen {
		if others[choice.Table], err = sink.Table(d, choice.Table); err != nil {
			return main, nil, err
		}
	}
	return main, others, nil
}

func (s *Splitter) table(
	ctx context.Context, d importer.Definition, db *database.DB, name string, described func(string) string,
) (column.Table, error) {
	table, err := db.Table(ctx, described(name))
	if errors.Is(err, database.ErrNoTable) {
		return column.Table{}, &failure{reason: fmt.Sprintf(
			"The table '%s' does not exist in connection '%s' (create it, or set `create_table: true` under `destination`).",
			name, d.Destination.Connection)}
	}
	if err != nil {
		return column.Table{}, fmt.Errorf("describe table %s: %w", name, err)
	}
	return table, nil
}
