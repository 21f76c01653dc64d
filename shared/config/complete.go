package config

import (
	"os"
	"path/filepath"
	"strings"

	"ingest/shared/extend"
)

// Complete takes what kong made of flags, environment, file and defaults and returns the configuration to work
// with: connections merged from file and environment, secrets read from the files that …_FILE variables name, the
// connection `default` filled in, the namespace too unless the installation is embedded (its data directory may keep
// one), paths made absolute (of the file: from its base; of anything else: from
// workdir), and everything judged. The error is Problems, all of them at once, and holds no secret.
//
// f must be the File whose Lookup answered kong; environ is as os.Environ gives it; destinations are what the
// program knows beside SQL databases.
func (c Config) Complete(f File, environ []string, workdir string, destinations ...extend.Destination) (Config, error) {
	workdir, err := filepath.Abs(workdir)
	if err != nil {
		return Config{}, err
	}
	done := completing{file: f, environ: environment(environ), workdir: workdir, destinations: destinations}
	c.origins = map[string]Origin{}
	keys := keysOf(&c)
	for _, k := range keys {
		c.origins[k.name] = done.origin(k)
	}
	done.redis(&c)
	done.paths(&c)
	if c.Namespace == "" && !c.Embedded() {
		c.Namespace = DefaultNamespace
	}
	c.Connections = done.connections(&c)
	done.judge(&c, keys)
	if err := done.problems.Err(); err != nil {
		return Config{}, err
	}
	return c, nil
}

type completing struct {
	file    File
	environ map[string]string
	workdir string
	// destinations are those that are no SQL databases.
	destinations []extend.Destination
	problems     Problems
}

func environment(environ []string) map[string]string {
	values := make(map[string]string, len(environ))
	for _, entry := range environ {
		if name, value, ok := strings.Cut(entry, "="); ok {
			values[name] = value
		}
	}
	return values
}

// report notes a problem where the value was given; name is the key, its variable or the flag.
func (d *completing) report(at Problem, message string) {
	at.Message = message
	d.problems = append(d.problems, at)
}

// origin tells a flag from the rest by elimination: kong asks the file only when there is no flag, and a flag
// that repeats what the environment or the default says changes nothing.
func (d *completing) origin(k key) Origin {
	if d.file.given[k.flag] {
		return FromFile
	}
	if text, set := d.environ[k.env]; set && k.sameAs(text) {
		return FromEnv
	}
	if k.sameAs(k.fallback) {
		return FromDefault
	}
	return FromFlag
}

// place is where the value of a key was given.
func (d *completing) place(c *Config, k key) Problem {
	switch c.origins[k.name] {
	case FromFile:
		return d.file.values[k.flag].at
	case FromEnv:
		return Problem{File: k.env}
	default:
		return Problem{File: "--" + k.flag}
	}
}

func (d *completing) redis(c *Config) {
	const name = "redis.url"
	url, set := d.secretFile("INGEST_REDIS_URL")
	if !set || c.origins[name] == FromFlag {
		return
	}
	c.Redis.URL, c.origins[name] = Secret(url), FromEnv
}

// secretFile reads the file that <name>_FILE names. <name> beside it is a problem: one of them is a mistake.
func (d *completing) secretFile(name string) (text string, set bool) {
	path, set := d.environ[name+"_FILE"]
	if !set || path == "" {
		return "", false
	}
	if _, both := d.environ[name]; both {
		d.report(Problem{File: name + "_FILE"}, name+" is set, too: only one of them may be")
		return "", false
	}
	content, err := os.ReadFile(absolute(d.workdir, path))
	if err != nil {
		d.report(Problem{File: name + "_FILE"}, err.Error())
		return "", false
	}
	return strings.TrimSpace(string(content)), true
}

func (d *completing) paths(c *Config) {
	c.DataDir = d.path(c, "data_dir", c.DataDir)
	c.Importers = d.path(c, "importers", c.Importers)
	c.TokensFile = d.path(c, "tokens_file", c.TokensFile)
	roots := make([]string, len(c.Roots))
	for i, root := range c.Roots {
		roots[i] = d.path(c, "roots", root)
	}
	c.Roots = roots
}

// path leaves an empty path empty, for judge to refuse.
func (d *completing) path(c *Config, name, path string) string {
	if path == "" {
		return ""
	}
	if c.origins[name] == FromFile {
		return absolute(d.file.base, path)
	}
	return absolute(d.workdir, path)
}

func absolute(base, path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(base, path)
}
