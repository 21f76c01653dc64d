package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"

	"ingest/shared/config"
)

// completed is the whole way of a configuration: kong with flags, environment and the file as its resolver, then
// Complete. Kong reads the process's environment, so tests that set variables are not parallel.
func completed(t *testing.T, workdir, path string, environ, flags []string) (config.Config, error) {
	t.Helper()
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		t.Setenv(name, value)
	}
	file, err := config.ReadFileIn(workdir, path)
	if err != nil {
		return config.Config{}, err
	}
	var cli struct {
		config.Config `embed:""`
	}
	parser, err := kong.New(&cli, kong.Exit(func(int) { t.Error("kong exits") }), kong.Resolvers(kong.ResolverFunc(
		func(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
			for _, name := range flag.Envs {
				if _, set := os.LookupEnv(name); set {
					return nil, nil
				}
			}
			value, _ := file.Lookup(flag.Name)
			return value, nil
		})))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parser.Parse(flags); err != nil {
		t.Fatal(err)
	}
	return cli.Config.Complete(file, environ, workdir)
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func effective(c config.Config) map[string]config.Setting {
	settings := map[string]config.Setting{}
	for _, s := range c.Effective() {
		settings[s.Key] = s
	}
	return settings
}

// The tags are read by kong and by Default: both must find the same defaults, and every default must be valid.
func TestDefaults(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c, err := completed(t, dir, "", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	want, err := config.Default().Complete(config.File{}, nil, dir)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want.Effective(), c.Effective()); diff != "" {
		t.Errorf("defaults (-want +got):\n%s", diff)
	}
	if c.ChunkSize != 5000 || c.Partitions != 16 || c.InFlight != 64<<20 || c.InFlightTotal != 512<<20 ||
		c.Lease != 15*time.Second || c.Sweep != 2*time.Second || c.MaxFailedRows != 1_000_000 || c.Slots != 0 ||
		c.Namespace != "" || c.Log.Level != "info" || c.Log.Format != "console" || !c.Embedded() {
		t.Errorf("defaults are not those of the contract: %+v", c)
	}
	if got, want := c.Connections["default"].URL.Reveal(), "sqlite:"+filepath.Join(dir, ".ingest/ingest.db"); got != want {
		t.Errorf("default connection %q, want %q", got, want)
	}
	if diff := cmp.Diff([]string{dir}, c.Roots); diff != "" {
		t.Errorf("roots (-want +got):\n%s", diff)
	}
	if _, err := os.Stat(c.DataDir); !os.IsNotExist(err) {
		t.Errorf("the data directory was made: %v", err)
	}
}

func TestFlagBeatsEnvironmentBeatsFileBeatsDefault(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "configs/ingest.yaml", `
redis: {url: "redis://file"}
chunk_size: 1
partitions: 1
lease: 1s
in_flight: 1MiB
in_flight_total: 2MiB
max_failed_ratio: 0.5
roots: [a, "b,c"]
log: {level: debug}
`)
	c, err := completed(t, dir, "", []string{"INGEST_CHUNK_SIZE=2", "INGEST_LEASE=2s", "INGEST_LOG_FORMAT=json", "INGEST_REDIS_URL="},
		[]string{"--chunk-size=3", "--slots=3", "--log-level=warn"})
	if err != nil {
		t.Fatal(err)
	}
	settings := effective(c)
	for _, want := range []config.Setting{
		{Key: "redis.url", Value: "", Origin: config.FromEnv},
		{Key: "chunk_size", Value: 3, Origin: config.FromFlag},
		{Key: "slots", Value: 3, Origin: config.FromFlag},
		{Key: "log.level", Value: "warn", Origin: config.FromFlag},
		{Key: "lease", Value: "2s", Origin: config.FromEnv},
		{Key: "log.format", Value: "json", Origin: config.FromEnv},
		{Key: "partitions", Value: 1, Origin: config.FromFile},
		{Key: "in_flight", Value: "1MiB", Origin: config.FromFile},
		{Key: "max_failed_ratio", Value: 0.5, Origin: config.FromFile},
		{Key: "roots", Value: []string{filepath.Join(dir, "a"), filepath.Join(dir, "b,c")}, Origin: config.FromFile},
		{Key: "namespace", Value: "", Origin: config.FromDefault},
		{Key: "sweep", Value: "2s", Origin: config.FromDefault},
	} {
		if diff := cmp.Diff(want, settings[want.Key]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", want.Key, diff)
		}
	}
}

