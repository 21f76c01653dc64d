package control

import (
	"context"
	"errors"
	"io/fs"
	"strings"

	"ingest/shared/importer"
	"ingest/shared/pipeline"
	"ingest/shared/source"
)

// Importers lists the definitions, sorted by slug. A broken file is listed with its first error and harms only itself.
func (c *Control) Importers(context.Context) ([]ImporterInfo, error) {
	listed, err := importer.List(c.settings.Importers, pipeline.Checks(c.extensions))
	if err != nil {
		return nil, refuse(Invalid, err, "%s", err.Error())
	}
	out := make([]ImporterInfo, 0, len(listed))
	for _, entry := range listed {
		info := ImporterInfo{Importer: entry.Slug, File: entry.File}
		if entry.Err != nil {
			info.Error, _, _ = strings.Cut(entry.Err.Error(), "\n")
			out = append(out, info)
			continue
		}
		d := entry.Definition
		info.Source, info.Format = d.Source.Type, d.Format.Type
		info.Connection, info.Table = d.Destination.Connection, d.Destination.Table
		info.Key, info.OnDuplicate = d.Key, string(d.OnDuplicate)
		out = append(out, info)
	}
	return out, nil
}

// Importer returns a definition as it is now. It holds no secret: connections are names.
func (c *Control) Importer(_ context.Context, slug string) (importer.Definition, error) {
	return c.definition(slug)
}

// Check validates definitions, all of them without names. With connect it also looks at the real tables; it makes none.
func (c *Control) Check(ctx context.Context, slugs []string, connect bool) ([]CheckResult, error) {
	listed, err := importer.List(c.settings.Importers, pipeline.Checks(c.extensions))
	if err != nil {
		return nil, refuse(Invalid, err, "%s", err.Error())
	}
	wanted := make(map[string]bool, len(slugs))
	for _, slug := range slugs {
		wanted[slug] = true
	}
	out := []CheckResult{}
	for _, entry := range listed {
		if len(slugs) > 0 && !wanted[entry.Slug] {
			continue
		}
		delete(wanted, entry.Slug)
		result := CheckResult{Importer: entry.Slug, File: entry.File, Problems: []string{}, Warnings: []string{}}
		switch {
		case entry.Err != nil:
			result.Problems = strings.Split(entry.Err.Error(), "\n")
		default:
			result.Problems = c.configured(entry)
			if connect && len(result.Problems) == 0 {
				result.Problems, result.Warnings = c.connected(ctx, entry)
			}
		}
		out = append(out, result)
	}
	for _, slug := range slugs {
		if wanted[slug] {
			unknown := importer.Unknown(slug, listed)
			return nil, refuse(NotFound, unknown, "%s", unknown.Error())
		}
	}
	return out, nil
}

// configured lists what the configuration says against a definition. A source file may come later.
func (c *Control) configured(entry importer.Listed) []string {
	problems := []string{}
	d := entry.Definition
	if d.Source.Path != "" {
		if _, err := source.Resolve(c.settings.Roots, d.Source.Path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			problems = append(problems, entry.At(err.Error(), "source", "path").String())
		}
	}
	if _, err := c.databases.Get(d.Destination.Connection); err != nil {
		problems = append(problems, entry.At(err.Error(), "destination", "connection").String())
	}
	return problems
}

// Processes lists the live workers and coordinators.
func (c *Control) Processes(ctx context.Context) ([]ProcessInfo, error) {
	out := []ProcessInfo{}
	if c.redis == nil {
		return out, nil
	}
	processes, err := c.redis.Processes(ctx)
	if err != nil {
		if c.settings.Embedded() {
			return out, nil // nobody serves
		}
		return nil, refuse(Unavailable, err, "Redis cannot be reached.")
	}
	for _, p := range processes {
		slots := p.Slots
		if slots == nil {
			slots = []string{}
		}
		out = append(out, ProcessInfo{
			ID: p.ID, Role: p.Role, Host: p.Host, PID: p.PID, Version: p.Version, Slots: slots, SeenAt: Time{p.At},
		})
	}
	return out, nil
}
