package admin

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kong"
	"go.uber.org/zap/zapcore"

	"ingest/admin/internal/line"
	"ingest/admin/internal/show"
	"ingest/shared/config"
)

const description = `Imports rows into databases, exactly once.

Databases are connections with a name: ` + "`connections`" + ` in the configuration file, or an environment variable
INGEST_CONNECTIONS_<NAME>_URL=sqlite:FILE or postgres://USER:PASSWORD@HOST/DATABASE (…_URL_FILE reads it from a file).
…_LEDGER_SCHEMA is the PostgreSQL schema of the engine's own tables there.
INGEST_CONNECTIONS_DEFAULT_URL is where the engine keeps its runs; left out, it is an SQLite file in the data directory.`

// cli is the command line. Every setting of the configuration is a flag, too.
type cli struct {
	Config string      `help:"Configuration file (configs/ingest.yaml, if it is there)." env:"INGEST_CONFIG" placeholder:"FILE"`
	Output show.Format `help:"Form of the result: table, json or yaml." enum:"table,json,yaml" default:"table"`
	Quiet  bool        `help:"Print nothing on success."`

	Server    string        `help:"Ask the REST API of this server instead of the databases: http://HOST:8080." env:"INGEST_SERVER" placeholder:"URL"`
	Token     config.Secret `help:"Token for the server." env:"INGEST_TOKEN" placeholder:"TOKEN"`
	TokenFile string        `help:"File that holds the token." env:"INGEST_TOKEN_FILE" placeholder:"FILE"`

	Settings config.Config `embed:"" group:"Configuration"`

	Run        runCommand        `cmd:"" help:"Import: start a run and wait for it."`
	List       listCommand       `cmd:"" help:"List the importers."`
	Runs       runsCommand       `cmd:"" help:"List recent runs."`
	Status     statusCommand     `cmd:"" help:"Show a run."`
	Cancel     cancelCommand     `cmd:"" help:"Stop a run."`
	Retry      retryCommand      `cmd:"" help:"Import the failed rows of a run again."`
	Errors     errorsCommand     `cmd:"" help:"Show why rows of a run failed."`
	FailedRows failedRowsCommand `cmd:"" help:"Write the failed rows of a run as CSV."`
	Check      checkCommand      `cmd:"" help:"Validate importer definitions."`
	Make       makeCommand       `cmd:"" help:"Make what there is not yet."`
	Schema     schemaCommand     `cmd:"" help:"Print the JSON Schema of importers, for editors."`
	Explain    explainCommand    `cmd:"" help:"Show what became of one row of a run, and why."`
	Preview    previewCommand    `cmd:"" help:"Show what would become of the first rows of a source."`
	Test       testCommand       `cmd:"" help:"Compare what comes of test files with what is expected."`
	Workers    workersCommand    `cmd:"" help:"List live workers and coordinators."`
	Verify     verifyCommand     `cmd:"" help:"Prove a run's numbers from the ledger."`
	Rebuild    rebuildCommand    `cmd:"" help:"Have a run's Redis state restored from the ledger."`

	Up          upCommand          `cmd:"" help:"Run coordinator and worker in one process." group:"Server roles"`
	Coordinator coordinatorCommand `cmd:"" help:"Split sources and finish runs." group:"Server roles"`
	Worker      workerCommand      `cmd:"" help:"Write rows; start as many as you like." group:"Server roles"`

	Migrate    migrateCommand    `cmd:"" help:"Make or update the engine's tables." group:"Set-up"`
	NewToken   tokenCommand      `cmd:"" name:"token" help:"Make a token for the API." group:"Set-up"`
	ConfigC    configCommand     `cmd:"" name:"config" help:"Show the effective configuration." group:"Set-up"`
	Health     healthCommand     `cmd:"" help:"Ask the server role of this configuration whether it is ready." group:"Set-up"`
	Completion completionCommand `cmd:"" help:"Print the completion script of a shell." group:"Set-up"`
	Version    versionCommand    `cmd:"" help:"Show the version; --version does, too." group:"Set-up"`
}

