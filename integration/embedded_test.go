package integration

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"ingest/integration/reference"
	"ingest/integration/rig"
	"ingest/shared/database"
)

// alone makes an installation where nothing is configured: embedded Redis, SQLite in the data directory.
func alone(t *testing.T, p reference.Products, changes ...func(*reference.Importer)) installation {
	t.Helper()
	path := products(t, t.TempDir(), p)
	importer := reference.ProductsImporter(path, "update")
	for _, change := range changes {
		change(&importer)
	}
	return installation{
		System: rig.NewSystem(t, rig.SystemOptions{
			Importers: map[string]string{"products.yaml": importer.YAML()},
			Env:       []string{"INGEST_ROOTS=" + filepath.Dir(path)},
		}),
		want: expect(t, importer, path),
	}
}

// TestRealDataEmbedded imports the three shipped files with nothing configured, twice the same way.
func TestRealDataEmbedded(t *testing.T) {
	t.Parallel()
	importers := airports(t)
	settings := rig.SystemOptions{
		Importers: map[string]string{}, Env: []string{"INGEST_ROOTS=" + filepath.Dir(demoFile(t, "x"))},
	}
	for _, importer := range importers {
		settings.Importers[importer.Slug+".yaml"] = importer.YAML()
	}
	sys := rig.NewSystem(t, settings)
	for i, importer := range importers {
		want := expect(t, importer, importer.Path)
		code := 0
		if want.result.Failed > 0 {
			code = 3
		}
		sys.Must(code, "run", importer.Slug)
		want.check(t, sys, sys.Status(int64(i+1)))
	}
	if failed := sys.Status(3).Progress.Failed; failed != 3843 {
		t.Errorf("%d navaids failed, want 3843", failed)
	}
	regions := strings.Join(sys.Dump("regions", "code", "local_code"), "\n")
	if !strings.Contains(regions, "code=AD-02\tlocal_code=02") {
		t.Error("the local code 02 did not stay 02")
	}
	countries := strings.Join(sys.Dump("countries", "code", "continent", "keywords"), "\n")
	if !strings.Contains(countries, "code=NA\tcontinent=AF") || !strings.Contains(countries, "مطارات في الإمارات العربية المتحدة") {
		t.Error("the code NA or the Arabic keywords did not arrive intact")
	}
}

// TestReadingCommandsCreateNothing: they answer without a data directory and leave none.
func TestReadingCommandsCreateNothing(t *testing.T) {
	t.Parallel()
	in := alone(t, reference.Products{Seed: 1, Rows: 10})
	in.Must(0, "list")
	in.Must(0, "runs")
	in.Must(0, "check")
	in.Must(0, "workers")
	in.Must(0, "config")
	if result := in.CLI("status", "999"); result.Code != 1 || !strings.Contains(result.Stderr, "No ingest run found with ID 999.") {
		t.Errorf("status 999: %d %s", result.Code, result.Stderr)
	}
	if _, err := os.Stat(filepath.Join(in.Dir, "data")); !os.IsNotExist(err) {
		t.Errorf("a reading command created the data directory: %v", err)
	}
	for _, role := range []string{"coordinator", "worker"} {
		if result := in.CLI(role); result.Code != 2 || !strings.Contains(result.Stderr, "ingest up") {
			t.Errorf("%s without Redis: %d %s", role, result.Code, result.Stderr)
		}
	}
	if result := in.CLI("run", "products", "--detach"); result.Code != 2 {
		t.Errorf("--detach with nobody serving: %d %s", result.Code, result.Stderr)
	}
}

// TestProcessesShareOneServer runs imports at the same time: the first serves, the others join, all end.
func TestProcessesShareOneServer(t *testing.T) {
	t.Parallel()
	in := alone(t, reference.Products{Seed: 1, Rows: 30_000, Bad: 0.01})
	var running []*rig.Process
	for range 3 {
		running = append(running, in.Start("run", "products"))
	}
	for _, p := range running {
		if code := p.Wait(patience); code != 3 {
			t.Errorf("a run ended with %d", code)
		}
	}
	in.want.checkTable(t, in.System)
	for id := int64(1); id <= 3; id++ {
		verify(t, in.System, id)
	}
}

// sharedOut gives a run several partitions and seconds to last.
func sharedOut(i *reference.Importer) { i.Partitions, i.RowsPerSecond = 3, 40_000 }

// TestServingProcessIsKilled: another process that runs takes the service over and both runs end.
func TestServingProcessIsKilled(t *testing.T) {
	t.Parallel()
	in := alone(t, reference.Products{Seed: 1, Rows: 100_000, Bad: 0.01}, sharedOut)
	first := in.Start("run", "products")
	rig.Until(t, patience, "the first run", func() bool { return in.CLI("status", "1").Code == 0 })
	rig.Until(t, patience, "progress", func() bool { return in.Status(1).Progress.Processed > 1000 })
	second := in.Start("up")
	rig.Until(t, patience, "more progress", func() bool { return in.Status(1).Progress.Processed > 5000 })
	first.Kill9()
	in.want.check(t, in.System, in.Await(1, patience))
	if code := second.Term(); code != 0 {
		t.Errorf("up ended with %d", code)
	}
}