func TestNamespaceWithRedis(t *testing.T) {
	for want, env := range map[string][]string{
		"ingest": {"INGEST_REDIS_URL=redis://r"}, "other": {"INGEST_REDIS_URL=redis://r", "INGEST_NAMESPACE=other"},
	} {
		t.Run(want, func(t *testing.T) { // the environment of one must not be that of the next
			if c, err := completed(t, t.TempDir(), "", env, nil); err != nil || c.Namespace != want {
				t.Errorf("%v: namespace %q, want %q: %v", env, c.Namespace, want, err)
			}
		})
	}
}

// A path means what it meant where it was written.
func TestPathsAreRelativeToWhereTheyWereGiven(t *testing.T) {
	const text = "data_dir: data\nimporters: data\nconnections: {default: {url: 'sqlite:data/a.db?x=1'}, b: {url: 'sqlite:///abs/b.db'}}\n"
	for name, want := range map[string]string{"configs/ingest.yaml": "", "etc/my.yaml": "etc"} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, name, text)
			workdir := filepath.Join(dir, "elsewhere")
			c, err := completed(t, workdir, filepath.Join("..", name),
				[]string{"INGEST_IMPORTERS=data", "INGEST_CONNECTIONS_C_URL=sqlite:data/c.db"}, []string{"--roots=data"})
			if err != nil {
				t.Fatal(err)
			}
			base := filepath.Join(dir, want)
			got := []string{
				c.DataDir, c.Importers, c.Roots[0], c.Connections["default"].URL.Reveal(),
				c.Connections["b"].URL.Reveal(), c.Connections["c"].URL.Reveal(),
			}
			expected := []string{
				filepath.Join(base, "data"), filepath.Join(workdir, "data"), filepath.Join(workdir, "data"),
				"sqlite:" + filepath.Join(base, "data/a.db?x=1"), "sqlite:/abs/b.db", "sqlite:" + filepath.Join(workdir, "data/c.db"),
			}
			if diff := cmp.Diff(expected, got); diff != "" {
				t.Errorf("paths (-want +got):\n%s", diff)
			}
		})
	}
}

// The same text as in the file, given as a flag, is relative to the working directory all the same.
func TestFlagEqualToTheFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, "etc/my.yaml", "data_dir: data\n")
	c, err := completed(t, dir, "etc/my.yaml", nil, []string{"--data-dir=data"})
	if err != nil {
		t.Fatal(err)
	}
	if want := filepath.Join(dir, "data"); c.DataDir != want {
		t.Errorf("data_dir %s, want %s", c.DataDir, want)
	}
}

