// Package admin is the command line: the one place that knows kong and fx, and the only wiring.
//
// A command prints its result on standard output, as one document; progress, hints and errors go to standard error.
// Exit codes: 0 done, 1 failed or refused, 2 wrong usage, 130 interrupted; a run that was waited for: 0 completed,
// 3 completed_with_errors, 4 failed, 5 cancelled.
package admin

import (
	"context"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"
	"golang.org/x/term"

	"ingest/admin/internal/remote"
	"ingest/admin/internal/show"
	"ingest/shared/config"
	"ingest/shared/extend"
	"ingest/shared/importer"
	"ingest/shared/outlet"
	"ingest/shared/pipeline"
)

// Options replace what belongs to the process; the zero value is the process's own.
type Options struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	// Environ are variables as NAME=value. It replaces the whole environment, nil does not.
	Environ []string
	// Workdir is what relative paths of the command line are relative to.
	Workdir string
	// Extensions are what this program adds to the importer language.
	Extensions extend.Extensions
}

// Main runs one command and returns the exit code of the program. When ctx ends, the command ends: a waiting one
// stops watching, a server role finishes what it has in hand. Main may be called more than once at a time.
func Main(ctx context.Context, args []string, o Options) int {
	o, err := o.complete()
	if err != nil {
		return fail(o.Stderr, err)
	}
	if err := o.Extensions.Check(pipeline.Names()); err != nil {
		return fail(o.Stderr, &usage{err.Error()})
	}
	o.Extensions.Destinations = append(outlet.Destinations(time.Now), o.Extensions.Destinations...)
	if len(args) > 0 && args[0] == completeCommand {
		complete(ctx, args[1:], o)
		return 0
	}
	command, err := parse(args, o)
	if err != nil || command == nil {
		return fail(o.Stderr, err)
	}
	err = command.run(ctx)
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return exitInterrupted
	}
	return fail(o.Stderr, err)
}

func (o Options) complete() (Options, error) {
	if o.Stdin == nil {
		o.Stdin = os.Stdin
	}
	if o.Stdout == nil {
		o.Stdout = os.Stdout
	}
	if o.Stderr == nil {
		o.Stderr = os.Stderr
	}
	if o.Environ == nil {
		o.Environ = os.Environ()
	}
	if o.Workdir != "" {
		return o, nil
	}
	var err error
	o.Workdir, err = os.Getwd()
	return o, err
}

// fail says an error and returns its exit code.
func fail(stderr io.Writer, err error) int {
	screen := show.Screen{Err: stderr}
	var code exit
	var misused *usage
	switch {
	case err == nil:
		return 0
	case errors.As(err, &code):
		return int(code)
	case errors.As(err, &misused):
		screen.Error("%s", misused)
		return exitUsage
	default:
		screen.Error("%s", err)
		return exitRefused
	}
}

// session is what a command works with.
type session struct {
	stdin      io.Reader
	stdout     io.Writer
	workdir    string
	settings   config.Config
	extensions extend.Extensions
	// remote is nil unless a server is to be asked.
	remote *remote.Client
	screen show.Screen
	// amend changes definitions as they are read; nil leaves them.
	amend func(*importer.Definition)
	log   *zap.Logger
	now   func() time.Time
}

func newScreen(o Options, format show.Format, quiet bool) show.Screen {
	dumb := slices.Contains(o.Environ, "TERM=dumb")
	plain := dumb || slices.ContainsFunc(o.Environ, func(v string) bool {
		return strings.HasPrefix(v, "NO_COLOR=") && v != "NO_COLOR="
	})
	screen := show.Screen{
		Out: o.Stdout, Err: o.Stderr, Format: format, Quiet: quiet, Plain: true, Width: widest, Dir: o.Workdir,
	}
	if size := terminal(o.Stdout); size != nil {
		width, _ := size()
		screen.Width, screen.Color, screen.Plain = max(narrowest, min(width, widest)), !plain, false
	}
	if size := terminal(o.Stderr); size != nil && !dumb {
		live := show.NewLive(o.Stderr, size)
		live.Color = !plain
		screen.Live, screen.Err = live, live
	}
	return screen
}

const (
	narrowest = 40
	widest    = 80
	highest   = 24
)

// terminal returns what tells the size of a terminal at the time of asking, nil when w is none.
func terminal(w io.Writer) func() (width, height int) {
	file, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return nil
	}
	return func() (width, height int) {
		width, height, err := term.GetSize(int(file.Fd()))
		if err != nil || width <= 0 || height <= 0 {
			return widest, highest
		}
		return width, height
	}
}
