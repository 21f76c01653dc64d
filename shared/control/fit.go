package control

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"ingest/shared/column"
	"ingest/shared/database"
	"ingest/shared/destination"
	"ingest/shared/extend"
	"ingest/shared/importer"
	"ingest/shared/pipeline"
	"ingest/shared/sink"
)

// fit compares a definition with the tables that it names. What it finds stands where the file names them.
type fit struct {
	importer.Listed
	d  importer.Definition
	db *database.DB
	// tables are those that there are, by the definition's names.
	tables             map[string]column.Table
	problems, warnings importer.Problems
	extensions         extend.Extensions
}

func (f *fit) problem(p importer.Problem, hint string) {
	if p.Hint = hint; !slices.Contains(f.problems, p) {
		f.problems = append(f.problems, p)
	}
}

func (f *fit) warn(p importer.Problem, hint string) {
	if p.Hint = hint; !slices.Contains(f.warnings, p) {
		f.warnings = append(f.warnings, p)
	}
}

// connected says what the destination says against a definition, and what is worth knowing of both.
func (c *Control) connected(ctx context.Context, entry importer.Listed) (problems, warnings []string) {
	f := fit{Listed: entry, d: entry.Definition, tables: map[string]column.Table{}, extensions: c.extensions}
	switch reachable := f.reachable(ctx, c.databases); {
	case c.sinks.Has(f.d.Destination.Connection):
		f.sunk(ctx, c.sinks)
	case reachable:
		if f.describe(ctx) {
			f.compare()
			f.compile()
		}
		f.mixed()
	}
	return lines(f.problems), lines(f.warnings)
}

// sunk says what a destination that is no database says.
func (f *fit) sunk(ctx context.Context, sinks *sink.Pool) {
	if err := sinks.Refuse(f.d); err != nil {
		f.problem(f.At(err.Error(), "destination", "connection"), "")
	}
	name := f.d.Destination.Connection
	if err := sinks.Reach(ctx, name); err != nil {
		text := fmt.Sprintf("the connection '%s' cannot be used: %s", name, extend.Message(err))
		f.problem(f.At(text, "destination", "connection"), "")
	}
}

func lines(all importer.Problems) []string {
	text := []string{}
	for _, p := range all.Sorted() {
		text = append(text, p.String())
	}
	return text
}

// reachable says whether there is a database to ask. An SQLite file and the engine's tables in it are made by the first
// run.
func (f *fit) reachable(ctx context.Context, databases *database.Pool) bool {
	at := func(message string) importer.Problem { return f.At(message, "destination", "connection") }
	var err error
	if f.db, err = databases.Get(f.d.Destination.Connection); err != nil {
		f.problem(at(err.Error()), "")
		return false
	}
	err = f.db.Ping(ctx)
	if errors.Is(err, database.ErrNoFile) {
		return false
	}
	if err != nil {
		f.problem(at(fmt.Sprintf("the connection '%s' cannot be reached: %s", f.db.Name(), database.Explain(err).Reason())), "")
		return false
	}
	weaknesses, err := f.db.Weaknesses(ctx)
	if err != nil {
		f.problem(at(fmt.Sprintf("the connection '%s' cannot be asked for its settings: %s", f.db.Name(), database.Explain(err).Reason())), "")
	}
	for _, weakness := range weaknesses {
		f.warn(at(weakness), "")
	}
	err = database.Migrated(ctx, f.db)
	if err != nil && (f.db.Dialect() != database.SQLite || !errors.Is(err, database.ErrNotMigrated)) {
		f.problem(at(err.Error()), "")
	}
	return true
}

// describe reads the tables. Those that the importer makes need not be there; what is made fits.
func (f *fit) describe(ctx context.Context) bool {
	named := f.named()
	missing := false
	for _, n := range named {
		if _, known := f.tables[n.table]; known {
			continue
		}
		table, err := f.db.Table(ctx, n.table)
		switch {
		case errors.Is(err, database.ErrNoTable):
			missing = true
		case err != nil:
			f.problem(f.At(err.Error(), n.path...), "")
		default:
			f.tables[n.table] = table
		}
	}
	if missing {
		f.missing(ctx, named)
	}
	return len(f.tables) > 0
}

