package integration

import (
	"archive/zip"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ingest/integration/rig"
)

// extended makes an installation of the example program with its importer and an archive with the lines of a month.
func extended(t *testing.T, options rig.SystemOptions, lines ...string) *rig.System {
	t.Helper()
	root, err := rig.Root()
	if err != nil {
		t.Fatal(err)
	}
	importer, err := os.ReadFile(filepath.Join(root, "admin", "example", "payments.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	options.Binary = rig.Example(t)
	options.Importers = map[string]string{"payments.yaml": string(importer)}
	s := rig.NewSystem(t, options)
	file, err := os.Create(s.Write("in/payments.zip", ""))
	if err != nil {
		t.Fatal(err)
	}
	archive := zip.NewWriter(file)
	entry, err := archive.Create("2026-01.txt")
	if err == nil {
		_, err = fmt.Fprintln(entry, strings.Join(lines, "\n"))
	}
	for _, step := range []error{err, archive.Close(), file.Close()} {
		if step != nil {
			t.Fatal(step)
		}
	}
	return s
}

func payment(id, iban, cents string) string { return fmt.Sprintf("%-6s%-28s%s", id, iban, cents) }

const goodIBAN = "DE89 3704 0044 0532 0130 00"

// TestTheExampleProgram: an importer that uses an extension of each kind, with everything the engine's own have: check,
// list, messages, retry, and a source that is kept as long as its rows may be needed.
func TestTheExampleProgram(t *testing.T) {
	t.Parallel()
	s := extended(t, rig.SystemOptions{},
		payment("A-0001", goodIBAN, "500"), "", payment("B-0002", "de89370400440532013000", "10"), payment("C-0003", goodIBAN, "5"),
		payment("A-0004", "DE00 3704 0044 0532 0130 00", "5"), payment("A-0005", goodIBAN, "12"),
		payment("A-0006", goodIBAN, "00000005 and more"), payment("A-0007", "", "5"))
	s.Must(0, "check")
	if list := s.Must(0, "list", "--output", "json"); !strings.Contains(list, `"source": "zip"`) || !strings.Contains(list, `"format": "fixed"`) {
		t.Errorf("list: %s", list)
	}
	if schema := s.Must(0, "schema"); !strings.Contains(schema, `"const": "zip"`) || !strings.Contains(schema, `"iban"`) || !strings.Contains(schema, `"multiple_of"`) {
		t.Error("the schema does not know the extensions")
	}
	lines := s.Write("in/lines.txt", payment("A-0001", goodIBAN, "500")+"\n"+payment("A-0002", "x", "5")+"\n")
	if preview := s.Must(0, "preview", "payments", "--file", lines, "--param", "month=x"); !strings.Contains(preview, "DE89370400440532013000") ||
		!strings.Contains(preview, "The iban field must be an IBAN.") {
		t.Errorf("preview: %s", preview)
	}
	for args, says := range map[string]string{
		"preview payments --param month=2026-1": "is fetched when a run begins: give a file with --file.",
		"run payments":                          "The parameter 'month' is required",
		"run payments --param month=2026-02":    "The source could not be opened: the archive in/payments.zip has no file 2026-02.txt",
		"run payments --param month=../2026-1":  "has no file ../2026-1.txt",
	} {
		if result := s.CLI(strings.Fields(args)...); result.Code == 0 || !strings.Contains(result.Stdout+result.Stderr, says) {
			t.Errorf("%s: %+v, want %q", args, result, says)
		}
	}
	s.Must(3, "run", "payments", "--param", "month=2026-01")
	if diff := cmp.Diff([]string{
		"id=A-0001\tiban=DE89370400440532013000\tcents=500", `id=A-0007	iban=\N	cents=5`,
		"id=B-0002\tiban=DE89370400440532013000\tcents=10",
	}, s.Dump("payments", "id", "iban", "cents")); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	id := int64(3)
	var failed []string
	for _, row := range details(t, s, id).Data.Rows {
		failed = append(failed, fmt.Sprintf("%d@%d %s", row.Number, row.Line, row.Errors.Message))
	}
	if diff := cmp.Diff([]string{
		"3@4 Value must begin with one of: A-, B-",
		"4@5 The iban field must be an IBAN.",
		"5@6 The cents field must be a multiple of 5.",
		"6@7 line 7: text behind the last column",
	}, failed); diff != "" {
		t.Errorf("failed rows (-want +got):\n%s", diff)
	}
	if r := s.Status(id); r.Filename != "2026-01.txt" || r.Progress.Total != 7 {
		t.Errorf("the run: %+v", r)
	}
	s.Check(id)
	if explained := s.Must(0, "explain", fmt.Sprint(id), "--row", "4"); !strings.Contains(explained, "The iban field must be an IBAN.") {
		t.Errorf("explain: %s", explained)
	}
	if err := os.Remove(filepath.Join(s.Dir, "in", "payments.zip")); err != nil {
		t.Fatal(err)
	}
	s.Must(3, "retry", fmt.Sprint(id))
	if kept := spooled(t, s); len(kept) != 1 {
		t.Errorf("the spool holds %v, want the source of the run with failed rows", kept)
	}
}

// TestAProgramWithoutTheExtensions leaves the run to others, as coordinator and as worker, and the run says what it waits
// for; nothing of a fetched source stays when all of its rows took effect.
func TestAProgramWithoutTheExtensions(t *testing.T) {
	t.Parallel()
	redis := rig.StartRedis(t, rig.RedisOptions{})
	var lines []string
	for i := range 3000 {
		lines = append(lines, payment(fmt.Sprintf("A-%04d", i), goodIBAN, "5"))
	}
	s := extended(t, rig.SystemOptions{RedisURL: redis.URL(), Env: []string{"INGEST_CHUNK_SIZE=100"}}, lines...)
	s.Migrate()
	in, plain := installation{System: s}, s.With(rig.Binary(t))
	coordinator := plain.Coordinator()
	id := s.Begin("payments", "--param", "month=2026-01")
	in.waits(t, id, "no running coordinator has all that the importer names (transform iban, rule multiple_of, validator prefix, format fixed, source zip)")
	worker := plain.Worker()
	s.Coordinator()
	in.waits(t, id, "no running worker has all that the importer names (transform iban, rule multiple_of, validator prefix)")
	worker.AwaitOutput("the run is left to other workers", patience)
	s.Worker()
	if r := s.Await(id, patience); r.Status != "completed" || r.Created != 3000 {
		t.Errorf("the run: %+v", r)
	}
	s.Check(id)
	for name, p := range map[string]*rig.Process{"coordinator": coordinator, "worker": worker} {
		if n := strings.Count(p.Output(), "the run is left to other"); n != 1 {
			t.Errorf("the %s said %d times that it leaves the run to others", name, n)
		}
	}
	rig.Until(t, patience, "the spool being empty", func() bool { return len(spooled(t, s)) == 0 })
	if result := plain.CLI("check", "payments"); result.Code != 1 || !strings.Contains(result.Stdout, `the source type must be filesystem or upload, not "zip"`) {
		t.Errorf("check without the extensions: %+v", result)
	}
}
