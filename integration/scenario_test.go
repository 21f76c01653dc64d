package integration

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ingest/integration/reference"
	"ingest/integration/rig"
)

// patience bounds waits that normally take a second: the machine may be busy.
const patience = 90 * time.Second

// expectation is what the dumb twin says a run must give.
type expectation struct {
	importer reference.Importer
	result   reference.Result
	lines    []string
	// url is the destination where it is not the connection default.
	url string
}

// expect imports the files one after the other with the twin; the result is the last one's.
func expect(t *testing.T, importer reference.Importer, paths ...string) expectation {
	t.Helper()
	table := reference.NewTable(importer)
	want := expectation{importer: importer}
	for _, path := range paths {
		file, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		want.result, err = importer.Import(table, file)
		if err != nil {
			t.Fatal(err)
		}
		if err := file.Close(); err != nil {
			t.Fatal(err)
		}
	}
	want.lines = table.Lines()
	return want
}

// check compares a run that completed with what the twin says: status, counters, table, histograms, failed rows, and
// the ledger's own proof.
func (e expectation) check(t *testing.T, sys *rig.System, r rig.Run) {
	t.Helper()
	want := "completed"
	if e.result.Failed > 0 {
		want = "completed_with_errors"
	}
	if r.Status != want {
		t.Fatalf("run %d is %s (%v), want %s", r.ID, r.Status, text(r.Reason), want)
	}
	got := reference.Result{
		Total: r.Progress.Total, Created: r.Created, Updated: r.Updated, Unchanged: r.Unchanged,
		Skipped: r.Skipped, Failed: r.Progress.Failed,
	}
	counts := e.result
	counts.Errors, counts.Validation, counts.Rows = nil, nil, nil
	if diff := cmp.Diff(counts, got); diff != "" {
		t.Errorf("counters of run %d: %s", r.ID, diff)
	}
	e.checkErrors(t, sys, r.ID)
	e.checkTable(t, sys)
	verify(t, sys, r.ID)
}

func (e expectation) checkTable(t *testing.T, sys *rig.System) {
	t.Helper()
	url := sys.Database()
	if e.url != "" {
		url = e.url
	}
	got := rig.Dump(t, url, e.importer.Table)
	if len(got) == len(e.lines) && strings.Join(got, "\n") == strings.Join(e.lines, "\n") {
		return
	}
	t.Errorf("table %s: %s", e.importer.Table, firstDifference(e.lines, got))
}

// firstDifference is short where cmp.Diff of 100,000 lines is not.
func firstDifference(want, got []string) string {
	for i := range max(len(want), len(got)) {
		switch {
		case i >= len(want):
			return fmt.Sprintf("%d rows instead of %d, first surplus one: %s", len(got), len(want), got[i])
		case i >= len(got):
			return fmt.Sprintf("%d rows instead of %d, first missing one: %s", len(got), len(want), want[i])
		case want[i] != got[i]:
			return fmt.Sprintf("%d rows, want %d; line %d:\nwant %s\ngot  %s", len(got), len(want), i, want[i], got[i])
		}
	}
	return "none"
}

func (e expectation) checkErrors(t *testing.T, sys *rig.System, id int64) {
	t.Helper()
	var body struct {
		Data rig.ErrorSummary `json:"data"`
	}
	decode(t, sys.Must(0, "errors", fmt.Sprint(id), "--output", "json"), &body)
	messages := map[string]int64{}
	for _, entry := range body.Data.ErrorSummary {
		messages[entry.Message] = entry.Count
	}
	validation := map[string]int64{}
	for _, entry := range body.Data.ValidationSummary {
		validation[entry.Message] = entry.Count
	}
	if diff := cmp.Diff(e.result.Errors, messages); diff != "" {
		t.Errorf("error summary of run %d: %s", id, diff)
	}
	if diff := cmp.Diff(e.result.Validation, validation); diff != "" {
		t.Errorf("validation summary of run %d: %s", id, diff)
	}
	if e.result.Failed == 0 {
		return
	}
	records := failedRecords(t, sys, id)
	if len(records) != len(e.result.Rows) {
		t.Fatalf("run %d: %d failed rows in the CSV, want %d", id, len(records), len(e.result.Rows))
	}
	for i, want := range e.result.Rows {
		all := append(slices.Clone(want.Cells), want.Message, strconv.FormatInt(want.Number, 10))
		if !slices.Equal(all, records[i]) {
			t.Fatalf("run %d, failed row %d:\nwant %q\ngot  %q", id, i, all, records[i])
		}
	}
}