func (f *fit) missing(ctx context.Context, named []naming) {
	makes := map[string]string{}
	made, err := destination.MissingTables(ctx, f.db, f.d)
	if err != nil {
		f.problem(f.At(err.Error(), "destination", "table"), "")
	}
	for _, table := range made {
		makes[table.Name] = strings.Join(table.Statements, "; ")
	}
	told := map[string]bool{}
	for _, n := range named {
		if _, known := f.tables[n.table]; known || told[n.table] {
			continue
		}
		told[n.table] = true
		statements, can := makes[n.table]
		if can && f.d.Destination.Creates(f.db.Dialect() == database.SQLite) {
			continue
		}
		hint := ""
		if can {
			hint = "set `create_table: true` under `destination`, or: " + statements
		}
		f.problem(f.At(fmt.Sprintf("the table '%s' does not exist in connection '%s'", n.table, f.db.Name()), n.path...), hint)
	}
}

// naming is where a definition names a table.
type naming struct {
	table string
	path  []string
}

func (f *fit) named() (all []naming) {
	add := func(table string, path ...string) { all = append(all, naming{table, path}) }
	relations := func(list []importer.Relation, path ...string) {
		for i, r := range list {
			at := append(slices.Clone(path), "relations", fmt.Sprint(i))
			if r.Many() {
				add(r.Table, append(slices.Clone(at), "many", "table")...)
				add(r.Pivot, append(slices.Clone(at), "many", "pivot")...)
			} else {
				add(r.Table, append(at, "table")...)
			}
		}
	}
	add(f.d.Destination.Table, "destination", "table")
	for i, choice := range f.d.TableWhen {
		add(choice.Table, "table_when", fmt.Sprint(i), "table")
	}
	relations(f.d.Relations)
	for i, n := range f.d.Nested {
		add(n.Table, "nested", fmt.Sprint(i), "table")
		relations(n.Relations, "nested", fmt.Sprint(i))
	}
	for _, rules := range f.d.Rules {
		for _, r := range rules.Rules {
			if table := r.Table(); table != "" {
				add(table, "rules", rules.Column)
			}
		}
	}
	return all
}

// compile finds what only the whole of it tells, for a source that has every column: whether rows can meet.
func (f *fit) compile() {
	if len(f.problems) > 0 {
		return
	}
	in := pipeline.Setting{Header: f.header(), Tables: f.tables, Extensions: f.extensions}
	for _, n := range f.named() {
		if _, known := f.tables[n.table]; !known {
			return // it is made by the first run
		}
	}
	in.Table = f.tables[f.d.Destination.Table]
	program, err := pipeline.Compile(f.d, in)
	if err != nil {
		f.problem(f.At(err.Error(), "destination", "table"), "")
		return
	}
	reason := program.Meeting(f.d, f.tables).Reason
	switch locks := program.Locks(); {
	case len(locks) > 0:
		f.warn(f.At(fmt.Sprintf("the key has no unique index: chunks of all runs that write %s go one after the other", strings.Join(locks, " or ")),
			"destination", "unique_index"), "")
	case reason == "" || f.d.Partitions == 1 || f.d.Transaction != "":
	case f.d.IndependentRows:
		f.warn(f.At("rows may take effect in another order than the file's: "+reason, "independent_rows"), "")
	default:
		f.warn(f.At("a run has one partition: "+reason, "destination", "table"),
			"independent_rows: true allows more, where the order of such rows does not matter")
	}
}

// header is that of a source which has every column that the definition names.
func (f *fit) header() (names []string) {
	add := func(from []string) {
		if len(from) > 0 && !slices.Contains(names, from[0]) {
			names = append(names, from[0])
		}
	}
	for _, field := range f.d.Fields {
		add(field.From)
	}
	for _, r := range f.d.Relations {
		add(r.From)
	}
	for _, n := range f.d.Nested {
		add(n.From)
	}
	for _, rules := range f.d.Rules {
		add([]string{rules.Column})
	}
	if f.d.Compare != nil {
		add([]string{f.d.Compare.Source})
	}
	return names
}
