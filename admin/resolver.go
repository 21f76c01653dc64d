package admin

import (
	"errors"
	"io/fs"
	"strings"

	"github.com/alecthomas/kong"

	"ingest/shared/config"
)

// resolver gives kong what the environment says and, where that says nothing, the configuration file. kong's own
// order would let the file beat the environment.
type resolver struct {
	environ map[string]string
	workdir string

	read bool
	// path is the file that was named, empty when none was.
	path string
	file config.File
	// err is what is wrong with the file; the command line is not complete then.
	err error
}

func newResolver(o Options) *resolver {
	environ := make(map[string]string, len(o.Environ))
	for _, variable := range o.Environ {
		if name, value, ok := strings.Cut(variable, "="); ok {
			environ[name] = value
		}
	}
	return &resolver{environ: environ, workdir: o.Workdir}
}

// Validate implements kong.Resolver.
func (r *resolver) Validate(*kong.Application) error { return nil }

// Resolve implements kong.Resolver. kong asks it only for flags that are not on the command line.
func (r *resolver) Resolve(ctx *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	if needsNothing(ctx.Selected()) {
		return nil, nil
	}
	for _, name := range flag.Envs {
		if value, ok := r.environ[name]; ok {
			return value, nil
		}
	}
	r.load(ctx)
	if value, ok := r.file.Lookup(flag.Name); ok {
		return value, nil
	}
	return nil, nil
}

// load reads the file that flag or environment name, once.
func (r *resolver) load(ctx *kong.Context) {
	if r.read {
		return
	}
	r.read = true
	r.path = r.environ["INGEST_CONFIG"]
	for _, element := range ctx.Path {
		if element.Flag != nil && element.Flag.Name == "config" {
			if given, ok := ctx.FlagValue(element.Flag).(string); ok {
				r.path = given
			}
		}
	}
	r.file, r.err = config.ReadFileIn(r.workdir, r.path)
}

// missing says that the file that was named is not there.
func (r *resolver) missing() bool { return errors.Is(r.err, fs.ErrNotExist) }