// TestInterruptedRun: Ctrl-C leaves a run that `up` continues, and status says so.
func TestInterruptedRun(t *testing.T) {
	t.Parallel()
	in := alone(t, reference.Products{Seed: 1, Rows: 150_000, Bad: 0.01}, sharedOut)
	running := in.Start("run", "products")
	rig.Until(t, patience, "the run", func() bool { return in.CLI("status", "1").Code == 0 })
	rig.Until(t, patience, "progress", func() bool { return in.Status(1).Progress.Processed > 5000 })
	running.Signal(syscall.SIGINT)
	if code := running.Wait(patience); code != 130 {
		t.Fatalf("the interrupted run ended with %d", code)
	}
	if out := in.Must(0, "status", "1"); !strings.Contains(out, "interrupted: `ingest up` continues it") {
		t.Errorf("status says\n%s", out)
	}
	before := in.Status(1).Progress.Processed
	wait(t, lookBack)
	if after := in.Status(1).Progress.Processed; after != before {
		t.Errorf("a reading command continued the run: %d → %d rows", before, after)
	}
	up := in.Start("up")
	in.want.check(t, in.System, in.Await(1, patience))
	up.Term()
}

// TestStandardInputIsSpooled and removed again when nothing is left to retry.
func TestStandardInputIsSpooled(t *testing.T) {
	t.Parallel()
	in := alone(t, reference.Products{})
	p := reference.Products{Seed: 9, Rows: 500}
	if result := in.CLIWith(p.Text(), "run", "products", "--file", "-"); result.Code != 0 {
		t.Fatalf("exit code %d: %s", result.Code, result.Stderr)
	}
	if r := in.Status(1); r.Created != 500 {
		t.Errorf("%d rows created", r.Created)
	}
	left, err := filepath.Glob(filepath.Join(in.Dir, "data", "spool", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range left {
		if info, err := os.Stat(path); err == nil && info.Size() > 1000 {
			t.Errorf("%s was left in the spool", path)
		}
	}
}

// TestDryRunOfATableThatDoesNotExist creates nothing that stays.
func TestDryRunOfATableThatDoesNotExist(t *testing.T) {
	t.Parallel()
	in := alone(t, reference.Products{Seed: 1, Rows: 2000, Bad: 0.05})
	in.Must(3, "run", "products", "--dry-run")
	dry := in.Status(1)
	if !dry.DryRun || dry.Progress.Failed != in.want.result.Failed || dry.Created != in.want.result.Created {
		t.Errorf("the dry run says %+v", dry)
	}
	in.Must(3, "run", "products")
	in.want.check(t, in.System, in.Status(2))
}

// TestARefusedHeaderMakesNoTable, neither the real one nor a dry run's own.
func TestARefusedHeaderMakesNoTable(t *testing.T) {
	t.Parallel()
	in := alone(t, reference.Products{})
	path := in.Write("broken.csv", "SKU,Name,Name\n1,a,b\n")
	for _, args := range [][]string{{"run", "products", "--file", path, "--dry-run"}, {"run", "products", "--file", path}} {
		if result := in.CLI(args...); result.Code != 4 || !strings.Contains(result.Stdout+result.Stderr, "appears twice") {
			t.Errorf("%v: exit code %d\n%s%s", args, result.Code, result.Stdout, result.Stderr)
		}
	}
	db, err := database.Open(database.Config{Name: "look", URL: in.Database(), MustExist: true})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var tables int
	err = db.QueryRow(t.Context(),
		"SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND (name = 'products' OR name LIKE 'ingest_dry_%')"+
			" AND name NOT IN ('ingest_dry_rows', 'ingest_dry_forms')").Scan(&tables)
	if err != nil || tables != 0 {
		t.Errorf("%d tables were made: %v", tables, err)
	}
}

// TestCheckKnowsTheConfiguration: a path outside of the roots and an unknown connection are mistakes without asking any
// server; that the SQLite file is not there yet is none.
func TestCheckKnowsTheConfiguration(t *testing.T) {
	t.Parallel()
	in := alone(t, reference.Products{Seed: 1, Rows: 1})
	in.Must(0, "check", "products", "--connect")
	broken := in.want.importer
	broken.Path, broken.Connection = "/etc/passwd", "warehouse"
	in.Write("importers/products.yaml", broken.YAML())
	result := in.CLI("check", "products")
	// Each is said where it stands in the file.
	out := strings.Join(strings.Fields(result.Stdout+result.Stderr), " ")
	if result.Code != 1 || !strings.Contains(out, "roots") || !strings.Contains(out, "products.yaml:2:") ||
		!strings.Contains(out, "products.yaml:4:27: there is no connection 'warehouse'") {
		t.Errorf("exit code %d\n%s", result.Code, out)
	}
}