// failedRecords are the records of the CSV of the failed rows without its header, unguarded.
func failedRecords(t *testing.T, sys *rig.System, id int64) [][]string {
	t.Helper()
	records, err := csv.NewReader(strings.NewReader(sys.Must(0, "failed-rows", fmt.Sprint(id), "--raw"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return records[1:]
}

// failedRows reads the CSV of the failed rows: their numbers and messages.
func failedRows(t *testing.T, sys *rig.System, id int64) (numbers []int64, messages []string) {
	t.Helper()
	records, err := csv.NewReader(strings.NewReader(sys.Must(0, "failed-rows", fmt.Sprint(id)))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, record := range records[1:] {
		number, err := strconv.ParseInt(record[len(record)-1], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		numbers, messages = append(numbers, number), append(messages, record[len(record)-2])
	}
	return numbers, messages
}

// verify runs the ledger's proof of a run.
func verify(t *testing.T, sys *rig.System, id int64) {
	t.Helper()
	if result := sys.CLI("verify", fmt.Sprint(id)); result.Code != 0 {
		t.Errorf("verify %d: exit code %d\n%s%s", id, result.Code, result.Stdout, result.Stderr)
	}
}

func decode(t *testing.T, body string, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(body), into); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
}

func text(s *string) string {
	if s == nil {
		return "no reason"
	}
	return *s
}

// demoFile is a file of the shipped real data.
func demoFile(t *testing.T, name string) string {
	t.Helper()
	root, err := rig.Root()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(root, "configs", "demo", "data", name)
}

// products writes a generated file below the system's directory and adds its importer.
func products(t *testing.T, dir string, p reference.Products) string {
	t.Helper()
	path := filepath.Join(dir, "products.csv")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Write(file); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// installation is a system with the products importer and its file.
type installation struct {
	*rig.System
	redis    *rig.Redis
	postgres *rig.Postgres
	mariadb  *rig.MariaDB
	want     expectation
}

// slow makes chunks small, so that a run lasts long enough for something to happen in its middle on any machine.
const slow = "INGEST_CHUNK_SIZE=50"

// throttled makes a run of tens of thousands of rows last for seconds on the fastest machine: for runs that are not to end by
// themselves.
func throttled(i *reference.Importer) { i.RowsPerSecond = 5_000 }

// target says which database an installation writes to.
type target string

const (
	toSQLite   target = "sqlite"
	toPostgres target = "postgres"
	toMariaDB  target = "mariadb"
)

// install makes an installation with a private Redis and database, and a products file of that kind.
func install(t *testing.T, to target, options rig.RedisOptions, p reference.Products, change func(*reference.Importer), env ...string) installation {
	t.Helper()
	in := installation{redis: rig.StartRedis(t, options)}
	settings := rig.SystemOptions{RedisURL: in.redis.URL(), Env: env}
	switch to {
	case toPostgres:
		in.postgres = rig.StartPostgres(t)
		settings.Database = in.postgres.Database("ingest")
	case toMariaDB:
		in.mariadb = rig.StartMariaDB(t)
		settings.Database = in.mariadb.Database("ingest")
	case toSQLite:
	}
	path := products(t, t.TempDir(), p)
	importer := reference.ProductsImporter(path, "update")
	if change != nil {
		change(&importer)
	}
	settings.Importers = map[string]string{"products.yaml": importer.YAML()}
	settings.Env = append(settings.Env, "INGEST_ROOTS="+filepath.Dir(path))
	in.System = rig.NewSystem(t, settings)
	in.Migrate()
	in.want = expect(t, importer, path)
	return in
}