func TestConnectionsOfFileAndEnvironment(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, "my.yaml", `
connections:
  default: {ledger_schema: ingest}
  ware-house: {url: "postgres://app:file@db/warehouse", ledger_schema: ledger}
`)
	write(t, dir, "secret", "postgresql://app:filed@db/other\n")
	file, err := config.ReadFileIn(dir, "my.yaml")
	if err != nil {
		t.Fatal(err)
	}
	c, err := config.Default().Complete(file, []string{
		"INGEST_CONNECTIONS_DEFAULT_URL=postgres://app:env@db/registry",
		"INGEST_CONNECTIONS_WARE_HOUSE_URL=postgres://app:env@db/warehouse",
		"INGEST_CONNECTIONS_OTHER_URL_FILE=secret",
		"INGEST_CONNECTIONS_OTHER_LEDGER_SCHEMA=l",
		"INGEST_REDIS_URL_FILE=" + filepath.Join(dir, "secret"),
	}, dir)
	// The secret is no Redis URL: what is said about it must not hold it.
	if err == nil || !strings.Contains(err.Error(), "redis.url") || strings.Contains(err.Error(), "filed") {
		t.Fatalf("redis: %v", err)
	}
	write(t, dir, "redis", " redis://:filed@redis:6379/0\n")
	c, err = config.Default().Complete(file, []string{
		"INGEST_CONNECTIONS_DEFAULT_URL=postgres://app:env@db/registry",
		"INGEST_CONNECTIONS_WARE_HOUSE_URL=postgres://app:env@db/warehouse",
		"INGEST_CONNECTIONS_OTHER_URL_FILE=secret",
		"INGEST_CONNECTIONS_OTHER_LEDGER_SCHEMA=l",
		"INGEST_REDIS_URL_FILE=redis",
	}, dir)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]config.Connection{
		"default":    {URL: "postgres://app:env@db/registry", LedgerSchema: "ingest"},
		"ware-house": {URL: "postgres://app:env@db/warehouse", LedgerSchema: "ledger"},
		"other":      {URL: "postgresql://app:filed@db/other", LedgerSchema: "l"},
	}
	// Diffs of secrets show masks, so compare what they hold.
	if len(c.Connections) != len(want) {
		t.Errorf("connections %v", c.Connections)
	}
	for name, connection := range want {
		if c.Connections[name] != connection {
			t.Errorf("%s: %q, want %q", name, c.Connections[name].URL.Reveal(), connection.URL.Reveal())
		}
	}
	if got := c.Redis.URL.Reveal(); got != "redis://:filed@redis:6379/0" || c.Embedded() {
		t.Errorf("redis %q", got)
	}
	settings := effective(c)
	for key, origin := range map[string]config.Origin{
		"redis.url": config.FromEnv, "connections.other.url": config.FromEnv,
		"connections.ware-house.url": config.FromEnv, "connections.ware-house.ledger_schema": config.FromFile,
	} {
		if settings[key].Origin != origin {
			t.Errorf("%s comes from %q, want %q", key, settings[key].Origin, origin)
		}
	}
	for _, s := range c.Effective() {
		if text, ok := s.Value.(string); ok && (strings.Contains(text, "filed") || strings.Contains(text, "env@")) {
			t.Errorf("%s shows its secret: %s", s.Key, text)
		}
	}
}

func TestReadFileReportsEverythingAtOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, "my.yaml", `
redis: redis://x
namspace: x
lease: 15
chunk_size: many
in_flight: 1 MB
log: {level: [a], colour: x}
dashboard: 127.0.0.1:8080
connections:
  Default: {url: x}
  a: {uri: x}
  b:
chunk_size: 5
pprof: maybe
`)
	_, err := config.ReadFile(filepath.Join(dir, "my.yaml"))
	if err == nil {
		t.Fatal("accepted")
	}
	want := `my.yaml:2:8: redis must be a table of keys, this is a single value
my.yaml:3:1: unknown key "namspace" (did you mean "namespace"?)
my.yaml:4:8: lease: a duration is a number with a unit like 15s, 2m30s or 1h, not "15"
my.yaml:5:13: chunk_size: a whole number is needed, not "many"
my.yaml:6:12: in_flight: a size is a number of bytes like 8MiB, 64KiB, 1GiB or 1048576, not "1 MB"
my.yaml:7:14: log.level must be text, this is a list
my.yaml:7:19: unknown key "colour" (known: level, format)
my.yaml:8:1: unknown key "dashboard" (known: namespace, listen, tokens_file, path, max_upload, max_source, source_timeout, max_show_rows, data_dir, importers, chunk_size, partitions, slots, in_flight, in_flight_total, lease, log_rows, max_failed_rows, max_failed_ratio, roots, sweep, internal_listen, pprof, redis, log, connections)
my.yaml:10:3: a connection's name is lower-case letters, digits, - and _, beginning with a letter, not "Default"
my.yaml:11:7: unknown key "uri" (did you mean "url"?)
my.yaml:12:5: connection "b" must be a table of keys, this is nothing
my.yaml:13:1: the key "chunk_size" appears twice (first in line 5)
my.yaml:14:8: pprof: true or false is needed, not "maybe"`
	if diff := cmp.Diff(want, strings.ReplaceAll(err.Error(), dir+"/", "")); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
}

func TestMissingFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if file, err := config.ReadFileIn(dir, ""); err != nil || file.Path != "" {
		t.Errorf("no default file: %v, %v", file.Path, err)
	}
	if _, err := config.ReadFileIn(dir, "my.yaml"); !os.IsNotExist(unwrapped(err)) {
		t.Errorf("a named file that is missing: %v", err)
	}
	write(t, dir, "empty.yaml", "# nothing\n")
	if _, err := config.ReadFileIn(dir, "empty.yaml"); err != nil {
		t.Errorf("a file of comments: %v", err)
	}
}

func unwrapped(err error) error {
	for {
		inner, ok := err.(interface{ Unwrap() error })
		if _, path := err.(*os.PathError); path || !ok {
			return err
		}
		err = inner.Unwrap()
	}
}

func TestCompleteJudgesEverythingAtOnce(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "my.yaml", `chunk_size: 0
partitions: 2000
in_flight: 1KiB
roots: []
connections:
  other: {url: "oracle://root:topsecret@db/x"}
  plain: {url: topsecret}
  schema: {url: "sqlite:a.db", ledger_schema: x}
  memory: {url: "sqlite::memory:"}
  none: {ledger_schema: "a b"}
`)
	_, err := completed(t, dir, "my.yaml", []string{
		"INGEST_LEASE=1ms", "INGEST_CONNECTIONS_X=y",
		"INGEST_CONNECTIONS_E_URL=topsecret", "INGEST_CONNECTIONS_F_URL=a", "INGEST_CONNECTIONS_F_URL_FILE=b",
	},
		[]string{"--namespace=a b", "--redis-url=http://:topsecret@x", "--log-level=loud", "--max-failed-ratio=NaN", "--slots=-1", "--internal-listen=9090"})
	if err == nil {
		t.Fatal("accepted")
	}
	want := `--internal-listen: internal_listen must be an address like 127.0.0.1:8080, not "9090"
--log-level: log.level must be one of debug, info, warn, error, not "loud"
--max-failed-ratio: max_failed_ratio must be from 0 to 1, not NaN
--namespace: namespace must be up to 63 letters, digits, '.', '-' and '_', not "a b"
--redis-url: redis.url must be a URL that begins with redis://, rediss://, redis+sentinel:// or redis+cluster://
--slots: slots must be from 0 to 1024, not -1
INGEST_CONNECTIONS_E_URL: connection "e": the url has no scheme; supported are sqlite:PATH, postgres://… and mysql://…
INGEST_CONNECTIONS_F_URL: connection "f": the url has no scheme; supported are sqlite:PATH, postgres://… and mysql://…
INGEST_CONNECTIONS_F_URL_FILE: INGEST_CONNECTIONS_F_URL is set, too: only one of them may be
INGEST_CONNECTIONS_X: unknown key of a connection (INGEST_CONNECTIONS_NAME_URL, _URL_FILE or _LEDGER_SCHEMA)
INGEST_LEASE: lease must be from 100ms to 1h0m0s, not 1ms
my.yaml:1:13: chunk_size must be from 1 to 100000, not 0
my.yaml:2:13: partitions must be from 1 to 1024, not 2000
my.yaml:3:12: in_flight must be at least 1MiB, not 1KiB
my.yaml:4:8: roots must be a list of directories
my.yaml:6:16: connection "other": the scheme "oracle" is not supported; supported are sqlite:PATH, postgres://… and mysql://…
my.yaml:7:16: connection "plain": the url has no scheme; supported are sqlite:PATH, postgres://… and mysql://…
my.yaml:8:17: connection "schema": SQLite has no schemas, leave ledger_schema out
my.yaml:9:17: connection "memory": a SQLite database must be a file: in memory nothing would outlive the process
my.yaml:10:9: connection "none": it has no url`
	if diff := cmp.Diff(strings.Split(want, "\n"), strings.Split(err.Error(), "\n")); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
}
