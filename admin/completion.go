package admin

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/alecthomas/kong"

	"ingest/admin/internal/line"
	"ingest/shared/control"
	"ingest/shared/run"
)

type completionCommand struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"Your shell: bash, zsh or fish."`
}

// Run prints the script that makes a shell complete command lines of ours; how to use it stands in the script.
func (c *completionCommand) Run(s *session) error {
	script, err := line.Script(c.Shell)
	if err != nil {
		return err
	}
	if _, err = io.WriteString(s.stdout, script); err != nil {
		return fmt.Errorf("print the script: %w", err)
	}
	return nil
}

const (
	// completeCommand is what the scripts call, with the words of the line behind it. It is no command of the model:
	// nothing may be wrong with it.
	completeCommand = "__complete"
	// patienceOfShells is how long somebody waits who pressed a key.
	patienceOfShells = time.Second
	// recent is how many runs are offered.
	recent = 50
)

// complete prints how the last word can be completed. It fails silently and creates nothing: an error would be
// printed into the line somebody is writing.
func complete(ctx context.Context, words []string, o Options) {
	out := o.Stdout
	o.Stdout, o.Stderr = io.Discard, io.Discard
	parser, err := newParser(&cli{}, o, func(int) {})
	if err != nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, patienceOfShells)
	defer cancel()
	found := line.Complete(parser.Model, words, func(noun line.Noun, settings []string) []line.Candidate {
		return candidates(ctx, noun, settings, o)
	})
	// Nobody reads that a shell went away.
	_, _ = io.WriteString(out, found.Text())
}

func candidates(ctx context.Context, noun line.Noun, settings []string, o Options) []line.Candidate {
	switch noun {
	case line.Status:
		return fixed(run.StatusNames()...)
	case line.LogRows:
		return fixed(run.LogFailed, run.LogAll, run.LogNone)
	case line.LogLevel:
		return fixed("debug", "info", "warn", "error")
	case line.LogFormat:
		return fixed("console", "json")
	case line.Importer, line.Run:
		command, err := parse(append([]string{"runs"}, settings...), o)
		if err != nil || command == nil {
			return nil
		}
		return command.session.known(ctx, noun)
	default:
		return nil
	}
}

func fixed(values ...string) []line.Candidate {
	found := make([]line.Candidate, len(values))
	for i, value := range values {
		found[i].Value = value
	}
	return found
}

// known are the importers or the newest runs of the installation, as far as they can be had in time.
func (s *session) known(ctx context.Context, noun line.Noun) (found []line.Candidate) {
	if noun == line.Run {
		// That it cannot be asked is told by whatever command follows.
		_ = s.ask(ctx, func(sys *system) error {
			list, err := sys.control.Runs(ctx, control.ListRequest{PerPage: recent})
			for _, r := range list.Data {
				found = append(found, line.Candidate{
					Value: strconv.FormatInt(r.ID, 10), Help: r.Importer + " " + string(r.Status),
				})
			}
			return err
		})
		return found
	}
	importers, err := s.importers(ctx)
	if err != nil {
		return nil
	}
	for _, i := range importers {
		help := "into " + i.Table
		if i.Error != "" {
			help = "broken"
		}
		found = append(found, line.Candidate{Value: i.Importer, Help: help})
	}
	return found
}

// importers asks less than ask does: definitions are files, whatever is wrong with the registry.
func (s *session) importers(ctx context.Context) ([]control.ImporterInfo, error) {
	if s.remote != nil {
		return s.remote.Importers(ctx)
	}
	sys, err := s.clients(ctx, true)
	if err != nil {
		return nil, err
	}
	defer sys.Close()
	return sys.control.Importers(ctx)
}

// needsNothing says that a command does not depend on the configuration, so that nothing wrong with it matters.
func needsNothing(node *kong.Node) bool {
	return node != nil && (node.Name == "version" || node.Name == "completion" || node.Name == "schema")
}
