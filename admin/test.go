package admin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.uber.org/zap"

	"ingest/admin/internal/golden"
	"ingest/admin/internal/show"
	"ingest/shared/config"
	"ingest/shared/control"
	"ingest/shared/importer"
	"ingest/shared/pipeline"
)

type testCommand struct {
	Importers []string `arg:"" optional:"" name:"importer" help:"Slugs; all importers when left out."`
	Update    bool     `help:"Write what came of the files as what is expected."`
}

// Run imports the test files of importers and compares; a difference is exit code 1.
func (c *testCommand) Run(ctx context.Context, s *session) error {
	if s.remote != nil {
		return misuse("test reads the files beside the importers and needs no server: leave --server out")
	}
	definitions, err := c.definitions(s)
	if err != nil {
		return err
	}
	results, failed := []show.Test{}, false
	for _, listed := range definitions {
		for _, result := range s.tested(ctx, listed, c.Update) {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			failed = failed || result.Failed()
			results = append(results, result)
		}
	}
	if err := s.screen.Data(results, func(p *show.Page) { p.Tests(results) }); err != nil {
		return err
	}
	if failed {
		return exit(exitRefused)
	}
	return nil
}

// definitions are those to test: the ones that were named, or all.
func (c *testCommand) definitions(s *session) ([]importer.Listed, error) {
	all, err := importer.List(s.settings.Importers, pipeline.Checks(s.extensions))
	if err != nil {
		return nil, fmt.Errorf("the importers directory %s cannot be read: make it, or name another with --importers: %w", s.settings.Importers, err)
	}
	if len(c.Importers) > 0 {
		var named []importer.Listed
		for _, slug := range c.Importers {
			found := false
			for _, listed := range all {
				if listed.Slug == slug {
					named, found = append(named, listed), true
				}
			}
			if !found {
				return nil, importer.Unknown(slug, all)
			}
		}
		return named, nil
	}
	slugs := make([]string, len(all))
	for i, listed := range all {
		slugs[i] = listed.Slug
	}
	strangers, err := golden.Strangers(s.settings.Importers, slugs)
	for _, dir := range strangers {
		s.screen.Note("%s belongs to no importer.", dir)
	}
	return all, err
}

// tested tests one importer on all of its files.
func (s *session) tested(ctx context.Context, listed importer.Listed, update bool) []show.Test {
	result := show.Test{Importer: listed.Slug}
	if listed.Err != nil {
		return []show.Test{result.Broken(listed.Err)}
	}
	cases, err := golden.Cases(s.settings.Importers, listed.Slug)
	if err != nil {
		return []show.Test{result.Broken(err)}
	}
	if len(cases) == 0 {
		result.Result = show.NoTests
		result.Expected = filepath.Join(s.settings.Importers, golden.Dir, listed.Slug)
		return []show.Test{result}
	}
	results := make([]show.Test, len(cases))
	for i, one := range cases {
		results[i] = result
		results[i].File, results[i].Expected = one.File, one.Expected
		if err := s.compare(ctx, listed.Slug, one, update, &results[i]); err != nil {
			results[i] = results[i].Broken(err)
		}
	}
	return results
}

// compare imports one file and compares what came of it with what is expected.
func (s *session) compare(ctx context.Context, slug string, one golden.Case, update bool, result *show.Test) error {
	expected, found, err := golden.Load(one.Expected)
	if err != nil {
		return err
	}
	got, err := s.outcome(ctx, slug, one, expected.Params)
	var refused *control.Error
	if errors.As(err, &refused) && refused.Field == "params" {
		return fmt.Errorf("%w A test's parameters stand under `params` in %s", err, filepath.Base(one.Expected))
	}
	if err != nil {
		return err
	}
	got.Params = expected.Params
	if result.Difference, err = got.Difference(expected); !found && err == nil {
		result.Difference, err = got.Whole()
	}
	if err != nil {
		return err
	}
	switch {
	case found && result.Difference == "":
		result.Result = show.TestPassed
	case update:
		result.Result = show.TestUpdated
		return got.Store(one.Expected)
	case !found:
		result.Result = show.TestNew
	default:
		result.Result = show.TestDiffers
	}
	return nil
}

// outcome imports a file into a database of its own, which is gone afterwards.
func (s *session) outcome(ctx context.Context, slug string, one golden.Case, params map[string]string) (o golden.Outcome, err error) {
	dir, err := os.MkdirTemp("", "ingest-test-")
	if err != nil {
		return o, fmt.Errorf("make a directory for the test: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	apart := s.apart(dir)
	sys, err := apart.write(ctx)
	if err != nil {
		return o, err
	}
	defer func() { err = errors.Join(err, sys.Close()) }()
	db, err := sys.databases.Get(home)
	if err != nil {
		return o, err
	}
	if one.Before != "" {
		statements, err := os.ReadFile(one.Before)
		if err != nil {
			return o, fmt.Errorf("read what prepares the test: %w", err)
		}
		if _, err := db.Exec(ctx, string(statements)); err != nil {
			return o, fmt.Errorf("%s: %w", filepath.Base(one.Before), err)
		}
	}
	done, err := apart.carry(ctx, sys, func(ctx context.Context, sys *system) (control.Resource, error) {
		r, _, err := sys.control.Start(ctx, control.StartRequest{Importer: slug, File: one.File, Params: params})
		return r, err
	})
	if err != nil {
		return o, err
	}
	r, err := sys.control.Run(ctx, done.id, math.MaxInt32)
	if err != nil {
		return o, err
	}
	definition, err := importer.Load(s.settings.Importers, slug, pipeline.Checks(s.extensions))
	if err != nil {
		return o, err
	}
	local(&definition)
	o = golden.Of(r)
	started := s.now()
	if r.StartedAt != nil {
		started = r.StartedAt.Time
	}
	return o, o.Read(ctx, db, definition, started)
}

// apart is a session that shares nothing with this one but the importers: its runs, its spool and its only database are
// in a directory.
func (s *session) apart(dir string) *session {
	other := *s
	other.settings.DataDir, other.settings.Redis, other.settings.Namespace = dir, config.Redis{}, ""
	other.settings.Listen, other.settings.InternalListen = "", ""
	other.settings.Connections = map[string]config.Connection{
		home: {URL: config.Secret("sqlite:" + filepath.Join(dir, "ingest.db"))},
	}
	other.screen = show.Screen{Out: io.Discard, Err: io.Discard, Quiet: true}
	other.log, other.amend = zap.NewNop(), local
	return &other
}

// local makes a definition one for the database of a test: there is one connection, it knows no schemas, and a missing table
// is made.
func local(d *importer.Definition) {
	bare := func(name string) string { return name[strings.LastIndexByte(name, '.')+1:] }
	*d = d.Renamed(bare)
	create := true
	d.Destination.Connection, d.Destination.CreateTable = home, &create
	d.Rules = slices.Clone(d.Rules)
	for i := range d.Rules {
		rules := slices.Clone(d.Rules[i].Rules)
		for k, r := range rules {
			if table := r.Table(); table != "" {
				rules[k].Args = slices.Clone(r.Args)
				rules[k].Args[0] = bare(table)
			}
		}
		d.Rules[i].Rules = rules
	}
}