// parsed is a command line that is right.
type parsed struct {
	context *kong.Context
	session *session
}

func (p *parsed) run(ctx context.Context) error {
	p.context.BindTo(ctx, (*context.Context)(nil))
	return p.context.Run(p.session)
}

// parse reads the command line, the environment and the configuration file. It returns nil when help was asked for
// and given.
func parse(args []string, o Options) (*parsed, error) {
	var c cli
	helped := false
	args = versionAsCommand(args)
	from := newResolver(o)
	parser, err := newParser(&c, o, func(int) { helped = true }, kong.Resolvers(from))
	if err != nil {
		return nil, err
	}
	found, err := parser.Parse(args)
	switch {
	case helped:
		return nil, nil
	case err == nil && needsNothing(found.Selected()):
		return &parsed{context: found, session: &session{
			stdout: o.Stdout, extensions: o.Extensions, screen: newScreen(o, c.Output, c.Quiet),
		}}, nil
	case from.missing():
		return nil, misuse("The configuration file %s does not exist: make it, or name another with --config.", from.path)
	case from.err != nil:
		return nil, &usage{from.err.Error()}
	case err != nil:
		return nil, mistaken(cmp.Or(line.Mistake(parser.Model, args), err.Error()))
	}
	s := &session{
		stdin: o.Stdin, stdout: o.Stdout, workdir: o.Workdir, extensions: o.Extensions, now: time.Now, screen: newScreen(o, c.Output, c.Quiet),
	}
	if s.settings, err = c.Settings.Complete(from.file, o.Environ, o.Workdir, o.Extensions.Destinations...); err != nil {
		return nil, &usage{err.Error()}
	}
	if s.remote, err = newRemote(c, o, s.settings.Path); err != nil {
		return nil, err
	}
	s.log, err = newLog(s.screen.Err, s.settings, leastOf(found.Command(), s.screen))
	return &parsed{context: found, session: s}, err
}

// newParser makes what reads command lines into c. Help that was asked for is printed, then exit is called.
func newParser(c *cli, o Options, exit func(int), options ...kong.Option) (*kong.Kong, error) {
	parser, err := kong.New(c, append(options,
		kong.Name("ingest"), kong.Description(description), kong.Writers(o.Stdout, o.Stderr), kong.Exit(exit),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true, FlagsLast: true}), kong.ValueFormatter(helpOf),
		kong.ExplicitGroups([]kong.Group{
			{Key: "Server roles", Title: "Server roles:"},
			{Key: "Set-up", Title: "Set-up:"},
			{Key: "Configuration", Title: "Configuration:"},
		}),
	)...)
	if err != nil {
		return nil, fmt.Errorf("build the command line: %w", err)
	}
	// The resolver alone answers for the environment.
	for _, flag := range parser.Model.Flags {
		flag.Tag.Envs = nil
	}
	return parser, nil
}

// leastOf keeps the log of everything but the server roles to what people must know: their output is the progress.
// In quiet mode that are errors.
func leastOf(command string, screen show.Screen) zapcore.Level {
	if screen.Quiet {
		return zapcore.ErrorLevel
	}
	switch role(command) {
	case roleCoordinator, roleWorker, roleUp:
		return zapcore.DebugLevel
	default:
		return zapcore.WarnLevel
	}
}

// versionAsCommand takes --version for the command version, so that both print the same.
func versionAsCommand(args []string) []string {
	const flag = "--version"
	if !slices.Contains(args, flag) {
		return args
	}
	rest := slices.DeleteFunc(slices.Clone(args), func(arg string) bool { return arg == flag })
	return slices.Concat([]string{"version"}, rest)
}

func helpOf(value *kong.Value) string {
	if value.Flag == nil || len(value.Flag.Envs) == 0 {
		return value.Help
	}
	return value.Help + " ($" + strings.Join(value.Flag.Envs, ", $") + ")"
}
