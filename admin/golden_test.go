package admin

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"ingest/integration/rig"
	"ingest/shared/lifecycle"

	"ingest/shared/run"
)

// These are the outputs of the whole program; how tables look with numbers of every size is tested in internal/show.

func TestHelpOfEveryCommand(t *testing.T) {
	t.Parallel()
	r := &transcript{t: t, dir: t.TempDir()}
	r.run("--help")
	for _, command := range commandsOf(t) {
		name := strings.TrimPrefix(command.FullPath(), "ingest ")
		got := ingest(t, r.dir, nil, append(strings.Fields(name), "--help")...)
		// What every command takes is printed once.
		own, _, _ := strings.Cut(got.out, "\nConfiguration:\n")
		got.out = common.ReplaceAllString(own, "Flags:\n  …\n")
		r.show(name+" --help", got)
	}
	r.golden("help")
}

var common = regexp.MustCompile(`(?s)Flags:\n  -h, --help.*?\n(\n|$)`)

// commandsOf are the commands of the model.
func commandsOf(t *testing.T) []*kong.Node {
	t.Helper()
	parser, err := newParser(&cli{}, Options{}, func(int) {})
	if err != nil {
		t.Fatal(err)
	}
	return commands(parser.Model.Node)
}

func TestOutputsWithNothingThere(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	// Its columns are as wide as the path of the test: only that it fits can be compared.
	(&transcript{t: t, dir: dir}).run("config")
	typed(t, dir, "nothing", slices.Concat(
		every("runs", "workers"),
		[]string{"list", "check", "status 1", "errors 1", "failed-rows 1", "verify 1", "rebuild 1", "cancel 1"},
		[]string{"config --output json", "config --output yaml"},
		every("migrate", "version"),
		every("token ops --role viewer --expires 2999-01-01"),
		[]string{
			"token ops --role operator --tokens-file tokens.yaml", "token ops", "token ops --role admn", "token o/s --role admin",
			"migrate --quiet", "version --quiet", "retry 1",
		},
	)...)
}

func TestOutputsOfImporters(t *testing.T) {
	t.Parallel()
	dir := installation(t)
	typed(t, dir, "importers", every("list", "check", "check people --connect")...)
	write(t, filepath.Join(dir, "configs/importers/broken.yaml"), "importer: broken\nfilds: []\n")
	write(t, filepath.Join(dir, "configs/importers/unnamed.yaml"), "source: {path: ../outside.csv}\n")
	typed(t, dir, "importers_broken", append(
		every("list", "check"), "check people", "check --quiet", "run broken", "run poeple", "check poeple",
	)...)
	empty := t.TempDir()
	write(t, filepath.Join(empty, "configs/importers/README"), "")
	typed(t, empty, "importers_none", slices.Concat(inEveryForm("list"), inEveryForm("check"))...)
}

func TestOutputsOfRuns(t *testing.T) {
	t.Parallel()
	dir := installation(t)
	write(t, filepath.Join(dir, "wide.csv"), "email,age,a column that nobody maps,x\nf@example.com,1,,\n")
	typed(t, dir, "runs", slices.Concat(
		[]string{
			"run people", "run people --dry-run", "run people --file bad.csv", "run people --file broken.csv",
			"run people --file wide.csv --output json", "run people --file missing.csv", "run people --detach",
			"retry 3", "retry 3", "retry 3 --force --quiet", "retry 1", "retry 9",
		},
		every("status 1", "status 3", "status 4", "errors 3", "verify 3"),
		[]string{
			"status 2", "status 5", "status 6", "status 3 --watch", "runs", "runs --limit 2 --output json",
			"runs --limit 1 --output yaml", "runs --status failed", "runs --importer nobody", "runs --limit 2",
			"errors 1", "errors 1 --output json", "failed-rows 3", "failed-rows 3 --raw", "failed-rows 1", "failed-rows 3 -o rows.csv",
			"cancel 1", "cancel 1 --output json", "rebuild 1",
		},
	)...)
}

// TestOutputsWhileARunIsActive: with a coordinator and no worker a run stands still.
func TestOutputsWhileARunIsActive(t *testing.T) {
	t.Parallel()
	dir := installation(t)
	r := &transcript{t: t, dir: dir, environ: []string{
		"INGEST_REDIS_URL=" + rig.StartRedis(t, rig.RedisOptions{}).URL(), "INGEST_SWEEP=50ms", "INGEST_LISTEN=127.0.0.1:0",
	}}
	r.run("run people --detach")

	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var log bytes.Buffer
	coordinator := lifecycle.NewTasks(t.Context())
	coordinator.Go("coordinator", func(context.Context) error {
		options := Options{Stdout: &log, Stderr: &log, Environ: r.environ, Workdir: dir}
		if code := Main(ctx, []string{"coordinator"}, options); code != 0 {
			return fmt.Errorf("the coordinator ended with %d: %s", code, log.String())
		}
		return nil
	})
	eventually(t, "the coordinator is there", func() bool {
		return strings.Contains(ingest(t, dir, r.environ, "workers", "--output", "json").out, "coordinator")
	})
	// The name of the machine decides how wide its columns are.
	(&transcript{t: t, dir: dir, environ: r.environ}).run("workers")
	r.run("run people --detach")
	r.run("run people --detach --quiet")
	waits := func(id string) {
		t.Helper()
		eventually(t, "the run waits for a worker", func() bool {
			one := resource(t, ingest(t, dir, r.environ, "status", id, "--output", "json"))
			return one.Status == run.Processing && one.TotalFinal && one.WaitingFor != nil && strings.Contains(*one.WaitingFor, "worker")
		})
	}
	waits("1")
	waits("2")
	for _, line := range slices.Concat(
		every("status 1"),
		[]string{
			"runs", "errors 1", "verify 1", "rebuild 2", "rebuild 2 --output json", "rebuild 2 --output yaml",
			"cancel 1 --wait", "status 1", "cancel 1",
		},
	) {
		r.run(line)
	}
	waits("2") // rebuild has it split again
	stop()
	if err := coordinator.Wait(); err != nil {
		t.Error(err)
	}
	for _, line := range slices.Concat([]string{"cancel 2"}, every("cancel 2", "status 2"), []string{"runs", "runs --status cancelling"}) {
		r.run(line)
	}
	r.golden("active")
}
